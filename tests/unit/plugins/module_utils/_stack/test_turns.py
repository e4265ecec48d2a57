# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services whose update is waited for before others are touched."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._stack.plan import Step
from ansible_collections.dockhost.azure.plugins.module_utils._stack.run import turns

SECRET = Step("create", "secret", "shop_password-2", "new content")
API = Step("update", "service", "shop_api", "differs in secrets")
DATABASE = Step("update", "service", "shop_database", "differs in secrets")
GONE = Step("remove", "service", "shop_old", "not in the document")
OUTDATED = Step("remove", "secret", "shop_password-1", "outdated")


def test_a_database_gets_its_new_secret_before_who_uses_it():
    assert turns([SECRET, API, DATABASE, GONE, OUTDATED], "shop", ["database"]) == ([SECRET, DATABASE], [API, GONE, OUTDATED])


@pytest.mark.parametrize("steps, first", [
    ([SECRET, API, DATABASE, OUTDATED], []),
    ([SECRET, API, OUTDATED], ["database"]),
    ([Step("create", "service", "shop_database", "does not exist"), API], ["database"]),
    ([Step("update", "service", "other_database", "x"), API], ["database"]),
], ids=["nobody", "unchanged", "new", "another stack's"])  # fmt: skip
def test_nobody_waits_where_there_is_nothing_to_wait_for(steps, first):
    assert turns(steps, "shop", first) == ([], steps)
