# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Standard load balancer in front of Docker hosts is. Private to this collection; pure.

Sources: https://learn.microsoft.com/azure/load-balancer/inbound-nat-rules (one rule with a port range and a pool),
https://learn.microsoft.com/azure/load-balancer/outbound-rules
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._model import names
from ansible_collections.dockhost.azure.plugins.module_utils._model.network import (
    PUBLIC_ADDRESSES,
    PublicAddress,
    public_address_resource,
)
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import Resource, is_ours, resource_id

LOAD_BALANCERS = "Microsoft.Network/loadBalancers"

# Rules and probes cannot carry tags: this prefix says that they are ours.
PREFIX = "dockhost-"
FRONTEND = PREFIX + "frontend"
SSH_RULE = PREFIX + "ssh"
OUTBOUND_RULE = PREFIX + "outbound"

IDLE_MINUTES = 4
PROBE_SECONDS = 5
FRONTEND_PORTS = (1, 65534)  # Azure keeps 65535


@dataclass(frozen=True)
class SshNat:
    """Frontend ports that lead to ``backend_port`` of the hosts in ``pool``, one each."""

    start: int
    end: int
    backend_port: int
    pool: str


@dataclass(frozen=True)
class Probe:
    """How the health of a host is asked: ``tcp``, ``http`` or ``https``; ``path`` for the latter two."""

    protocol: str
    port: int
    path: Optional[str]


@dataclass(frozen=True)
class PublishedPort:
    """A port of the frontend that leads to all healthy hosts of a pool."""

    port: int
    protocol: str
    target_port: int
    pool: str
    probe: Probe

    @property
    def name(self) -> str:
        """The name of its rule and of its probe."""
        return "{0}{1}-{2}".format(PREFIX, self.protocol, self.port)


@dataclass(frozen=True)
class LoadBalancer:
    """All that the module ``load_balancer`` makes. None means: left as it is."""

    name: str
    public_ip: Optional[str]
    pools: Tuple[str, ...]
    ssh_nat: Optional[SshNat]
    outbound: Optional[bool]
    published: Optional[Tuple[PublishedPort, ...]]
    tags: Mapping[str, str]

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> "LoadBalancer":
        """Check the module's options and turn them into what is wanted. Raises InputError."""
        name = names.check_name("name", params["name"], "load balancer")
        public_ip = params.get("public_ip")
        if public_ip is not None:
            names.check_name("public_ip", public_ip, "public IP address")
        pools = tuple(names.check_name("backend_pools[]", pool, "backend pool") for pool in params.get("backend_pools") or ())
        names.check_unique("backend_pools", pools)
        ssh_nat = None if params.get("ssh_nat") is None else _ssh_nat(params["ssh_nat"], pools)
        published = params.get("published_ports")
        wanted = cls(
            name, public_ip, pools, ssh_nat, params.get("outbound"),
            None if published is None else tuple(_published(position, item, pools) for position, item in enumerate(published)),
            names.check_tags("tags", params.get("tags")),
        )
        if params.get("state", "present") == "present":
            wanted.check()
        return wanted

    def check(self) -> None:
        """Nothing needed is missing, and no two things want one frontend port."""
        if not self.public_ip:
            raise InputError("public_ip", "public_ip is missing: name the public address of the load balancer; it is made when it is "
                             "not there.")
        if self.outbound and not self.pools:
            raise InputError("outbound", "outbound needs a backend pool: name one in backend_pools.")
        taken: Dict[Tuple[str, int], int] = {}
        for position, item in enumerate(self.published or ()):
            place = (item.protocol, item.port)
            if place in taken:
                raise InputError("published_ports", "published_ports has port {0}/{1} twice (entries {2} and {3}): a port leads to one "
                                 "target only.".format(item.port, item.protocol, taken[place] + 1, position + 1))
            taken[place] = position
            nat = self.ssh_nat
            if nat and item.protocol == "tcp" and nat.start <= item.port <= nat.end:
                raise InputError("published_ports", "published_ports has port {0}/tcp, which lies in the SSH ports {1} to {2} of ssh_nat: "
                                 "choose another port, or move frontend_port_start and frontend_port_end.".format(
                                     item.port, nat.start, nat.end))

    def id(self, subscription_id: str, resource_group: str) -> str:
        """The id of the load balancer."""
        return resource_id(subscription_id, resource_group, LOAD_BALANCERS, self.name)

    def resources(
        self, subscription_id: str, resource_group: str, location: str, deployment: str,
        actual: Mapping[str, Mapping[str, Any]],
    ) -> List[Resource]:
        """The address, when it is ours to make, and the load balancer."""
        own_id = self.id(subscription_id, resource_group)
        address_id = resource_id(subscription_id, resource_group, PUBLIC_ADDRESSES, self.public_ip or "")
        there = actual.get(address_id.lower())
        resources = []
        if self.public_ip and (there is None or is_ours(there, deployment)):
            resources.append(public_address_resource(
                subscription_id, resource_group, location, deployment, self.tags, actual,
                PublicAddress(self.public_ip, (), None),
            ))
        body = {
            "location": location,
            "tags": names.owned_tags(self.tags, deployment, actual.get(own_id.lower())),
            "sku": {"name": "Standard"},
            "properties": self._properties(own_id, address_id),
        }
        resources.append(Resource(
            own_id, LOAD_BALANCERS, body, depends_on=(address_id,), immutable=("location", "sku"),
            shared_lists=self._shared_lists(),
        ))
        return resources

    def _shared_lists(self) -> Dict[str, str]:
        """Which entries are ours to remove: those with our prefix in the lists that the options speak of."""
        return {
            "properties.frontendIPConfigurations": "",
            "properties.backendAddressPools": "",
            "properties.inboundNatRules": "",
            "properties.outboundRules": "" if self.outbound is None else PREFIX,
            "properties.loadBalancingRules": "" if self.published is None else PREFIX,
            "properties.probes": "" if self.published is None else PREFIX,
        }

    def _properties(self, own_id: str, address_id: str) -> Dict[str, Any]:
        frontend = {"id": "{0}/frontendIPConfigurations/{1}".format(own_id, FRONTEND)}
        properties: Dict[str, Any] = {
            "frontendIPConfigurations": [
                {"name": FRONTEND, "properties": {"publicIPAddress": {"id": address_id}}},
            ],
            "backendAddressPools": [{"name": pool} for pool in self.pools],
            "inboundNatRules": [] if self.ssh_nat is None else [_ssh_rule(own_id, frontend, self.ssh_nat)],
            "outboundRules": [],
            "loadBalancingRules": [_rule(own_id, frontend, item) for item in self.published or ()],
            "probes": [_probe(item) for item in self.published or ()],
        }
        if self.outbound:
            properties["outboundRules"] = [
                _outbound_rule(own_id, frontend, pool, position) for position, pool in enumerate(self.pools)
            ]
        return properties


def _pool_id(own_id: str, pool: str) -> Dict[str, str]:
    return {"id": "{0}/backendAddressPools/{1}".format(own_id, pool)}


def _ssh_rule(own_id: str, frontend: Mapping[str, str], nat: SshNat) -> Dict[str, Any]:
    """One rule for all hosts: Azure gives each member of the pool a port of the range."""
    return {"name": SSH_RULE, "properties": {
        "frontendIPConfiguration": dict(frontend),
        "backendAddressPool": _pool_id(own_id, nat.pool),
        "protocol": "Tcp",
        "frontendPortRangeStart": nat.start,
        "frontendPortRangeEnd": nat.end,
        "backendPort": nat.backend_port,
        "idleTimeoutInMinutes": IDLE_MINUTES,
    }}


def _outbound_rule(own_id: str, frontend: Mapping[str, str], pool: str, position: int) -> Dict[str, Any]:
    return {"name": OUTBOUND_RULE if position == 0 else "{0}-{1}".format(OUTBOUND_RULE, pool), "properties": {
        "frontendIPConfigurations": [dict(frontend)],
        "backendAddressPool": _pool_id(own_id, pool),
        "protocol": "All",
        "idleTimeoutInMinutes": IDLE_MINUTES,
    }}


def _rule(own_id: str, frontend: Mapping[str, str], item: PublishedPort) -> Dict[str, Any]:
    return {"name": item.name, "properties": {
        "frontendIPConfiguration": dict(frontend),
        "backendAddressPool": _pool_id(own_id, item.pool),
        "probe": {"id": "{0}/probes/{1}".format(own_id, item.name)},
        "protocol": item.protocol.capitalize(),
        "frontendPort": item.port,
        "backendPort": item.target_port,
        "idleTimeoutInMinutes": IDLE_MINUTES,
        # Azure refuses an outbound rule on a frontend whose rules do outbound translation implicitly.
        "disableOutboundSnat": True,
    }}


def _probe(item: PublishedPort) -> Dict[str, Any]:
    probe = item.probe
    return {"name": item.name, "properties": {
        "protocol": probe.protocol.capitalize(),
        "port": probe.port,
        "requestPath": probe.path,
        "intervalInSeconds": PROBE_SECONDS,
    }}


def _ssh_nat(item: Mapping[str, Any], pools: Sequence[str]) -> SshNat:
    start, end = item["frontend_port_start"], item["frontend_port_end"]
    names.check_port("ssh_nat.frontend_port_start", start, *FRONTEND_PORTS)
    names.check_port("ssh_nat.frontend_port_end", end, *FRONTEND_PORTS)
    names.check_port("ssh_nat.backend_port", item["backend_port"])
    if end < start:
        raise InputError("ssh_nat", "ssh_nat.frontend_port_end ({0}) lies before ssh_nat.frontend_port_start ({1}): swap them.".format(end, start))
    return SshNat(start, end, item["backend_port"], _pool("ssh_nat.pool", item.get("pool"), pools))


def _published(position: int, item: Mapping[str, Any], pools: Sequence[str]) -> PublishedPort:
    option = "published_ports[{0}]".format(position)
    port = names.check_port(option + ".port", item["port"], *FRONTEND_PORTS)
    target = names.check_port(option + ".target_port", port if item.get("target_port") is None else item["target_port"])
    probe = item.get("probe") or {}
    protocol = probe.get("protocol") or "tcp"
    path = probe.get("path")
    if path is None and protocol != "tcp":
        path = "/"
    if path is not None and (protocol == "tcp" or not path.startswith("/")):
        raise InputError(option + ".probe.path", "{0}.probe.path is '{1}': a path begins with / and belongs to a probe with protocol http "
                         "or https.".format(option, path))
    if item["protocol"] == "udp" and probe.get("port") is None:
        raise InputError(option + ".probe.port", "{0}.probe.port is missing: Azure cannot probe a UDP port, so port {1}/udp needs a TCP "
                         "port by which its health is known.".format(option, port))
    probed = names.check_port(option + ".probe.port", target if probe.get("port") is None else probe["port"])
    return PublishedPort(
        port, item["protocol"], target, _pool(option + ".pool", item.get("pool"), pools), Probe(protocol, probed, path)
    )


def _pool(option: str, name: Optional[str], pools: Sequence[str]) -> str:
    """A pool that the task names; the first one by default."""
    if name is None:
        if not pools:
            raise InputError(option, "{0} needs a backend pool: name one in backend_pools.".format(option))
        return pools[0]
    if name.lower() not in [pool.lower() for pool in pools]:
        raise InputError(option, "{0} is '{1}', which is not in backend_pools ({2}).".format(option, name, ", ".join(pools) or "none"))
    return name
