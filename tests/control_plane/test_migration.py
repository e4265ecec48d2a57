# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbook migrate_from_docker_extension and module vm_extension_info on the ARM side. What it does to hosts is tested in tests/integration."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from azlab.machines.driver import CommandResult  # noqa: E402
from azlab.testing import lab  # noqa: E402
from extension_lab import Recorder, make_hosts  # noqa: E402
from playbook_run import environment  # noqa: E402

PUBLIC = {"docker": {"port": "2376"}, "compose": {"web": {"image": "web", "environment": {"P": "${PASSWORD}"}}}}
OLD = {"publisher": "Microsoft.Azure.Extensions", "type": "DockerExtension", "typeHandlerVersion": "1.2", "autoUpgradeMinorVersion": True}


@pytest.fixture(scope="module")
def driver():
    return Recorder()


@pytest.fixture(scope="module")
def azure(azure, driver):
    with lab("migration", latency_scale=0, driver=driver) as running:
        running.admin.call("POST", "/conditions", {"docker_extension": "working"})
        yield type(azure)(running)


@pytest.fixture
def hosts(azure, group, driver):
    """Two hosts with the old extension, as people have them, and one without."""
    driver.scripts.clear()
    driver.answer = CommandResult(0, "", "")
    names = make_hosts(azure, group, count=3)
    for name in names[:2]:
        body = {"location": "westeurope", "properties": dict(OLD, settings=PUBLIC, protectedSettings={"environment": {"PASSWORD": "very-hidden"}})}
        assert azure.arm("PUT", path(group, name, "DockerExtension"), body)[0] == 201
    for name in names[:2]:
        for dummy in range(100):
            if azure.arm("GET", path(group, name, "DockerExtension"))[1]["properties"]["provisioningState"] == "Succeeded":
                break
            time.sleep(0.05)
    return names


def path(group, host, name):
    return "resourceGroups/{0}/providers/Microsoft.Compute/virtualMachines/{1}/extensions/{2}".format(group, host, name)


def extensions(azure, group, **more):
    found = azure.run("vm_extension_info", {"resource_group": group, **more})
    assert not found["failed"] and not found["changed"], found
    return [(item["host"], item["type"], item["provisioning_state"]) for item in found["extensions"]]


@pytest.fixture
def migrate(azure, group, tmp_path):
    """Run the playbook; (exit status, output)."""
    env = environment(tmp_path, azure.lab.env, ANSIBLE_LOCALHOST_WARNING="0")

    def run(*words, **variables):
        given = json.dumps({"migrate_resource_group": group, **variables})
        done = subprocess.run([str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "dockhost.azure.migrate_from_docker_extension", "-e",
                               given, "-v", "--diff", *words], env=env, capture_output=True, text=True, timeout=300, cwd=tmp_path, check=False)  # fmt: skip
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return run


def test_info_tells_what_is_there_and_what_it_reported(azure, group, hosts, driver):
    assert extensions(azure, group) == [("web-1", "DockerExtension", "Succeeded"), ("web-2", "DockerExtension", "Succeeded")]
    assert extensions(azure, group, type="CustomScript") == [] and len(extensions(azure, group, hosts=["web-2"], publisher=OLD["publisher"])) == 1
    driver.answer = CommandResult(15, "out", "step: x\nreason: the compose file has an error")
    made = azure.run("vm_extension", {"resource_group": group, "hosts": ["web-3"], "name": "s", "publisher": "Microsoft.Azure.Extensions",
                                      "type": "CustomScript", "version": "2.1", "settings": {"commandToExecute": "x"}})  # fmt: skip
    assert made["failed"]
    found = azure.run("vm_extension_info", {"resource_group": group, "group": "web", "type": "customscript"})["extensions"]
    assert [(item["host"], item["exit_code"], item["reason"], item["stdout"]) for item in found] == [("web-3", 15, "the compose file has an error", "out")]
    assert "custom-script" in found[0]["log"]
    missing = azure.run("vm_extension_info", {"resource_group": group, "hosts": ["web-9"]})
    assert missing["failed"] and "there is no virtual machine 'web-9'" in missing["msg"]


def test_hosts_are_moved_and_a_second_run_changes_nothing(azure, group, hosts, driver, migrate, tmp_path):
    secret = {"migrate_protected_settings": {"environment": {"PASSWORD": "very-hidden"}}}
    driver.scripts.clear()
    status, said = migrate("--check", **secret)
    assert status == 0 and driver.scripts == [] and len(extensions(azure, group, type="DockerExtension")) == 2, said

    status, said = migrate()
    assert status != 0 and "PASSWORD stands in the compose file and has no value" in said and driver.scripts == []

    status, said = migrate(**secret)
    assert status == 0 and "2 of 2 hosts had the old extension: web-1, web-2." in said, said
    assert extensions(azure, group) == [("web-1", "CustomScript", "Succeeded"), ("web-2", "CustomScript", "Succeeded")]
    # Host by host: take over, remove the old one, start again.
    kinds = ["custom" if "custom-script" in text else "removal" for text in driver.scripts]
    assert kinds == ["custom", "removal", "custom"] * 2
    assert json.loads((tmp_path / "state/migrations" / group / "web-1.json").read_text()) == PUBLIC
    assert "very-hidden" not in said.split("TASK [Read the extensions]")[1]

    driver.scripts.clear()
    status, said = migrate(**secret)
    assert status == 0 and "changed=0" in said and driver.scripts == [], said


def test_a_run_that_was_cut_off_is_taken_up(azure, group, hosts, driver, migrate):
    secret = {"migrate_protected_settings": {"environment": {"PASSWORD": "very-hidden"}}, "migrate_hosts": ["web-1"]}
    fault = azure.admin.fault(method="PUT", path="web-1/extensions/docker-host", nth=2, times=0, status=400, code="Cut", message="cut off")
    status, said = migrate(**secret)
    assert status != 0 and extensions(azure, group, hosts=["web-1"]) == [("web-1", "CustomScript", "Succeeded")], said
    azure.admin.call("DELETE", "/faults/{0}".format(fault["id"]))
    driver.scripts.clear()
    status, said = migrate(**secret)
    assert status == 0 and len(driver.scripts) == 1, said  # the engine is started again
    assert extensions(azure, group, hosts=["web-2"]) == [("web-2", "DockerExtension", "Succeeded")]


def test_what_cannot_be_moved_is_refused_before_anything_is_done(azure, group, hosts, driver, migrate):
    assert "migrate_resource_group is not given" in migrate(migrate_resource_group="")[1]
    stopped = azure.run("host_group", {"resource_group": group, "name": "web", "state": "deallocated", "names": ["web-2"]})
    assert not stopped["failed"], stopped
    driver.scripts.clear()
    status, said = migrate(migrate_protected_settings={"environment": {"PASSWORD": "x"}})
    assert status != 0 and "These machines do not run" in said and "web-2" in said and driver.scripts == []
