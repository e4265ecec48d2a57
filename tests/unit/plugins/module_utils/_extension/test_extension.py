# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests, differences and reports of extensions."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._extension import docker_task, plan, spec
from ansible_collections.dockhost.azure.plugins.module_utils._extension.report import Report
from ansible_collections.dockhost.azure.plugins.module_utils._model.host import host_from_api


def extension(**more):
    return spec.Extension("n", "P", "T", "1.0", **{"protected": {"a": "secret"}, **more})


@pytest.mark.parametrize("other", [
    extension(protected={"a": "other"}), extension(protected={}), extension(update_tag="2"), extension(fingerprint="x"),
])  # fmt: skip
def test_what_changes_the_digest(other):
    assert other.digest("scope", "") != extension().digest("scope", "")


def test_what_the_digest_depends_on_besides():
    digest = extension().digest("scope", "")
    assert digest == extension(settings={"b": 1}).digest("SCOPE", "")
    assert len({digest, extension().digest("other", ""), extension().digest("scope", "key")}) == 3
    assert spec.Extension("n", "P", "T", "1.0").digest("scope", "key") == ""


@pytest.mark.parametrize("digest, turn, text", [
    ("", 0, None), ("a" * 32, 0, "dockhost-" + "a" * 32), ("a" * 32, 3, "dockhost-" + "a" * 32 + "-3"), ("", 1, "dockhost-" + "0" * 32 + "-1"),
])  # fmt: skip
def test_the_tag_can_be_read_again(digest, turn, text):
    assert spec.force_tag(digest, turn) == text and spec.read_tag(text) == (digest, turn)
    assert spec.read_tag("somebody's own") == ("", 0)


@pytest.mark.parametrize("before, after, paths", [
    ({}, {}, []), ({"a": 1}, {"a": 1}, []), ({"a": "X"}, {"a": "x"}, ["s.a"]), ({"a": 1}, {"a": True}, ["s.a"]),
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, ["s.a.c"]),
    ({}, {"a": [1]}, ["s.a"]),
])  # fmt: skip
def test_settings_are_compared_exactly(before, after, paths):
    assert [change.path for change in plan.differences(before, after, "s")] == paths


def test_reports_are_read():
    text = "Enable failed: failed to execute command: command terminated with exit status=127\n[stdout]\nout\n[stderr]\nstep: x\nreason: no such thing\n"
    report = Report.from_message(text, "Failed")
    assert (report.exit_code, report.stdout, report.reason) == (127, "out", "no such thing")
    assert Report.from_message("Enable failed: bad settings").reason == "Enable failed: bad settings"
    assert Report().reason == ""


def host(publisher, offer, sku):
    image = {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"}
    return host_from_api({"name": "h", "id": "/x/h", "location": "westeurope", "properties": {"storageProfile": {"imageReference": image}}})


@pytest.mark.parametrize("machine, published, handler, words", [
    (host("Canonical", "ubuntu-24_04-lts", "server"), ["1.2.2"], "custom_script", "cannot be installed on Canonical:ubuntu-24_04-lts"),
    (host("Canonical", "UbuntuServer", "16.04-LTS"), ["1.2.2"], "docker_extension", "is published in westeurope"),
    (host("OpenLogic", "CentOS", "7.5"), ["1.2.2"], "docker_extension", "is published"),
    (host("Canonical", "UbuntuServer", "16.04-LTS"), [], "custom_script", "is not published in westeurope"),
    (host("Canonical", "UbuntuServer", "16.04-LTS"), None, "custom_script", "Azure does not say"),
])  # fmt: skip
def test_auto(machine, published, handler, words):
    choice = docker_task.choose("auto", machine, published)
    assert choice.handler == handler and words in choice.reason
    assert docker_task.choose("docker_extension", machine, published).handler == "docker_extension"
