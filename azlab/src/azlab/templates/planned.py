# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A resource of a template as it is going to be deployed."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from azlab.templates.context import Runtime, Scope
from azlab.templates.errors import ExpressionError, TemplateError
from azlab.templates.evaluate import evaluate, show
from azlab.templates.values import find_key

DEPLOYMENTS = "microsoft.resources/deployments"
# What a template says of a resource to Resource Manager and not to the resource's provider.
_MANAGER_KEYS = ("type", "name", "apiversion", "condition", "copy", "dependson", "comments", "metadata", "resources",
                 "scope", "existing", "subscriptionid", "resourcegroup", "import", "asserts")


@dataclass
class Planned:
    """One resource. `depends_on` holds ids of other planned resources."""

    id: str
    type: str
    name: str
    api_version: str
    source: dict[str, Any]
    scope: Scope
    symbol: str | None = None
    loop: str | None = None
    active: bool = True
    existing: bool = False
    given_dependencies: list[str] = field(default_factory=list)
    referred: list[str] = field(default_factory=list)
    depends_on: list[str] = field(default_factory=list)
    body: dict[str, Any] = field(default_factory=dict)      # what is known before it runs

    @property
    def key(self) -> str:
        return self.id.lower()

    @property
    def is_deployment(self) -> bool:
        return self.type.lower() == DEPLOYMENTS

    def _wire(self) -> dict[str, Any]:
        return {k: v for k, v in self.source.items() if k.lower() not in _MANAGER_KEYS}

    def _split(self) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The body without the template of a nested deployment, and that template, which has its own rules."""
        wire = self._wire()
        properties = wire.get("properties")
        if not self.is_deployment or not isinstance(properties, dict):
            return wire, None
        key = find_key(properties, "template")
        template = properties[key] if key else None
        return {**wire, "properties": {k: v for k, v in properties.items() if k != key}}, template

    def plan_body(self) -> None:
        """Fill `body` with what is known now. Raises TemplateError."""
        self.body = self._evaluated(self.scope, show)

    def final_body(self, runtime: Runtime) -> dict[str, Any]:
        """The body for the provider, with all references resolved. Raises TemplateError."""
        return self._evaluated(self.scope.with_runtime(runtime), evaluate)

    def _evaluated(self, scope: Scope, how: Any) -> dict[str, Any]:
        wire, template = self._split()
        try:
            body: dict[str, Any] = how(wire, scope)
        except ExpressionError as problem:
            raise TemplateError(f"Unable to process template language expressions for resource '{self.id}' at line "
                                f"'1' and column '1'. '{problem}'") from None
        if template is not None:
            body["properties"]["template"] = template
        return body
