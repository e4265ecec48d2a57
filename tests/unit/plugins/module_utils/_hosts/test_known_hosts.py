# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host keys: what a key is, which lines of a known_hosts file are ours, which have to go."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._hosts import known_hosts
from ansible_collections.dockhost.azure.plugins.module_utils._hosts.known_hosts import Owner, Scope
from ansible_collections.dockhost.azure.plugins.module_utils._model.ssh_keys import key_problem, login_key_problem

ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIFSSdwXM3ItvMNHN3qPpwS4nNT8sZNtNnHn9yLzHYzXt"
KEY = ("ssh-ed25519", ED25519)
MINE = Owner("demo", "web", "vm-1")
LINE = f"web-1.rg ssh-ed25519 {ED25519} dockhost deployment=demo group=web vm=vm-1\n"
OTHERS = f"# a comment\n\ngithub.com ssh-ed25519 {ED25519}\n|1|abc=|def= ssh-ed25519 {ED25519}\n@cert-authority *.x ssh-ed25519 {ED25519}\n"


@pytest.mark.parametrize(
    "kind, data, problem",
    [
        ("ssh-ed25519", ED25519, None),
        ("ssh-rsa", ED25519, "it is not of the type 'ssh-rsa' that it is said to be"),
        ("ssh-dss", ED25519, "'ssh-dss' is not a key type of OpenSSH"),
        ("ssh-ed25519", ED25519[:-4], "it is cut off"),
        ("ssh-ed25519", "AAAA", "it is cut off"),
        ("ssh-ed25519", "not base64", "its second word is not base64"),
    ],
)
def test_key_problem(kind, data, problem):
    assert key_problem(kind, data) == problem


def test_login_key_refuses_what_azure_refuses():
    ecdsa = (
        "ecdsa-sha2-nistp256 "
        "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNjkxLpe9lSTHj0DPRoJTjy8i7hRCELyqJ0FCpmxAB4J6XtVEZ5zKk0F2FXB5d1Rxg6M6r9yJ3Tt2pXW8q4Q9oM="
    )
    assert login_key_problem(ecdsa) == "Azure does not take keys of the type 'ecdsa-sha2-nistp256'; it takes ssh-ed25519 and ssh-rsa"
    assert login_key_problem(f"ssh-ed25519 {ED25519}\nssh-ed25519 {ED25519}").startswith("it is not one line")
    short = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC" + "A" * 171 + "=="
    assert login_key_problem(short) is not None


def test_answer_of_run_command():
    text = f"Enable succeeded: \n[stdout]\n{known_hosts.BEGIN}\nssh-ed25519 {ED25519}\n\n{known_hosts.END}\n\n[stderr]\n"
    assert known_hosts.parse_answer(text) == ([KEY], None)


@pytest.mark.parametrize(
    "inside, problem",
    [
        ("", "it has no SSH host keys yet (/etc/ssh/ssh_host_*_key.pub)"),
        ("ssh-ed25519", "its answer has the line 'ssh-ed25519', which is no key"),
        ("ssh-ed25519 AAAA", "its answer has a key that cannot be used: it is cut off"),
    ],
)
def test_answer_that_is_refused(inside, problem):
    assert known_hosts.parse_answer(f"{known_hosts.BEGIN}\n{inside}\n{known_hosts.END}") == ([], problem)


def test_answer_without_marks():
    assert known_hosts.parse_answer("Enable failed")[1] == "its answer holds no host keys"


def test_missing_asks_for_new_and_for_remade_machines():
    wanted = {"web-1.rg": MINE, "web-2.rg": Owner("demo", "web", "vm-2")}
    assert known_hosts.missing(LINE, wanted) == ["web-2.rg"]
    assert known_hosts.missing(LINE, {"web-1.rg": Owner("demo", "web", "vm-9")}) == ["web-1.rg"]


def test_merge_adds_and_keeps_the_lines_of_others():
    text = known_hosts.merge(OTHERS, {"web-1.rg": MINE}, {"web-1.rg": [KEY]}, Scope("rg", "demo"))
    assert text == OTHERS + LINE
    assert known_hosts.merge(text, {"web-1.rg": MINE}, {}, Scope("rg", "demo")) == text


def test_merge_replaces_a_remade_machine_whoever_wrote_the_line():
    new = Owner("demo", "web", "vm-2")
    text = known_hosts.merge(LINE + f"web-1.rg ssh-rsa {ED25519}\n", {"web-1.rg": new}, {"web-1.rg": [KEY]}, Scope("rg"))
    assert text == LINE.replace("vm-1", "vm-2")


@pytest.mark.parametrize(
    "scope, stays",
    [
        (Scope("rg", "demo"), False),
        (Scope("RG", "demo", "web"), False),
        (Scope("rg"), False),
        (Scope("rg", "other"), True),
        (Scope("rg", "demo", "db"), True),
        (Scope("other", "demo"), True),
    ],
)
def test_gone_hosts_lose_their_lines_within_the_scope_only(scope, stays):
    assert known_hosts.merge(OTHERS + LINE, {}, {}, scope) == (OTHERS + LINE if stays else OTHERS)
