# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage accounts, SSH public keys, disks' limits; holding operations and emptying a lab."""
from __future__ import annotations

from azlab import testing
from labgroup import COMPUTE, PUBLIC_KEY, Group

ACCOUNT = "providers/Microsoft.Storage/storageAccounts"


def account(sku: str = "Standard_LRS", **properties: object) -> dict[str, object]:
    return {"location": "westeurope", "sku": {"name": sku}, "kind": "StorageV2", "properties": properties}


def test_an_account_is_made_by_202_and_location_only(group: Group) -> None:
    group.azure.admin.latencies(hold=True)
    status, body, headers = group.call("PUT", f"{ACCOUNT}/first1", account("Standard_RAGRS"))
    assert (status, body) == (202, None) and "azure-asyncoperation" not in headers and headers["retry-after"]
    assert "/asyncoperations/" in headers["location"] and "monitor=true" in headers["location"]
    assert group.azure.arm("GET", headers["location"])[0] == 202
    assert group.call("GET", f"{ACCOUNT}/first1")[1]["properties"]["provisioningState"] == "Creating"
    assert group.refused("POST", f"{ACCOUNT}/first1/listKeys")[:2] == (409, "StorageAccountIsNotProvisioned")
    group.azure.admin.latencies(hold=False)
    for _ in range(100):
        status, body, _ = group.azure.arm("GET", headers["location"])
        if status == 200:
            break
    assert status == 200 and body["properties"]["secondaryEndpoints"]["blob"].startswith("https://first1-secondary.blob.")
    assert body["sku"] == {"name": "Standard_RAGRS", "tier": "Standard"}
    assert group.call("PUT", f"{ACCOUNT}/first1", account("Standard_LRS"))[0] == 200
    assert group.call("PATCH", f"{ACCOUNT}/first1", {"tags": {"a": "b"}})[1]["tags"] == {"a": "b"}
    keys = group.call("POST", f"{ACCOUNT}/first1/listKeys")[1]["keys"]
    renewed = group.call("POST", f"{ACCOUNT}/first1/regenerateKey", {"keyName": "key2"})[1]["keys"]
    assert keys[0] == renewed[0] and keys[1] != renewed[1]
    assert [group.call("DELETE", f"{ACCOUNT}/first1")[0] for _ in range(2)] == [200, 204]


def test_account_names_are_checked_and_unique(group: Group) -> None:
    assert group.refused("PUT", f"{ACCOUNT}/Not-Valid", account())[:2] == (400, "AccountNameInvalid")
    assert group.call("PUT", f"{ACCOUNT}/taken12", account())[0] == 202
    other = Group(group.azure, group.name + "-b")
    assert other.refused("PUT", f"{ACCOUNT}/taken12", account())[:2] == (409, "StorageAccountAlreadyTaken")
    assert other.refused("PUT", f"{ACCOUNT}/taken13", account("Odd_LRS"))[1:] == (
        "InvalidValuesForRequestParameters", "Values for request parameters are invalid: sku.name. For more information, see - "
                                             "https://aka.ms/storageaccounts")
    ask = "providers/Microsoft.Storage/checkNameAvailability"
    for name, free in (("taken12", False), ("taken14", True), ("X", False)):
        assert group.azure.arm("POST", ask, {"name": name})[1]["nameAvailable"] is free


def test_ssh_public_keys(group: Group) -> None:
    path = f"{COMPUTE}/sshPublicKeys/mine"
    status, body, _ = group.call("PUT", path, {"location": "westeurope", "properties": {"publicKey": PUBLIC_KEY}})
    assert status == 201 and body["properties"] == {"publicKey": PUBLIC_KEY}
    assert group.refused("PUT", path, {"location": "westeurope", "properties": {"publicKey": "ssh-rsa other"}})[1] == \
        "PropertyChangeNotAllowed"
    assert group.call("DELETE", path)[0] == 200 and group.call("GET", path)[0] == 404


def test_disks_show_the_limits_of_their_tier(group: Group) -> None:
    made = group.put(f"{COMPUTE}/disks/d", {"creationData": {"createOption": "Empty"}, "diskSizeGB": 500}, sku={"name": "Premium_LRS"})
    p = made["properties"]
    assert (p["tier"], p["diskIOPSReadWrite"], p["diskMBpsReadWrite"]) == ("P20", 2300, 150)
    assert p["encryption"] == {"type": "EncryptionAtRestWithPlatformKey"}


def test_reset_empties_the_lab_and_keeps_its_identity() -> None:
    with testing.lab() as lab:
        group = Group(lab, "gone")
        group.vnet()
        lab.admin.fault(method="GET", path="never", status=500)
        before = lab.env
        assert lab.admin.call("POST", "/reset", {})["removed"] == 2
        assert lab.arm("GET", "resourceGroups")[1] == {"value": []} and lab.env == before
        assert lab.admin.call("GET", "/faults") == {"faults": []}


def test_an_immutability_policy_is_whole_and_locked_later(group: Group) -> None:
    path = "providers/Microsoft.Storage/storageAccounts/" + f"im{abs(hash(group.name)) % 10**9}"

    def body(**policy: object) -> dict[str, object]:
        return {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {
            "immutableStorageWithVersioning": {"enabled": True, "immutabilityPolicy": policy}}}
    code = "InvalidStorageAccountImmutabilityPolicy"
    assert group.refused("PUT", path, body(immutabilityPeriodSinceCreationInDays=1))[:2] == (400, code)
    assert group.refused("PUT", path, body(immutabilityPeriodSinceCreationInDays=1, state="Locked"))[:2] == (400, code)
    assert group.call("PUT", path, body(immutabilityPeriodSinceCreationInDays=1, state="Unlocked"))[0] == 202
    assert group.call("PUT", path, body(immutabilityPeriodSinceCreationInDays=1, state="Locked"))[0] == 200
    assert "cannot be changed once Locked" in group.refused("PUT", path, body(
        immutabilityPeriodSinceCreationInDays=1, state="Unlocked"))[2]


def test_disks_of_images_and_copies_without_machines(group: Group) -> None:
    image = (f"/Subscriptions/{group.azure.subscription}/Providers/Microsoft.Compute/Locations/westeurope/Publishers/Debian"
             "/ArtifactTypes/VMImage/Offers/debian-12/Skus/12-gen2/Versions/latest")
    disks = "providers/Microsoft.Compute/disks"
    made = group.put(f"{disks}/os", {"creationData": {"createOption": "FromImage", "imageReference": {"id": image}}})
    assert made["properties"]["diskSizeGB"] == 30 and made["properties"]["osType"] == "Linux"
    copy = group.put(f"{disks}/copy", {"creationData": {"createOption": "Copy", "sourceResourceId": made["id"]}})
    assert copy["properties"]["diskSizeGB"] == 30
    assert group.refused("PUT", f"{disks}/none", {"location": "westeurope", "properties": {
        "creationData": {"createOption": "Copy", "sourceResourceId": made["id"] + "x"}}})[:2] == (404, "NotFound")
    assert group.refused("PUT", f"{disks}/import", {"location": "westeurope", "properties": {
        "creationData": {"createOption": "Import"}}})[0] == 501


SHARES, CONTAINERS = "fileServices/default/shares", "blobServices/default/containers"


def made(group: Group, name: str, kind: str = "StorageV2", sku: str = "Standard_LRS") -> str:
    """Path of an account that is ready."""
    assert group.call("PUT", f"{ACCOUNT}/{name}", {"location": "westeurope", "sku": {"name": sku}, "kind": kind})[0] == 202
    for _ in range(200):
        if group.call("GET", f"{ACCOUNT}/{name}")[1]["properties"]["provisioningState"] == "Succeeded":
            break
    return f"{ACCOUNT}/{name}"


def test_a_share_is_made_changed_listed_and_deleted(group: Group) -> None:
    path = f"{made(group, 'shares1')}/{SHARES}"
    status, body, headers = group.call("PUT", f"{path}/uploads", {"properties": {"metadata": {"a": "b"}, "shareQuota": 5}})
    assert status == 201 and body["properties"] == {"metadata": {"a": "b"}, "shareQuota": 5} and "etag" not in body and headers["etag"]
    assert group.call("PUT", f"{path}/uploads", {"properties": {"shareQuota": 6}})[0] == 200
    shown = group.call("GET", f"{path}/uploads")[1]
    assert shown["etag"] and shown["type"] == "Microsoft.Storage/storageAccounts/fileServices/shares"
    assert {key: shown["properties"][key] for key in ("shareQuota", "metadata", "accessTier", "enabledProtocols", "leaseState")} == {
        "shareQuota": 6, "metadata": {"a": "b"}, "accessTier": "TransactionOptimized", "enabledProtocols": "SMB", "leaseState": "available"}
    assert group.call("PATCH", f"{path}/uploads", {"properties": {"shareQuota": 10}})[0] == 200
    listed = group.call("GET", path)[1]["value"]
    assert [(one["name"], one["properties"]["shareQuota"], "metadata" in one["properties"]) for one in listed] == [("uploads", 10, False)]
    assert [group.call("DELETE", f"{path}/uploads")[0] for _ in range(2)] == [200, 204]
    status, code, message = group.refused("GET", f"{path}/uploads")
    assert (status, code) == (404, "ShareNotFound") and message.startswith("The specified share does not exist.\nRequestId:")


def test_what_an_account_does_not_have_is_refused(group: Group) -> None:
    standard, premium = made(group, "standard1"), made(group, "premium1", "FileStorage", "Premium_LRS")
    nfs = {"properties": {"enabledProtocols": "NFS", "shareQuota": 100}}
    assert group.refused("PUT", f"{standard}/{SHARES}/files", nfs) == (
        400, "FeatureNotSupportedForAccount", "NfsFileShares is not supported for the account.")
    assert group.call("PUT", f"{premium}/{SHARES}/files", nfs)[0] == 201
    assert group.refused("PATCH", f"{premium}/{SHARES}/files", {"properties": {"enabledProtocols": "SMB"}})[1] == "InvalidValuesForRequestParameters"
    assert group.refused("PUT", f"{premium}/{SHARES}/small", {"properties": {"shareQuota": 50}})[1] == "InvalidValuesForRequestParameters"
    assert group.refused("PUT", f"{premium}/{CONTAINERS}/blobs", {"properties": {}})[1] == "FeatureNotSupportedForAccount"
    assert group.refused("PUT", f"{standard}/{SHARES}/Not_Valid", {"properties": {}})[1] == "InvalidResourceName"
    assert group.refused("PUT", f"{standard}/{SHARES}/files", {"properties": {"quota": 1}})[1] == "InvalidRequestContent"
    assert group.refused("PUT", f"{ACCOUNT}/missing1/{SHARES}/files", {"properties": {}})[1] == "ParentResourceNotFound"
    assert group.refused("GET", f"{ACCOUNT}/missing1/{SHARES}")[1] == "ResourceNotFound"


def test_containers_and_what_goes_with_an_account(group: Group) -> None:
    account_path = made(group, "blobs1")
    path = f"{account_path}/{CONTAINERS}"
    assert group.call("PUT", f"{path}/backups", {})[0] == 201
    assert group.call("GET", path)[1]["value"][0]["properties"]["publicAccess"] == "None"
    assert group.refused("PUT", f"{path}/open", {"properties": {"publicAccess": "Blob"}})[:2] == (409, "PublicAccessNotPermitted")
    assert group.refused("GET", f"{path}/none")[:2] == (404, "ContainerNotFound")
    assert group.call("DELETE", account_path)[0] == 200
    made(group, "blobs1")
    assert group.call("GET", path)[1]["value"] == []
