# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conditions of a lab from a file or at run time: latencies, faults, quota, throttling, pages, the old Docker extension.

    {"latency_scale": 0.1, "jitter": 0.2, "core_quota": 100, "page_size": 50, "throttling": {"on": true, "scale": 1},
     "provisioning_timeout": 60,
     "docker_extension": "retired" or "broken" or "working",
     "quotas": [{"name": "standardDSv3Family", "region": "westeurope", "limit": 8}],
     "unavailable": [{"size": "Standard_D2s_v3", "region": "westeurope", "zones": ["1"]}],
     "overrides": [{"type": "Microsoft.Compute/virtualMachines", "method": "PUT", "seconds": 4}],
     "faults": [{"method": "PUT", "path": "virtualMachines", "nth": 3, "status": 500}]}
"""
from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from azlab.arm.compute.docker_extension import MODES
from azlab.faults import FaultError
from azlab.lab import Lab
from azlab.limits import LimitError
from azlab.settings import SettingsError

KEYS = ("latency_scale", "jitter", "core_quota", "quotas", "unavailable", "page_size", "throttling", "provisioning_timeout",
        "docker_extension", "overrides", "faults")


def apply(lab: Lab, data: Any) -> None:
    """Set what `data` names. Raises SettingsError with what is wrong; what was named before it is set then."""
    if not isinstance(data, dict):
        raise SettingsError("the conditions must be a JSON object.")
    unknown = sorted(set(data) - set(KEYS))
    if unknown:
        raise SettingsError(f"unknown condition '{unknown[0]}': known are {', '.join(KEYS)}.")
    try:
        if "latency_scale" in data:
            lab.latency.scale = _positive(data, "latency_scale", float)
        if "jitter" in data:
            lab.latency.jitter = min(1.0, _positive(data, "jitter", float))
        if "core_quota" in data:
            lab.limits.cores = _positive(data, "core_quota", int)
        if "quotas" in data:
            lab.limits.set_quotas(data["quotas"])
        if "unavailable" in data:
            lab.limits.set_missing(data["unavailable"])
        if "page_size" in data:
            lab.page_size = _positive(data, "page_size", int)
        if "throttling" in data:
            lab.throttle.set(**_throttling(data["throttling"]))
        if "provisioning_timeout" in data:
            lab.driver.boot_seconds = _positive(data, "provisioning_timeout", float)
        if "docker_extension" in data:
            if data["docker_extension"] not in MODES:
                raise ValueError(f"docker_extension is {data['docker_extension']!r}, but must be one of {', '.join(MODES)}")
            lab.docker_extension = data["docker_extension"]
        if "overrides" in data:
            lab.latency.overrides = {(o["type"].lower(), o["method"].upper()): float(o["seconds"]) for o in data["overrides"]}
        for rule in data.get("faults", []):
            lab.faults.add(rule)
    except (FaultError, LimitError, TypeError, ValueError, KeyError, AttributeError) as problem:
        raise SettingsError(f"these conditions cannot be used: {problem}") from None


def _throttling(value: Any) -> dict[str, Any]:
    """{"on": true, "scale": 1}, or short: true, false, or the scale of the buckets alone."""
    if isinstance(value, dict):
        return {"on": bool(value["on"]), "scale": float(value.get("scale", 1))}
    if isinstance(value, bool):
        return {"on": value, "scale": 1.0}
    return {"on": True, "scale": float(value)}


def show(lab: Lab) -> dict[str, Any]:
    """The conditions in force, in the form in which they are set."""
    return {"latency_scale": lab.latency.scale, "jitter": lab.latency.jitter, "core_quota": lab.limits.cores, **lab.limits.shown(),
            "page_size": lab.page_size, "throttling": {"on": lab.throttle.on, "scale": lab.throttle.scale},
            "provisioning_timeout": lab.driver.boot_seconds, "docker_extension": lab.docker_extension,
            "overrides": [{"type": t, "method": m, "seconds": s} for (t, m), s in lab.latency.overrides.items()],
            "faults": [asdict(rule) for rule in lab.faults.rules]}


def _positive(data: dict[str, Any], key: str, kind: Any) -> Any:
    value = kind(data[key])
    if value < 0:
        raise ValueError(f"{key} is {value}, but must not be negative")
    return value


def load(lab: Lab, path: Path) -> None:
    """Apply a file. Raises SettingsError."""
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        raise SettingsError(f"the conditions in '{path}' cannot be read: {problem}") from None
    apply(lab, data)
