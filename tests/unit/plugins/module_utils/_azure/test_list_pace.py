# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often lists are read while Azure works: often enough to notice soon, rarely enough not to matter."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._azure.operations import list_pace


@pytest.mark.parametrize("waited, pause", [(0.0, 0.2), (0.6, 0.5), (5.0, 0.5), (25.0, 1.0), (50.0, 2.0), (500.0, 2.0)])
def test_pace(waited, pause):
    assert list_pace(waited) == pytest.approx(pause)


def test_a_machine_costs_few_reads_and_is_noticed_soon():
    """Whatever the number of machines: they share the list."""
    waited, reads = 0.0, 0
    while waited < 45:
        waited += list_pace(waited)
        reads += 1
    assert reads <= 70 and waited - 45 <= 45 * 0.05
