# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module docker_extension on a host of azlab, where CustomScript really runs: engine, TLS, compose, secrets, errors, removal."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

pytestmark = pytest.mark.machines

ROOT = pathlib.Path(__file__).parents[2]
# A module runs in a process of its own, which nothing of the test's captures.
RUNNER = "import json, sys, module_run; print(json.dumps(module_run.run(**json.load(sys.stdin))))"
BIN = pathlib.Path(sys.executable).parent
IMAGE = "Debian:debian-13:13-gen2:latest"
WORD, NEW_WORD, PASSWORD = "first-secret-word", "second-secret-word", "registry-pass-word"

# A container that answers with a word that comes as a secret: haproxy, which needs nothing else.
ANSWER = (
    "printf '%s\\n' 'defaults' ' mode http' ' timeout client 5s' 'frontend f' ' bind *:80' "
    "' http-request return status 200 content-type text/plain lf-string %[env(WORD)]' >/tmp/c && exec haproxy -db -f /tmp/c"
)
# The first format of compose files, as the extension's user guide has it.
COMPOSE = {"web": {"image": "docker.io/library/haproxy:3.0", "ports": ["80:80"], "command": ["sh", "-c", ANSWER],
                   "environment": {"WORD": "${WORD}"}}}  # fmt: skip

# A registry that only knows how to ask for a password.
REGISTRY = """
import base64, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.headers.get("Authorization") == "Basic " + base64.b64encode(b"deploy:%s").decode()
        self.send_response(200 if good else 401)
        self.send_header("WWW-Authenticate", 'Basic realm="lab"')
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
http.server.HTTPServer(("127.0.0.1", 5000), Handler).serve_forever()
""" % PASSWORD


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

    def start(self):
        self.azlab("up", "--machines", "docker", "--port", "0", "--latency-scale", "0")
        self.env = dict(re.findall(r"^export (\w+)=['\"]?([^'\"\n]*)", self.azlab("env"), re.M))
        self.good("resource_group", name="rg", location="westeurope")
        opened = {"name": "in", "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
                  "source_address_prefixes": ["Internet"], "destination_port_ranges": ["22", "80", "2376"]}  # fmt: skip
        self.good("network", resource_group="rg", location="westeurope", name="net", address_prefixes=["172.31.0.0/16"],
                  security_groups=[{"name": "nsg", "rules": [opened]}],
                  subnets=[{"name": "hosts", "address_prefix": "172.31.1.0/24", "security_group": "nsg"}])  # fmt: skip
        self.machines("ext")

    def machines(self, name, **more):
        made = self.good(
            "host_group", resource_group="rg", name=name, count=1, size="Standard_D2s_v5", image=IMAGE, public_ip=True,
            ssh_public_keys=[(self.folder / "id.pub").read_text().strip()], subnet={"network": "net", "name": "hosts"}, **more
        )  # fmt: skip
        self.addresses.update({host["name"]: host["public_address"] for host in made["hosts"]})

    def run(self, module, check=False, **arguments):
        asked = json.dumps({"name": module, "arguments": arguments, "env": self.env, "check": check, "limit": 300})
        paths = os.pathsep.join([str(ROOT / "tests" / "support"), str(ROOT / ".work" / "dev")])
        done = subprocess.run([sys.executable, "-c", RUNNER], input=asked, env=dict(os.environ, PYTHONPATH=paths), capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

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
        return subprocess.run(words, input=command, capture_output=True, text=True, timeout=60, check=False).stdout

    def answer(self, name="ext-1"):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open("http://{0}/".format(self.addresses[name]), timeout=5) as got:
            return got.read().decode()


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    made = Host(tmp_path_factory.mktemp("extension"))
    try:
        made.start()
        yield made
    finally:
        made.azlab("down")


@pytest.fixture(scope="module")
def certs(host):
    """A CA, a server's and a client's certificate, in PEM, as people make them."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=host.folder, check=True, capture_output=True)

    new = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *new, "-days", "2", "-subj", "/CN=ca", "-keyout", "ca-key.pem", "-out", "ca.pem")
    for name, extra in (("server", "subjectAltName=IP:" + host.addresses["ext-1"]), ("client", "extendedKeyUsage=clientAuth")):
        (host.folder / (name + ".ext")).write_text(extra + "\n")
        openssl("req", *new, "-subj", "/CN=" + name, "-keyout", name + "-key.pem", "-out", name + ".csr")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "2",
                "-extfile", name + ".ext", "-out", name + ".pem")  # fmt: skip
    return {"ca": (host.folder / "ca.pem").read_text(), "cert": (host.folder / "server.pem").read_text(),
            "key": (host.folder / "server-key.pem").read_text()}  # fmt: skip


def shown(result):
    """The result without what was given."""
    return json.dumps({key: value for key, value in result.items() if key != "invocation"})


def test_check_mode_tells_and_does_nothing(host):
    told = host.docker(check=True, settings={"compose": COMPOSE}, protected={"environment": {"WORD": WORD}})
    assert told["changed"] and [step["action"] for step in told["plan"]] == ["create"], told
    assert told["handlers"][0]["handler"] == "custom_script" and "cannot be installed on " + IMAGE in told["handlers"][0]["reason"]
    assert host.on("test -e /usr/sbin/dockerd || echo none").strip() == "none"


def test_engine_and_compose_come_up_although_the_package_lock_is_held(host):
    host.on("nohup python3 -c 'import fcntl, time; f = open(\"/var/lib/dpkg/lock-frontend\", \"w\"); fcntl.lockf(f, fcntl.LOCK_EX); "
            "time.sleep(8)' >/dev/null 2>&1 &")  # fmt: skip
    wanted = {"settings": {"compose": COMPOSE, "docker": {"options": ["-D", "--log-opt max-size=5m"]}}, "protected": {"environment": {"WORD": WORD}}}
    made = host.docker(**wanted)
    assert not made["failed"] and made["changed"], made
    assert host.answer() == WORD
    assert re.search("lock was locked by|Waiting for cache lock", host.on("cat /var/log/azure/dockhost-docker.log"))
    # It started once, with its own configuration.
    assert host.on("journalctl -u docker -o cat | grep -c 'Starting up'").strip() == "1"
    assert json.loads(host.on("cat /etc/docker/daemon.json")) == {"debug": True, "log-opts": {"max-size": "5m"}}
    again = host.docker(**wanted)
    assert not again["failed"] and not again["changed"], again
    status = json.loads(host.on("cat /var/lib/dockhost/docker-status.json"))
    assert (status["state"], status["exit_code"]) == ("success", 0)


def test_a_rotated_secret_is_applied_and_stays_secret(host):
    before = host.on("stat -c '%a %n' /etc/docker/compose/* /var/log/azure/dockhost-docker.log")
    assert {line.split()[0] for line in before.splitlines()} == {"600"}, before
    wanted = {"settings": {"compose": COMPOSE}, "protected": {"environment": {"WORD": NEW_WORD}}}
    rotated = host.docker(**wanted)
    assert rotated["changed"] and not rotated["failed"], rotated
    assert host.answer() == NEW_WORD and not host.docker(**wanted)["changed"]
    for word in (WORD, NEW_WORD):
        assert word not in shown(rotated)
        # Neither in a process's arguments, nor in the logs, nor in what others may read.
        assert host.on("ps axww -o args | grep -v grep | grep -c {0}; grep -rl {0} /var/log || true".format(word)).split() == ["0"]
    # The options went, and with them the file that was ours.
    assert host.on("test -e /etc/docker/daemon.json || echo gone").strip() == "gone"


def test_a_port_without_certificates_is_refused(host):
    refused = host.docker(settings={"docker": {"port": "2376"}})
    assert refused["failed"] and "gives root on the host to everybody who reaches that port" in refused["msg"]


def test_the_tls_port_opens_with_the_client_certificate_only(host, certs):
    wanted = {"settings": {"compose": COMPOSE, "docker": {"port": "2376"}}, "protected": {"environment": {"WORD": NEW_WORD}, "certs": certs}}
    made = host.docker(**wanted)
    assert not made["failed"], made

    def version(client):
        context = ssl.create_default_context(cafile=str(host.folder / "ca.pem"))
        if client:
            context.load_cert_chain(str(host.folder / "client.pem"), str(host.folder / "client-key.pem"))
        connection = http.client.HTTPSConnection(host.addresses["ext-1"], 2376, context=context, timeout=5)
        connection.request("GET", "/version")
        return json.load(connection.getresponse())["Version"]

    assert version(client=True)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        version(client=False)
    with pytest.raises(urllib.error.HTTPError):  # the engine says 400 to plain HTTP
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://{0}:2376/version".format(host.addresses["ext-1"]), timeout=5)
    assert host.on("stat -c %a /etc/docker/key.pem /etc/docker/cert.pem").split() == ["600", "600"]
    assert host.answer() == NEW_WORD and not host.docker(**wanted)["changed"]


@pytest.mark.parametrize("compose, code, words", [
    ({"services": {"web": {"ports": ["80:80"]}}}, 15, "the compose file has an error: service \"web\" has neither an image nor a build context"),
    ({"services": {"web": dict(COMPOSE["web"], command=["sh", "-c", "sleep 1; exit 3"])}}, 17, "container compose-web-1 has ended with exit code 3"),
    ({"services": {"web": dict(COMPOSE["web"], ports=["${WORD}"])}}, 15, "********"),
])  # fmt: skip
def test_what_goes_wrong_is_told_with_its_reason(host, compose, code, words):
    failed = host.docker(settings={"compose": compose}, protected={"environment": {"WORD": NEW_WORD}})
    assert failed["failed"] and failed["failures"][0]["exit_code"] == code, failed
    assert words in failed["failures"][0]["reason"] and NEW_WORD not in shown(failed)
    view = host.docker(check=True, settings={"compose": compose}, protected={"environment": {"WORD": NEW_WORD}})
    assert view["plan"][0]["reason"] == "is failed"


def test_options_that_the_engine_refuses_harm_nothing(host):
    failed = host.docker(settings={"docker": {"options": ["--no-such-option=1"]}})
    assert failed["failed"] and failed["failures"][0]["exit_code"] == 12, failed
    assert "the engine refuses docker.options" in failed["msg"] and "no-such-option" in failed["msg"]
    assert host.on("systemctl is-active docker").strip() == "active"


def test_registry_login(host):
    host.on("cat >/tmp/registry.py <<'END'\n{0}\nEND\nnohup python3 /tmp/registry.py >/dev/null 2>&1 &".format(REGISTRY))
    login = {"server": "localhost:5000", "username": "deploy", "password": PASSWORD}
    refused = host.docker(protected={"login": dict(login, password="wrong-one")})
    assert refused["failed"] and refused["failures"][0]["exit_code"] == 14 and "refuses the login" in refused["msg"], refused
    made = host.docker(protected={"login": login})
    assert not made["failed"], made
    assert "localhost:5000" in host.on("cat /root/.docker/config.json") and PASSWORD not in host.on("cat /var/log/azure/*.log")
    assert not host.docker(protected={"login": login})["changed"]


def test_removal(host):
    gone = host.docker(state="absent", remove_docker=True)
    assert gone["changed"] and [step["reason"] for step in gone["plan"]] == ["takes Docker off the host", "is no longer wanted"], gone
    assert host.on("command -v dockerd || echo none").strip() == "none"
    assert not host.docker(state="absent", remove_docker=True)["changed"]


def test_cloud_init_has_docker_there_at_the_first_boot(host):
    made = host.run("docker_extension", handler="cloud_init", docker_user="azureuser", settings={"compose": COMPOSE},
                    protected_settings={"environment": {"WORD": WORD}})  # fmt: skip
    assert not made["changed"] and WORD not in made["custom_data"]
    host.machines("first", custom_data=made["custom_data"])
    deadline = time.monotonic() + 60
    while True:
        try:
            assert host.answer("first-1") == WORD
            break
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, host.on("cat /var/log/azure/dockhost-docker.log", "first-1")
            time.sleep(1)
    assert "docker" in host.on("id -nG azureuser", "first-1").split()
