# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of the stack share."""

from __future__ import annotations

import json
import pathlib

import pytest
import yaml
from ansible_collections.dockhost.azure.plugins.module_utils._stack.document import build
from ansible_collections.dockhost.azure.plugins.module_utils._stack.live import digest_key
from ansible_collections.dockhost.azure.plugins.module_utils._stack.plan import Actual

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


@pytest.fixture
def recorded():
    """What a real engine returned for fixtures/everything.yml."""
    return json.loads((FIXTURES / "everything.json").read_text())


@pytest.fixture
def actual(recorded):
    networks = {item["Name"]: item for item in recorded["networks"]}
    by_name = {kind: {item["Spec"]["Name"]: item for item in recorded[kind]} for kind in ("services", "configs", "secrets")}
    return Actual(
        services=by_name["services"],
        networks={name: item for name, item in networks.items() if name.startswith("everything_")},
        configs=by_name["configs"],
        secrets=by_name["secrets"],
        all_networks=networks,
        all_configs=by_name["configs"],
        all_secrets=by_name["secrets"],
    )


@pytest.fixture
def everything(actual):
    """Builds fixtures/everything.yml, changed by a function."""

    def make(change=lambda document: None, secret="s3cr3t-t0ken"):
        document = yaml.safe_load((FIXTURES / "everything.yml").read_text())
        change(document)
        return build("everything", document, {}, {"token": secret}, digest_key(actual)[0])

    return make
