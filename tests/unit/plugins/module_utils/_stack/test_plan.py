# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans against what a real engine returned."""

from __future__ import annotations

import base64
import dataclasses

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._stack.plan import Actual, diff, plan, plan_removal
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import StackError


def brief(steps):
    return [(step.action, step.type, step.name) for step in steps]


def test_what_the_engine_returns_is_what_was_wanted(everything, actual):
    assert plan(everything(), actual) == []


def test_an_empty_swarm_gets_everything_in_the_safe_order(everything):
    steps = plan(everything(), Actual())
    assert {step.action for step in steps} == {"create"}
    order = [step.type for step in steps]
    assert order == sorted(order, key=("network", "config", "secret", "service").index)
    assert [step.name for step in steps if step.type == "service"] == [f"everything_{name}" for name in ("every", "once", "onceall", "web")]


CHANGES = [
    (lambda web: web["deploy"].update(replicas=5), "deploy.replicas", 2, 5),
    (lambda web: web.update(image="redis:9"), "Image", "redis:8.0", "redis:9"),
    (lambda web: web["environment"].update(PORT=1), "Env.PORT", "6400", "1"),
    (lambda web: web["environment"].update(DB_PASSWORD="new"), "Env.DB_PASSWORD", "(hidden)", "(hidden)"),
    (lambda web: web["deploy"]["update_config"].update(parallelism=1), "deploy.update_config.Parallelism", "0", None),
    (lambda web: web["deploy"]["update_config"].update(order="start-first"), "deploy.update_config.Order", None, "start-first"),
    (lambda web: web["healthcheck"].update(interval="9s"), "Healthcheck.Interval", "5s", "9s"),
    (lambda web: web["networks"].pop("back"), "Networks.everything_back.Attached", True, None),
    (lambda web: web["configs"][1].update(mode=0o444), "Configs./srv/page.txt.Mode", "0o440", None),
    (lambda web: web["deploy"]["resources"]["limits"].pop("pids"), "deploy.resources.Limits.Pids", 100, None),
    (lambda web: web.pop("init"), "Init", True, None),
    (lambda web: web["ports"].pop(0), "Ports.7100/tcp.TargetPort", 6400, None),
    (lambda web: web["volumes"][1].update(read_only=False), "Mounts./host.ReadOnly", True, None),
]


@pytest.mark.parametrize(("change", "path", "before", "after"), CHANGES, ids=lambda value: value if isinstance(value, str) else "")
def test_each_change_of_a_service_is_seen_and_shown(everything, actual, change, path, before, after):
    (step,) = plan(everything(lambda document: change(document["services"]["web"])), actual)
    assert (step.action, step.name) == ("update", "everything_web")
    assert (step.before.get(path), step.after.get(path)) == (before, after)
    assert path in step.reason


def test_a_new_secret_is_rotated_without_being_shown(everything, actual):
    steps = plan(everything(secret="another-value"), actual)
    assert [(step.action, step.type) for step in steps] == [("create", "secret"), ("update", "service"), ("remove", "secret")]
    encoded = base64.b64encode(b"another-value").decode()
    for text in (str(diff(steps)), repr(steps), str([step.summary() for step in steps])):
        assert "another-value" not in text and encoded not in text


def test_a_mode_that_cannot_change_in_place_is_replaced(everything, actual):
    def change(document):
        document["services"]["every"]["deploy"] = {"mode": "replicated", "endpoint_mode": "dnsrr"}

    (step,) = plan(everything(change), actual)
    assert (step.action, step.reason) == ("replace", "mode Global cannot become Replicated in place")


def test_a_tag_that_means_another_digest_is_an_update(everything, actual):
    steps = plan(everything(), actual, pins={"redis:8.0": "redis:8.0@sha256:abc"})
    assert [step.action for step in steps] == ["update"] * 4
    assert steps[0].after == {"Image.digest": "sha256:abc"}


def test_prune_removes_what_the_document_does_not_name(everything, actual):
    wanted = everything(lambda document: document["services"].pop("web"))
    assert brief(plan(wanted, actual)) == [("remove", "service", "everything_web"), ("remove", "network", "everything_front")]
    assert plan(wanted, actual, prune=False) == []


def test_outdated_configs_stay_while_a_service_that_is_kept_uses_them(everything, actual):
    def change(document):
        del document["services"]["web"], document["configs"]["page"]

    assert plan(everything(change), actual, prune=False) == []


def test_removal_names_all_and_leaves_the_digest_key_for_the_end(actual):
    steps = plan_removal(actual)
    assert len(steps) == 4 + 3 + 1 + 3
    assert [step.type for step in steps[:4]] == ["service"] * 4
    assert steps[-1].name == "everything_dockhost-digest-key"


def test_a_network_cannot_change(everything, actual):
    with pytest.raises(StackError, match="networks: everything_back exists with another Internal"):
        plan(everything(lambda document: document["networks"]["back"].pop("internal")), actual)


def test_a_network_of_somebody_else_is_left_alone(everything, actual):
    foreign = {**actual.all_networks, "everything_back": {**actual.all_networks["everything_back"], "Labels": {}}}
    with pytest.raises(StackError, match="everything_back exists and does not belong to this stack"):
        plan(everything(), dataclasses.replace(actual, all_networks=foreign))


@pytest.mark.parametrize("kind", ["networks", "configs", "secrets"])
def test_what_is_external_has_to_exist(everything, actual, kind):
    def change(document):
        document.setdefault(kind, {})["gone"] = {"external": True}
        service = document["services"]["every"]
        service.setdefault(kind, []).append("gone")

    with pytest.raises(StackError, match=f"{kind}: the external .* gone does not exist in the swarm"):
        plan(everything(change), actual)


def test_the_diff_is_about_what_changes_only(everything, actual):
    steps = plan(everything(lambda document: document["services"]["web"]["deploy"].update(replicas=3)), actual)
    assert diff(steps) == {"before": "service everything_web:\n  deploy.replicas: 2\n", "after": "service everything_web:\n  deploy.replicas: 3\n"}
