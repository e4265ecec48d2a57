# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module docker_extension on the ARM side: handlers, what is sent where, files, refusals. The script itself runs in tests/integration."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from azlab.machines.driver import CommandResult  # noqa: E402
from azlab.testing import lab  # noqa: E402
from extension_lab import Recorder, make_hosts  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PUBLIC = {"compose": {"web": {"image": "web", "environment": {"P": "${PASSWORD}"}}}}
PROTECTED = {"environment": {"PASSWORD": "very-hidden"}}


@pytest.fixture(scope="module")
def driver():
    return Recorder()


@pytest.fixture(scope="module")
def azure(azure, driver):
    """A lab of its own: here CustomScript seems to run."""
    with lab("docker-extension", latency_scale=0, driver=driver) as running:
        yield type(azure)(running)


@pytest.fixture
def hosts(azure, group, driver):
    driver.scripts.clear()
    driver.answer = CommandResult(0, "done", "")
    return make_hosts(azure, group)


def run(azure, rg, check=False, **more):
    arguments = {"resource_group": rg, "group": "web", "settings": PUBLIC, "protected_settings": PROTECTED, **more}
    return azure.run("docker_extension", {key: value for key, value in arguments.items() if value is not None}, check=check)


def sent(driver):
    """The scripts as the machines got them."""
    found = []
    for text in driver.scripts:
        found.append(base64.b64decode(re.search(r"printf %s (\S+) \| base64 -d", text)[1]).decode())
    return found


def test_life(azure, group, hosts, driver):
    told = run(azure, group, check=True)
    assert told["changed"] and [step["name"] for step in told["plan"]] == ["web-1/docker", "web-2/docker"] and driver.scripts == []
    made = run(azure, group)
    assert made["changed"] and not made["failed"], made
    assert [item["handler"] for item in made["handlers"]] == ["custom_script"] * 2
    assert made["handlers"][0]["reason"].startswith("the Docker extension 1.2.2 is still published in westeurope, but it cannot be installed on")
    assert any("first format" in str(text) for text in made["warnings"]), made["warnings"]
    assert made["extensions"][0]["settings"] == {} and made["extensions"][0]["type"] == "CustomScript"
    scripts = sent(driver)
    assert len(scripts) == 2 and scripts[0].startswith("#!/bin/sh") and "DOCKER_USER='azureuser'" in scripts[0] and "very-hidden" not in scripts[0]
    again = run(azure, group)
    assert not again["changed"] and len(driver.scripts) == 2
    rotated = run(azure, group, protected_settings={"environment": {"PASSWORD": "other-one"}})
    assert rotated["changed"] and rotated["plan"][0]["changes"] == [{"path": "protectedSettings", "before": "********", "after": "********"}]
    shown = json.dumps([{key: value for key, value in result.items() if key != "invocation"} for result in (told, made, rotated)])
    assert "very-hidden" not in shown and "other-one" not in shown and "H4sI" not in shown

    removed = run(azure, group, state="absent", remove_docker=True)
    assert [step["reason"] for step in removed["plan"]] == ["takes Docker off the host", "is no longer wanted"] * 2, removed
    assert "MODE='remove'" in sent(driver)[-1] and removed["extensions"] == []
    assert not run(azure, group, state="absent", remove_docker=True)["changed"]


def test_the_files_that_people_have(azure, group, hosts, tmp_path):
    (tmp_path / "pub.json").write_text(json.dumps(PUBLIC))
    (tmp_path / "prot.json").write_text(json.dumps(PROTECTED))
    files = {"settings": None, "protected_settings": None, "settings_file": str(tmp_path / "pub.json"),
             "protected_settings_file": str(tmp_path / "prot.json")}  # fmt: skip
    assert run(azure, group, **files)["changed"]
    assert not run(azure, group)["changed"]
    (tmp_path / "prot.json").write_text('{"login": "very-hidden",\n')
    broken = run(azure, group, **files)
    assert broken["failed"] and "prot.json is not JSON (line 2" in broken["msg"] and "very-hidden" not in broken["msg"]
    files["settings_file"] = "/nowhere"
    assert "cannot be read: No such file" in run(azure, group, **files)["msg"]


def test_each_host_gets_its_own_certificate_and_a_renewed_one_is_a_change(azure, group, hosts, driver, tmp_path):
    folder = str(tmp_path / "tls")
    wanted = {"settings": {"docker": {"port": "2376"}}, "protected_settings": None, "certificates": folder}
    told = run(azure, group, check=True, **wanted)
    assert told["changed"] and any("has no certificates for host web-1" in str(text) for text in told["warnings"]), told
    refused = run(azure, group, **wanted)
    assert refused["failed"] and "make them with dockhost.azure.docker_certificates" in refused["msg"] and driver.scripts == []

    def certificates(check=False, **more):
        found = azure.run("host_group_info", {"resource_group": group, "name": "web"})["hosts"]
        return azure.run("docker_certificates", {"directory": folder, "hosts": found, **more}, check=check)

    assert certificates(check=True)["changed"] and not (tmp_path / "tls").exists()
    made = certificates()
    assert made["changed"] and made["certificates"][0]["names"][3].startswith("10.60.1.") and not certificates()["changed"]
    assert "PRIVATE KEY" not in json.dumps(made)
    assert run(azure, group, **wanted)["changed"] and not run(azure, group, **wanted)["changed"]
    keys = [base64.b64encode((tmp_path / "tls/hosts" / host / "key.pem").read_bytes()).decode()[152:212] for host in hosts]
    scripts = sent(driver)
    assert len(scripts) == 2 and [sum(key in text for text in scripts) for key in keys] == [1, 1]
    certificates(hosts=[{"name": "web-2", "private_address": "10.60.1.99"}])
    renewed = run(azure, group, **wanted)
    assert [step["name"] for step in renewed["plan"]] == ["web-2/docker"], renewed
    azure.admin.call("POST", "/conditions", {"docker_extension": "working"})
    try:
        old = run(azure, group, handler="docker_extension", name="old", **wanted)
    finally:
        azure.admin.call("POST", "/conditions", {"docker_extension": "broken"})
    assert not old["failed"] and [sum(key in text for text in driver.scripts[-2:]) for key in keys[:1]] == [1], old
    (tmp_path / "tls/hosts/web-1/key.pem").write_bytes((tmp_path / "tls/hosts/web-2/key.pem").read_bytes())
    wrong = run(azure, group, **wanted)
    assert wrong["failed"] and "those of host web-1 in {0} cannot work: key is not the key of cert".format(folder) in wrong["msg"]
    pem = {name: (tmp_path / "tls" / path).read_text() for name, path in (("ca", "ca.pem"), ("cert", "client/cert.pem"), ("key", "client/key.pem"))}
    wrong = run(azure, group, settings=wanted["settings"], protected_settings={"certs": pem})
    assert wrong["failed"] and "protected_settings.certs cannot work: clients that trust ca will not accept cert: unsuitable" in wrong["msg"], wrong
    both = run(azure, group, settings=wanted["settings"], protected_settings={"certs": pem}, certificates=folder)
    assert both["failed"] and "certificates and protected_settings.certs are both given" in both["msg"]


def test_the_old_extension_gets_the_settings_as_they_are_and_says_why_it_fails(azure, group, hosts):
    failed = run(azure, group, handler="docker_extension")
    assert failed["failed"] and "Enable Docker failed" in failed["msg"] and "azure-docker-extension-enable.log" in failed["msg"]
    path = "resourceGroups/{0}/providers/Microsoft.Compute/virtualMachines/web-1/extensions/docker".format(group)
    properties = azure.arm("GET", path)[1]["properties"]
    assert (properties["type"], properties["settings"]) == ("DockerExtension", PUBLIC)
    other = run(azure, group)
    assert other["failed"] and "reinstall=always" in other["msg"]
    moved = run(azure, group, reinstall="always")
    assert not moved["failed"] and moved["extensions"][0]["type"] == "CustomScript", moved


def test_auto_takes_the_old_extension_for_images_of_its_days(azure, group):
    make_hosts(azure, group, image="Canonical:UbuntuServer:18.04-LTS:latest", count=1, name="old")
    told = run(azure, group, check=True, group="old")
    reason = "the Docker extension 1.2.2 is published in westeurope and its user guide names Canonical:UbuntuServer:18.04-LTS:latest"
    assert not told["failed"] and told["handlers"] == [{"host": "old-1", "handler": "docker_extension", "reason": reason}], told


def test_auto_takes_custom_script_where_the_old_extension_is_gone(azure, group):
    azure.admin.call("POST", "/conditions", {"docker_extension": "retired"})
    try:
        make_hosts(azure, group, image="Canonical:UbuntuServer:18.04-LTS:latest", count=1, name="old")
        made = run(azure, group, group="old")
        assert not made["failed"] and made["handlers"] == [{
            "host": "old-1", "handler": "custom_script",
            "reason": "the Docker extension, retired in November 2018, is not published in westeurope",
        }], made
        asked = run(azure, group, group="old", handler="docker_extension", reinstall="always")
        assert asked["failed"] and "ArtifactNotFound" in asked["msg"], asked
    finally:
        azure.admin.call("POST", "/conditions", {"docker_extension": "broken"})


def test_a_failure_tells_the_reason_and_the_log(azure, group, hosts, driver):
    driver.answer = CommandResult(15, "", "step: check the compose file\nlog: /var/log/azure/dockhost-docker.log\nreason: the compose file has an error: x")
    failed = run(azure, group)
    assert failed["failed"] and {item["exit_code"] for item in failed["failures"]} == {15}
    assert "The extension failed on web-1, web-2: VMExtensionProvisioningError (exit status 15): the compose file has an error: x. Its log there: " \
           "/var/log/azure/dockhost-docker.log" in failed["msg"]


@pytest.mark.parametrize("more, words", [
    ({"settings": {"docker": {"port": "2375"}}}, "gives root on the host to everybody who reaches that port"),
    ({"settings": {"dokcer": {}}}, "settings has 'dokcer', which the Docker extension does not know"),
    ({"docker_version": "27.5"}, "docker_version is '27.5' and docker_source is distribution"),
    ({"docker_user": "x y"}, "docker_user is 'x y'"),
    ({"lock_timeout": 0}, "lock_timeout is 0"),
    ({"group": None}, "one of hosts, group and scale_set is needed"),
    ({"scale_set": "set"}, "parameters are mutually exclusive: hosts|group|scale_set"),
    ({"keep_certificates": True, "certificates": "/nowhere"}, "keep_certificates leaves those on the hosts as they are, and others are given"),
    ({"keep_containers": True, "protected_settings": {}}, "PASSWORD stands in the compose file and has no value"),
    ({"handler": "cloud_init", "certificates": "/nowhere", "group": None}, "certificates works with handlers that know the host"),
    ({"handler": "cloud_init"}, "group is 'web' and handler is cloud_init, which makes custom data and asks nothing of machines: leave group out"),
    ({"handler": "cloud_init", "group": None, "rerun": True}, "rerun is 'True' and handler is cloud_init"),
    ({"handler": "cloud_init", "state": "absent"}, "handler is cloud_init and state is absent: custom data cannot be taken back"),
    ({"handler": "docker_extension", "docker_version": "27.5", "docker_source": "docker"}, "docker_source is 'docker' and handler is docker_extension"),
    ({"remove_docker": True}, "remove_docker is true and state is present: set state to absent"),
    ({"docker_repository": "mirror"}, "docker_repository is 'mirror': give the address of a mirror"),
    ({"resource_group": "a/b"}, "resource_group is 'a/b', which Azure refuses as the name of a resource group"),
    ({"group": ""}, "group is empty: give a name."),
    ({"group": None, "scale_set": " "}, "scale_set is empty: give a name."),
    ({"settings": {"compose": {"services": {}}}}, "settings.compose.services is empty"),
    ({"resource_group": None}, "handler is auto but all of the following are missing: resource_group"),
])  # fmt: skip
def test_refusals(azure, more, words):
    azure.admin.clear_requests()
    refused = run(azure, "rg", **more)
    assert refused["failed"] and words in refused["msg"], refused["msg"]
    assert azure.admin.requests(limit=10) == []


def test_instances_of_a_flexible_scale_set(azure, group, driver):
    driver.scripts.clear()
    driver.answer = CommandResult(0, "", "")
    hosts = make_hosts(azure, group, engine="scale_set")
    made = run(azure, group, group=None, scale_set="web")
    assert made["changed"] and [item["host"] for item in made["handlers"]] == sorted(hosts) and len(driver.scripts) == 2, made
    assert not run(azure, group, group=None, scale_set="web")["changed"]


def test_nothing_secret_in_what_ansible_prints(azure, group, hosts, tmp_path):
    """Text, base64 of it, and what stands in the script, in the output of -vvv --diff: first run, rotation, failure, file with an error."""
    (tmp_path / "prot.json").write_text(json.dumps({"login": {"username": "u", "password": "pass-word-7"}, "environment": {"PASSWORD": "very-hidden"}}))
    given = {"resource_group": group, "group": "web", "settings": PUBLIC}
    tasks = [dict(given, protected_settings=dict(PROTECTED, login={"username": "u", "password": "pass-word-7"})),
             dict(given, protected_settings_file=str(tmp_path / "prot.json"), digest_key="key-of-digests"),
             dict(given, protected_settings=PROTECTED, handler="docker_extension", reinstall="always"),
             dict(given, protected_settings={"login": {"username": "u", "password": ["pass-word-7"]}})]  # fmt: skip
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": [
        {"name": "run", "dockhost.azure.docker_extension": task, "ignore_errors": True} for task in tasks]}]  # fmt: skip
    (tmp_path / "play.yml").write_text(json.dumps(play))
    env = {**os.environ, **azure.lab.env, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".work" / "dev"), "ANSIBLE_LOCALHOST_WARNING": "0"}
    for mode in (["--check"], []):
        done = subprocess.run([str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-vvv", "--diff", *mode, "play.yml"], env=env, text=True,
                              capture_output=True, timeout=300, cwd=tmp_path, check=False)  # fmt: skip
        said = done.stdout + done.stderr
        assert done.returncode == 0 and "ok=4" in said and "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in said, said
        for secret in ("pass-word-7", "very-hidden", "key-of-digests"):
            assert secret not in said and base64.b64encode(secret.encode()).decode() not in said
        assert base64.b64encode(b"PASSWORD='very-hidden'\n").decode() not in said and "H4sI" not in said


def test_cloud_init_needs_no_azure_and_survives_ansibles_masking(azure):
    wanted = {"handler": "cloud_init", "settings": PUBLIC, "protected_settings": PROTECTED, "docker_user": "me"}
    made = azure.run_as("docker_extension", wanted, env={"AZURE_SUBSCRIPTION_ID": ""})
    assert not made["changed"] and not made["failed"], made
    assert made["custom_data"] == azure.run_as("docker_extension", wanted)["custom_data"]
    text = gzip.decompress(base64.b64decode(re.search(r"content: (\S+)", made["custom_data"])[1])).decode()
    assert "DOCKER_USER='me'" in text and "*****" not in made["custom_data"]
    # A value of a few characters, which stands in any base64: other bytes are tried, and in the end it is said.
    short = azure.run_as("docker_extension", dict(wanted, protected_settings={"environment": {"P": "H4sI"}}))
    assert short["failed"] and "a value of very few characters" in short["msg"]
    noise = "".join(chr(33 + number * 7919 % 89) for number in range(9)) + hashlib.shake_256(b"x").hexdigest(60000)
    large = azure.run_as("docker_extension", dict(wanted, settings={"compose": {"web": {"image": "web", "command": noise}}}))
    assert large["failed"] and "and Azure takes 65535" in large["msg"]
