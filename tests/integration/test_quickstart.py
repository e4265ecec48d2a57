# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example playbooks that stand for templates of Azure's quickstart gallery, on azlab."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from extension_host import BIN, IMAGE, ROOT, Host  # noqa: E402
from playbook_run import environment  # noqa: E402

pytestmark = pytest.mark.machines

EXAMPLES = ROOT / "examples" / "quickstart"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    made = Host(tmp_path_factory.mktemp("quickstart"))
    try:
        made.up()
        yield made
    finally:
        made.azlab("down")


def play(host, name, **variables):
    """Run an example; its last message."""
    env = environment(host.folder, host.env)
    given = json.dumps(dict(variables, ssh_public_key_file=str(host.folder / "id.pub"), image=IMAGE))
    done = subprocess.run([str(BIN / "ansible-playbook"), str(EXAMPLES / name), "-e", given], env=env, capture_output=True, text=True, timeout=400,
                          cwd=host.folder, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_docker_simple_on_ubuntu(host):
    said = play(host, "docker_simple_on_ubuntu.yml")
    host.addresses["docker-1"] = re.search(r"azureuser@([\d.]+)", said)[1]
    host.until("docker version -f '{{.Server.Version}}' 2>&1 || true; cat /var/lib/dockhost/docker-status.json", '"success"', "docker-1")
    assert "docker" in host.on("id -nG azureuser", "docker-1").split()
    assert "changed=0" in play(host, "docker_simple_on_ubuntu.yml")


def test_docker_wordpress_mysql(host):
    said = play(host, "docker_wordpress_mysql.yml")
    address = re.search(r"http://([\d.]+)/", said)[1]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 240
    while True:
        try:
            with opener.open("http://{0}/".format(address), timeout=10) as got:
                page = got.read().decode()
                break
        except OSError as error:  # WordPress unpacks itself and waits for its database
            assert time.monotonic() < deadline, error
            time.sleep(1)
    assert "wordpress" in page.lower(), page[:500]
    again = play(host, "docker_wordpress_mysql.yml")
    assert "changed=0" in again


def swarm_play(host):
    """Run the example with its own inventory file, as an operator does."""
    env = environment(host.folder, host.env, ANSIBLE_CONFIG=str(ROOT / "examples" / "ansible.cfg"), ANSIBLE_PRIVATE_KEY_FILE=str(host.folder / "id"),
                      ANSIBLE_SSH_CONTROL_PATH_DIR=str(host.folder / "cp"), DOCKHOST_SSH_PUBLIC_KEY_FILE=str(host.folder / "id.pub"))  # fmt: skip
    words = [str(BIN / "ansible-playbook"), "-i", str(EXAMPLES / "docker_swarm_cluster.docker_hosts.yml"), str(EXAMPLES / "docker_swarm_cluster.yml")]
    done = subprocess.run(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900, cwd=host.folder, check=False)
    assert done.returncode == 0, done.stdout[-8000:]

    def on(name, command):
        words = ["ansible", "-i", str(EXAMPLES / "docker_swarm_cluster.docker_hosts.yml"), name, "--become", "-m", "ansible.builtin.command", "-a", command]
        asked = subprocess.run([str(BIN / words[0]), *words[1:]], env=env, capture_output=True, text=True, timeout=100, cwd=host.folder, check=False)
        assert asked.returncode == 0, asked.stdout + asked.stderr
        return asked.stdout

    return done.stdout, on


def test_docker_swarm_cluster(host):
    said, on = swarm_play(host)
    url = re.search(r"http://[\d.]+/", said)[0]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    answers, deadline = set(), time.monotonic() + 240
    while len(answers) < 2:  # until the load balancer has led to both nodes
        assert time.monotonic() < deadline, answers
        with opener.open(url, timeout=5) as got:
            answers.add(got.read().decode())
    assert answers == {"Hello from swarm-4\n", "Hello from swarm-5\n"}
    nodes = on("swarm-1", "docker node ls --format '{% raw %}{{.Hostname}} {{.Status}} {{if .ManagerStatus}}manager{{else}}worker{{end}}{% endraw %}'")
    assert sorted(re.findall(r"^(swarm-\d) Ready (\w+)", nodes, re.M)) == [
        ("swarm-1", "manager"), ("swarm-2", "manager"), ("swarm-3", "manager"), ("swarm-4", "worker"), ("swarm-5", "worker"),
    ], nodes  # fmt: skip
    # What the template opened to the world is open nowhere.
    assert not re.search(r":237[56]\b", on("all", "ss -ltn"))
    again = swarm_play(host)[0]
    assert re.findall(r"changed=(\d+)", again) and set(re.findall(r"changed=(\d+)", again)) == {"0"}, again[-4000:]
