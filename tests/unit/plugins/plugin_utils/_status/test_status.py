# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment with a stopped host, a manager that does not answer, a drained node and a service that misses a task."""

from __future__ import annotations

import copy
import html
import html.parser
import json
import pathlib

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.dockhost.azure.plugins.filter.status_page import status_page
from ansible_collections.dockhost.azure.plugins.filter.status_text import status_text
from ansible_collections.dockhost.azure.plugins.plugin_utils._status.model import status

DEMO = json.loads((pathlib.Path(__file__).parent / "fixtures" / "demo.json").read_text())
EVIL = '"><script>window.struck=1</script><img src=x onerror=window.struck=1>'


@pytest.fixture
def said():
    return copy.deepcopy(DEMO)


def well(said):
    """The same deployment without its troubles."""
    for host in said["hosts"]:
        host["power_state"] = "running"
    for node in said["swarm"]["nodes"]:
        node.update(state="ready", availability="active", reachability="reachable" if node["role"] == "manager" else None)
    for service in said["swarm"]["services"]:
        service.update(running=service["wanted"], healthy=True)
    said["load_balancer"]["rules"] = said["load_balancer"]["rules"][:2]
    return said


def test_what_is_not_as_it_should_be_is_named_the_worst_first(said):
    found = status(said)
    assert [(trouble.level, trouble.text) for trouble in found.troubles] == [
        ("bad", "Node demo-3 is down."),
        ("bad", "Host demo-5 is deallocated."),
        ("bad", "2 of 3 managers are reachable and 2 are needed: the swarm must not lose another one."),
        ("bad", "Service shop_api: 1 of 2 tasks running. The last error: task: non-zero exit (137)."),
        ("bad", "No host serves port 9000/tcp of the load balancer."),
        ("note", "Node demo-4 takes no tasks (availability drain)."),
    ]
    assert found.verdict == "5 things not as they should be."


def test_a_deployment_that_is_well_says_so(said):
    found = status(well(said))
    assert (found.troubles, found.verdict, found.level) == ((), "All is well.", "good")


@pytest.mark.parametrize(
    "change, text",
    [
        (lambda s: s["hosts"][0].update(provisioning_state="Failed"), "Host demo-1: its last change failed, or other managers do not reach it."),
        (lambda s: s["swarm"]["nodes"].pop(3), "Host demo-4 runs, and is not in the swarm."),
        (lambda s: s["hosts"].pop(4), "Node demo-5 (ready) belongs to no host of the deployment."),
        (lambda s: s.pop("swarm"), "The swarm was not asked: no manager answered."),
        (lambda s: s["swarm"]["nodes"][2].update(role="worker"), "2 of 2 managers are reachable and 2 are needed: the swarm must not lose another one."),
    ],
)
def test_each_trouble_is_found_alone(said, change, text):
    change(well(said))
    assert [trouble.text for trouble in status(said).troubles] == [text]


def test_a_node_that_calls_itself_otherwise_is_found_by_its_address(said):
    well(said)["swarm"]["nodes"][3]["name"] = "ip-172-28-0-7"
    assert status(said).troubles == ()


def test_ports_of_the_host_are_served_where_a_task_runs_and_the_mesh_by_every_ready_node(said):
    rules = {rule.port: rule for rule in status(said).rules}
    assert sorted(rules) == [80, 8443, 9000]  # the rule of somebody else is not shown
    assert rules[80].hosts == ("demo-1", "demo-2")
    assert rules[8443].hosts == ("demo-1", "demo-2", "demo-4")
    assert rules[9000].hosts == ()


def test_a_task_without_a_host_is_shown_with_the_reason(said):
    assert [(task.name, task.state) for task in status(said).elsewhere] == [("shop_api.2", "pending")]
    assert "no suitable node (insufficient resources on 2 nodes)" in status_page(said)


def test_text_for_the_terminal(said):
    text = status_text(said)
    for line in (
        "Deployment demo in rg-demo (westeurope)",
        "  demo-1             running      zone 1   172.28.0.4      manager\n    shop_api.1, shop_edge",
        "  demo-2             ready        active    manager (leader), Docker Engine 26.1.5",
        "  shop_migrate       1/1 done  api:1",
        "  http://203.0.113.10/\n  tcp://203.0.113.10:8443",
        "  Port 80: published by each host itself, with DNS round robin between the services,\n"
        "  since the kernel of these hosts has no IPVS and the swarm therefore no routing mesh.",
        "  provision            23.0 s\n  docker               17.6 s\n  all                  40.6 s",
        "Health: 5 things not as they should be.",
    ):
        assert line in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_nothing_there_is_said_too():
    text = status_text({"deployment": "demo"})
    assert "Hosts\n  none" in text and "Health: There are no hosts." in text
    assert "It forwards no port." in status_page({"deployment": "demo"})


class Elements(html.parser.HTMLParser):
    """Names of all elements, and whether each that was opened was closed in order."""

    def __init__(self):
        super().__init__()
        self.names, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def replaced(value):
    """Every text of what was read, with markup behind it."""
    if isinstance(value, dict):
        return {key: replaced(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner) for inner in value]
    return value + EVIL if isinstance(value, str) else value


def test_markup_in_whatever_was_read_is_text():
    page = status_page(replaced(DEMO))
    elements = Elements()
    elements.feed(page)
    assert elements.open == [] and not {"script", "img"} & set(elements.names)
    assert EVIL not in page and html.escape(EVIL) in page.replace("&#34;", "&quot;")


def test_the_page_asks_nobody_for_anything(said):
    page = status_page(said)
    assert "default-src 'none'" in page
    assert not [word for word in ("src=", "url(", "@import", "<link", "<script") if word in page]


@pytest.mark.parametrize("wrong", [None, {}, "demo", {"deployment": ""}])
def test_what_is_no_status_is_refused(wrong):
    for make in (status_page, status_text):
        with pytest.raises(AnsibleFilterError, match="takes a dictionary with the name of the deployment"):
            make(wrong)
