# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module vm_extension: missing argument, check mode, create, idempotence, secrets, failures, refusals, delete."""

from __future__ import annotations

import base64
import json
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from azlab.testing import lab  # noqa: E402
from extension_lab import CUSTOM_SCRIPT, KEY, LocalShell, make_hosts  # noqa: E402

SECRET = "correct-horse-battery"


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    return LocalShell(tmp_path_factory.mktemp("hosts"))


@pytest.fixture(scope="module")
def azure(azure, driver):
    """A lab of its own: here scripts run."""
    with lab("extensions", latency_scale=0, driver=driver) as running:
        yield type(azure)(running)


@pytest.fixture
def hosts(azure, group):
    return make_hosts(azure, group)


def script(text):
    return base64.b64encode(text.encode()).decode()


def run(azure, rg, check=False, **more):
    arguments = {"resource_group": rg, "group": "web", "name": "boot", **CUSTOM_SCRIPT, **more}
    return azure.run("vm_extension", {key: value for key, value in arguments.items() if value is not None}, check=check)


def actions(result):
    assert not result["failed"], result
    return [(step["action"], step["name"]) for step in result["plan"]]


def test_life_of_an_extension(azure, group, hosts, driver):
    both = {"protected_settings": {"script": script("echo out; echo err >&2")}, "settings": {"timestamp": 1}}
    missing = azure.run("vm_extension", {"resource_group": group, "group": "web", "name": "boot"})
    assert missing["msg"] == "state is present but all of the following are missing: publisher, type, version"

    everything = [("create", "web-1/boot"), ("create", "web-2/boot")]
    checked = run(azure, group, check=True, **both)
    assert actions(checked) == everything and checked["changed"] and checked["extensions"] == []
    assert "extension web-1/boot\n" in checked["diff"]["after"] and "  protectedSettings: ********\n" in checked["diff"]["after"]
    driver.ran.clear()
    made = run(azure, group, **both)
    assert actions(made) == everything and sorted(driver.ran) == hosts
    assert [(e["host"], e["stdout"], e["stderr"], e["provisioning_state"]) for e in made["extensions"]] == [
        ("web-1", "out", "err", "Succeeded"), ("web-2", "out", "err", "Succeeded"),
    ]  # fmt: skip

    azure.admin.clear_requests()
    again = run(azure, group, **both)
    assert not again["changed"] and again["plan"] == [] and len(again["extensions"]) == 2 and azure.writes() == []

    both["settings"] = {"skipDos2Unix": True}
    changed = run(azure, group, **both)
    assert [(step["action"], [c["path"] for c in step["changes"]]) for step in changed["plan"]] == [
        ("update", ["settings.timestamp", "settings.skipDos2Unix"])
    ] * 2
    assert changed["extensions"][0]["settings"] == {"skipDos2Unix": True}

    planned = run(azure, group, state="absent", check=True)
    assert actions(planned) == [("delete", "web-1/boot"), ("delete", "web-2/boot")] and len(planned["extensions"]) == 2
    gone = run(azure, group, state="absent")
    assert gone["changed"] and gone["extensions"] == [] and not run(azure, group, state="absent")["changed"]


def test_a_rotated_secret_is_a_change_and_is_never_shown(azure, group, hosts):
    def secret(text, **more):
        return run(azure, group, protected_settings={"script": script("true # " + text)}, **more)

    made = secret(SECRET)
    assert made["changed"] and not secret(SECRET)["changed"]
    rotated = secret("other", check=True)
    assert rotated["plan"][0]["changes"] == [{"path": "protectedSettings", "before": "********", "after": "********"}]
    assert secret("other")["changed"] and not secret("other")["changed"]
    # Another key is taken for another secret, and the digests of two resource groups do not show that secrets are equal.
    assert secret("other", digest_key="k", check=True)["changed"]
    for result in (made, rotated):
        text = json.dumps({key: value for key, value in result.items() if key != "invocation"})
        assert SECRET not in text and script("true # " + SECRET) not in text
    assert script("true # " + SECRET) not in json.dumps(made["invocation"])


def test_settings_of_others_are_taken_over_without_a_run(azure, group, hosts):
    path = "resourceGroups/{0}/providers/Microsoft.Compute/virtualMachines/web-1/extensions/boot".format(group)
    properties = {"publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1",
                  "autoUpgradeMinorVersion": True, "settings": {"commandToExecute": "true"}}
    status, dummy = azure.arm("PUT", path, {"location": "westeurope", "properties": properties})
    assert status == 201
    wanted = {"group": None, "hosts": ["web-1"], "settings": {"commandToExecute": "true"}}
    for dummy in range(50):
        if azure.arm("GET", path)[1]["properties"]["provisioningState"] == "Succeeded":
            break
        time.sleep(0.1)
    assert not run(azure, group, **wanted)["changed"]
    assert run(azure, group, **dict(wanted, force_update_tag="two"))["changed"]
    assert not run(azure, group, **dict(wanted, force_update_tag="two"))["changed"]
    assert run(azure, group, **dict(wanted, rerun=True))["plan"][0]["reason"] == "is asked to run again"


def test_a_failed_extension_says_why_and_can_be_repaired(azure, group, hosts, driver):
    def attempt(**more):
        text = "echo step one; echo 'cannot reach the mirror' >&2; test -e {0}/fixed || exit 7".format(driver.root)
        return run(azure, group, hosts=["web-1"], protected_settings={"script": script(text)}, **dict({"group": None}, **more))

    failed = attempt()
    assert failed["failed"]
    failure = failed["failures"][0]
    assert (failure["host"], failure["exit_code"], failure["stdout"], failure["stderr"]) == ("web-1", 7, "step one", "cannot reach the mirror")
    assert failed["msg"].startswith(
        "The extension failed on web-1: VMExtensionProvisioningError (exit status 7): cannot reach the mirror. Its log there: "
        "/var/log/azure/custom-script/handler.log"
    )
    assert attempt(check=True)["plan"][0]["reason"] == "is failed"
    anew = attempt(check=True, reinstall="failed")
    assert [step["action"] for step in anew["plan"]] == ["delete", "create"]
    assert anew["plan"][1]["reason"] == "has failed and is installed anew"
    (driver.root / "fixed").touch()
    assert attempt(reinstall="failed")["extensions"][0]["provisioning_state"] == "Succeeded"
    assert not attempt(reinstall="failed")["changed"]
    assert [step["action"] for step in attempt(reinstall="always")["plan"]] == ["delete", "create"]


def test_a_failed_one_runs_again_in_place(azure, group, hosts, driver):
    text = {"protected_settings": {"script": script("test -e {0}/in-place".format(driver.root))}}
    assert run(azure, group, **text)["failed"] and run(azure, group, **text)["failed"]
    (driver.root / "in-place").touch()
    assert [e["provisioning_state"] for e in run(azure, group, **text)["extensions"]] == ["Succeeded"] * 2
    assert not run(azure, group, **text)["changed"]


@pytest.mark.parametrize("more, words", [
    ({"name": "second"}, "Host web-1 has the extension 'boot' of Microsoft.Azure.Extensions CustomScript already, and Azure takes one extension "
                         "of a type on a machine: give its name (name: boot), or remove it first (state: absent)."),
    ({"type": "DockerExtension", "version": "1.2"}, "The extension 'boot' of host web-1 is Microsoft.Azure.Extensions CustomScript, and Azure "
                                                    "does not turn it into Microsoft.Azure.Extensions DockerExtension"),
    ({"name": "-no-"}, "name is '-no-', which Azure refuses as the name of an extension"),
    ({"version": "2"}, "version is '2': give the major and minor version"),
    ({"group": "wen"}, "group: group 'wen' of deployment"),
    ({"group": None, "hosts": ["web-9"]}, "there is no virtual machine 'web-9' in resource group"),
    ({"group": None, "hosts": []}, "hosts is empty"),
])  # fmt: skip
def test_refusals(azure, group, hosts, more, words):
    wanted = {"settings": {"commandToExecute": "true"}}
    assert run(azure, group, **wanted)["changed"]
    azure.admin.clear_requests()
    refused = run(azure, group, **dict(wanted, **more))
    assert refused["failed"] and words in refused["msg"], refused["msg"]
    assert azure.writes() == []


def test_a_stopped_machine_is_refused_unless_nothing_is_to_change(azure, group, hosts):
    wanted = {"settings": {"commandToExecute": "true"}}
    assert run(azure, group, **wanted)["changed"]
    stopped = azure.run("host_group", {"resource_group": group, "name": "web", "state": "deallocated", "names": ["web-2"]})
    assert not stopped["failed"], stopped
    assert not run(azure, group, **wanted)["changed"]
    for more in ({"settings": {"commandToExecute": "false"}}, {"state": "absent"}):
        refused = run(azure, group, **dict(wanted, **more))
        assert refused["failed"] and refused["msg"].startswith("Host web-2 is not running (deallocated), and Azure changes extensions of"), refused
    assert run(azure, group, check=True, group=None, hosts=["web-9"], **wanted)["warnings"]


def test_an_unknown_type_and_a_lab_without_the_handler_fail_with_azures_words(azure, group, hosts):
    unknown = run(azure, group, type="NoSuchThing")
    assert unknown["failed"] and "ArtifactNotFound" in unknown["msg"] and "check publisher and type" in unknown["msg"]
    # What an earlier run has reported is not taken for the reason of a refusal.
    assert run(azure, group, settings={"commandToExecute": "false"})["failed"]
    refused = run(azure, group, version="9.9", settings={"commandToExecute": "true"})
    assert refused["failed"] and "ArtifactVersionNotFound: The VM extension with publisher" in refused["msg"], refused["msg"]
    old = run(azure, group, type="DockerExtension", version="1.2", name="docker")
    assert old["failed"] and "Enable Docker failed" in old["msg"] and "azure-docker-extension-enable.log" in old["msg"]
    assert {failure["host"] for failure in old["failures"]} == set(hosts)


def test_all_instances_of_a_flexible_scale_set(azure, group, hosts, driver):
    base = "/subscriptions/{0}/resourceGroups/{1}/providers/".format(azure.lab.settings.subscription_id, group)
    interface = {"name": "nic", "properties": {"primary": True, "ipConfigurations": [{"name": "ip", "properties": {
        "primary": True, "subnet": {"id": base + "Microsoft.Network/virtualNetworks/net/subnets/hosts"}}}]}}  # fmt: skip
    key = {"path": "/home/me/.ssh/authorized_keys", "keyData": KEY}
    body = {"location": "westeurope", "sku": {"name": "Standard_B2s", "capacity": 2}, "properties": {
        "orchestrationMode": "Flexible", "platformFaultDomainCount": 1, "virtualMachineProfile": {
            "storageProfile": {"imageReference": {"publisher": "Debian", "offer": "debian-13", "sku": "13-gen2", "version": "latest"},
                               "osDisk": {"createOption": "FromImage"}},
            "osProfile": {"computerNamePrefix": "set", "adminUsername": "me", "linuxConfiguration": {
                "disablePasswordAuthentication": True, "ssh": {"publicKeys": [key]}}},
            "networkProfile": {"networkApiVersion": "2020-11-01", "networkInterfaceConfigurations": [interface]}}}}  # fmt: skip
    path = "resourceGroups/{0}/providers/Microsoft.Compute/virtualMachineScaleSets/set".format(group)
    status, answer = azure.arm("PUT", path, body)
    assert status in (200, 201), answer
    for dummy in range(200):
        if azure.arm("GET", path)[1]["properties"]["provisioningState"] == "Succeeded":
            break
        time.sleep(0.05)
    driver.ran.clear()
    wanted = {"group": None, "scale_set": "Set", "settings": {"commandToExecute": "true"}}
    made = run(azure, group, **wanted)
    assert not made["failed"] and len(made["extensions"]) == 2 and all(name.startswith("set_") for name in driver.ran), made
    assert not run(azure, group, **wanted)["changed"]
    found = azure.run("vm_extension_info", {"resource_group": group, "scale_set": "set"})["extensions"]
    assert len(found) == 2 and {item["provisioning_state"] for item in found} == {"Succeeded"}
    none = run(azure, group, group=None, scale_set="other", settings={"commandToExecute": "true"})
    assert none["failed"] and "scale_set: there is no machine of a flexible scale set 'other' in resource group" in none["msg"]
