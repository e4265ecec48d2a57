# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment costs a month, from a price list. Private to this collection; pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError

# Hours of a month, as Azure's own calculator counts.
MONTH = 730
# Disks are paid by the size that they fall into, up to so many GiB: https://learn.microsoft.com/azure/virtual-machines/disks-types
_TIERS = ((4, 1), (8, 2), (16, 3), (32, 4), (64, 6), (128, 10), (256, 15), (512, 20), (1024, 30), (2048, 40), (4096, 50), (8192, 60), (16384, 70),
          (32767, 80))  # fmt: skip
_DISKS = {
    "Premium_LRS": ("P", "LRS", "Premium SSD Managed Disks"), "Premium_ZRS": ("P", "ZRS", "Premium SSD Managed Disks"),
    "StandardSSD_LRS": ("E", "LRS", "Standard SSD Managed Disks"), "StandardSSD_ZRS": ("E", "ZRS", "Standard SSD Managed Disks"),
    "Standard_LRS": ("S", "LRS", "Standard HDD Managed Disks"),
}  # fmt: skip
DISK_TYPES = tuple(_DISKS)
# Rules that the price of a load balancer holds; inbound NAT rules are free: https://azure.microsoft.com/pricing/details/load-balancer/
_RULES = 5
NOT_COUNTED = ("traffic out of the region", "data that the load balancer processes", "operations on disks", "snapshots and backups", "taxes and discounts")


class Estimate:
    """The rows of one estimate."""

    def __init__(self, document: Mapping[str, Any], hours: int = MONTH):
        self.prices: Sequence[Mapping[str, Any]] = document["prices"]
        self.location, self.hours = str(document["location"]), hours
        self.rows: List[Dict[str, Any]] = []
        self.missing: List[str] = []

    def _find(self, **wanted: str) -> Optional[Decimal]:
        """The lowest tier's price of the one meter with these properties."""
        found = [item for item in self.prices if all(str(item.get(key)) == value for key, value in wanted.items())]
        found = [item for item in found if not any(word in _words(item) for word in ("Windows", "Spot", "Low Priority"))]
        if not found:
            return None
        return Decimal(str(min(found, key=lambda item: (float(item.get("tierMinimumUnits", 0)), float(item["retailPrice"])))["retailPrice"]))

    def _row(self, what: str, count: int, units: int, price: Optional[Decimal]) -> None:
        """A line: how many, for how many hours (or one month), at which price a unit."""
        if not count:
            return
        if price is None:
            self.missing.append(what)
        self.rows.append({
            "what": what, "count": count, "unit_price": None if price is None else float(price), "units": units,
            "month": None if price is None else float((price * count * units).quantize(Decimal("0.01"))),
        })  # fmt: skip

    def hosts(self, size: str, count: int) -> None:
        """Machines, paid by the hour that they are not deallocated."""
        price = self._find(serviceName="Virtual Machines", armSkuName=size, armRegionName=self.location, unitOfMeasure="1 Hour")
        self._row("host {0}".format(size), count, self.hours, price)

    def disks(self, type_: str, size_gb: int, count: int) -> None:
        """Managed disks, paid by the month whether their host runs or not.

        :raises InputError: a type or size that has no price of this kind.
        """
        if type_ not in _DISKS:
            raise InputError("disks", "disks has the type '{0}': prices are known for {1}.".format(type_, ", ".join(DISK_TYPES)))
        letter, redundancy, product = _DISKS[type_]
        tier = next((number for limit, number in _TIERS if size_gb <= limit), None)
        if tier is None or size_gb < 1:
            raise InputError("disks", "disks has a disk of {0} GiB: managed disks have from 1 to 32767.".format(size_gb))
        if letter == "S":
            tier = max(tier, 4)  # the smallest Standard HDD is S4
        name = "{0}{1} {2}".format(letter, tier, redundancy)
        self._row("disk {0} ({1}, {2} GiB)".format(name, type_, size_gb), count, 1,
                  self._find(serviceName="Storage", productName=product, armRegionName=self.location, meterName=name + " Disk"))

    def addresses(self, count: int) -> None:
        """Static public addresses (Standard), paid by the hour."""
        price = self._find(productName="IP Addresses", meterName="Standard IPv4 Static Public IP", armRegionName=self.location)
        self._row("public address", count, MONTH, price)

    def load_balancer(self, rules: int) -> None:
        """One load balancer (Standard) with so many rules, outbound ones included; none without rules."""
        if not rules:
            return
        included = self._find(serviceName="Load Balancer", meterName="Standard Included LB Rules and Outbound Rules", armRegionName="Global")
        self._row("load balancer with up to {0} rules".format(_RULES), 1, MONTH, included)
        more = self._find(serviceName="Load Balancer", meterName="Standard Overage LB Rules and Outbound Rules", armRegionName="Global")
        self._row("load balancer, further rules", max(0, rules - _RULES), MONTH, more)

    @property
    def total(self) -> float:
        """The sum of what has a price."""
        return float(sum((Decimal(str(row["month"])) for row in self.rows if row["month"] is not None), Decimal(0)))


def _words(item: Mapping[str, Any]) -> str:
    return " ".join(str(item.get(key, "")) for key in ("productName", "skuName", "meterName"))


def table(estimate: Estimate, document: Mapping[str, Any]) -> str:
    """The estimate as text for a terminal."""
    lines: List[Tuple[str, str, str, str]] = [("", "count", "a unit", "a month")]
    for row in estimate.rows:
        known = row["month"] is not None
        lines.append((row["what"], str(row["count"]), "{0:.4f}".format(row["unit_price"]) if known else "?", "{0:.2f}".format(row["month"]) if known else "?"))
    lines.append(("all", "", "", "{0:.2f}".format(estimate.total)))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    made = ["  ".join([line[0].ljust(widths[0])] + [line[column].rjust(widths[column]) for column in (1, 2, 3)]).rstrip() for line in lines]
    made.insert(0, "{0} in {1}, prices of {2}, {3} hours a month".format(document["currency"], document["location"], document["date"], estimate.hours))
    if estimate.missing:
        made.append("Not in the price list, and so not in the sum: {0}.".format(", ".join(estimate.missing)))
    made.append("Not counted: {0}.".format(", ".join(NOT_COUNTED)))
    return "\n".join(made)
