# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the tables up to date; runs once before each new version of the API (webapp_migrate_command)."""

from __future__ import annotations

import api

STEPS = """
create table if not exists jobs (
    id bigserial primary key,
    text text not null,
    state text not null default 'queued',
    result text,
    worker text,
    made timestamptz not null default now(),
    begun timestamptz
);
"""

if __name__ == "__main__":
    with api.database() as connection:
        connection.execute(STEPS)
    print("the tables are up to date")
