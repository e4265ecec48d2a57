# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is run, and what is done to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

GROUP = "rg-faults"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFSSdwXM3ItvMNHN3qPpwS4nNT8sZNtNnHn9yLzHYzXt demo"
TIMES = {
    "Microsoft.Compute/virtualMachines PUT": 0.3, "Microsoft.Compute/virtualMachines UPDATE": 0.1,
    "Microsoft.Compute/virtualMachines DELETE": 0.2, "Microsoft.Network/publicIPAddresses PUT": 0.0,
    "Microsoft.Network/publicIPAddresses DELETE": 0.0, "Microsoft.Network/networkInterfaces DELETE": 0.0,
    "Microsoft.Network/virtualNetworks PUT": 0.0, "Microsoft.Compute/disks DELETE": 0.0,
    "Microsoft.Network/networkSecurityGroups PUT": 0.0, "Microsoft.Network/natGateways PUT": 0.0,
    "Microsoft.Compute/virtualMachines/reimage POST": 0.2, "Microsoft.Compute/virtualMachineScaleSets PUT": 0.2,
    "Microsoft.Compute/virtualMachineScaleSets UPDATE": 0.1, "Microsoft.Compute/virtualMachineScaleSets DELETE": 0.2,
    "Microsoft.Compute/virtualMachineScaleSets/delete POST": 0.0,
}  # fmt: skip

NETWORK: Dict[str, Any] = {
    "resource_group": GROUP, "location": "westeurope", "name": "net", "address_prefixes": ["10.60.0.0/16"],
    "security_groups": [{"name": "nsg", "rules": [{"name": "ssh", "priority": 100}]}],
    "subnets": [{"name": "hosts", "address_prefix": "10.60.1.0/24", "security_group": "nsg"}],
}  # fmt: skip


def hosts(count: int, name: str = "web", **more: Any) -> Dict[str, Any]:
    """Arguments of host_group: hosts over three zones with an address each, so that there is much to lose."""
    return {
        "resource_group": GROUP, "name": name, "count": count, "size": "Standard_D2s_v5", "zones": ["1", "2", "3"],
        "ssh_public_keys": [KEY], "subnet": {"network": "net", "name": "hosts"}, "public_ip": True, "swarm_managers": 1, **more,
    }  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A run that is disturbed: from which kept state, which module, and how many hosts there are when it is done.

    ``never_fewer``: other hosts take the place of those that are there, and so many are there wherever the run ends. ``again``: the next
    run does it once more, since that is what was asked for (reimaging), so a third one has something to do.
    """

    name: str
    state: str
    arguments: Dict[str, Any]
    hosts: Optional[int] = None
    before: int = 0
    module: str = "host_group"
    again: bool = False
    never_fewer: int = 0

    @property
    def in_a_set(self) -> bool:
        """Whether a scale set makes the hosts, with names that Azure chooses."""
        return self.name.startswith("set_")


OWN_NETWORK: Dict[str, Any] = {
    "resource_group": GROUP, "location": "westeurope", "name": "web-net", "address_prefixes": ["10.61.0.0/16"],
    "public_ips": [{"name": "web-nat-ip"}], "nat_gateways": [{"name": "web-nat", "public_ip": "web-nat-ip"}],
    "security_groups": [{"name": "web-nsg", "rules": [{"name": "ssh", "priority": 100}]}],
    "subnets": [{"name": "hosts", "address_prefix": "10.61.1.0/24", "security_group": "web-nsg", "nat_gateway": "web-nat"}],
}  # fmt: skip
BALANCER: Dict[str, Any] = {
    "resource_group": GROUP, "location": "westeurope", "name": "web-lb", "public_ip": "web-lb-ip", "backend_pools": ["hosts"],
    "ssh_nat": {"pool": "hosts"}, "outbound": True, "published_ports": [{"port": 80, "protocol": "tcp", "target_port": 80}],
}  # fmt: skip
NEIGHBOUR = hosts(2, "other", deployment="neighbour", swarm_managers=None)


def set_hosts(count: int, **more: Any) -> Dict[str, Any]:
    """The same hosts by the engine scale_set, where all are workers."""
    return hosts(count, swarm_managers=None, engine="scale_set", **more)


CASES = {
    case.name: case
    for case in (
        Case("create", "network", hosts(5), 5),
        Case("scale_in", "five", hosts(2), 2, 5),
        Case("update", "five", hosts(5, tags={"environment": "test"}), 5, 5),
        Case("delete", "five", {"resource_group": GROUP, "name": "web", "state": "absent"}, 0, 5),
        Case("reimage", "five", {"resource_group": GROUP, "name": "web", "state": "reimaged"}, 5, 5, again=True),
        Case("replace", "five", hosts(5, image="Debian:debian-12:12-gen2:latest", immutable_changes="replace"), 5, 5, never_fewer=5),
        Case("set_create", "network", set_hosts(5), 5),
        Case("set_scale_in", "set", set_hosts(2), 2, 5),
        Case("set_update", "set", set_hosts(5, tags={"environment": "test"}), 5, 5),
        Case("set_delete", "set", {"resource_group": GROUP, "name": "web", "state": "absent"}, 0, 5),
        Case("network", "network", OWN_NETWORK, module="network"),
        Case("load_balancer", "network", BALANCER, module="load_balancer"),
    )
}

# Done to the n-th request of a run, whichever that is: sign-in and metadata too.
REQUEST_FAULTS: Dict[str, Dict[str, Any]] = {
    "429": {"status": 429, "code": "SubscriptionRequestsThrottled", "message": "Too many requests.", "headers": {"Retry-After": "1"}},
    "500": {"status": 500},
    "503": {"status": 503, "code": "ServiceUnavailable", "message": "The service is unavailable."},
    "cut before": {"cut": "before"},
    "cut after": {"cut": "after"},
    "token refused": {"status": 401, "code": "ExpiredAuthenticationToken", "message": "The access token expiry has passed."},
}
# Done to the n-th operation that Azure works on.
OPERATION_FAULTS: Dict[str, Dict[str, str]] = {
    "operation Failed": {"code": "InternalExecutionError", "message": "An internal execution error occurred."},
}
# Every request of these runs meets all of that. Those of the others are sent by the same code: what they write meets what leaves it half done.
WHOLE = ("create", "scale_in", "update")
WRITES = "PUT,PATCH,POST,DELETE"
HALF_DONE = ("429", "cut after")
KILLS = ("killed before", "killed after")

ALLOCATION = {"code": "ZonalAllocationFailed", "message": "We do not have sufficient capacity for the requested VM size in this zone."}
QUOTA = {
    "status": 409, "code": "OperationNotAllowed",
    "message": "Operation results in exceeding quota limits of Core. Maximum allowed: 100, Current in use: 98, Additional requested: 4.",
}  # fmt: skip
SKU = {"status": 409, "code": "SkuNotAvailable", "message": "The requested size for resource is currently not available in location 'westeurope'."}

# Capacity: (rules, the hosts that fail, the code that the error must name)
CAPACITY: Dict[str, Tuple[List[Dict[str, Any]], Tuple[int, ...], str]] = {
    "no room in zone 2": (
        [{"method": "PUT", "path": "virtualMachines/web-(2|5)/create vm$", "operation": ALLOCATION, "times": 0}],
        (2, 5),
        "ZonalAllocationFailed",
    ),
    "quota used up half-way": ([{"method": "PUT", "path": "virtualMachines/web-[345]$", "times": 0, **QUOTA}], (3, 4, 5), "OperationNotAllowed"),
    "size not available": ([{"method": "PUT", "path": "virtualMachines/web-", "times": 0, **SKU}], (1, 2, 3, 4, 5), "SkuNotAvailable"),
}


@dataclass(frozen=True)
class Point:
    """One run of a case with one thing done to it."""

    case: str
    fault: str
    index: int = 0
    extra: Optional[str] = None

    @property
    def title(self) -> str:
        """Its row in the table."""
        return f"{self.fault}: {self.extra}" if self.extra else self.fault


@dataclass(frozen=True)
class Counts:
    """What a run sends, and lets Azure work on, when nothing is done to it."""

    requests: int
    writes: int
    operations: int


def points(case: str, counts: Counts) -> List[Point]:
    """All points of a case."""
    faults, numbers = (REQUEST_FAULTS, counts.requests) if case in WHOLE else (HALF_DONE, counts.writes)
    found = [Point(case, fault, index) for fault in (*faults, *KILLS) for index in range(1, numbers + 1)]
    return found + [Point(case, fault, index) for fault in OPERATION_FAULTS for index in range(1, counts.operations + 1)]


def strikes(case: str) -> Dict[str, str]:
    """Which requests a rule counts: all of a run, or what it writes (the sign-in writes nothing)."""
    return {"path": ""} if case in WHOLE else {"path": "/subscriptions/", "method": WRITES}


# The controller's clock: by how many seconds it is wrong, and from which request of the run on.
CLOCKS: Dict[str, Tuple[int, int]] = {"clock 2 h ahead": (7200, 0), "clock 2 h behind": (-7200, 0), "clock leaps 2 h": (7200, 12)}

# Two runs at the same time: which, how many milliseconds the second begins later, and what becomes of the first.
PAIRS = (
    "create+create", "create+scale_in", "scale_in+create", "scale_in+scale_in", "update+update", "update+scale_in", "delete+create", "create+delete",
    "reimage+scale_in", "set_create+set_create", "set_create+set_scale_in", "set_update+set_delete",
)  # fmt: skip
CONCURRENT = [Point("concurrent", pair, delay) for pair in PAIRS for delay in (0, 120, 300)]
CONCURRENT += [
    Point("concurrent", pair, delay, what)
    for pair in ("create+scale_in", "scale_in+create", "delete+create") for delay in (0, 150) for what in ("killed", "killed elsewhere")
] + [Point("concurrent", pair, 250, "loses its turn") for pair in ("create+scale_in", "create+delete")]  # fmt: skip
CAPACITY_POINTS = [Point("capacity", fault, 0, policy) for fault in CAPACITY for policy in ("keep", "rollback")]
ENVIRONMENT = [
    Point("environment", fault)
    for fault in ("token ends early", "short tokens", "no such name", "proxy", "proxy refuses", "proxy breaks down", *CLOCKS)
]
