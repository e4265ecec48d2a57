#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: network
short_description: Virtual network with subnets, security groups, NAT gateways and public addresses
version_added: 0.1.0
description:
  - Makes and changes a virtual network and all that belongs to it as one plan, with what does not depend on each other at the
    same time.
  - Subnets that the task does not name are left alone, whoever made them. A subnet is never removed, and never moved while
    something has an address in it.
author:
  - The dockhost.azure authors (@dockhost)
extends_documentation_fragment:
  - dockhost.azure.azure
  - dockhost.azure.azure.attributes
  - dockhost.azure.tags
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  resource_group:
    description: The resource group of the network.
    type: str
    required: true
  location:
    description:
      - The region of the network, for instance V(westeurope).
      - The region of the resource group when not given.
    type: str
  name:
    description: The name of the virtual network.
    type: str
    required: true
  address_prefixes:
    description:
      - The address ranges of the network in CIDR form. Required with O(state=present).
      - A range that is not named is taken from the network, unless a subnet lies in it.
    type: list
    elements: str
  dns_servers:
    description:
      - Addresses of the DNS servers that machines in the network get, in this order.
      - An empty list means Azure's own; what is there is left as it is when not given.
    type: list
    elements: str
  subnets:
    description: The subnets to have.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the subnet.
        type: str
        required: true
      address_prefix:
        description: Its address range, inside of one of O(address_prefixes). Required with O(state=present).
        type: str
      security_group:
        description:
          - The network security group of the subnet, by name (one of O(security_groups), or one that exists in the resource group)
            or by id.
          - Empty to have none; what is there is left as it is when not given.
        type: str
      nat_gateway:
        description:
          - The NAT gateway of the subnet, by name (one of O(nat_gateways), or one that exists in the resource group) or by id.
          - Empty to have none; what is there is left as it is when not given.
        type: str
      default_outbound_access:
        description:
          - Whether machines without an outbound way of their own get Azure's implicit one, which Azure has ended for new networks.
          - Outbound ways to prefer are O(dockhost.azure.load_balancer#module:outbound) and O(nat_gateways).
        type: bool
        default: false
      service_endpoints:
        description:
          - The services that the subnet reaches with its own addresses by Azure's network, for instance V(Microsoft.Storage) for storage accounts
            that only subnets reach (O(dockhost.azure.storage_account#module:subnets), shares over NFS), or V(Microsoft.Storage.Global) for
            accounts in other regions.
          - An empty list means none; what is there is left as it is when not given.
          - Connections that are open to the service are cut when an endpoint is added or removed.
        type: list
        elements: str
  security_groups:
    description: The network security groups to have.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the network security group.
        type: str
        required: true
      rules:
        description:
          - All rules of the group, beside those that Azure gives to each. Rules that are not named are removed.
          - What is there is left as it is when not given.
        type: list
        elements: dict
        suboptions:
          name:
            description: The name of the rule.
            type: str
            required: true
          description:
            description: What the rule is for.
            type: str
          priority:
            description: Rules are tried from the lowest to the highest, V(100) to V(4096). Different for each rule of a direction.
            type: int
            required: true
          direction:
            description: Which traffic the rule is for.
            type: str
            choices:
              - Inbound
              - Outbound
            default: Inbound
          access:
            description: What happens to the traffic.
            type: str
            choices:
              - Allow
              - Deny
            default: Allow
          protocol:
            description: The protocol; V(*) means any.
            type: str
            choices:
              - Tcp
              - Udp
              - Icmp
              - Esp
              - Ah
              - '*'
            default: Tcp
          source_address_prefixes:
            description: Where traffic comes from - addresses, ranges in CIDR form, service tags such as V(Internet), or V(*).
            type: list
            elements: str
            default: ['*']
          source_port_ranges:
            description: The ports that traffic comes from - ports (V(80)), ranges (V(8000-8099)), or V(*).
            type: list
            elements: str
            default: ['*']
          destination_address_prefixes:
            description: Where traffic goes to - addresses, ranges in CIDR form, service tags such as V(VirtualNetwork), or V(*).
            type: list
            elements: str
            default: ['*']
          destination_port_ranges:
            description: The ports that traffic goes to - ports (V(80)), ranges (V(8000-8099)), or V(*).
            type: list
            elements: str
            default: ['*']
  nat_gateways:
    description: The NAT gateways to have.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the NAT gateway.
        type: str
        required: true
      public_ip:
        description:
          - The public address it sends from, by name (one of O(public_ips), or one that exists in the resource group) or by id.
          - Required with O(state=present).
        type: str
      idle_timeout:
        description: Minutes after which an idle connection is forgotten, V(4) to V(120).
        type: int
        default: 4
  public_ips:
    description: The static public addresses (Standard SKU) to have.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the public address.
        type: str
        required: true
      zones:
        description: The availability zones of the address. Azure fixes them when the address is made.
        type: list
        elements: str
      dns_label:
        description: The first part of its DNS name, in front of C(.<region>.cloudapp.azure.com).
        type: str
  state:
    description:
      - With V(absent) the network and what O(security_groups), O(nat_gateways) and O(public_ips) name are deleted, as far as they
        carry the tag of this deployment. Nothing is deleted while something has an address in the network.
    type: str
    choices:
      - present
      - absent
    default: present
notes:
  - Networks, security groups, gateways and addresses are only written when nobody has changed what was read before (C(If-Match)).
    After a change of somebody else the module reads
    and plans once more; when that is overtaken too, it fails and has overwritten nothing.
seealso:
  - module: dockhost.azure.load_balancer
  - module: dockhost.azure.host_group
"""

EXAMPLES = r"""
- name: A network for Docker hosts, with SSH from one address only
  dockhost.azure.network:
    resource_group: demo
    location: westeurope
    name: demo-vnet
    address_prefixes:
      - 10.60.0.0/16
    subnets:
      - name: hosts
        address_prefix: 10.60.1.0/24
        security_group: demo-nsg
    security_groups:
      - name: demo-nsg
        rules:
          - name: ssh
            priority: 100
            source_address_prefixes:
              - 203.0.113.1/32
            destination_port_ranges:
              - "22"

- name: The same with a NAT gateway as the way out
  dockhost.azure.network:
    resource_group: demo
    location: westeurope
    name: demo-vnet
    address_prefixes:
      - 10.60.0.0/16
    subnets:
      - name: hosts
        address_prefix: 10.60.1.0/24
        nat_gateway: demo-nat
    nat_gateways:
      - name: demo-nat
        public_ip: demo-nat-ip
    public_ips:
      - name: demo-nat-ip

- name: A subnet whose hosts mount shares over NFS of a storage account that it alone reaches
  dockhost.azure.network:
    resource_group: demo
    location: westeurope
    name: demo-vnet
    address_prefixes:
      - 10.60.0.0/16
    subnets:
      - name: hosts
        address_prefix: 10.60.1.0/24
        service_endpoints:
          - Microsoft.Storage

- name: Delete the network and its security group
  dockhost.azure.network:
    resource_group: demo
    name: demo-vnet
    security_groups:
      - name: demo-nsg
    state: absent
"""

RETURN = r"""
network:
  description: The network as it is after the task. Values are empty where nothing was made yet (check mode).
  returned: success
  type: dict
  contains:
    id:
      description: The id of the virtual network.
      type: str
      returned: when it exists
      sample: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers/Microsoft.Network/virtualNetworks/demo-vnet
    subnets:
      description: All subnets of the network by name, each with C(id) and C(address_prefix).
      type: dict
      returned: always
    security_groups:
      description: The network security groups that the task names, name to id.
      type: dict
      returned: always
    public_ips:
      description: The public addresses that the task names by name, each with C(id) and C(address).
      type: dict
      returned: always
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create), V(update) and V(delete).
      type: str
      returned: always
    type:
      description: The type of the resource as Azure names it.
      type: str
      returned: always
    name:
      description: The name of the resource.
      type: str
      returned: always
    changes:
      description: The properties that change, each with C(path), C(before) and C(after).
      type: list
      elements: dict
      returned: always
    reason:
      description: Why.
      type: str
      returned: always
    seconds:
      description: How long it took; empty in check mode.
      type: float
      returned: always
error:
  description: What Azure said, with C(code), C(message), C(target), C(details) and C(status).
  returned: when Azure refused
  type: dict
"""

import asyncio

from ansible_collections.dockhost.azure.plugins.module_utils import _module
from ansible_collections.dockhost.azure.plugins.module_utils._errors import RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._model import network as model
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import (
    api_version,
    by_id,
    list_path,
    resource_id,
)
from ansible_collections.dockhost.azure.plugins.module_utils._plan import network as rules
from ansible_collections.dockhost.azure.plugins.module_utils._plan.core import plan

ANY = {"type": "list", "elements": "str", "default": ["*"]}
RULE_ARGS = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str"},
    "priority": {"type": "int", "required": True},
    "direction": {"type": "str", "choices": ["Inbound", "Outbound"], "default": "Inbound"},
    "access": {"type": "str", "choices": ["Allow", "Deny"], "default": "Allow"},
    "protocol": {"type": "str", "choices": ["Tcp", "Udp", "Icmp", "Esp", "Ah", "*"], "default": "Tcp"},
    "source_address_prefixes": ANY,
    "source_port_ranges": ANY,
    "destination_address_prefixes": ANY,
    "destination_port_ranges": ANY,
}
NETWORK_ARGS = dict(
    _module.TAGS_ARGS,
    resource_group={"type": "str", "required": True},
    location={"type": "str"},
    name={"type": "str", "required": True},
    address_prefixes={"type": "list", "elements": "str"},
    dns_servers={"type": "list", "elements": "str"},
    subnets={"type": "list", "elements": "dict", "options": {
        "name": {"type": "str", "required": True},
        "address_prefix": {"type": "str"},
        "security_group": {"type": "str"},
        "nat_gateway": {"type": "str"},
        "default_outbound_access": {"type": "bool", "default": False},
        "service_endpoints": {"type": "list", "elements": "str"},
    }},
    security_groups={"type": "list", "elements": "dict", "options": {
        "name": {"type": "str", "required": True},
        "rules": {"type": "list", "elements": "dict", "options": RULE_ARGS},
    }},
    nat_gateways={"type": "list", "elements": "dict", "options": {
        "name": {"type": "str", "required": True},
        "public_ip": {"type": "str"},
        "idle_timeout": {"type": "int", "default": 4},
    }},
    public_ips={"type": "list", "elements": "dict", "options": {
        "name": {"type": "str", "required": True},
        "zones": {"type": "list", "elements": "str"},
        "dns_label": {"type": "str"},
    }},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
)


class NetworkTask(_module.Task):
    """Observe four lists at most, plan once."""

    guarded = True

    def __init__(self, params, subscription_id):
        super().__init__(params, subscription_id)
        self.wanted = model.Network.from_params(params)
        self.group = params["resource_group"]
        self.location = _module.text_or_none(params["location"])
        self.network_id = self.id(model.NETWORKS, self.wanted.name)

    def id(self, type_, name):
        """The id of one of the resources."""
        return resource_id(self.subscription_id, self.group, type_, name)

    async def observe(self, client):
        types = [model.NETWORKS]
        if self.wanted.security_groups:
            types.append(model.SECURITY_GROUPS)
        if self.wanted.nat_gateways:
            types.append(model.NAT_GATEWAYS)
        if self.wanted.public_ips:
            types.append(model.PUBLIC_ADDRESSES)
        paths = [list_path(self.subscription_id, self.group, type_) for type_ in types]
        lists = await asyncio.gather(*[client.list(path, api_version(model.NETWORKS)) for path in paths])
        actual = {key: item for found in lists for key, item in by_id(found).items()}
        network = actual.get(self.network_id.lower())
        if network is not None:
            actual[self.network_id.lower()] = rules.normalized(network)
        if self.location is None and self.params["state"] == "present":
            self.location = await _module.group_location(client, self.group)
        return actual

    def plan(self, actual):
        desired = self.wanted.resources(self.subscription_id, self.group, self.location, self.deployment, actual)
        if self.params["state"] == "absent":
            refused = rules.delete_refusals(desired, actual, self.deployment)
        else:
            refused = rules.owner_refusals(desired, actual, self.deployment)
            refused += rules.refusals(self.wanted, actual.get(self.network_id.lower()))
        if refused:
            raise RefusedError(refused)
        if self.params["state"] == "absent":
            return plan([], actual, delete=desired)
        return plan(desired, actual)

    def result(self, actual, plan, applied):
        network = actual.get(self.network_id.lower()) or {}
        subnets = (network.get("properties") or {}).get("subnets") or []
        groups = {item.name: self.id(model.SECURITY_GROUPS, item.name) for item in self.wanted.security_groups}
        addresses = {item.name: self.id(model.PUBLIC_ADDRESSES, item.name) for item in self.wanted.public_ips}
        return {"network": {
            "id": network.get("id"),
            "subnets": {
                item["name"]: {"id": item["id"], "address_prefix": rules.prefixes(item)[0]} for item in subnets
            },
            "security_groups": {name: path for name, path in groups.items() if path.lower() in actual},
            "public_ips": {
                name: {"id": path, "address": actual[path.lower()]["properties"].get("ipAddress")}
                for name, path in addresses.items() if path.lower() in actual
            },
        }}


def main():
    _module.run(NetworkTask, NETWORK_ARGS)


if __name__ == "__main__":
    main()
