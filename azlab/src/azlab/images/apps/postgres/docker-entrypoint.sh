#!/bin/bash
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes the database on the first start, as the official image does, then runs the server as user postgres.
set -euo pipefail

fail() { echo "$(date -u +%FT%TZ) [entrypoint] ERROR: $*" >&2; exit 1; }

# setting NAME DEFAULT: POSTGRES_NAME, or the content of the file that POSTGRES_NAME_FILE names
setting() {
    local name=POSTGRES_$1 file=POSTGRES_$1_FILE
    if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then fail "$name and $file are both set: give one of them"; fi
    if [ -n "${!file:-}" ]; then
        [ -r "${!file}" ] || fail "$file names ${!file}, which cannot be read"
        cat "${!file}"
    else
        printf %s "${!name:-$2}"
    fi
}

local_sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc -q -U "$user" -h /run/postgresql "$@"; }

first_start() {
    local password database method file
    user=$(setting USER postgres)
    password=$(setting PASSWORD "")
    database=$(setting DB "$user")
    method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "$password" ] && [ "$method" != trust ]; then
        fail "the database is new: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
    fi
    # What a first start that was cut off left holds nothing yet.
    if [ -e "$PGDATA/.initialisation-begun" ]; then find "$PGDATA" -mindepth 1 -delete; fi
    # initdb wants an empty directory: the marker is put there as soon as it has begun to fill it.
    local words=()
    # shellcheck disable=SC2206  # several options in one variable, as in the official image
    words=(${POSTGRES_INITDB_ARGS:-})
    initdb -U "$user" --pwfile=<(printf '%s\n' "$password") --auth-local=trust --auth-host="$method" "${words[@]}" >/dev/null
    touch "$PGDATA/.initialisation-begun"
    printf 'host all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"
    pg_ctl -w -s -o "-c listen_addresses='' -k /run/postgresql" start
    if [ "$database" != postgres ]; then
        local_sql -d postgres -v name="$database" <<< 'CREATE DATABASE :"name";'
    fi
    for file in /docker-entrypoint-initdb.d/*; do
        case "$file" in
            *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
            *.sql) local_sql -d "$database" -f "$file" ;;
            *.sql.gz) gunzip -c "$file" | local_sql -d "$database" ;;
        esac
    done
    pg_ctl -w -s -m fast stop
    rm -f "$PGDATA/.initialisation-begun"
}

case "${1:-}" in
    -*) set -- postgres "$@" ;;
esac
if [ "${1:-}" != postgres ]; then exec "$@"; fi
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    find "$PGDATA" /run/postgresql ! -user postgres -exec chown postgres:postgres {} +
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
chmod 0700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ] || [ -e "$PGDATA/.initialisation-begun" ]; then first_start; fi
# Containers of other hosts connect.
exec "$@" -c "listen_addresses=*"
