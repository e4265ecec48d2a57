# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real modules against a real azlab without machines."""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import json
import os
import sys

import pytest

pytest.importorskip("azlab.testing")

from ansible.module_utils import _internal  # noqa: E402
from ansible.module_utils.common import warnings as ansible_warnings  # noqa: E402
from ansible.module_utils.testing import patch_module_args  # noqa: E402
from azlab.testing import lab  # noqa: E402

_NUMBERS = itertools.count(1)


def run_module(name, arguments, check=False, diff=True, env=None):
    """Run a module of the collection in this process, as Ansible would call it; its result with ``failed``.

    Each run has an event loop, a sign-in and a session of its own; only the imports are shared.
    """
    module = importlib.import_module("ansible_collections.dockhost.azure.plugins.modules." + name)
    parameters = dict(arguments, _ansible_check_mode=check, _ansible_diff=diff)
    out, before = io.StringIO(), dict(os.environ)
    # A module's process is not the controller's, whatever other tests have imported into this one; and its warnings
    # begin with it.
    controller, _internal.is_controller = _internal.is_controller, False
    ansible_warnings._global_warnings.clear()
    try:
        if env is not None:
            os.environ.update(env)
        with patch_module_args(parameters), contextlib.redirect_stdout(out):
            try:
                module.main()
            except SystemExit:
                pass
            else:
                raise AssertionError("the module ended without a result")
    finally:
        _internal.is_controller = controller
        os.environ.clear()
        os.environ.update(before)
    sys.stdout.flush()
    result = json.loads(out.getvalue().strip().splitlines()[-1])
    result.setdefault("failed", False)
    return result


class Azure:
    """A lab and the modules on it."""

    def __init__(self, running):
        self.lab = running
        self.admin = running.admin

    run_as = staticmethod(run_module)

    def run(self, name, arguments, check=False, diff=True, env=None):
        """Run a module signed in to the lab."""
        return run_module(name, arguments, check, diff, dict(self.lab.env, **(env or {})))

    def new_group(self, deployment=None):
        """The name of a new resource group that belongs to a deployment (itself by default)."""
        name = "rg{0}".format(next(_NUMBERS))
        result = self.run("resource_group", {"name": name, "location": "westeurope", "deployment": deployment or name})
        assert not result["failed"], result
        return name

    def arm(self, method, path, body=None):
        """A request of somebody else: (status, body)."""
        status, answer, dummy = self.lab.arm(method, path, body)
        return status, answer

    def resources(self, group):
        """The types and names that are in a resource group."""
        status, answer = self.arm("GET", "resourceGroups/{0}/resources".format(group))
        assert status == 200, answer
        return sorted((item["type"].rsplit("/", 1)[-1], item["name"]) for item in answer["value"])

    def writes(self):
        """Writing requests to ARM in the lab's log (see ``admin.clear_requests``)."""
        return [
            item for item in self.admin.requests(limit=100000)
            if item["method"] in ("PUT", "PATCH", "POST", "DELETE") and item["path"].startswith("/subscriptions/")
        ]


@pytest.fixture(scope="session")
def azure():
    """One lab for all tests: each works in a resource group of its own."""
    # Another range than the default: no lab with machines beside it answers where a test expects that nobody does.
    with lab("control-plane", latency_scale=0, public_range="192.0.2.0/24") as running:
        yield Azure(running)


@pytest.fixture
def group(azure):
    """A resource group for one test, without faults that another left."""
    azure.admin.clear_faults()
    azure.admin.clear_requests()
    return azure.new_group()
