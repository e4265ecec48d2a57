# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What roles and playbooks put together is the same in each run."""

from __future__ import annotations

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_no_list_comes_out_of_a_set():
    """Ansible makes these filters' results by Python's sets (plugins/filter/mathstuff.py): text is in another order in each process, so that a document
    differs from run to run. select('in', …), reject('in', …) and unique keep the order of the first list."""
    files = [path for folder in ("roles", "playbooks", "extensions") for path in (ROOT / folder).rglob("*") if path.suffix in (".yml", ".j2")]
    sets = re.compile(r"\|\s*(?:intersect|(?:symmetric_)?difference|union)\b.*")
    found = [f"{path.relative_to(ROOT)}: {words}" for path in files for words in sets.findall(path.read_text())]
    assert found == [] and len(files) > 200
