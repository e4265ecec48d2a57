# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a subscription may not have: quotas by region and family, and sizes that a region or a zone lacks.

https://learn.microsoft.com/azure/quotas/regional-quota-requests, .../per-vm-quota-requests; https://aka.ms/azureskunotavailable
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from azlab.catalogue import Catalogue, Size
from azlab.errors import ArmError, arm_error
from azlab.store import Resource, Store

VM = "Microsoft.Compute/virtualMachines"
SPOT = "lowPriorityCores"
# usage of the network provider → (type, its words in the refusal, code of the refusal, limit)
NETWORK = {
    "VirtualNetworks": ("virtualNetworks", "virtual networks", "VirtualNetworkCountLimitReached", 1000),
    "NetworkSecurityGroups": ("networkSecurityGroups", "network security groups", "NetworkSecurityGroupCountLimitReached", 5000),
    "NetworkInterfaces": ("networkInterfaces", "network interfaces", "NetworkInterfaceCountLimitReached", 65536),
    "PublicIPAddresses": ("publicIPAddresses", "public IP addresses", "PublicIPCountLimitReached", 1000),
    "LoadBalancers": ("loadBalancers", "load balancers", "LoadBalancerCountLimitReached", 1000),
    "NatGateways": ("natGateways", "NAT gateways", "NatGatewayCountLimitReached", 1000)}
COMPUTE = {"availabilitySets": 2500, "virtualMachines": 25000}
_FIELDS = {"quotas": {"name", "region", "limit"}, "unavailable": {"size", "region", "zones"}}


class LimitError(ValueError):
    """A limit that makes no sense; its text says why."""


@dataclass(frozen=True)
class Missing:
    """A size that a region does not have at the moment, or not in some zones."""

    size: str
    region: str
    zones: frozenset[str]       # empty: nowhere in the region


class Limits:
    """Set by the conditions of a lab; without any, one number of cores for each region and family."""

    def __init__(self, catalogue: Catalogue, store: Store, cores: int) -> None:
        self.catalogue, self.store, self.cores = catalogue, store, cores
        self._quotas: dict[tuple[str, str], int] = {}
        self.missing: list[Missing] = []

    # -- settings
    def names(self) -> list[str]:
        """The quotas that there are, as the usages of compute and network name them."""
        families = sorted({s.family for s in self.catalogue.sizes.values()})
        return ["cores", SPOT, *families, *COMPUTE, *NETWORK]

    def set_quotas(self, entries: Any) -> None:
        """[{"name": "standardDSv3Family", "region": "westeurope", "limit": 8}], without a region for all. Raises LimitError."""
        found: dict[tuple[str, str], int] = {}
        for entry in _entries("quotas", entries):
            known = {n.lower(): n for n in self.names()}
            if str(entry.get("name", "")).lower() not in known:
                raise LimitError(f"quotas: '{entry.get('name')}' is no quota; there are {', '.join(known.values())}")
            limit = entry.get("limit")
            if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
                raise LimitError(f"quotas: the limit of '{entry['name']}' is {limit!r}, but must be a number from 0 on")
            found[(entry["name"].lower(), self._region("quotas", entry))] = limit
        self._quotas = found

    def set_missing(self, entries: Any) -> None:
        """[{"size": "Standard_D2s_v3", "region": "westeurope", "zones": ["1"]}], without zones for all. Raises LimitError."""
        found = []
        for entry in _entries("unavailable", entries):
            size = self.catalogue.sizes.get(str(entry.get("size", "")).lower())
            if size is None:
                raise LimitError(f"unavailable: '{entry.get('size')}' is no size of the lab's catalogue")
            found.append(Missing(size.name, self._region("unavailable", entry), frozenset(str(z) for z in entry.get("zones", ()))))
        self.missing = found

    def _region(self, key: str, entry: dict[str, Any]) -> str:
        text = entry.get("region", "")
        region = self.catalogue.region(str(text)) if text else {"name": ""}
        if region is None:
            raise LimitError(f"{key}: '{text}' is no region")
        return str(region["name"])

    def shown(self) -> dict[str, Any]:
        """Both lists, in the form in which they are set."""
        names = {n.lower(): n for n in self.names()}
        return {"quotas": [{"name": names[n], **({"region": r} if r else {}), "limit": limit} for (n, r), limit in self._quotas.items()],
                "unavailable": [{"size": m.size, **({"region": m.region} if m.region else {}), **({"zones": sorted(m.zones)} if m.zones else {})}
                                for m in self.missing]}

    # -- questions
    def limit(self, name: str, region: str, default: int | None = None) -> int:
        """The limit of a quota in a region: of that region, else of all, else Azure's (or the number of cores)."""
        key = name.lower()
        return self._quotas.get((key, region), self._quotas.get((key, ""), self.cores if default is None else default))

    def used_cores(self, region: str, subscription: str, but: Resource | None = None) -> dict[str, int]:
        """Cores of a subscription by family, `cores` (all that are no Spot) and Spot; those of deallocated machines count, as on Azure."""
        used: dict[str, int] = {"cores": 0, SPOT: 0}
        for machine in self.store.of_type(VM, subscription):
            if machine.location == region and machine is not but:
                size = self.catalogue.sizes[machine.properties["hardwareProfile"]["vmSize"].lower()]
                for name in _counted(size, machine.properties.get("priority") == "Spot"):
                    used[name] = used.get(name, 0) + size.cores
        return used

    def check_cores(self, size_name: str, region: str, subscription: str, existing: Resource | None = None, *, count: int = 1,
                    spot: bool = False) -> None:
        """Raises OperationNotAllowed when `count` machines of a size exceed the region's or the family's quota."""
        size = self.catalogue.sizes[size_name.lower()]
        used, asked = self.used_cores(region, subscription, existing), size.cores * count
        for name in _counted(size, spot):
            limit = self.limit(name, region)
            if used.get(name, 0) + asked > limit:
                shown = {"cores": "Total Regional", SPOT: "LowPriority"}.get(name, name)
                raise arm_error("quota", name=shown, location=region, limit=limit, used=used.get(name, 0), asked=asked,
                                needed=used.get(name, 0) + asked)

    def check_size(self, size: str, region: str, zones: Iterable[str] = ()) -> None:
        """Raises SkuNotAvailable for a size that the region, or one of the zones asked for, does not have."""
        for gap in self.missing:
            if gap.size.lower() == size.lower() and gap.region in ("", region) and (not gap.zones or gap.zones & set(zones)):
                raise self.unavailable(gap.size, region)

    @staticmethod
    def unavailable(size: str, region: str) -> ArmError:
        return arm_error("sku_unavailable", size=size, location=region)

    def restrictions(self, size: str, region: dict[str, Any]) -> list[dict[str, Any]]:
        """`restrictions` of a size in the list of skus."""
        found = []
        for gap in self.missing:
            if gap.size.lower() != size.lower() or gap.region not in ("", region["name"]):
                continue
            kind, info = ("Zone", {"zones": sorted(gap.zones)}) if gap.zones else ("Location", {})
            found.append({"type": kind, "values": [region["name"]], "restrictionInfo": {"locations": [region["name"]], **info},
                          "reasonCode": "NotAvailableForSubscription"})
        return found

    def check_network(self, type_name: str, region: str, subscription: str) -> None:
        """Raises …CountLimitReached when a region has as many of a network type as it may."""
        name, words, code, default = next(
            ((n, w, c, d) for n, (t, w, c, d) in NETWORK.items() if type_name.lower().endswith(f"/{t.lower()}")), ("", "", "", 0))
        found = self.store.of_type(type_name, subscription) if name else []
        limit = self.limit(name, region, default)
        if name and len(found) >= limit and len([r for r in found if r.location == region]) >= limit:
            raise ArmError(400, code, f"Cannot create more than {limit} {words} for this subscription in this region.", details=[])


def _counted(size: Size, spot: bool) -> tuple[str, ...]:
    return (SPOT,) if spot else ("cores", size.family)


def _entries(key: str, entries: Any) -> list[dict[str, Any]]:
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise LimitError(f"{key} must be a list of objects")
    for entry in entries:
        unknown = sorted(set(entry) - _FIELDS[key])
        if unknown:
            raise LimitError(f"{key}: unknown member '{unknown[0]}'; known are {', '.join(sorted(_FIELDS[key]))}")
    return entries
