# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who waits for whom: dependsOn, references, and that there is no circle."""
from __future__ import annotations

from azlab.templates.errors import invalid
from azlab.templates.planned import Planned


class Index:
    """Finds resources by what templates call them."""

    def __init__(self, resources: list[Planned]) -> None:
        self._by: dict[str, list[Planned]] = {}
        for resource in resources:
            namespace, *types = resource.type.split("/")
            names = resource.name.split("/")
            path = namespace + "".join(f"/{t}/{n}" for t, n in zip(types, names))
            # a loop's name and a symbolic name mean all turns
            keys = {resource.key, path.lower(), resource.name.lower(), f"{resource.type}/{resource.name}".lower(),
                    (resource.symbol or "").lower(), (resource.loop or "").lower()}
            if resource.symbol and resource.loop:
                loop = resource.scope.copies.get(resource.loop.lower())
                keys.add(f"{resource.symbol}[{loop}]".lower())
            for key in keys - {""}:
                self._by.setdefault(key, []).append(resource)

    def all(self, target: str) -> list[Planned]:
        key = target.lower()
        return self._by.get(key) or self._by.get(key.strip("/")) or []

    def one(self, target: str) -> Planned | None:
        """The only or the first active one of that name."""
        found = self.all(target)
        return next((r for r in found if r.active), found[0] if found else None)


def connect(resources: list[Planned], empty: set[str]) -> None:
    """Fill `depends_on` of all resources; `empty` are loops without turns. Raises TemplateError."""
    index = Index(resources)
    for resource in resources:
        if not resource.active:
            continue
        wanted: dict[str, None] = {}
        for target in resource.given_dependencies:
            found = index.all(target)
            if not found and target.lower() not in empty:
                raise invalid(f"The resource '{_short(target)}' is not defined in the template. Please see "
                              "https://aka.ms/arm-syntax for usage details.")
            wanted.update({f.id: None for f in found if _counts(f, resource)})
        for target in resource.referred:
            wanted.update({f.id: None for f in index.all(target) if _counts(f, resource)})
        resource.depends_on = list(wanted)
    _check_circles(resources)


def _counts(found: Planned, resource: Planned) -> bool:
    return found.active and not found.existing and found.key != resource.key


def _short(target: str) -> str:
    """An id without its scope, as Azure names it here."""
    _, mark, rest = target.rpartition("/providers/")
    return rest if mark else target


def _check_circles(resources: list[Planned]) -> None:
    waits = {r.key: {d.lower() for d in r.depends_on} for r in resources if r.active}
    ids = {r.key: r.id for r in resources}
    while waits:
        free = [key for key, needed in waits.items() if not needed & waits.keys()]
        if not free:
            stuck = next(iter(waits))
            raise invalid(f"Circular dependency detected on resource: '{ids[stuck]}'. Please see "
                          "https://aka.ms/arm-syntax-resources for usage details.")
        for key in free:
            del waits[key]
