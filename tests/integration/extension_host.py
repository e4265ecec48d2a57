# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with a host whose CustomScript really runs, for the tests of docker_extension."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).parents[2]
# A module runs in a process of its own, which nothing of the test's captures.
RUNNER = "import json, sys, module_run; print(json.dumps(module_run.run(**json.load(sys.stdin))))"
BIN = pathlib.Path(sys.executable).parent
IMAGE = "Debian:debian-13:13-gen2:latest"
WORD, NEW_WORD, PASSWORD = "first-secret-word", "second-secret-word", "registry-pass-word"

# Holds apt's lock as long as there is the file that says so.
HOLD = """nohup python3 -c '
import fcntl, os, pathlib, time
lock, mark = open("/var/lib/dpkg/lock-frontend", "w"), pathlib.Path("/run/somebody-else")
fcntl.lockf(lock, fcntl.LOCK_EX)
mark.write_text("holds")
while mark.exists():
    time.sleep(0.2)
' >/dev/null 2>&1 &
"""

# Looks all the time for secrets (a file with one a line) on command lines, until the file is gone; what it saw is in the other file.
WATCH = """nohup sh -c '
while [ -e /root/watched ]; do
  for process in /proc/[0-9]*; do tr "\\0" " " <$process/cmdline 2>/dev/null | grep -aF -f /root/watched; done
done >>/root/seen 2>/dev/null' >/dev/null 2>&1 &
"""
# Where they lie on the host outside of what root alone reads, in logs and in journals; the names of files, and lines of journals.
LEFT = """
find / -xdev -type f -perm /0077 -size -4096k ! -path '/proc/*' ! -path '/sys/*' -print0 | xargs -0 grep -laF -f /root/secrets 2>/dev/null
find /var/lib/waagent /var/log /var/lib/cloud -type f -perm /0077 -print0 2>/dev/null | xargs -0 -r grep -laF -f /root/secrets 2>/dev/null
grep -rlaF -f /root/secrets /var/log /run/log 2>/dev/null
journalctl --no-pager -o cat | grep -aF -f /root/secrets
"""

# A container that answers with a word that comes as a secret: haproxy, which needs nothing else.
ANSWER = (
    "printf '%s\\n' 'defaults' ' mode http' ' timeout client 5s' 'frontend f' ' bind *:80' "
    "' http-request return status 200 content-type text/plain lf-string %[env(WORD)]' >/tmp/c && exec haproxy -db -f /tmp/c"
)
# The first format of compose files, as the extension's user guide has it.
COMPOSE = {"web": {"image": "docker.io/library/haproxy:3.0", "ports": ["80:80"], "command": ["sh", "-c", ANSWER],
                   "environment": {"WORD": "${WORD}"}}}  # fmt: skip


class Host:
    """One lab, one host with an address of its own."""

    def __init__(self, folder):
        self.folder, self.lab = folder, "dockerext-{0}".format(os.getpid())
        self.home = dict(os.environ, AZLAB_HOME=str(folder / "azlab"))
        self.env = {}
        self.addresses = {}
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "id")], check=True)

    def azlab(self, *words):
        done = subprocess.run([str(BIN / "azlab"), *words, "--name", self.lab], env=self.home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self, scale="0", **conditions):
        """The lab, with conditions of docs/azlab.md and so many times Azure's latencies."""
        file = self.folder / "conditions.json"
        file.write_text(json.dumps(conditions))
        self.azlab("up", "--machines", "docker", "--port", "0", "--latency-scale", scale, "--conditions", str(file))
        self.env = dict(re.findall(r"^export (\w+)=['\"]?([^'\"\n]*)", self.azlab("env"), re.M))

    def proxy_env(self):
        """The environment of clients that insist on Azure's names."""
        return json.loads(self.azlab("env", "--proxy", "--json"))

    def start(self, scale="0", machines=True, **conditions):
        """The lab, a network and, unless it is to be without, host ext-1."""
        self.up(scale, **conditions)
        self.good("resource_group", name="rg", location="westeurope")
        opened = {"name": "in", "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
                  "source_address_prefixes": ["Internet"], "destination_port_ranges": ["22", "80", "2376"]}  # fmt: skip
        self.good("network", resource_group="rg", location="westeurope", name="net", address_prefixes=["172.31.0.0/16"],
                  security_groups=[{"name": "nsg", "rules": [opened]}],
                  subnets=[{"name": "hosts", "address_prefix": "172.31.1.0/24", "security_group": "nsg"}])  # fmt: skip
        if machines:
            self.machines("ext")

    def machines(self, name, **more):
        wanted = {
            "resource_group": "rg", "name": name, "count": 1, "size": "Standard_D2s_v5", "image": IMAGE, "public_ip": True,
            "ssh_public_keys": [(self.folder / "id.pub").read_text().strip()], "subnet": {"network": "net", "name": "hosts"},
        }  # fmt: skip
        made = self.good("host_group", **dict(wanted, **more))
        self.addresses.update({host["name"]: host["public_address"] for host in made["hosts"]})

    def begin(self, module, check=False, **arguments):
        """A module that runs beside the test; see ``end``."""
        asked = json.dumps({"name": module, "arguments": arguments, "env": self.env, "check": check, "limit": 300})
        paths = os.pathsep.join([str(ROOT / "tests" / "support"), str(ROOT / ".work" / "dev")])
        process = subprocess.Popen([sys.executable, "-c", RUNNER], env=dict(os.environ, PYTHONPATH=paths), text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        process.stdin.write(asked)
        process.stdin.close()
        process.stdin = None
        return process

    @staticmethod
    def end(process):
        out, errors = process.communicate()
        assert process.returncode == 0, errors
        return json.loads(out)

    def run(self, module, check=False, **arguments):
        return self.end(self.begin(module, check, **arguments))

    def good(self, module, **arguments):
        result = self.run(module, **arguments)
        assert not result["failed"], result
        return result

    def docker(self, check=False, settings=None, protected=None, **more):
        arguments = {"settings": settings or {}, "protected_settings": protected or {}, **more}
        return self.run("docker_extension", check=check, resource_group="rg", group="ext", **arguments)

    def on(self, command, name="ext-1"):
        """A command as root, over SSH."""
        words = ["ssh", "-q", "-i", str(self.folder / "id"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                 "azureuser@" + self.addresses[name], "sudo", "sh", "-s"]  # fmt: skip
        return subprocess.run(words, input=command, capture_output=True, text=True, timeout=300, check=False).stdout

    def hold_lock(self, name="ext-1"):
        """Somebody else uses the package manager, until ``release_lock`` or the next boot."""
        self.on(HOLD, name)
        self.until("cat /run/somebody-else", "holds", name)

    def release_lock(self, name="ext-1"):
        self.on("rm -f /run/somebody-else", name)

    def watch(self, secrets, name="ext-1"):
        """Look for secrets on command lines from here on; see ``seen``."""
        lines = "\n".join(secrets)
        self.on("umask 077; rm -f /root/seen; cat >/root/secrets <<'END'\n{0}\nEND\ncp /root/secrets /root/watched\n{1}".format(lines, WATCH), name)
        # A process that has one there is seen, or else nothing would be proved.
        self.on("sh -c ': {0}; until [ -s /root/seen ]; do sleep 0.1; done'; : >/root/seen".format(secrets[0]), name)

    def seen(self, name="ext-1"):
        """What ``watch`` saw, and where secrets lie on the host that more than root reads, or in logs."""
        found = self.on("cat /root/seen; rm -f /root/watched", name) + self.on(LEFT, name)
        self.on("rm -f /root/secrets /root/seen", name)
        return found

    def until(self, command, words, name="ext-1", seconds=240):
        """Ask a host until its answer has the words."""
        deadline = time.monotonic() + seconds
        said = ""
        while words not in said:
            assert time.monotonic() < deadline, said
            time.sleep(0.5)
            said = self.on(command, name)
        return said

    def answer(self, name="ext-1"):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open("http://{0}/".format(self.addresses[name]), timeout=5) as got:
            return got.read().decode()


def shown(result):
    """The result without what was given."""
    return json.dumps({key: value for key, value in result.items() if key != "invocation"})
