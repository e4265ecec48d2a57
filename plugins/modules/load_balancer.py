#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_balancer
short_description: Load balancer in front of Docker hosts
version_added: 0.1.0
description:
  - Makes a Standard load balancer with a public address, backend pools, a way in for SSH, a way out, and rules for the ports that an
    application publishes.
  - Rules and probes whose names begin with C(dockhost-) are this module's. Rules, probes, pools and frontends of others are left alone.
  - A change is one request, whatever it consists of.
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
    description: The resource group of the load balancer.
    type: str
    required: true
  location:
    description:
      - The region of the load balancer, for instance V(westeurope).
      - The region of the resource group when not given.
    type: str
  name:
    description: The name of the load balancer.
    type: str
    required: true
  public_ip:
    description:
      - The name of its public address. It is made (Standard, static) when it does not exist.
      - Required with O(state=present). With O(state=absent) the address is deleted too, when it is named and belongs to the deployment.
    type: str
  backend_pools:
    description:
      - The backend pools to have. Hosts join them with O(dockhost.azure.host_group#module:load_balancer_pools).
      - Pools that are not named are left alone.
    type: list
    elements: str
  ssh_nat:
    description:
      - Lets SSH in, one frontend port for each host of a pool, by one rule for all of them (C(dockhost-ssh)).
      - Who may come in is a matter of the network security group. What is there is left as it is when not given.
    type: dict
    suboptions:
      frontend_port_start:
        description: The first frontend port.
        type: int
        default: 50000
      frontend_port_end:
        description: The last frontend port. The range has to be as large as the pool can become.
        type: int
        default: 50999
      backend_port:
        description: The port that the hosts' SSH servers listen on.
        type: int
        default: 22
      pool:
        description: The backend pool, one of O(backend_pools); the first of them when not given.
        type: str
  outbound:
    description:
      - Whether the hosts of the backend pools reach the internet through the address of the load balancer (outbound rule
        C(dockhost-outbound)).
      - What is there is left as it is when not given.
    type: bool
  published_ports:
    description:
      - The ports that the load balancer offers, each with a rule and a probe of its own.
      - Rules of this module that are not named are removed; an empty list removes all of them.
      - What is there is left as it is when not given.
    type: list
    elements: dict
    suboptions:
      port:
        description: The port of the load balancer's address.
        type: int
        required: true
      protocol:
        description: The protocol.
        type: str
        choices:
          - tcp
          - udp
        default: tcp
      target_port:
        description: The port of the hosts; the same as O(published_ports[].port) when not given.
        type: int
      pool:
        description: The backend pool, one of O(backend_pools); the first of them when not given.
        type: str
      probe:
        description: How the load balancer asks whether a host is healthy; a TCP connection to the target port when not given.
        type: dict
        suboptions:
          protocol:
            description: The protocol of the probe.
            type: str
            choices:
              - tcp
              - http
              - https
            default: tcp
          path:
            description: The path to ask for with V(http) and V(https). Healthy is what answers 200.
            type: str
          port:
            description: The port to ask; the target port when not given. Required for O(published_ports[].protocol=udp).
            type: int
  state:
    description: Whether the load balancer is to exist. Only what carries the tag of this deployment is deleted.
    type: str
    choices:
      - present
      - absent
    default: present
notes:
  - A load balancer is only written when nobody has changed what was read before (C(If-Match)). After a change of somebody else the module reads
    and plans once more; when that is overtaken too, it fails and has overwritten nothing.
seealso:
  - module: dockhost.azure.network
  - module: dockhost.azure.host_group
"""

EXAMPLES = r"""
- name: A load balancer with a way in for SSH and a way out
  dockhost.azure.load_balancer:
    resource_group: demo
    location: westeurope
    name: demo-lb
    public_ip: demo-lb-ip
    backend_pools:
      - hosts
    ssh_nat:
      frontend_port_start: 50000
      frontend_port_end: 50999
    outbound: true

- name: Offer the ports of an application
  dockhost.azure.load_balancer:
    resource_group: demo
    location: westeurope
    name: demo-lb
    public_ip: demo-lb-ip
    backend_pools:
      - hosts
    published_ports:
      - port: 80
        target_port: 8080
        probe:
          protocol: http
          path: /healthz

- name: Take them away again
  dockhost.azure.load_balancer:
    resource_group: demo
    location: westeurope
    name: demo-lb
    public_ip: demo-lb-ip
    published_ports: []

- name: Delete the load balancer and its address
  dockhost.azure.load_balancer:
    resource_group: demo
    name: demo-lb
    public_ip: demo-lb-ip
    state: absent
"""

RETURN = r"""
load_balancer:
  description: The load balancer as it is after the task. Values are empty where nothing was made yet (check mode).
  returned: success
  type: dict
  contains:
    id:
      description: The id of the load balancer.
      type: str
      returned: when it exists
    frontend_address:
      description: Its public address.
      type: str
      returned: when it exists
      sample: 203.0.113.10
    pools:
      description: All backend pools, name to id; in check mode those that would be made as well.
      type: dict
      returned: always
    rules:
      description: All load balancing rules, each with C(name), C(protocol), C(port), C(target_port) and C(owned).
      type: list
      elements: dict
      returned: always
    ssh_ports:
      description: The frontend ports for SSH, name of the host to port.
      type: dict
      returned: always
      sample:
        web-1: 50000
plan:
  description: What was done, or would be done in check mode, each with C(action), C(type), C(name), C(changes), C(reason), C(seconds).
  returned: success
  type: list
  elements: dict
error:
  description: What Azure said, with C(code), C(message), C(target), C(details) and C(status).
  returned: when Azure refused
  type: dict
"""

import asyncio

from ansible_collections.dockhost.azure.plugins.module_utils import _module
from ansible_collections.dockhost.azure.plugins.module_utils._errors import RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._model import load_balancer as model
from ansible_collections.dockhost.azure.plugins.module_utils._model.network import PUBLIC_ADDRESSES
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import (
    NETWORK_API,
    by_id,
    list_path,
    resource_id,
)
from ansible_collections.dockhost.azure.plugins.module_utils._plan import load_balancer as rules
from ansible_collections.dockhost.azure.plugins.module_utils._plan.core import plan
from ansible_collections.dockhost.azure.plugins.module_utils._plan.network import delete_refusals, owner_refusals

LOAD_BALANCER_ARGS = dict(
    _module.TAGS_ARGS,
    resource_group={"type": "str", "required": True},
    location={"type": "str"},
    name={"type": "str", "required": True},
    public_ip={"type": "str"},
    backend_pools={"type": "list", "elements": "str"},
    ssh_nat={"type": "dict", "options": {
        "frontend_port_start": {"type": "int", "default": 50000},
        "frontend_port_end": {"type": "int", "default": 50999},
        "backend_port": {"type": "int", "default": 22},
        "pool": {"type": "str"},
    }},
    outbound={"type": "bool"},
    published_ports={"type": "list", "elements": "dict", "options": {
        "port": {"type": "int", "required": True},
        "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
        "target_port": {"type": "int"},
        "pool": {"type": "str"},
        "probe": {"type": "dict", "options": {
            "protocol": {"type": "str", "choices": ["tcp", "http", "https"], "default": "tcp"},
            "path": {"type": "str"},
            "port": {"type": "int"},
        }},
    }},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
)


class LoadBalancerTask(_module.Task):
    """Observe two lists, plan one or two writes."""

    guarded = True

    def __init__(self, params, subscription_id):
        super().__init__(params, subscription_id)
        self.wanted = model.LoadBalancer.from_params(params)
        self.group = params["resource_group"]
        self.location = _module.text_or_none(params["location"])
        self.key = self.wanted.id(subscription_id, self.group).lower()
        self.address_key = resource_id(subscription_id, self.group, PUBLIC_ADDRESSES, self.wanted.public_ip or "").lower()
        self.absent = params["state"] == "absent"

    async def observe(self, client):
        balancers, addresses = await asyncio.gather(*[
            client.list(list_path(self.subscription_id, self.group, type_), NETWORK_API)
            for type_ in (model.LOAD_BALANCERS, PUBLIC_ADDRESSES)
        ])
        if self.location is None and not self.absent:
            self.location = await _module.group_location(client, self.group)
        return dict(by_id(addresses), **by_id(balancers))

    def plan(self, actual):
        desired = self.wanted.resources(self.subscription_id, self.group, self.location, self.deployment, actual)
        if self.absent:
            refused = delete_refusals(desired, actual, self.deployment)
        else:
            refused = owner_refusals(desired, actual, self.deployment)
            refused += rules.refusals(self.wanted, actual.get(self.key))
            refused += rules.address_refusals(self.wanted, actual.get(self.address_key))
        if refused:
            raise RefusedError(refused)
        if self.absent:
            return plan([], actual, delete=desired)
        return plan(desired, actual)

    def result(self, actual, plan, applied):
        balancer = actual.get(self.key)
        address = (actual.get(self.address_key) or {}).get("properties") or {}
        # Ids can be foretold, so that check mode can go on with them.
        own_id = self.wanted.id(self.subscription_id, self.group)
        wanted = {} if self.absent else {
            pool: "{0}/backendAddressPools/{1}".format(own_id, pool) for pool in self.wanted.pools
        }
        there = {pool["name"]: pool["id"] for pool in rules.children(balancer, "backendAddressPools")}
        return {"load_balancer": {
            "id": (balancer or {}).get("id"),
            "frontend_address": address.get("ipAddress") if balancer else None,
            "pools": dict(wanted, **there),
            "rules": rules.rules_view(balancer),
            "ssh_ports": rules.ssh_ports(balancer, model.SSH_RULE),
        }}


def main():
    _module.run(LoadBalancerTask, LOAD_BALANCER_ARGS)


if __name__ == "__main__":
    main()
