#!/bin/bash
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# healthcheck.sh [--defaults-file=F] --connect --innodb_initialized …: fails on the first check that does not hold. The account is
# the one that the entrypoint made; its password lies beside the data, as in the official image.
set -euo pipefail

defaults=/var/lib/mysql/.my-healthcheck.cnf

query() { mariadb --defaults-extra-file="$defaults" --protocol "${2:-tcp}" -h localhost --skip-ssl --skip-column-names -B -e "$1"; }

# Over TCP, because the server that initialises the database listens on the socket only.
check_connect() { [ "$(query 'select 1' 2>/dev/null)" = 1 ]; }

check_innodb_initialized() {
    [ "$(query "select 1 from information_schema.ENGINES where engine='innodb' and support in ('YES', 'DEFAULT', 'ENABLED')" 2>/dev/null)" = 1 ]
}

[ $# -gt 0 ] || { echo "healthcheck.sh: name at least one check, such as --connect" >&2; exit 1; }
for argument in "$@"; do
    case "$argument" in
        --defaults-file=*|--defaults-extra-file=*) defaults=${argument#*=} ;;
        --connect) check_connect || { echo "healthcheck.sh: no connection over TCP" >&2; exit 1; } ;;
        --innodb_initialized) check_innodb_initialized || { echo "healthcheck.sh: InnoDB is not initialised" >&2; exit 1; } ;;
        *) echo "healthcheck.sh: unknown check $argument" >&2; exit 1 ;;
    esac
done
