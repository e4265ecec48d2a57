# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host group as one scale set: who is in it, who stays, what is sent."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._model import scale_set as model
from ansible_collections.dockhost.azure.plugins.module_utils._model.host_group import HostGroup, Naming
from ansible_collections.dockhost.azure.plugins.module_utils._plan import host_slots, scale_set
from ansible_collections.dockhost.azure.plugins.module_utils._plan.host_group import Observed

NAMING = Naming("sub", "rg")
SET = NAMING.any(model.SCALE_SET, "web")
OURS = {"dockhost-deployment": "rg", "dockhost-group": "web"}


def group(**changes):
    return HostGroup.from_params({
        "resource_group": "rg", "name": "web", "size": "Standard_D2s_v5", "image": "Debian:debian-13:13-gen2:latest",
        "admin_username": "azureuser", "ssh_public_keys": ["ssh-ed25519 AAAA one"], "subnet": {"network": "v", "name": "s"},
        "custom_data": "#cloud-config\n", "public_ip": True, **changes,
    }, NAMING, "westeurope")  # fmt: skip


def machine(name, made="2026-01-01", tags=None, where=SET, zone=None):
    nic = NAMING.any("Microsoft.Network/networkInterfaces", "web-nic-" + name[-8:])
    return {
        "id": NAMING.machine(name), "name": name, "tags": OURS if tags is None else tags, "zones": [zone] if zone else [],
        "properties": {
            "timeCreated": made, "networkProfile": {"networkInterfaces": [{"id": nic, "properties": {"deleteOption": "Delete"}}]},
            "osProfile": {"computerName": "web-ABC"},
            "storageProfile": {"osDisk": {"name": name + "_disk1"}, "dataDisks": [{"lun": 3, "name": "d"}]},
            **({"virtualMachineScaleSet": {"id": where}} if where else {}),
        },
    }  # fmt: skip


def whole(**more):
    return {"id": SET, "name": "web", "tags": OURS, **more}


@pytest.mark.parametrize(("body", "mine"), [
    (machine("web_0123abcd"), True),
    (machine("web_0123abcd", tags={}), True),                       # Azure did not copy the tags
    (machine("web_0123ABCD", tags={}, where=SET.upper()), True),
    (machine("web_0123abcg", tags={}), False),                      # not a name that a set gives: somebody has put it in
    (machine("other", tags={}), False),
    (machine("web_0123abcd", tags={}, where=SET + "2"), False),
    (machine("web_0123abcd", tags={}, where=None), False),
    (machine("web-1", where=None), True),
])  # fmt: skip
def test_who_is_of_the_group(body, mine):
    assert bool(Observed(machines=(body,), scale_set=whole()).of("web", "rg")) is mine
    foreign = Observed(machines=(body,), scale_set=whole(tags={}))
    assert bool(foreign.of("web", "rg")) is bool(body["tags"])      # the set of another says nothing


@pytest.mark.parametrize(("count", "rule", "first", "stay"), [
    (3, "newest", (), ["web_c", "web_a", "web_b"]),
    (9, "newest", (), ["web_c", "web_a", "web_b"]),
    (2, "newest", (), ["web_c", "web_a"]),
    (2, "oldest", (), ["web_a", "web_b"]),
    (2, "newest", ("WEB_C",), ["web_a", "web_b"]),
    (2, "balance_zones", (), ["web_c", "web_b"]),
    (0, "newest", (), []),
])  # fmt: skip
def test_who_stays(count, rule, first, stay):
    here = [machine("web_a", "2026-01-02", zone="1"), machine("web_b", "2026-01-03", zone="2"), machine("web_c", "2026-01-01", zone="1")]
    for order in (here, here[::-1]):
        slots = host_slots.of_set(count, order, rule, first)
        assert [slot.name for slot in slots] == stay and {slot.index for slot in slots} <= {0}


def test_what_belongs_to_a_host_is_called_as_azure_called_it():
    naming = model.naming(NAMING, [machine("web_0123abcd")], [])
    assert naming.interface("WEB_0123abcd").endswith("/web-nic-0123abcd") and naming.disk_name("web_0123abcd") == "web_0123abcd_disk1"
    assert naming.computer("web_0123abcd") == "web-ABC" and naming.data_disk_name("web_0123abcd", 3) == "d"
    assert naming.data_disk_name("web_0123abcd", 4) == "web_0123abcd-data-4" and naming.address("web_0123abcd").endswith("/web_0123abcd-ip")


def test_a_new_group_is_one_request():
    found = scale_set.present(group(), 200, [], Observed())
    [step] = found.plan.steps
    assert (step.action, step.method, step.body["sku"]) == ("create", "PUT", {"name": "Standard_D2s_v5", "capacity": 200})
    profile = step.body["properties"]["virtualMachineProfile"]
    assert profile["osProfile"]["customData"] and profile["osProfile"]["computerNamePrefix"] == "web-" and "computerName" not in profile["osProfile"]
    [nic] = profile["networkProfile"]["networkInterfaceConfigurations"]
    assert nic["properties"]["ipConfigurations"][0]["properties"]["publicIPAddressConfiguration"]["tags"] == nic["tags"] == OURS
    assert "dockhost-index" not in step.body["tags"]


def test_who_goes_is_named_and_the_set_is_changed_first():
    here = tuple(machine(f"web_0000000{n}", f"2026-01-0{n}") for n in (1, 2, 3))
    observed = Observed(machines=(*here, machine("other", tags={})), scale_set=whole(
        location="westeurope", sku={"name": "Standard_D2s_v5", "capacity": 4},
        properties={"virtualMachineProfile": {"osProfile": {"adminUsername": "azureuser"}}}))  # fmt: skip
    found = scale_set.present(group(), 1, host_slots.of_set(1, here), observed)
    change, batch = [step for step in found.plan.steps if step.resource.type == model.SCALE_SET]
    assert change.body["sku"]["capacity"] == 4 and change.body["properties"]["virtualMachineProfile"]["osProfile"]["customData"]
    assert (batch.method, batch.operation, sorted(batch.body["instanceIds"])) == ("POST", "delete", ["web_00000002", "web_00000003"])
    assert change.id in batch.depends_on
    gone = [step for step in found.plan.steps if step.action == "delete"]
    assert gone and not any(step.method for step in gone) and sorted(found.removing) == ["web_00000002", "web_00000003"]


def test_a_failed_run_is_taken_back():
    before = Observed(machines=(machine("web_00000001"),), scale_set=whole())
    now = Observed(machines=(machine("web_00000001"), machine("web_00000002", tags={})), scale_set=whole())
    batch = next(step for step in scale_set.undo("web", "rg", before, now).steps if step.method)
    assert (batch.operation, batch.body) == ("delete", {"instanceIds": ["web_00000002"]})
    [whole_step] = [step for step in scale_set.undo("web", "rg", Observed(), now).steps if step.method]
    assert (whole_step.method, whole_step.resource.id) == ("DELETE", SET)
    assert scale_set.undo("web", "rg", now, now).steps == ()
