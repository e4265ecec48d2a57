# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts from images of one's own: of a gallery, by version or the newest, and managed images; and the examples of the module."""

from __future__ import annotations

import importlib

import pytest
import yaml

from . import test_host_group
from .test_host_group import KEY, requests, run
from .test_inventory import balancer

network = test_host_group.network  # the fixture
COMPUTE = "providers/Microsoft.Compute"


def put(azure, group, path, properties):
    status, body = azure.arm("PUT", f"resourceGroups/{group}/{COMPUTE}/{path}", {"location": "westeurope", "properties": properties})
    assert status in (200, 201), body
    return body["id"]


def publish(azure, group, number, source, **profile):
    properties = {"storageProfile": {"source": {"virtualMachineId": source}}, "publishingProfile": profile}
    return put(azure, group, f"galleries/images/images/host/versions/{number}", properties)


@pytest.fixture
def gallery(azure, network):
    """(id of an image definition without versions, id of a generalized machine)"""
    made = azure.run("host_group", {
        "resource_group": network, "name": "golden", "count": 1, "size": "Standard_D2s_v5", "ssh_public_keys": [KEY],
        "subnet": {"network": "net", "name": "hosts"},
    })  # fmt: skip
    assert not made["failed"], made
    source = f"resourceGroups/{network}/{COMPUTE}/virtualMachines/golden-1"
    assert azure.arm("POST", source + "/deallocate")[0] == 202 and azure.arm("POST", source + "/generalize")[0] == 200
    put(azure, network, "galleries/images", {})
    definition = put(azure, network, "galleries/images/images/host", {
        "osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2", "identifier": {"publisher": "us", "offer": "hosts", "sku": "debian"},
    })  # fmt: skip
    return definition, f"/subscriptions/{azure.lab.env['AZURE_SUBSCRIPTION_ID']}/{source}"


def test_hosts_of_a_gallery(azure, network, gallery):
    definition, source = gallery
    refused, sent = requests(azure, lambda: run(azure, network, image=definition))
    assert refused["msg"] == "image: host has no version that may be the latest: publish one, or give the id of a version that is excluded from that."
    assert all(entry["method"] == "GET" for entry in sent)
    publish(azure, network, "1.0.0", source)
    made = run(azure, network, image=definition)
    assert not made["failed"], made
    assert [host["image"] for host in made["hosts"]] == [definition] * 3
    again, sent = requests(azure, lambda: run(azure, network, image=definition))
    assert not again["changed"] and all(entry["method"] == "GET" for entry in sent)

    second = publish(azure, network, "1.1.0", source)
    assert not run(azure, network, image=definition)["changed"], "hosts that are there stay what they are"
    grown = run(azure, network, image=definition, count=4)
    assert [step["name"] for step in grown["plan"] if step["action"] == "create"] == ["web-4-nic", "web-4"]
    exact = [
        azure.arm("GET", f"resourceGroups/{network}/{COMPUTE}/virtualMachines/{name}")[1]["properties"]["storageProfile"]["imageReference"]["exactVersion"]
        for name in ("web-1", "web-4")
    ]
    assert exact == ["1.0.0", "1.1.0"]
    outdated = run(azure, network, image=second, count=4, check=True)
    assert outdated["msg"].startswith(
        "image: hosts web-1, web-2, web-3 and 1 more were made with images/host, which Azure cannot change to images/host/1.1.0 on an existing machine."
    )
    replaced = run(azure, network, image=second, count=4, immutable_changes="replace")
    assert not replaced["failed"] and [host["image"] for host in replaced["hosts"]] == [second] * 4
    assert not run(azure, network, image=second, count=4)["changed"]


def test_what_a_gallery_does_not_have(azure, network, gallery):
    definition, source = gallery
    excluded = publish(azure, network, "3.0.0", source, excludeFromLatest=True)
    assert "has no version that may be the latest" in run(azure, network, image=definition)["msg"]
    assert not run(azure, network, image=excluded, count=1)["failed"]
    missing = excluded.replace("3.0.0", "4.0.0")
    refused, sent = requests(azure, lambda: run(azure, network, image=missing, name="db", count=1))
    assert refused["msg"].startswith(f"image: there is no image '{missing}' that this client can see")
    assert all(entry["method"] == "GET" for entry in sent)
    # what only Azure can tell is told in its words, with the option's value
    shared = "/SharedGalleries/somebody-GALLERY/Images/host"
    refused = run(azure, network, image=shared, name="db", count=1)
    assert refused["failed"] and "GalleryImageNotFound" in refused["msg"] and shared in refused["msg"]


@pytest.mark.parametrize("engine", ["virtual_machines", "scale_set"])
def test_hosts_of_a_managed_image(azure, network, gallery, engine):
    image = put(azure, network, "images/golden", {"sourceVirtualMachine": {"id": gallery[1]}})
    options = {"image": image, "engine": engine, "count": 2, "swarm_managers": 0}
    made = run(azure, network, **options)
    assert not made["failed"] and [host["image"] for host in made["hosts"]] == [image] * 2
    assert not run(azure, network, **options)["changed"]


def _filled(value, texts):
    """An example with the lookups that it shows replaced by what they would find here."""
    if isinstance(value, dict):
        return {key: _filled(item, texts) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, texts) for item in value]
    for word, text in texts.items():
        if isinstance(value, str) and "{{" in value and word in value:
            return text
    return value


def test_the_examples_run(azure, network, gallery):
    """Each task of the module's examples, as it stands there, in its order."""
    definition, source = gallery
    publish(azure, network, "1.0.0", source)
    made = azure.run("network", {
        "resource_group": network, "location": "westeurope", "name": "demo-vnet", "address_prefixes": ["10.0.0.0/16"],
        "subnets": [{"name": "hosts", "address_prefix": "10.0.1.0/24"}, {"name": "storage", "address_prefix": "10.0.2.0/24"}],
    })  # fmt: skip
    assert not made["failed"], made
    texts = {"id_ed25519.pub": KEY, "cloud-config": "#cloud-config\nruncmd: [ls]\n", "lb.load_balancer": balancer(azure, network)["pools"]["hosts"]}
    module = importlib.import_module("ansible_collections.dockhost.azure.plugins.modules.host_group")
    ran, registered = [], {}
    for task in yaml.safe_load(module.EXAMPLES):
        arguments = _filled(task.get("dockhost.azure.host_group", {}), texts)
        if not arguments:
            continue  # what is done on the hosts between them
        if isinstance(arguments.get("scale_in_first"), str):  # registered by an example before
            arguments["scale_in_first"] = registered[arguments["scale_in_first"].strip("{} ")]
        if arguments.get("image", "").startswith("/subscriptions/"):
            arguments["image"] = definition
        arguments.pop("wait_for", None)  # nobody answers behind these hosts
        result = azure.run("host_group", dict(arguments, resource_group=network), check=task.get("check_mode", False))
        assert not result["failed"], (task["name"], result["msg"])
        for name in ("removing", "outdated"):
            registered[f"{task.get('register')}.{name}"] = result.get(name)
        ran.append(task["name"])
    assert len(ran) >= 9
