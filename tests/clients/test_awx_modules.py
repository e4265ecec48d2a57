# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""awx/configure.yml against the modules of awx.awx as they are published: AWX itself is not here, but what its modules take is."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

import pytest
import yaml

AWX = pathlib.Path(__file__).resolve().parents[2] / "awx"
SECRET = "not-to-be-printed-1234567890123456"


class _Loader(yaml.SafeLoader):
    """YAML with Ansible's tag !unsafe."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
TASKS = yaml.load((AWX / "configure.yml").read_text(), _Loader)[0]["tasks"]  # noqa: S506
CALLS = [(name, options) for task in TASKS for name, options in task.items() if name.startswith("awx.awx.")]


@pytest.mark.parametrize(("module", "given"), CALLS, ids=[c[0] for c in CALLS])
def test_every_option_is_one_of_the_module(azcollection_environment: pathlib.Path, module: str, given: dict) -> None:
    printed = subprocess.run([str(azcollection_environment / "bin" / "ansible-doc"), "-t", "module", "-j", module], capture_output=True, text=True,
                             check=True).stdout
    known = json.loads(printed)[module]["doc"]["options"]
    assert set(given) <= set(known)
    assert {k for k, o in known.items() if o.get("required")} <= set(given)


def _configure(environment: pathlib.Path, home: pathlib.Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (home / "key").write_text("a key")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "CONTROLLER_HOST": "http://127.0.0.1:9", "CONTROLLER_OAUTH_TOKEN": "none",
           "AZURE_SUBSCRIPTION_ID": "a", "AZURE_CLIENT_ID": "b", "AZURE_SECRET": SECRET, "AZURE_TENANT": "d", **variables}
    return subprocess.run([str(environment / "bin" / "ansible-playbook"), str(AWX / "configure.yml"), "-e", f"awx_ssh_key_file={home / 'key'}", *options],
                          env=env, capture_output=True, text=True, check=False)


def test_a_secret_that_is_missing_is_named_and_none_is_printed(azcollection_environment: pathlib.Path, tmp_path: pathlib.Path) -> None:
    done = _configure(azcollection_environment, tmp_path, "-vvv")
    printed = done.stdout + done.stderr
    assert done.returncode and "DOCKHOST_SECRET_SEED is not set: export it before you run this playbook." in printed
    assert SECRET not in printed


def test_it_gets_as_far_as_the_controller_and_says_that_there_is_none(azcollection_environment: pathlib.Path, tmp_path: pathlib.Path) -> None:
    done = _configure(azcollection_environment, tmp_path, "-vvv", DOCKHOST_SECRET_SEED=SECRET)
    printed = done.stdout + done.stderr
    assert done.returncode and "127.0.0.1" in printed and "TASK [Organization]" in printed
    assert SECRET not in printed
