# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an expression can see: where it is deployed, parameters, variables, loops, and the running deployment."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from azlab.templates.values import UNKNOWN

GROUP_TYPE = "microsoft.resources/resourcegroups"


class Runtime(Protocol):
    """What only a running deployment can answer."""

    def reference(self, target: str, api_version: str | None, full: bool) -> Any:
        """The state of a resource, given by its id or by its name in the template."""

    def listing(self, function: str, target: str, api_version: str, body: Any) -> Any:
        """The answer of a list function such as listKeys."""


class Recorder:
    """Stands for the runtime while a template is planned: everything is unknown, and who is asked for is noted."""

    def __init__(self) -> None:
        self.targets: list[str] = []

    def reference(self, target: str, api_version: str | None, full: bool) -> Any:
        self.targets.append(target)
        return UNKNOWN

    def listing(self, function: str, target: str, api_version: str, body: Any) -> Any:
        self.targets.append(target)
        return UNKNOWN


@dataclass(frozen=True)
class Context:
    """Where and as what a template is deployed. `group` is None at the scope of the subscription."""

    subscription: dict[str, Any]            # the object that subscription() returns
    group: dict[str, Any] | None
    deployment: dict[str, Any]
    environment: dict[str, Any]
    tenant: dict[str, Any] = field(default_factory=dict)
    providers: Callable[[str, str], Any] = lambda namespace, kind: {}
    zones: Callable[[str, str, str], list[str]] = lambda namespace, kind, location: []
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def scope_id(self) -> str:
        """The id of the resource group or the subscription."""
        if self.group is not None:
            return f"{self.subscription['id']}/resourceGroups/{self.group['name']}"
        return str(self.subscription["id"])


@dataclass(frozen=True)
class Scope:
    """The names that an expression can use."""

    context: Context
    parameters: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)      # as written: evaluated when they are used
    functions: dict[str, Any] = field(default_factory=dict)      # "namespace.name" in lower case → definition
    copies: dict[str, int] = field(default_factory=dict)         # name of a loop in lower case → index
    loop: str | None = None                                      # the loop that copyIndex() without a name means
    runtime: Runtime | None = None
    fresh_values: bool = False              # utcNow and newGuid: only in default values of parameters
    only_parameters: bool = False           # inside a user-defined function
    profile: str = ""                       # the api-version of resources that name none
    home: str | None = None                 # where the resources go, when that is not where the expressions are from
    cache: dict[str, Any] = field(default_factory=dict)

    @property
    def scope_id(self) -> str:
        """The id that the ids of the template's resources begin with."""
        return self.home or self.context.scope_id

    def with_copy(self, name: str, index: int, *, as_loop: bool) -> Scope:
        """The scope of one turn of a loop; the loop of a property is used by its name only."""
        return replace(self, copies={**self.copies, name.lower(): index}, loop=name.lower() if as_loop else self.loop,
                       cache={})

    def with_runtime(self, runtime: Runtime | None) -> Scope:
        return replace(self, runtime=runtime, cache={})
