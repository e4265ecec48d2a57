# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PURE: (wanted, actual) → the steps that make the swarm hold what is wanted. No I/O.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.dockhost.azure.plugins.module_utils._stack.document import Wanted
from ansible_collections.dockhost.azure.plugins.module_utils._stack.resources import (
    DIGEST,
    NAMESPACE,
    PURPOSE,
    Blob,
    Network,
)
from ansible_collections.dockhost.azure.plugins.module_utils._stack.service import IMAGE
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import Json, StackError
from ansible_collections.dockhost.azure.plugins.module_utils._stack.view import lines, shown


@dataclass(frozen=True)
class Actual:
    """What the swarm holds for one stack, as the engine's lists return it, by name; ``all_…`` are the whole swarm's."""

    services: dict[str, Json] = field(default_factory=dict)
    networks: dict[str, Json] = field(default_factory=dict)
    configs: dict[str, Json] = field(default_factory=dict)
    secrets: dict[str, Json] = field(default_factory=dict)
    all_networks: dict[str, Json] = field(default_factory=dict)
    all_configs: dict[str, Json] = field(default_factory=dict)
    all_secrets: dict[str, Json] = field(default_factory=dict)

    @classmethod
    def of_externals(cls, wanted: Wanted) -> Actual:
        """A swarm that holds nothing but what the document refers to and does not make."""
        networks = {name: {"Name": name, "Id": name, "Scope": "swarm"} for name, network in wanted.networks.items() if network.spec is None}
        blobs = [{name: {"ID": name} for name, blob in kind.items() if blob.spec is None} for kind in (wanted.configs, wanted.secrets)]
        return cls(all_networks=networks, all_configs=blobs[0], all_secrets=blobs[1])


@dataclass(frozen=True)
class Step:
    """One change. ``before`` and ``after`` are lines {path: value} of what changes, free of secrets."""

    action: str  # create, update, replace or remove
    type: str  # network, config, secret or service
    name: str
    reason: str
    before: dict[str, Json] = field(default_factory=dict)
    after: dict[str, Json] = field(default_factory=dict)
    spec: dict[str, Json] | None = field(default=None, repr=False)
    id: str = ""

    def summary(self) -> dict[str, Json]:
        """For the module's return value ``plan``."""
        paths = sorted(set(self.before) | set(self.after))
        changes = [{"path": path, "before": self.before.get(path), "after": self.after.get(path)} for path in paths]
        return {"action": self.action, "type": self.type, "name": self.name, "reason": self.reason, "changes": changes}


def plan(wanted: Wanted, actual: Actual, prune: bool = True, pins: t.Mapping[str, str] | None = None) -> list[Step]:
    """Steps in the order in which they are safe: what services need, services, what is no longer wanted.

    ``pins`` {image: image@digest}: services that run another digest of their image are updated.
    """
    steps = [*_networks(wanted, actual)]
    for kind, blobs, mine, everything in (
        ("config", wanted.configs, actual.configs, actual.all_configs),
        ("secret", wanted.secrets, actual.secrets, actual.all_secrets),
    ):
        steps += _blobs(kind, blobs, mine, everything)
    steps += _services(wanted, actual, pins or {})
    steps += _leftovers(wanted, actual, prune)
    return steps


def plan_removal(actual: Actual) -> list[Step]:
    """Steps that remove everything that carries the stack's label."""
    steps = []
    for kind in ("service", "config", "secret", "network"):
        for name, item in sorted(getattr(actual, f"{kind}s").items()):
            if not purpose(item):
                steps.append(Step("remove", kind, name, "state is absent", before=_brief(kind, item), id=_id(item)))
    # Last: as long as a part of the stack is left, a run that was cut off finds the same key again.
    for name, item in sorted(actual.configs.items()):
        if purpose(item):
            steps.append(Step("remove", "config", name, "state is absent", id=_id(item)))
    return steps


def purpose(item: Json) -> str:
    """What an object of ours is for besides the document, "" for those of the document."""
    return ((item.get("Spec") or {}).get("Labels") or {}).get(PURPOSE, "")


def _id(item: Json) -> str:
    return item.get("ID") or item.get("Id") or ""


def _brief(kind: str, item: Json) -> dict[str, Json]:
    return {"image": item["Spec"]["Labels"].get(IMAGE, "")} if kind == "service" else {"exists": True}


def _content(spec: Json) -> dict[str, Json]:
    """A config or secret as its digest tells it apart; that of a secret is keyed."""
    return {"digest": (spec.get("Labels") or {}).get(DIGEST, "")[:10] or "not ours"}


def _networks(wanted: Wanted, actual: Actual) -> t.Iterator[Step]:
    for name, network in sorted(wanted.networks.items()):
        found = actual.all_networks.get(name)
        if network.spec is None:
            if found is None:
                raise StackError(f"networks: the external network {name} does not exist in the swarm: create it, or drop external: true.")
            if found.get("Scope") != "swarm" and name not in ("host", "bridge", "none"):
                raise StackError(f"networks: the external network {name} is of this host only; services need one of the swarm (driver overlay).")
            continue
        if found is None:
            after = {key: value for key, value in network.spec.items() if value and key != "Labels"}
            yield Step("create", "network", name, "does not exist", after=after, spec={"Name": name, **network.spec})
        elif (found.get("Labels") or {}).get(NAMESPACE) != wanted.stack:
            raise StackError(f"networks: {name} exists and does not belong to this stack: mark it external, or give the network another name.")
        else:
            _same_network(network, found)


def _same_network(network: Network, found: Json) -> None:
    """A network in use cannot be changed: say what differs instead of leaving it."""
    for key, value in (network.spec or {}).items():
        if key == "Labels":
            continue
        now = found.get(key)
        if key == "IPAM":
            pools = (now or {}).get("Config") or []
            asked = value.get("Config") or []
            same = len(asked) <= len(pools) and all(pool.items() <= pools[index].items() for index, pool in enumerate(asked))
        elif key == "Options":
            same = all((now or {}).get(name) == item for name, item in value.items())
        else:
            same = (now or False) == (value or False)
        if not same:
            raise StackError(
                f"networks: {network.name} exists with another {key} ({now!r}, wanted {value!r}), and a network cannot be changed: "
                "give it a new name in the document, or remove the stack first."
            )


def _blobs(kind: str, wanted: t.Mapping[str, Blob], mine: t.Mapping[str, Json], everything: t.Mapping[str, Json]) -> t.Iterator[Step]:
    for name, blob in sorted(wanted.items()):
        if name not in everything:
            if blob.spec is None:
                raise StackError(f"{kind}s: the external {kind} {name} does not exist in the swarm: create it, or drop external: true.")
            yield Step("create", kind, name, "new content", after=_content(blob.spec), spec=blob.spec)
        elif blob.spec is not None and name not in mine:
            raise StackError(f"{kind}s: {name} exists and does not belong to this stack: give it another name.")


def _services(wanted: Wanted, actual: Actual, pins: t.Mapping[str, str]) -> t.Iterator[Step]:
    names = {_id(item): name for name, item in actual.all_networks.items()}
    for name, spec in sorted(wanted.services.items()):
        after = lines(spec)
        found = actual.services.get(name)
        if found is None:
            yield Step("create", "service", name, "does not exist", after=shown(after), spec=spec)
            continue
        before = lines(found["Spec"], names)
        pin = pins.get(spec["TaskTemplate"]["ContainerSpec"]["Image"])
        if pin:
            before["Image.digest"] = found["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].partition("@")[2]
            after["Image.digest"] = pin.partition("@")[2]
        changed = sorted(path for path in set(before) | set(after) if before.get(path) != after.get(path))
        if not changed:
            continue
        old, new = shown(before), shown(after)
        changes = [{path: side[path] for path in changed if path in side} for side in (old, new)]
        kind = _mode(found["Spec"]), _mode(spec)
        action, reason = "update", "differs in " + ", ".join(changed)
        if kind[0] != kind[1]:
            action, reason = "replace", f"mode {kind[0]} cannot become {kind[1]} in place"
        yield Step(action, "service", name, reason, changes[0], changes[1], spec, _id(found))


def _leftovers(wanted: Wanted, actual: Actual, prune: bool) -> t.Iterator[Step]:
    """Services and networks that the document does not name any more (with ``prune``), and outdated configs and secrets."""
    if prune:
        for name, item in sorted(actual.services.items()):
            if name not in wanted.services:
                yield Step("remove", "service", name, "not in the document", before=_brief("service", item), id=_id(item))
    kept = () if prune else [item["Spec"] for name, item in actual.services.items() if name not in wanted.services]
    containers = [spec["TaskTemplate"]["ContainerSpec"] for spec in kept]
    used = {item[f"{kind}Name"] for one in containers for kind in ("Config", "Secret") for item in one.get(f"{kind}s") or ()}
    for kind, names in (("config", set(wanted.configs)), ("secret", set(wanted.secrets))):
        for name, item in sorted(getattr(actual, f"{kind}s").items()):
            if name not in names and name not in used and not purpose(item):
                yield Step("remove", kind, name, "outdated content", before=_content(item["Spec"]), id=_id(item))
    if prune:
        for name, item in sorted(actual.networks.items()):
            if name not in wanted.networks:
                yield Step("remove", "network", name, "not in the document", before={"exists": True}, id=_id(item))


def diff(steps: t.Iterable[Step]) -> dict[str, str]:
    """For --diff: what changes, before and after, one block an object."""
    sides: dict[str, list[str]] = {"before": [], "after": []}
    for step in steps:
        for side, content in (("before", step.before), ("after", step.after)):
            if content:
                sides[side].append(f"{step.type} {step.name}:")
                sides[side] += [f"  {path}: {_picture(value)}" for path, value in sorted(content.items())]
    return {side: "".join(f"{line}\n" for line in block) for side, block in sides.items()}


def _picture(value: Json) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(str(item) for item in value) + "]"
    return str(value)


def _mode(spec: t.Mapping[str, t.Any]) -> str:
    """Replicated, Global, ReplicatedJob or GlobalJob: the only key of Mode."""
    return next(iter(spec["Mode"]))
