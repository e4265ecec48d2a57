# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status of a deployment as one HTML file that needs nothing else: no script, no font, no picture from anywhere.

All text passes through markupsafe, which escapes whatever is not markup of this file. Pure.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dockhost.azure.plugins.plugin_utils._status import style
from ansible_collections.dockhost.azure.plugins.plugin_utils._status.model import (
    BAD,
    GOOD,
    NOTE,
    HostView,
    RuleView,
    ServiceView,
    Status,
    TaskView,
)
from ansible_collections.dockhost.azure.plugins.plugin_utils._status.text import url
from markupsafe import Markup, escape

# Shapes as well as colours, so that they can be told apart in grey and by those who see colours otherwise.
_SHAPES = {
    GOOD: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm-1 10L3.8 7.8l1.1-1.1L7 8.8l4.1-4.1 1.1 1.1z",
    NOTE: "M8 1 15.5 15H.5zM7.2 6v4.5h1.6V6zm0 5.7v1.6h1.6v-1.6z",
    BAD: "M1 1h14v14H1zm3.3 2.2L3.2 4.3 6.9 8l-3.7 3.7 1.1 1.1L8 9.1l3.7 3.7 1.1-1.1L9.1 8l3.7-3.7-1.1-1.1L8 6.9z",
}
_WORDS = {GOOD: "all is well", NOTE: "something to know", BAD: "not as it should be"}
# Nothing may be loaded or run, whatever gets into the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def tag(name: str, *children: t.Any, **attributes: t.Any) -> Markup:
    """An element. Children that are no Markup are escaped, and so are attributes; ``class_`` is class, ``data_label`` data-label."""
    given = Markup("").join(
        Markup(' {0}="{1}"').format(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None
    )
    inner = Markup("").join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), given, inner)


def icon(level: str) -> Markup:
    """A shape for a level; the words beside it say the same to those who do not see it."""
    return tag("svg", tag("path", d=_SHAPES[level], fill_rule="evenodd"), class_=f"icon {level}", viewBox="0 0 16 16", aria_hidden="true")


def render(status: Status) -> str:
    """The whole file."""
    body = tag(
        "body",
        _header(status),
        tag("main", _troubles(status), _drawing(status), _services(status), _elsewhere(status), _times(status)),
        tag("footer", "Written by the playbook dockhost.azure.status; it shows one moment and is not updated by itself."),
    )
    head = tag(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta http-equiv="Content-Security-Policy" content="{0}">').format(Markup(_POLICY)),
        tag("title", f"{status.name}: {status.verdict}"),
        tag("style", Markup(style.CSS)),
    )
    return "<!DOCTYPE html>\n" + str(tag("html", head, body, lang="en")) + "\n"


def _header(status: Status) -> Markup:
    return tag(
        "header",
        tag("h1", f"Deployment {status.name}"),
        tag("p", f"{status.resource_group}, {status.location}", class_="soft"),
        tag("p", status.time, class_="soft"),
        tag("p", icon(status.level), status.verdict, class_=f"verdict {status.level}"),
    )


def _troubles(status: Status) -> Markup:
    if not status.troubles:
        return Markup("")
    items = [tag("li", icon(trouble.level), tag("span", trouble.text), class_=trouble.level) for trouble in status.troubles]
    return tag("section", tag("h2", "Needs attention"), tag("ul", *items, class_="troubles"))


# -- the drawing ------------------------------------------------------------------------------------------


def _drawing(status: Status) -> Markup:
    zones = [
        tag("section", tag("div", tag("h3", f"Zone {name}" if name else "No zone"), *map(_host, hosts), class_="frame"), class_="zone")
        for name, hosts in status.zones()
    ]
    return tag(
        "section",
        tag("h2", "Who answers where"),
        tag("div", tag("span", "Internet", class_="soft"), tag("div", class_="wire"), _balancer(status), tag("div", class_="wire"), class_="top"),
        tag("div", *zones, class_="zones"),
    )


def _balancer(status: Status) -> Markup:
    rules = tag("ul", *(_rule(status, rule) for rule in status.rules), class_="rules") if status.rules else tag("p", "It forwards no port.", class_="soft")
    return tag("div", tag("h3", "Load balancer"), tag("p", status.address or "no address", class_="soft"), rules, class_="box balancer")


def _rule(status: Status, rule: RuleView) -> Markup:
    where = url(status.address, rule.port, rule.protocol)
    port = f"{rule.port}/{rule.protocol}"
    shown = tag("a", port, href=where) if where.startswith("http") else tag("span", port)
    if rule.hosts is None:
        told = "not known who serves it"
    else:
        told = f"{rule.service or 'no service'} on {len(rule.hosts)} of {len(status.hosts)} hosts"
    return tag("li", icon(rule.level), shown, f" {told}", class_=rule.level, title=", ".join(rule.hosts or ()))


def _host(host: HostView) -> Markup:
    role = f"{host.role}, leader" if host.leader else host.role
    node = f"node {host.node}, {host.availability}" if host.node else "not in the swarm"
    more = ", ".join(part for part in (host.address, host.size, f"Docker {host.engine}" if host.engine else "") if part)
    tasks = [task for task in host.tasks if task.state != "complete"]
    return tag(
        "article",
        tag("div", tag("h4", icon(host.level), host.name, _spoken(host.level)), tag("span", role, class_="role") if role else "", class_="head"),
        tag("p", f"{host.power}, {node}"),
        tag("p", more, class_="soft"),
        tag("ul", *map(_task, tasks), class_="tasks") if tasks else "",
        class_=f"box host {host.level}",
    )


def _spoken(level: str) -> Markup:
    """For those who hear the page."""
    return tag("span", f" ({_WORDS[level]})", class_="hidden")


def _task(task: TaskView) -> Markup:
    state = "" if task.state == "running" else f" {task.state}"
    return tag("li", icon(task.level), tag("span", task.name, state), class_=f"task {task.level}", title=task.error or task.state)


# -- tables -----------------------------------------------------------------------------------------------


def _services(status: Status) -> Markup:
    if not status.services:
        return Markup("")
    titles = ("Service", "Tasks", "Image", "Ports", "Runs on")
    head = tag("thead", tag("tr", *(tag("th", title, scope="col") for title in titles)))
    rows = tag("tbody", *map(_service, status.services))
    return tag("section", tag("h2", "Services"), tag("table", head, rows, class_="services"))


def _service(service: ServiceView) -> Markup:
    count = f"{service.running} of {service.wanted} {'done' if service.job else 'running'}"
    return tag(
        "tr",
        tag("th", service.name, scope="row"),
        tag("td", icon(service.level), tag("span", count, class_="plain number"), class_=service.level, data_label="Tasks"),
        tag("td", service.image, data_label="Image"),
        tag("td", ", ".join(service.ports) or "none", data_label="Ports"),
        tag("td", ", ".join(service.hosts) or "none", data_label="Runs on"),
    )


def _elsewhere(status: Status) -> Markup:
    if not status.elsewhere:
        return Markup("")
    tasks = [tag("li", icon(task.level), tag("span", f"{task.name} {task.state}. {task.error}"), class_=task.level) for task in status.elsewhere]
    return tag("section", tag("h2", "Tasks without a host"), tag("ul", *tasks, class_="troubles"))


def _times(status: Status) -> Markup:
    if not status.phases:
        return Markup("")
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", f"{seconds:.1f} s", class_="number")) for name, seconds in status.phases]
    return tag("section", tag("h2", "Time"), tag("table", tag("tbody", *rows), class_="times"))
