# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: the settings of a swarm as a whole, and what a rotation writes into its spec.

API: https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Swarm/operation/SwarmUpdate

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import copy
import re
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Cluster, Step, SwarmRefused

Json = t.Mapping[str, t.Any]

# Our name of a setting -> its place in the swarm's spec. Durations are nanoseconds there.
PLACES = {
    "autolock": ("EncryptionConfig", "AutoLockManagers"),
    "task_history_limit": ("Orchestration", "TaskHistoryRetentionLimit"),
    "snapshot_interval": ("Raft", "SnapshotInterval"),
    "heartbeat_period": ("Dispatcher", "HeartbeatPeriod"),
    "certificate_expiry": ("CAConfig", "NodeCertExpiry"),
}
DURATIONS = ("heartbeat_period", "certificate_expiry")
# The engine refuses shorter certificates: https://docs.docker.com/reference/cli/docker/swarm/update/#cert-expiry
SHORTEST_CERTIFICATE = 3600 * 10**9

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|m|s)")
_NANOSECONDS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9}


def duration(option: str, text: str) -> int:
    """A duration as Docker writes it, such as 2160h or 1m30s, in nanoseconds."""
    parts = _DURATION.findall(text)
    if not parts or "".join(amount + unit for amount, unit in parts) != text:
        raise SwarmRefused(f"{option} is {text!r}: write a duration such as 5s, 90m or 2160h.")
    return int(sum(float(amount) * _NANOSECONDS[unit] for amount, unit in parts))


def wanted(params: Json) -> dict[str, t.Any]:
    """The settings that are asked for, of the module's options; those that are not given stay as they are."""
    found: dict[str, t.Any] = {}
    for name in PLACES:
        value = params.get(name)
        if value is None:
            continue
        found[name] = duration(name, value) if name in DURATIONS else value
        if isinstance(found[name], int) and found[name] < (0 if name == "task_history_limit" else name != "autolock"):
            raise SwarmRefused(f"{name} is {value}: give a number above {'-1' if name == 'task_history_limit' else '0'}.")
    if found.get("certificate_expiry", SHORTEST_CERTIFICATE) < SHORTEST_CERTIFICATE:
        raise SwarmRefused(f"certificate_expiry is {params['certificate_expiry']}: the engine takes 1h or more.")
    return found


def plan(settings: Json, cluster: Cluster) -> list[Step]:
    """One step that changes the settings that differ, or none."""
    changes = {}
    for name, value in settings.items():
        before = _at(cluster.spec, name)
        if before != value:
            changes[name] = (shown(name, before), shown(name, value))
    return [Step("configure", "swarm", changes=changes, reason="its settings differ")] if changes else []


def changed_spec(spec: Json, settings: Json) -> dict[str, t.Any]:
    """The swarm's spec with these settings."""
    result = copy.deepcopy(dict(spec))
    for name, value in settings.items():
        section, key = PLACES[name]
        result[section] = {**(result.get(section) or {}), key: value}
    return result


def rotated_ca(spec: Json, certificate: str | None, key: str | None) -> dict[str, t.Any]:
    """The swarm's spec with a demand for a new CA: one that the swarm makes, or the given one."""
    result = copy.deepcopy(dict(spec))
    config = result["CAConfig"] = {**(result.get("CAConfig") or {})}
    config["ForceRotate"] = config.get("ForceRotate", 0) + 1
    config["SigningCACert"], config["SigningCAKey"] = certificate or "", key or ""
    return result


def refuse_ca_rotation(cluster: Cluster) -> None:
    """The rotation ends when each node has its new certificate, so with a node that is down it never does."""
    away = sorted(node.hostname for node in cluster.nodes if node.state != "ready")
    if away:
        raise SwarmRefused(
            f"Refused: the CA's rotation ends when all {len(cluster.nodes)} nodes have a new certificate, and {', '.join(away)} "
            f"{'is' if len(away) == 1 else 'are'} not ready. Bring {'it' if len(away) == 1 else 'them'} back, or take "
            f"{'it' if len(away) == 1 else 'them'} out of the swarm (swarm_remove_gone), first."
        )


def shown(name: str, value: t.Any) -> t.Any:
    """A setting as people write it."""
    if name not in DURATIONS or not isinstance(value, int):
        return value
    unit = next((unit for unit in ("h", "m") if value and value % _NANOSECONDS[unit] == 0), "s")
    return f"{value / _NANOSECONDS[unit]:g}{unit}"


def _at(spec: Json, name: str) -> t.Any:
    section, key = PLACES[name]
    value = (spec.get(section) or {}).get(key)
    return bool(value) if name == "autolock" else value
