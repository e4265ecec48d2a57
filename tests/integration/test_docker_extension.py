# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module docker_extension on a host of azlab, where CustomScript really runs: engine, TLS, compose, secrets, errors, removal."""

from __future__ import annotations

import base64
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from extension_host import COMPOSE, IMAGE, NEW_WORD, PASSWORD, WORD, Host, shown  # noqa: E402

pytestmark = pytest.mark.machines

# A registry that serves those who sign in only, with an image in it: Debian's, on the host itself.
REGISTRY = r"""
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qq install -y --no-install-recommends docker-registry apache2-utils >/dev/null 2>&1 || exit 1
systemctl disable -q --now docker-registry
htpasswd -Bbn deploy %(password)s >/root/htpasswd
cat >/root/registry.yml <<'END'
version: 0.1
storage: {filesystem: {rootdirectory: /root/registry}}
http: {addr: "127.0.0.1:5000"}
auth: {htpasswd: {realm: lab, path: /root/htpasswd}}
END
nohup docker-registry serve /root/registry.yml >/root/registry.log 2>&1 &
for try in 1 2 3 4 5 6 7 8 9 10; do curl -s -o /dev/null http://127.0.0.1:5000/v2/ && break; sleep 1; done
export DOCKER_CONFIG=/root/push
echo %(password)s | docker login -u deploy --password-stdin localhost:5000 >/dev/null 2>&1
docker tag docker.io/library/haproxy:3.0 localhost:5000/private/web:1 && docker push -q localhost:5000/private/web:1 &&
  docker rmi -f localhost:5000/private/web:1 >/dev/null && rm -rf /root/push && echo pushed
""" % {"password": PASSWORD}


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    made = Host(tmp_path_factory.mktemp("extension"))
    try:
        made.start()
        yield made
    finally:
        made.azlab("down")


def test_check_mode_tells_and_does_nothing(host):
    told = host.docker(check=True, settings={"compose": COMPOSE}, protected={"environment": {"WORD": WORD}})
    assert told["changed"] and [step["action"] for step in told["plan"]] == ["create"], told
    assert told["handlers"][0]["handler"] == "custom_script" and "cannot be installed on " + IMAGE in told["handlers"][0]["reason"]
    assert host.on("test -e /usr/sbin/dockerd || echo none").strip() == "none"


def test_engine_and_compose_come_up_although_the_package_lock_is_held(host):
    wanted = {"settings": {"compose": COMPOSE, "docker": {"options": ["-D", "--log-opt max-size=5m"]}}, "protected": {"environment": {"WORD": WORD}}}
    host.hold_lock()
    running = host.begin("docker_extension", resource_group="rg", group="ext", settings=wanted["settings"], protected_settings=wanted["protected"])
    host.until("grep -hE 'lock was locked by|Waiting for cache lock' /var/log/azure/dockhost-docker.log /var/lib/dockhost/out", "lock")
    assert running.poll() is None
    host.release_lock()
    made = host.end(running)
    assert not made["failed"] and made["changed"], made
    assert host.answer() == WORD
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


def test_the_tls_port_opens_with_the_client_certificate_only_and_certificates_are_renewed(host):
    folder, config = str(host.folder / "tls"), str(host.folder / "docker")
    wanted = {"settings": {"compose": COMPOSE, "docker": {"port": "2376"}}, "protected": {"environment": {"WORD": NEW_WORD}}, "certificates": folder}

    def certificates(*names):
        hosts = host.good("host_group_info", resource_group="rg", name="ext")["hosts"]
        return host.good("docker_certificates", directory=folder, hosts=[dict(hosts[0], names=list(names))], contexts=True, docker_config=config)

    def version(client=True):
        context = ssl.create_default_context(cafile=folder + "/ca.pem")
        if client:
            context.load_cert_chain(folder + "/client/cert.pem", folder + "/client/key.pem")
        connection = http.client.HTTPSConnection(host.addresses["ext-1"], 2376, context=context, timeout=5)
        connection.request("GET", "/version")
        served = connection.sock.getpeercert()["serialNumber"]
        return json.load(connection.getresponse())["Version"], served

    def cli():
        done = subprocess.run(["docker", "--context", "ext-1", "ps", "--format", "{{.Names}}"], env=dict(os.environ, DOCKER_CONFIG=config),
                              capture_output=True, text=True, check=False)  # fmt: skip
        return done.stdout.strip() or done.stderr

    assert certificates()["changed"]
    made = host.docker(**wanted)
    assert not made["failed"], made
    first = version()
    assert first[0] and cli() == "compose-web-1"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        version(client=False)
    with pytest.raises(urllib.error.HTTPError):  # the engine says 400 to plain HTTP
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://{0}:2376/version".format(host.addresses["ext-1"]), timeout=5)
    assert host.on("stat -c %a /etc/docker/key.pem /etc/docker/cert.pem").split() == ["600", "600"]
    assert host.answer() == NEW_WORD and not certificates()["changed"] and not host.docker(**wanted)["changed"]

    assert certificates("docker.example.com")["changes"][0]["reason"] == "lacks docker.example.com"
    renewed = host.docker(**wanted)
    assert renewed["changed"] and not renewed["failed"], renewed
    assert version()[1] != first[1] and cli() == "compose-web-1"
    assert not host.docker(**wanted)["changed"]


def test_wrong_certificates_are_refused_and_the_engine_stays_as_it_is(host):
    texts = {name: (host.folder / "tls" / path).read_text() for name, path in (("ca", "ca.pem"), ("cert", "hosts/ext-1/cert.pem"),
                                                                               ("key", "client/key.pem"))}  # fmt: skip
    refused = host.docker(settings={"docker": {"port": "2376"}}, protected={"certs": texts})
    assert refused["failed"] and "protected_settings.certs cannot work: key is not the key of cert" in refused["msg"], refused


def test_an_engine_that_does_not_start_gets_back_what_it_had(host):
    before = host.on("cat /etc/docker/cert.pem /etc/docker/daemon.json")
    failed = host.docker(settings={"docker": {"port": "2376", "options": ["--bridge=nosuchbridge0"]}}, certificates=str(host.folder / "tls"))
    assert failed["failed"] and failed["failures"][0]["exit_code"] == 13 and "the old ones are back and it runs again" in failed["msg"], failed
    assert host.on("cat /etc/docker/cert.pem /etc/docker/daemon.json") == before and host.on("systemctl is-active docker").strip() == "active"


@pytest.mark.parametrize("compose, code, words", [
    ({"services": {"web": dict(COMPOSE["web"], depends_on=["nowhere"])}}, 15, "the compose file has an error: service \"web\" depends on undefined service"),
    ({"services": {"web": dict(COMPOSE["web"], command=["sh", "-c", "sleep 1; exit 3"])}}, 17, "container compose-web-1 has ended with exit code 3"),
    ({"services": {"web": dict(COMPOSE["web"], healthcheck={"test": ["CMD", "false"], "interval": "1s", "retries": 2})}}, 17,
     "container compose-web-1 is unhealthy"),
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


def test_a_private_registry_serves_its_image_to_those_who_sign_in(host):
    ready = host.on(REGISTRY)
    assert "pushed" in ready, ready
    image = {"services": {"web": dict(COMPOSE["web"], image="localhost:5000/private/web:1")}}
    login = {"server": "localhost:5000", "username": "deploy", "password": PASSWORD}
    word = {"WORD": NEW_WORD}
    stranger = host.docker(settings={"compose": image}, protected={"environment": word})
    assert stranger["failed"] and stranger["failures"][0]["exit_code"] == 16 and "docker compose up failed" in stranger["msg"], stranger
    refused = host.docker(settings={"compose": image}, protected={"environment": word, "login": dict(login, password="wrong-one")})
    assert refused["failed"] and refused["failures"][0]["exit_code"] == 14 and "refuses the login" in refused["msg"], refused
    wanted = {"settings": {"compose": image}, "protected": {"environment": word, "login": login}}
    # As they are, and as they stand in the script.
    encoded = [base64.b64encode(text.encode()).decode() for text in (PASSWORD, "WORD='{0}'\n".format(NEW_WORD))]
    host.watch([PASSWORD, NEW_WORD, *encoded])
    made = host.docker(**wanted, reinstall="failed")  # what has failed is taken off and made anew
    assert not made["failed"] and [step["action"] for step in made["plan"]] == ["delete", "create"], made
    assert host.answer() == NEW_WORD and "private/web:1" in host.on("docker ps")
    assert host.seen() == ""
    assert PASSWORD not in shown(made) and not host.docker(**wanted)["changed"]


def test_a_port_without_tls_is_open_only_as_long_as_somebody_insists(host):
    def version():
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{host.addresses['ext-1']}:2376/version", timeout=5) as got:
            return json.load(got)["Version"]

    made = host.docker(settings={"docker": {"port": "2376"}}, allow_unauthenticated_tcp_which_gives_root_to_everybody=True)
    assert not made["failed"], made
    assert version()
    made = host.docker()
    assert not made["failed"], made
    with pytest.raises(OSError):
        version()


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
    deadline = time.monotonic() + 240
    while True:
        try:
            assert host.answer("first-1") == WORD
            break
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, host.on("cat /var/log/azure/dockhost-docker.log", "first-1")
            time.sleep(1)
    assert "docker" in host.on("id -nG azureuser", "first-1").split()


def test_a_reboot_in_the_middle_is_survived(host):
    host.hold_lock()  # until the reboot
    running = host.begin("docker_extension", resource_group="rg", group="ext", settings={"compose": COMPOSE},
                         protected_settings={"environment": {"WORD": WORD}})  # fmt: skip
    host.until("cat /var/lib/dockhost/docker-status.json", '"transitioning", "step": "install Docker"')
    host.on("systemctl reboot")
    cut = host.end(running)
    assert cut["failed"], cut
    host.until("cat /var/lib/dockhost/docker-status.json", '"success"')  # the unit has gone on at the boot
    assert host.answer() == WORD
    assert host.on("ls /var/lib/dockhost/docker-setup.sh /etc/systemd/system/dockhost-docker-setup.service 2>/dev/null").strip() == ""
    wanted = {"settings": {"compose": COMPOSE}, "protected": {"environment": {"WORD": WORD}}}
    again = host.docker(**wanted)
    assert again["changed"] and not again["failed"], again  # Azure takes it for failed until it has run again
    assert not host.docker(**wanted)["changed"]


def test_instances_of_a_scale_set(host):
    host.machines("set", engine="scale_set")
    name = next(name for name in host.addresses if name.startswith("set"))
    made = host.run("docker_extension", resource_group="rg", scale_set="set", settings={"compose": COMPOSE},
                    protected_settings={"environment": {"WORD": WORD}})  # fmt: skip
    assert made["changed"] and not made["failed"] and [item["host"] for item in made["handlers"]] == [name], made
    assert host.answer(name) == WORD


def test_a_host_without_a_way_out_says_so(host):
    host.machines("lone", public_ip=False)
    failed = host.run("docker_extension", resource_group="rg", group="lone", settings={}, protected_settings={})
    assert failed["failed"] and failed["failures"][0]["exit_code"] == 11, failed
    assert "package" in failed["failures"][0]["reason"] and failed["failures"][0]["log"] == "/var/log/azure/dockhost-docker.log", failed
