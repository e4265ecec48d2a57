# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory of the Docker hosts that this collection makes on Azure."""

from __future__ import annotations

DOCUMENTATION = r"""
name: docker_hosts
short_description: Docker hosts of deployments on Azure
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Finds the hosts that M(dockhost.azure.host_group) made, by their tags, and says how to reach them and which host keys they have.
  - The number of requests, five or six for each subscription, does not depend on the number of hosts. A list that cannot be read to its end is an error,
    never a shorter inventory.
  - The inventory file's name ends in C(docker_hosts.yml) or C(docker_hosts.yaml).
  - Hosts are in the groups C(dockhost), C(swarm_manager) and C(swarm_worker), C(zone_<number>), C(size_<size>), C(power_<state>),
    and one with the name of their host group.
  - "The host's key has to stand in the deployment's C(known_hosts) file, under the alias C(<name>.<resource group>), where
    M(dockhost.azure.host_keys) writes it: C(ansible_ssh_common_args) says so. No key is trusted at first sight."
extends_documentation_fragment:
  - constructed
  - inventory_cache
  - dockhost.azure.azure
options:
  plugin:
    description: The name of this plugin, which says that the file is for it.
    type: str
    required: true
    choices:
      - dockhost.azure.docker_hosts
  subscription_id:
    env:
      - name: AZURE_SUBSCRIPTION_ID
  client_id:
    env:
      - name: AZURE_CLIENT_ID
  # Of several variables that are set Ansible takes the last for a plugin: here as in the modules AZURE_SECRET counts before AZURE_CLIENT_SECRET.
  secret:
    env:
      - name: AZURE_CLIENT_SECRET
      - name: AZURE_SECRET
  tenant:
    env:
      - name: AZURE_TENANT_ID
      - name: AZURE_TENANT
  cloud_environment:
    env:
      - name: AZURE_CLOUD_ENVIRONMENT
  ca_file:
    env:
      - name: REQUESTS_CA_BUNDLE
      - name: AZURE_CA_FILE
  auth_source:
    env:
      - name: ANSIBLE_AZURE_AUTH_SOURCE
  profile:
    env:
      - name: AZURE_PROFILE
  subscription_ids:
    description:
      - The subscriptions to look in, all with the same sign-in; O(subscription_id) when not given.
      - One that cannot be read is an error, as a list is that cannot be read to its end.
    type: list
    elements: str
  resource_groups:
    description:
      - The resource groups to look in; all of the subscription when not given.
      - A group that does not exist has no hosts.
    type: list
    elements: str
  deployment:
    description: The deployment to look for, as it stands in the tag C(dockhost-deployment); all when not given.
    type: str
  group:
    description: The host group to look for; all when not given.
    type: str
  connect_via:
    description:
      - The ways to a host's SSH port, in the order in which they are tried. The first that a host has counts.
      - V(public) is its own public address, V(load_balancer) the port of the load balancer's inbound NAT that leads to it, V(private)
        its private address, for a controller inside the network or behind O(proxy_jump).
    type: list
    elements: str
    choices:
      - public
      - load_balancer
      - private
    default:
      - public
      - load_balancer
      - private
  proxy_jump:
    description: A bastion to go through, as C(user@host:port), for SSH's C(ProxyJump).
    type: str
  known_hosts:
    description:
      - The file with the hosts' keys.
      - C($DOCKHOST_STATE_DIR/<deployment>/known_hosts) when not given, where C($DOCKHOST_STATE_DIR) is C(~/.local/state/dockhost) if
        it is not set. That is where the playbooks of this collection keep it.
    type: path
    env:
      - name: DOCKHOST_KNOWN_HOSTS
  admin_username:
    description: The user to sign in as; the administrator that the host was made with when not given.
    type: str
  include_powered_off:
    description:
      - Whether hosts that do not run are in the inventory too. They are then in all their groups and in C(dockhost_powered_off).
      - Without this they are left out altogether, so that a play over all hosts does not stop at one that is switched off.
    type: bool
    default: false
  vars:
    description: Variables for all hosts, so that one file describes a whole deployment.
    type: dict
    default: {}
notes:
  - A host without any of the ways in O(connect_via) is left out, with a warning.
  - The plugin never puts a secret into the inventory.
seealso:
  - module: dockhost.azure.host_group
  - module: dockhost.azure.host_keys
"""

EXAMPLES = r"""
# demo.docker_hosts.yml: credentials come from the environment (AZURE_SUBSCRIPTION_ID, AZURE_CLIENT_ID, AZURE_SECRET, AZURE_TENANT)
plugin: dockhost.azure.docker_hosts
resource_groups: [rg-demo]
deployment: demo

---
# All hosts of production, in three subscriptions
plugin: dockhost.azure.docker_hosts
subscription_ids:
  - 11111111-1111-1111-1111-111111111111
  - 22222222-2222-2222-2222-222222222222
  - 33333333-3333-3333-3333-333333333333
deployment: production

---
# Over a bastion, with groups by size and region, and a cache
plugin: dockhost.azure.docker_hosts
connect_via: [private]
proxy_jump: ops@bastion.example.com
keyed_groups:
  - prefix: size
    key: dockhost_size
  - prefix: location
    key: dockhost_location
groups:
  database: "'db' in dockhost_tags.get('purpose', '')"
compose:
  swarm_advertise_address: dockhost_private_address
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /tmp/docker_hosts
"""

import asyncio
import os
import re
from typing import Any, Dict, List

from ansible.errors import AnsibleParserError
from ansible.module_utils.parsing.convert_bool import BOOLEANS
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.dockhost.azure.plugins.module_utils._azure import session
from ansible_collections.dockhost.azure.plugins.module_utils._errors import DockhostError, InputError
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import inventory as hosts
from ansible_collections.dockhost.azure.plugins.module_utils._module import AZURE_ARGS


# What SSH's ProxyJump takes: https://man.openbsd.org/ssh_config#ProxyJump
_ONE_JUMP = r"(?:ssh://)?(?:[^@\s,'\"]+@)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.%]+\])(?::\d{1,5})?"
_JUMP = re.compile(rf"^{_ONE_JUMP}(?:,{_ONE_JUMP})*$")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Hosts of deployments, from Azure's lists."""

    NAME = "dockhost.azure.docker_hosts"

    def verify_file(self, path: str) -> bool:
        """Whether the file is for this plugin, by its name."""
        return super().verify_file(path) and path.endswith(("docker_hosts.yml", "docker_hosts.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._check(self._read_config_data(path))
        for name, value in self.get_option("vars").items():
            self.inventory.set_variable("all", name, value)
        # There even when they are empty, so that plays over them say nothing about unknown patterns.
        for group in ("swarm_manager", "swarm_worker"):
            self.inventory.add_group(group)
        entries = self._entries(self.get_cache_key(path), cache)
        strict, include = self.get_option("strict"), self.get_option("include_powered_off")
        for name, entry in hosts.named(entry for entry in entries if hosts.shown(entry, include)):
            if entry.way is None and hosts.shown(entry, False):
                ways = ", ".join(self.get_option("connect_via"))
                self.display.warning(f"docker_hosts: host {name} is left out: it has none of the ways in connect_via ({ways}).")
                continue
            self._add(name, entry, strict)

    def _check(self, given: Dict[str, Any]) -> None:
        """What can be known to be wrong before anything is asked of Azure."""
        powered_off = given.get("include_powered_off")
        # For a plugin's option Ansible takes whatever is not true as false.
        if isinstance(powered_off, str) and "{{" not in powered_off and powered_off.lower() not in BOOLEANS:
            raise AnsibleParserError(f"docker_hosts: include_powered_off: '{powered_off}' is neither true nor false: give one of them.")
        if not self.get_option("connect_via"):
            raise AnsibleParserError(
                "docker_hosts: connect_via: the list is empty, so that no host could be reached: name public, load_balancer or private, or leave the "
                "option out."
            )
        jump = self.get_option("proxy_jump")
        if jump and not _JUMP.match(jump):
            raise AnsibleParserError(
                f"docker_hosts: proxy_jump: '{jump}' is no host to jump over: give host, user@host or user@host:port, several of them with commas between."
            )

    def _entries(self, cache_key: str, cache: bool) -> List[hosts.Entry]:
        """The hosts, from the cache where it is used and holds them."""
        use = self.get_option("cache") and cache
        if use:
            try:
                return [hosts.Entry.from_plain(data) for data in self._cache[cache_key]]
            except (KeyError, TypeError):  # nothing there, or of an earlier version of this plugin
                pass
        found = self._fetch()
        if self.get_option("cache"):
            self._cache[cache_key] = [entry.plain() for entry in found]
        return found

    def _fetch(self) -> List[hosts.Entry]:
        missing, dummy = session.missing_library()
        if missing:
            raise AnsibleParserError(
                f"docker_hosts: the Python library {missing} is missing: install the collection's requirements.txt for the Python that runs Ansible."
            )
        try:
            return asyncio.run(self._read())
        except DockhostError as error:
            raise AnsibleParserError(f"docker_hosts: {error}") from error

    async def _read(self) -> List[hosts.Entry]:
        params: Dict[str, Any] = {name: self.get_option(name) for name in AZURE_ARGS}
        wanted = self.get_option("subscription_ids")
        if wanted is not None and not wanted:
            raise InputError("subscription_ids", "subscription_ids: the list is empty: name a subscription, or leave the option out.")
        chosen = list(dict.fromkeys(one.lower() for one in wanted or ())) or [params["subscription_id"]]
        found = await asyncio.gather(*(self._read_one({**params, "subscription_id": one}) for one in chosen))
        return [entry for entries in found for entry in entries]

    async def _read_one(self, params: Dict[str, Any]) -> List[hosts.Entry]:
        """The hosts of one subscription."""
        async with session.open_client(params) as client:
            return await hosts.entries(
                client,
                self.get_option("resource_groups"),
                self.get_option("deployment"),
                self.get_option("group"),
                self.get_option("connect_via"),
            )

    def _add(self, name: str, entry: hosts.Entry, strict: bool) -> None:
        """Put one host into the inventory, its groups and the constructed ones."""
        file = hosts.known_hosts_file(self.get_option("known_hosts"), entry.host.deployment, os.environ)
        found = hosts.variables(entry, file, self.get_option("admin_username"), self.get_option("proxy_jump"))
        self.inventory.add_host(name)
        for variable, value in found.items():
            self.inventory.set_variable(name, variable, value)
        for group in hosts.groups(entry.host):
            self.inventory.add_child(self.inventory.add_group(self._sanitize_group_name(group)), name)
        self._set_composite_vars(self.get_option("compose"), found, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), found, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), found, name, strict=strict)
