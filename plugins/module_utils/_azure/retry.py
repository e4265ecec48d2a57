# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which refusals pass by themselves, and how long to wait for each. Private to this collection; pure.

The SDK's own retry policy is switched off: it knows statuses only, and would send a POST again or sleep through
a ReferencedResourceNotProvisioned, which carries no Retry-After.
Source: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping, Optional

from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError

# Another resource or operation has to finish first: asked again every few seconds, as long as such things take.
BUSY_CODES = frozenset({
    "ReferencedResourceNotProvisioned", "RetryableErrorDueToAnotherOperation", "AnotherOperationInProgress",
    "RetryableError", "CanceledAndSupersededDueToAnotherOperation", "ResourceGroupBeingDeleted",
})
BUSY_SECONDS = 900.0  # ARM itself retries a group's delete for 15 minutes; nothing that we wait for takes longer
BUSY_STEPS = (0.5, 1.0, 2.0, 3.0, 5.0)

# The bucket is empty: everybody who draws from it waits.
THROTTLE_ATTEMPTS = 40

BROKEN_STATUSES = frozenset({408, 500, 502, 503, 504})
BROKEN_STEPS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)

_RETRIED_IN = re.compile(r"retried (?:in|after) (\d+) seconds?", re.IGNORECASE)


@dataclass(frozen=True)
class Decision:
    """Send again after ``delay`` seconds. ``bucket``: the refusal holds for all requests of its kind."""

    delay: float
    cause: str
    bucket: bool = False


def retry_after(headers: Mapping[str, str]) -> Optional[float]:
    """The seconds of a Retry-After header; None without one, or with 0, which says nothing."""
    for name, factor in (("retry-after", 1.0), ("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001)):
        text = headers.get(name)
        if text:
            try:
                seconds = float(text) * factor
            except ValueError:
                continue
            if seconds > 0:
                return seconds
    return None


def decide(status: int, headers: Mapping[str, str], error: AzureError, attempt: int, elapsed: float) -> Optional[Decision]:
    """Whether to send a refused request again.

    :param attempt: how often this request has been refused, this time included (1, 2, …).
    :param elapsed: seconds since it was first sent.
    """
    codes = set(error.codes)
    if status in (429, 409, 400) and codes & BUSY_CODES:
        return _busy(headers, error, attempt, elapsed)
    if status == 409 and error.code == "Conflict" and "concurrent" in error.message.lower():
        return _busy(headers, error, attempt, elapsed)
    if status == 429:
        if attempt > THROTTLE_ATTEMPTS:
            return None
        return Decision(retry_after(headers) or _step(BROKEN_STEPS, attempt), "throttled", bucket=True)
    if status in BROKEN_STATUSES and attempt <= len(BROKEN_STEPS):
        return Decision(retry_after(headers) or _step(BROKEN_STEPS, attempt), "HTTP {0}".format(status))
    return None


def cut(attempt: int) -> Optional[Decision]:
    """Whether to send again after a connection failed or was cut."""
    if attempt > len(BROKEN_STEPS):
        return None
    return Decision(_step(BROKEN_STEPS, attempt), "connection")


def _busy(headers: Mapping[str, str], error: AzureError, attempt: int, elapsed: float) -> Optional[Decision]:
    if elapsed > BUSY_SECONDS:
        return None
    delay = retry_after(headers)
    if delay is None:
        texts = [error.message] + [str(item.get("message")) for item in error.details]
        found = next((match for match in map(_RETRIED_IN.search, texts) if match), None)
        delay = float(found.group(1)) if found else _step(BUSY_STEPS, attempt)
    return Decision(delay, error.codes[-1])


def _step(steps: tuple, attempt: int) -> float:
    return steps[min(attempt, len(steps)) - 1]
