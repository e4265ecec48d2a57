# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Azure takes: medians in seconds, as seen on Azure, times the lab's scale (0 = at once)."""
from __future__ import annotations

import math
import random

# (type or type/action in lower case, method) → seconds
MEDIANS: dict[tuple[str, str], float] = {
    ("microsoft.compute/virtualmachines", "PUT"): 37.0,
    ("microsoft.compute/virtualmachines", "UPDATE"): 5.0,
    ("microsoft.compute/virtualmachines", "DELETE"): 26.0,
    ("microsoft.compute/virtualmachines/start", "POST"): 7.0,
    ("microsoft.compute/virtualmachines/poweroff", "POST"): 6.0,
    ("microsoft.compute/virtualmachines/deallocate", "POST"): 18.0,
    ("microsoft.compute/virtualmachines/restart", "POST"): 37.0,
    ("microsoft.compute/virtualmachines/redeploy", "POST"): 37.0,
    ("microsoft.compute/virtualmachines/reimage", "POST"): 37.0,
    ("microsoft.compute/virtualmachines/runcommand", "POST"): 10.0,
    ("microsoft.compute/virtualmachines/extensions", "PUT"): 20.0,
    ("microsoft.compute/virtualmachines/extensions", "DELETE"): 10.0,
    ("microsoft.compute/virtualmachinescalesets", "PUT"): 27.0,         # and 37 for its machines: 64 as a whole
    ("microsoft.compute/virtualmachinescalesets", "UPDATE"): 0.4,
    ("microsoft.compute/virtualmachinescalesets", "DELETE"): 2.4,
    ("microsoft.compute/virtualmachines/runcommands", "PUT"): 10.0,
    ("microsoft.compute/virtualmachines/runcommands", "DELETE"): 10.0,
    ("microsoft.compute/images", "PUT"): 5.2,
    ("microsoft.compute/images", "DELETE"): 5.1,
    ("microsoft.compute/galleries", "PUT"): 0.3,
    ("microsoft.compute/galleries", "DELETE"): 0.1,
    ("microsoft.compute/galleries/images", "PUT"): 0.2,
    ("microsoft.compute/galleries/images", "DELETE"): 0.2,
    ("microsoft.compute/galleries/images/versions", "PUT"): 425.0,      # it is copied to its regions
    ("microsoft.compute/galleries/images/versions", "DELETE"): 91.0,
    ("microsoft.compute/disks", "PUT"): 0.1,
    ("microsoft.compute/disks", "DELETE"): 0.1,
    ("microsoft.network/publicipaddresses", "PUT"): 3.0,
    ("microsoft.network/virtualnetworks", "PUT"): 3.0,
    ("microsoft.network/virtualnetworks/subnets", "PUT"): 2.0,
    ("microsoft.network/networksecuritygroups", "PUT"): 3.5,
    ("microsoft.network/networksecuritygroups/securityrules", "PUT"): 3.5,
    ("microsoft.network/networksecuritygroups/securityrules", "DELETE"): 3.5,
    ("microsoft.network/networksecuritygroups", "DELETE"): 3.5,
    ("microsoft.network/natgateways", "PUT"): 3.0,
    ("microsoft.network/loadbalancers", "PUT"): 0.0,        # most first answers said Succeeded already
    ("microsoft.network/networkinterfaces", "PUT"): 0.0,
    ("microsoft.resources/resourcegroups", "DELETE"): 15.0,
}
_DEFAULTS = {("microsoft.network", "DELETE"): 11.0}


class Latency:
    """The lab's scale and what was set for single types at run time."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.jitter = 0.0                   # 0.2: each latency is drawn between 80 % and 120 % of its median
        self.overrides: dict[tuple[str, str], float] = {}

    def seconds(self, what: str, method: str) -> float:
        """Seconds that an operation takes before its effect."""
        key = (what.lower(), method)
        if key in self.overrides:
            return self._drawn(self.overrides[key])
        median = MEDIANS.get(key)
        if median is None:
            median = _DEFAULTS.get((key[0].split("/")[0], method), 0.0)
        return self._drawn(median * self.scale)

    def _drawn(self, seconds: float) -> float:
        return seconds * random.uniform(1 - self.jitter, 1 + self.jitter) if self.jitter else seconds

    def retry_after(self, seconds: int) -> str:
        """Azure's Retry-After, shortened with the lab's time but never below one second."""
        return str(max(1, math.ceil(seconds * min(self.scale, 1.0))))
