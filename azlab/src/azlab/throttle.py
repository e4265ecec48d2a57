# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throttling by token buckets, with Azure's sizes, headers and errors.

Resource Manager: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
Compute: https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits

The headers are always sent, as Azure does; requests are refused only while throttling is on.
"""
from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from azlab.errors import ArmError

# kind of request → (size, tokens a second) for one principal and for the subscription
ARM = {"reads": ((250, 25.0), (3750, 375.0)), "writes": ((200, 10.0), (3000, 150.0)), "deletes": ((200, 10.0), (3000, 150.0))}
# compute's policy → (size, tokens a minute) for the subscription and for one resource (None: no such bucket)
COMPUTE: dict[str, tuple[tuple[int, int], tuple[int, int] | None]] = {
    "PutVM": ((1500, 500), (12, 4)), "UpdateVM": ((1500, 500), (12, 4)), "DeleteVM": ((1500, 500), (12, 4)),
    "CreateVMScaleSet": ((375, 125), (12, 4)), "DeleteVMScaleSet": ((525, 175), (12, 4)), "GetVMScaleSet": ((2400, 800), (36, 12)),
    "VMScaleSetActions": ((1500, 500), (12, 4)),
    "LowCostGet": ((24000, 8000), (36, 12)), "HighCostGet": ((900, 300), None), "GetOperation": ((15000, 5000), (45, 15))}
_KEEP = 20000               # buckets of single resources that are remembered


class ComputeThrottled(ArmError):
    """Compute's 429 stands without `error` around it."""

    def body(self) -> dict[str, object]:
        return {"code": self.code, "message": self.message, "details": self.details}


@dataclass
class Bucket:
    """A bucket of tokens that refills steadily."""

    size: int
    rate: float             # tokens a second
    tokens: float
    at: float

    def level(self, now: float) -> float:
        self.tokens = min(float(self.size), self.tokens + (now - self.at) * self.rate)
        self.at = now
        return self.tokens


def policy(method: str, path: str) -> tuple[str, str]:
    """(compute's policy, the resource that it counts for) of a request; empty for other providers."""
    parts = [p for p in path.lower().split("/") if p]
    if "microsoft.compute" not in parts:
        return "", ""
    rest = parts[parts.index("microsoft.compute") + 1:]
    if not rest or rest[-1] in ("register", "unregister"):     # the provider itself: Resource Manager answers
        return "", ""
    if rest[:1] == ["locations"]:
        return ("GetOperation", rest[3]) if len(rest) > 3 and rest[2] in ("operations", "diskoperations") else ("LowCostGet", "")
    if rest[0] == "virtualmachinescalesets":
        return _scale_set_policy(method, rest, "/".join(parts[:parts.index("microsoft.compute") + 3]))
    if method == "GET":
        return ("HighCostGet", "") if len(rest) % 2 else ("LowCostGet", "/".join(parts) if rest[0] == "virtualmachines" else "")
    name = "/".join(parts[:parts.index("microsoft.compute") + 3])
    if (method == "DELETE" and len(rest) == 2) or rest[-1] == "deallocate":
        return "DeleteVM", name
    return ("PutVM" if method in ("PUT", "PATCH") and len(rest) == 2 else "UpdateVM"), name


def _scale_set_policy(method: str, rest: list[str], name: str) -> tuple[str, str]:
    """Scale sets have buckets of their own, with the names that Azure's headers show."""
    if method == "GET":
        return "GetVMScaleSet", name if len(rest) > 1 else ""
    if (method == "DELETE" and len(rest) == 2) or rest[-1] in ("deallocate", "poweroff"):
        return "DeleteVMScaleSet", name
    return ("CreateVMScaleSet" if method == "PUT" and len(rest) == 2 else "VMScaleSetActions"), name


class Throttle:
    """All buckets of a lab. `scale` makes them smaller (0.1: a tenth) or larger."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.on, self.scale = False, 1.0
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def set(self, *, on: bool, scale: float = 1.0) -> None:
        """Switch it; all buckets are full again. Raises ValueError for a scale that is not positive."""
        if not scale > 0:
            raise ValueError(f"the scale of throttling is {scale}, but must be more than 0")
        self.on, self.scale = on, scale
        self._buckets.clear()

    def check(self, method: str, path: str, principal: str = "") -> dict[str, str]:
        """Take a token from each bucket of this request and return Azure's headers; raises ArmError (429) when one is empty."""
        kind = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")
        own, everyone = ARM[kind]
        parts = path.lower().strip("/").split("/")
        subscription = parts[1] if parts[0] == "subscriptions" and len(parts) > 1 else ""
        levels = [(f"arm {kind} {principal} {subscription}", *own), (f"arm {kind} {subscription}", *everyone)]
        name, resource = policy(method, path)
        if name:
            whole, single = COMPUTE[name]
            levels.append((f"{name}SubscriptionMaximum {subscription}", whole[0], whole[1] / 60))
            if single and resource:
                levels.append((f"{name}Resource {resource}", single[0], single[1] / 60))
        buckets = [(key, self._bucket(key, size, rate)) for key, size, rate in levels]
        now = self._clock()
        left = [(key, bucket, bucket.level(now)) for key, bucket in buckets]
        if self.on:
            for key, bucket, level in left:
                if level < 1:
                    raise _refusal(key, math.ceil((1 - level) / bucket.rate))
            for _key, bucket, _level in left:
                bucket.tokens -= 1
        return _headers(kind, [(key, math.floor(bucket.tokens) - (0 if self.on else 1)) for key, bucket, _l in left])

    def _bucket(self, key: str, size: int, rate: float) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) > _KEEP:
                self._buckets.clear()
            size = max(1, round(size * self.scale))
            bucket = self._buckets[key] = Bucket(size, rate * self.scale, float(size), self._clock())
        return bucket


def _headers(kind: str, levels: list[tuple[str, int]]) -> dict[str, str]:
    headers = {f"x-ms-ratelimit-remaining-subscription-{kind}": str(levels[0][1]),
               f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(levels[1][1])}
    compute = [f"Microsoft.Compute/{key.split(' ')[0]};{count}" for key, count in levels[2:]]
    if compute:
        headers["x-ms-ratelimit-remaining-resource"] = ",".join(compute)
    return headers


def _refusal(key: str, wait: int) -> ArmError:
    headers = {"Retry-After": str(max(1, wait))}
    if key.startswith("arm "):
        return ArmError(429, "SubscriptionRequestsThrottled",
                        f"Number of '{key.split(' ')[1]}' requests for subscription and actor exceeded the limit. Please try again "
                        f"after '{max(1, wait)}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling "
                        "for additional information.", source="gateway", headers=headers)
    name = key.split(" ")[0]
    return ComputeThrottled(
        429, "OperationNotAllowed", "The server rejected the request because too many requests have been received for this "
        "subscription.", headers=headers, details=[{"code": "TooManyRequests", "target": name.replace("SubscriptionMaximum", ""),
                                                   "message": f"{{\"operationGroup\":\"{name}\"}}"}])
