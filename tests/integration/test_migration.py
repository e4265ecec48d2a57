# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with the old Docker extension, as azlab carries it out, is moved to CustomScript while its containers go on."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from extension_host import BIN, COMPOSE, NEW_WORD, WORD, Host  # noqa: E402
from playbook_run import environment  # noqa: E402

pytestmark = pytest.mark.machines

PUBLIC = {"docker": {"port": "2376", "options": ["--log-opt max-size=5m"]}, "compose": COMPOSE, "compose-environment": {"UNUSED": "x"}}
CONTAINER = "docker inspect -f '{{.Id}} {{.State.StartedAt}} {{.State.Running}}' compose-web-1"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    made = Host(tmp_path_factory.mktemp("migration"))
    try:
        made.start(docker_extension="working")
        yield made
    finally:
        made.azlab("down")


@pytest.fixture(scope="module")
def folder(host):
    """Certificates, and prot.json with them as people have it."""
    folder = host.folder / "tls"
    hosts = host.good("host_group_info", resource_group="rg", name="ext")["hosts"]
    host.good("docker_certificates", directory=str(folder), hosts=hosts, contexts=True, docker_config=str(host.folder / "docker"))
    certs = {name: (folder / path).read_text() for name, path in (("ca", "ca.pem"), ("cert", "hosts/ext-1/cert.pem"), ("key", "hosts/ext-1/key.pem"))}
    (host.folder / "pub.json").write_text(json.dumps(PUBLIC))
    (host.folder / "prot.json").write_text(json.dumps({"environment": {"WORD": WORD}, "certs": certs}))
    return host.folder


def cli(folder, *words):
    """The Docker CLI, over TLS, by the context that was written."""
    done = subprocess.run(["docker", "--context", "ext-1", *words], env=dict(os.environ, DOCKER_CONFIG=str(folder / "docker")), text=True,
                          capture_output=True, check=False)  # fmt: skip
    return (done.stdout + done.stderr).strip()


def migrate(host, **variables):
    env = environment(host.folder, host.env)
    words = ["dockhost.azure.migrate_from_docker_extension", "-e", json.dumps({"migrate_resource_group": "rg", **variables})]
    done = subprocess.run([str(BIN / "ansible-playbook"), *words], env=env, capture_output=True, text=True, timeout=300, cwd=host.folder, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_old_extension_does_what_its_guide_says(host, folder):
    made = host.run("docker_extension", resource_group="rg", group="ext", handler="docker_extension", settings_file=str(folder / "pub.json"),
                    protected_settings_file=str(folder / "prot.json"), name="DockerExtension")  # fmt: skip
    assert not made["failed"] and made["handlers"][0]["handler"] == "docker_extension", made
    assert made["extensions"][0]["message"] == "Enable Docker succeeded"
    assert host.answer() == WORD and cli(folder, "ps", "--format", "{{.Names}}") == "compose-web-1"
    assert "-H=fd:// --tlsverify" in host.on("cat $(systemctl show -p FragmentPath docker.service | cut -d= -f2-)")
    assert "docker" in host.on("id -nG azureuser").split() and host.on("stat -c %a /etc/docker/key.pem").strip() == "600"
    again = host.run("docker_extension", resource_group="rg", group="ext", handler="docker_extension", settings_file=str(folder / "pub.json"),
                     protected_settings_file=str(folder / "prot.json"), name="DockerExtension")  # fmt: skip
    assert not again["changed"], again


def test_it_is_moved_while_its_container_goes_on(host, folder):
    before, answers, going = host.on(CONTAINER), [], True

    def visit():
        while going:
            try:
                answers.append(host.answer())
            except OSError as error:
                answers.append(str(error))
            time.sleep(0.2)

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        said = migrate(host, migrate_protected_settings={"environment": {"WORD": WORD}})  # its certificates are on the host
    finally:
        going = False
        visitor.join()
    assert "1 of 1 hosts had the old extension: ext-1" in " ".join(said.split())
    # Published ports are the engine's work: while it is away they refuse connections, or cut them. The container itself goes on, which its
    # id and the time of its start tell: how many requests meet the restart depends on how busy this machine is.
    lost = [answer for answer in answers if answer != WORD]
    assert answers[0] == answers[-1] == WORD and len(lost) < len(answers) / 2, (len(answers), lost)
    assert host.on(CONTAINER) == before  # the same container, which has not been started again
    found = host.good("vm_extension_info", resource_group="rg")["extensions"]
    assert [(item["name"], item["type"], item["provisioning_state"]) for item in found] == [("docker-host", "CustomScript", "Succeeded")]
    assert cli(folder, "ps", "--format", "{{.Names}}") == "compose-web-1"
    options = json.loads(host.on("cat /etc/docker/daemon.json"))
    assert options["log-opts"] == {"max-size": "5m"} and options["live-restore"] is True and options["tlsverify"] is True
    again = migrate(host, migrate_protected_settings={"environment": {"WORD": WORD}})
    assert "changed=0" in again and host.on(CONTAINER) == before


def test_afterwards_the_host_is_managed_like_any_other(host, folder):
    rotated = host.run("docker_extension", resource_group="rg", group="ext", name="docker-host", settings_file=str(folder / "pub.json"),
                       protected_settings={"environment": {"WORD": NEW_WORD}}, keep_certificates=True)  # fmt: skip
    assert rotated["changed"] and not rotated["failed"], rotated
    assert host.answer() == NEW_WORD and cli(folder, "ps", "--format", "{{.Names}}") == "compose-web-1"
