# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of one's own: captured of machines, and kept in galleries."""
from __future__ import annotations

import pytest
from labgroup import COMPUTE, vm_body

WHERE = {"location": "westeurope"}
GALLERY = f"{COMPUTE}/galleries/Golden"
HOST = f"{GALLERY}/images/host"
DEFINITION = {"osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2",
              "identifier": {"publisher": "me", "offer": "hosts", "sku": "debian"}}


@pytest.fixture
def captured(group):
    """A generalized machine; its id."""
    group.vm("source", group.nic("source-nic", group.vnet())["id"])
    assert group.call("POST", f"{COMPUTE}/virtualMachines/source/deallocate")[0] == 202
    assert group.call("POST", f"{COMPUTE}/virtualMachines/source/generalize")[0] == 200
    return group.id(f"{COMPUTE}/virtualMachines/source")


@pytest.fixture
def host(group, captured):
    """A definition in a gallery, without versions; its id."""
    group.put(GALLERY, {"description": "ours"})
    return group.put(HOST, DEFINITION)["id"]


def version(group, number, source, **profile):
    body = {"storageProfile": {"source": {"virtualMachineId": source}}, **({"publishingProfile": profile} if profile else {})}
    return group.put(f"{HOST}/versions/{number}", body)


def start(group, name, location="westeurope", **reference):
    """PUT of a machine from an image: (status, answer)."""
    nic = group.nic(f"{name}-nic", group.id("providers/Microsoft.Network/virtualNetworks/vnet/subnets/hosts"))["id"]
    body = vm_body(name, nic, storageProfile={"imageReference": reference, "osDisk": {"createOption": "FromImage"}})
    return group.call("PUT", f"{COMPUTE}/virtualMachines/{name}", {**body, "location": location})[:2]


def test_a_gallery_and_its_images(group, host):
    gallery = group.call("GET", GALLERY)[1]
    assert gallery["properties"]["identifier"]["uniqueName"].endswith("-GOLDEN") and gallery["properties"]["provisioningState"] == "Succeeded"
    assert [i["id"] for i in group.call("GET", f"{GALLERY}/images")[1]["value"]] == [host]
    assert group.refused("PUT", f"{COMPUTE}/galleries/no-dash", WHERE)[1] == "InvalidParameter"
    assert group.refused("GET", f"{COMPUTE}/galleries/none/images") == (
        404, "ParentResourceNotFound", "Can not perform requested operation on nested resource. Parent resource 'none' not found.")
    assert group.refused("PUT", f"{COMPUTE}/galleries/none/images/a", {**WHERE, "properties": DEFINITION})[1] == "ParentResourceNotFound"
    changed = {**WHERE, "properties": {**DEFINITION, "hyperVGeneration": "V1"}}
    assert group.refused("PUT", HOST, changed)[2] == "Changing property 'galleryImage.properties.hyperVGeneration' is not allowed."
    assert "already exists" in group.refused("PUT", f"{GALLERY}/images/other", {**WHERE, "properties": DEFINITION})[2]
    assert group.refused("PUT", f"{GALLERY}/images/other", {**WHERE, "properties": {**DEFINITION, "osTipe": "x"}})[1] == "BadRequest"
    assert group.refused("DELETE", GALLERY)[2] == "Can not delete resource before nested resources are deleted."
    assert group.call("DELETE", HOST)[0] == 202 and group.call("DELETE", GALLERY)[0] == 202
    assert group.call("DELETE", GALLERY)[0] == 204


def test_versions(group, host, captured):
    made = version(group, "1.0.0", captured, targetRegions=[{"name": "West Europe"}, {"name": "northeurope"}])
    assert [r["name"] for r in made["properties"]["publishingProfile"]["targetRegions"]] == ["West Europe", "North Europe"]
    assert made["properties"]["storageProfile"]["osDiskImage"]["sizeInGB"] >= 30
    copied = {**WHERE, "properties": {"storageProfile": {"source": {"id": made["id"]}}}}
    assert group.call("PUT", f"{HOST}/versions/1.0.1", copied)[0] == 201
    assert [v["name"] for v in group.call("GET", f"{HOST}/versions")[1]["value"]] == ["1.0.0", "1.0.1"]
    refusals = (("1.0", {}, "Major(int).Minor(int).Patch(int)"),
                ("2.0.0", {"storageProfile": {}}, "One and only one source type"),
                ("2.0.0", {"storageProfile": {"source": {"id": group.id(f"{COMPUTE}/images/none")}}}, "Source was not found"),
                ("2.0.0", {"storageProfile": {"source": {"id": host}}}, "must either be a managed image, virtual machine or another"),
                ("2.0.0", {"storageProfile": {"source": {"virtualMachineId": captured}}, "publishingProfile": {
                    "targetRegions": [{"name": "northeurope"}]}}, "must contain the location of image version 'westeurope'"),
                ("1.0.0", {"storageProfile": {"source": {"id": f"{host}/versions/9.9.9"}}}, "source.id' is not allowed"))
    for name, properties, text in refusals:
        assert text in group.refused("PUT", f"{HOST}/versions/{name}", {**WHERE, "properties": properties})[2]


def test_only_generalized_machines_are_captured(group, host):
    group.vm("live", group.nic("live-nic", group.id("providers/Microsoft.Network/virtualNetworks/vnet/subnets/hosts"))["id"])
    live = f"{COMPUTE}/virtualMachines/live"
    assert group.refused("POST", f"{live}/generalize")[2] == "Operation 'generalize' is not allowed on VM 'live' since the VM is running."
    body = {**WHERE, "properties": {"storageProfile": {"source": {"virtualMachineId": group.id(live)}}}}
    assert "is not Specialized" in group.refused("PUT", f"{HOST}/versions/1.0.0", body)[2]
    image = {**WHERE, "properties": {"sourceVirtualMachine": {"id": group.id(live)}}}
    assert group.refused("PUT", f"{COMPUTE}/images/a", image)[2] == (
        "The operation 'Create Image' requires the Virtual Machine 'live' to be Generalized.")
    source = f"{COMPUTE}/virtualMachines/source"
    assert group.refused("POST", f"{source}/start")[2] == "Operation 'start' is not allowed on VM 'source' since the VM is generalized."
    codes = [s["code"] for s in group.call("GET", f"{source}/instanceView")[1]["statuses"]]
    assert "OSState/generalized" in codes


def test_a_machine_starts_from_the_newest_version_of_its_region(group, host, captured):
    assert start(group, "a", id=host)[1]["error"]["message"] == f'There is no latest image version exists for "{host}".'
    for number, profile in (("1.9.0", {}), ("1.10.0", {}), ("2.0.0", {"excludeFromLatest": True})):
        version(group, number, captured, **profile)
    status, machine = start(group, "a", id=host)
    assert status == 201 and machine["properties"]["storageProfile"]["imageReference"] == {"id": host, "exactVersion": "1.10.0"}
    disk = group.call("GET", f"{COMPUTE}/virtualMachines/a")[1]["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]
    created = group.call("GET", disk.split(f"/{group.name}/")[1])[1]["properties"]["creationData"]
    assert created == {"createOption": "FromImage", "galleryImageReference": {"id": f"{host}/versions/1.10.0"}}
    assert start(group, "b", id=f"{host}/versions/2.0.0")[0] == 201
    missing = f"{host}/versions/3.0.0"
    status, answer = start(group, "c", id=missing)
    assert (status, answer["error"]["code"]) == (404, "GalleryImageNotFound")
    assert answer["error"]["message"] == (f"The gallery image {missing} is not available in westeurope region. Please contact image owner to "
                                          "replicate to this region, or change your requested region.")
    assert start(group, "a", id=f"{host}/versions/2.0.0")[1]["error"]["code"] == "PropertyChangeNotAllowed"


def test_other_galleries_by_shape(group, host):
    for key, good, bad in (("sharedGalleryImageId", "/SharedGalleries/x-Y/Images/z", "/CommunityGalleries/x/Images/z"),
                           ("communityGalleryImageId", "/CommunityGalleries/x/Images/z/Versions/1.0.0", "x")):
        assert start(group, "a", **{key: good})[1]["error"]["code"] == "GalleryImageNotFound"
        assert start(group, "a", **{key: bad})[1]["error"]["code"] == "InvalidParameter"


def test_managed_images(group, host, captured):
    image = group.put(f"{COMPUTE}/images/golden", {"sourceVirtualMachine": {"id": captured}})
    assert image["properties"]["storageProfile"]["osDisk"]["osState"] == "Generalized"
    status, machine = start(group, "m", id=image["id"])
    assert status == 201 and machine["properties"]["storageProfile"]["imageReference"] == {"id": image["id"]}
    assert start(group, "n", id=image["id"] + "x")[0] == 404
    assert group.call("PUT", f"{HOST}/versions/1.0.0", {**WHERE, "properties": {"storageProfile": {"source": {"id": image["id"]}}}})[0] == 201
    assert group.call("DELETE", f"{COMPUTE}/images/golden")[0] == 202
    assert group.call("DELETE", "")[0] == 202 and group.call("GET", "")[0] == 404
