# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What concerns a swarm as a whole, over the Engine API: settings, networks, rotation of tokens, unlock key and CA.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import hmac
import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import settings as swarm_settings
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Cluster, Step, SwarmRefused

_INTERVAL = 0.2
# What a rotation is called here -> the query parameter of POST /swarm/update. A CA is rotated by its place in the spec.
ROTATIONS = {
    "join_tokens": ("rotateWorkerToken", "rotateManagerToken"),
    "unlock_key": ("rotateManagerUnlockKey",),
    "ca": (),
}


def configure(engine: Engine, settings: t.Mapping[str, t.Any]) -> None:
    """Write these settings into the swarm."""
    update(engine, lambda spec: swarm_settings.changed_spec(spec, settings))


def update(engine: Engine, change: t.Callable[[t.Mapping[str, t.Any]], t.Mapping[str, t.Any]], **query: bool) -> None:
    """Read the swarm's spec, change it, write it back; once more where somebody else was faster."""
    for attempt in range(5):
        found = engine.get("/swarm")
        try:
            engine.post("/swarm/update", body=change(found["Spec"]), version=found["Version"]["Index"], **query)
            return
        except EngineError as error:
            if "out of sequence" not in error.message or attempt == 4:
                raise
            time.sleep(_INTERVAL)


def rotate(
    engine: Engine, cluster: Cluster, what: t.Sequence[str], certificate: str | None, key: str | None, timeout: float, check_mode: bool
) -> list[Step]:
    """Rotate these; refuse before anything is changed where one of them cannot be."""
    if "unlock_key" in what and not (cluster.spec.get("EncryptionConfig") or {}).get("AutoLockManagers"):
        raise SwarmRefused("rotate has unlock_key, and the swarm has no autolock: leave it out, or set swarm_autolock: true first.")
    if "ca" in what:
        swarm_settings.refuse_ca_rotation(cluster)
    steps = [Step("rotate", name, changes={name: ("the old one", "a new one")}, reason="asked for") for name in ROTATIONS if name in what]
    if check_mode:
        return steps
    query = {name: True for one in what for name in ROTATIONS[one]}
    if query:
        update(engine, lambda spec: spec, **query)
    if "ca" in what:
        update(engine, lambda spec: swarm_settings.rotated_ca(spec, certificate, key))
        _wait_for_ca(engine, timeout)
    return steps


def _wait_for_ca(engine: Engine, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    # The engine takes the demand and begins a moment later; the new root shows at once, and the flag goes when it is done.
    while engine.get("/swarm").get("RootRotationInProgress"):
        if time.monotonic() >= deadline:
            raise SwarmRefused(
                f"The CA's rotation has begun and is not done after {timeout:g} s: look at \"docker node ls --format '{{{{.Hostname}}}} "
                "{{.Status}} {{.TLSStatus}}'\". It goes on by itself; nothing has to be run again."
            )
        time.sleep(_INTERVAL)


def unlock_key(engine: Engine) -> str:
    """The key that unlocks managers, "" without autolock. A secret."""
    return (engine.get_secret("/swarm/unlockkey") or {}).get("UnlockKey") or ""


def knows_key(engine: Engine, cluster: Cluster | None, kept: t.Sequence[str]) -> bool:
    """Whether the key that is kept is the swarm's; also True where there is nothing to keep."""
    if cluster is None or not (cluster.spec.get("EncryptionConfig") or {}).get("AutoLockManagers"):
        return True
    return bool(kept) and hmac.compare_digest(kept[0].encode(), unlock_key(engine).encode())


def plan_networks(engine: Engine, wanted: t.Sequence[t.Mapping[str, t.Any]], check_mode: bool) -> list[Step]:
    """Overlay networks that the swarm does not have; one that is there in another form is refused, since it cannot be changed."""
    if not wanted:
        return []
    there = {network["Name"]: network for network in engine.get("/networks", filters={"scope": ["swarm"]}) or ()}
    steps = []
    for network in wanted:
        spec = network_spec(network)
        found = there.get(network["name"])
        if found is None:
            steps.append(Step("network", network["name"], changes={"network": (None, _described(spec))}, reason="does not exist"))
            if not check_mode:
                engine.post("/networks/create", body=spec)
        else:
            _same(spec, found)
    return steps


def network_spec(network: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Body of POST /networks/create."""
    spec: dict[str, t.Any] = {
        "Name": network["name"],
        "Driver": "overlay",
        "Attachable": bool(network.get("attachable")),
        "Internal": bool(network.get("internal")),
        "Options": {"encrypted": ""} if network.get("encrypted") else {},
        "Labels": {str(name): str(value) for name, value in (network.get("labels") or {}).items()},
    }
    if network.get("subnet"):
        spec["IPAM"] = {"Config": [{"Subnet": network["subnet"]}]}
    return spec


def _same(spec: t.Mapping[str, t.Any], found: t.Mapping[str, t.Any]) -> None:
    subnets = [pool.get("Subnet") for pool in ((found.get("IPAM") or {}).get("Config") or ())]
    wanted = [pool["Subnet"] for pool in (spec.get("IPAM") or {}).get("Config", ())]
    differs = {
        "attachable": spec["Attachable"] != bool(found.get("Attachable")),
        "internal": spec["Internal"] != bool(found.get("Internal")),
        "encrypted": ("encrypted" in spec["Options"]) != ("encrypted" in (found.get("Options") or {})),
        "subnet": bool(wanted) and not set(wanted) <= set(subnets),
    }
    names = [name for name, differing in differs.items() if differing]
    if names:
        raise SwarmRefused(
            f"Network {spec['Name']} exists and differs in {', '.join(names)}, and a network cannot be changed: give it another name, or "
            f"remove it ('docker network rm {spec['Name']}') when nothing uses it."
        )


def _described(spec: t.Mapping[str, t.Any]) -> str:
    words = ["overlay", *(word for word, key in (("attachable", "Attachable"), ("internal", "Internal")) if spec[key]), *spec["Options"]]
    return ", ".join([*words, *(pool["Subnet"] for pool in (spec.get("IPAM") or {}).get("Config", ()))])
