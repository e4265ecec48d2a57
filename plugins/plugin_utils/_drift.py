# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans of modules that ran in check mode → what differs from the variables, for people and for programs. Pure.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t

Json = t.Mapping[str, t.Any]

NONE, DRIFT, ERROR = "none", "drift", "error"


def report(said: Json) -> dict[str, t.Any]:
    """``said``: deployment, resource_group, time; azure, swarm and application (plans), engine (host → plan), stopped (hosts), errors (sentences).

    An error counts more than a difference: what could not be looked at may differ as well.
    """
    found = [_difference("azure", "", step) for step in said.get("azure") or ()]
    found += [
        {"where": "azure", "host": host["name"], "what": f"virtual machine {host['name']}", "action": "start", "detail": f"is {host['power_state']}"}
        for host in said.get("stopped") or ()
    ]
    for host, steps in sorted((said.get("engine") or {}).items()):
        found += [_difference("engine", host, step) for step in steps]
    for where in ("swarm", "application"):
        found += [_difference(where, "", step) for step in said.get(where) or ()]
    errors = [" ".join(str(error).split()) for error in said.get("errors") or ()]
    return {
        "deployment": said.get("deployment", ""),
        "resource_group": said.get("resource_group", ""),
        "time": said.get("time", ""),
        "state": ERROR if errors else DRIFT if found else NONE,
        "differences": found,
        "errors": errors,
    }


def lines(told: Json) -> list[str]:
    """The same for a terminal, a line for each."""
    shown = [_line(one) for one in told["differences"]]
    if not shown and not told["errors"]:
        return [f"Deployment {told['deployment']} is as its variables say."]
    return shown + [f"Not known: {error}" for error in told["errors"]]


def _line(one: Json) -> str:
    host = f" on {one['host']}" if one["host"] else ""
    detail = f" ({one['detail']})" if one["detail"] else ""
    return f"{one['where']}{host}: {one['action']} {one['what']}{detail}"


def _difference(where: str, host: str, step: Json) -> dict[str, str]:
    kind = str(step.get("type", "")).rsplit("/", 1)[-1]
    return {
        "where": where,
        "host": host,
        "what": f"{kind} {step.get('name', '')}".strip(),
        "action": str(step.get("action", "")),
        "detail": _detail(step),
    }


def _detail(step: Json) -> str:
    """What changes from what to what, or else why."""
    changes = step.get("changes") or ()
    if isinstance(changes, t.Mapping):
        changes = [{"path": name, **change} if isinstance(change, t.Mapping) else {"path": name, "after": change} for name, change in changes.items()]
    told = [f"{change.get('path')}: {_short(change.get('before'))} → {_short(change.get('after'))}" for change in changes if isinstance(change, t.Mapping)]
    return "; ".join(told) or str(step.get("detail") or step.get("reason") or "")


def _short(value: t.Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else text[:77] + "…"
