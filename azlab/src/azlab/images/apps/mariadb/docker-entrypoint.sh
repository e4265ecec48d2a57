#!/bin/bash
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# First start: makes the database, its root password, one database and one user out of MARIADB_* (or the file that MARIADB_*_FILE
# names), runs /docker-entrypoint-initdb.d, and only then lets the server listen on the network. Later starts: just the server.
set -euo pipefail

data=/var/lib/mysql
socket=/run/mysqld/mysqld.sock
begun=$data/.initialisation-begun

say() { echo "$(date -u +%FT%TZ) [entrypoint] $*" >&2; }
fail() { say "ERROR: $*"; exit 1; }

# setting NAME: MARIADB_NAME or MYSQL_NAME, each also as _FILE
setting() {
    local prefix name file
    for prefix in MARIADB MYSQL; do
        name=${prefix}_$1
        file=${name}_FILE
        if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then fail "$name and $file are both set: give one of them"; fi
        if [ -n "${!name:-}" ]; then printf %s "${!name}"; return; fi
        if [ -n "${!file:-}" ]; then
            [ -r "${!file}" ] || fail "$file names ${!file}, which cannot be read"
            cat "${!file}"
            return
        fi
    done
}

# A text as an SQL literal: backslashes and quotes doubled.
literal() { local text=${1//\\/\\\\}; printf "'%s'" "${text//\'/\'\'}"; }
identifier() { printf '`%s`' "${1//\`/\`\`}"; }

sql() { mariadb --protocol=socket --socket="$socket" -uroot --skip-ssl "$@"; }

start_private_server() {
    "$@" --skip-networking --socket="$socket" --wsrep-on=OFF --expire-logs-days=0 --skip-slave-start &
    server=$!
    local try
    for try in $(seq 300); do
        if sql -e 'select 1' >/dev/null 2>&1; then return; fi
        kill -0 "$server" 2>/dev/null || fail "the server ended while the database was being made, see above"
        sleep 0.1
    done
    fail "the server did not answer within 30 s while the database was being made"
}

stop_private_server() {
    kill "$server"
    wait "$server" || fail "the server that made the database did not end cleanly"
}

# The statements go through a pipe: a command line would show the passwords to everybody on the host.
accounts() {
    local root=$1 host health name user
    host=$(setting ROOT_HOST); host=${host:-%}
    health=$(head -c 24 /dev/urandom | base64 | tr -d '/+=\n')
    echo "SET @@SESSION.SQL_LOG_BIN=0;"
    echo "DROP USER IF EXISTS ''@'localhost';"
    echo "DROP DATABASE IF EXISTS test;"
    # mariadb-install-db makes root's account under these names too, without a password.
    echo "DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';"
    echo "EXECUTE IMMEDIATE CONCAT('DROP USER IF EXISTS root@''', @@hostname, '''');"
    if [ "$host" != localhost ]; then
        echo "CREATE USER 'root'@$(literal "$host") IDENTIFIED BY $(literal "$root");"
        echo "GRANT ALL ON *.* TO 'root'@$(literal "$host") WITH GRANT OPTION;"
    fi
    for name in localhost 127.0.0.1 ::1; do
        echo "CREATE USER 'healthcheck'@'$name' IDENTIFIED BY $(literal "$health");"
        echo "GRANT USAGE ON *.* TO 'healthcheck'@'$name';"
    done
    ( umask 077; printf '[mariadb-client]\nport=3306\nsocket=%s\nuser=healthcheck\npassword=%s\n' "$socket" "$health" > "$data/.my-healthcheck.cnf" )
    name=$(setting DATABASE)
    [ -z "$name" ] || echo "CREATE DATABASE IF NOT EXISTS $(identifier "$name");"
    user=$(setting USER)
    if [ -n "$user" ]; then
        echo "CREATE USER $(literal "$user")@'%' IDENTIFIED BY $(literal "$(setting PASSWORD)");"
        [ -z "$name" ] || echo "GRANT ALL ON $(identifier "${name//_/\\_}").* TO $(literal "$user")@'%';"
    fi
    # Last: from here on root needs the password.
    echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(literal "$root");"
}

run_scripts() {
    local file client=/run/mysqld/.root.cnf
    compgen -G '/docker-entrypoint-initdb.d/*' >/dev/null || return 0
    ( umask 077; printf '[client]\nuser=root\npassword="%s"\nsocket=%s\n' "${1//\\/\\\\}" "$socket" > "$client" )
    for file in /docker-entrypoint-initdb.d/*; do
        say "running $file"
        case "$file" in
            *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
            *.sql) mariadb --defaults-extra-file="$client" $(setting DATABASE) < "$file" ;;
            *.sql.gz) gunzip -c "$file" | mariadb --defaults-extra-file="$client" $(setting DATABASE) ;;
            *) say "ignoring $file: neither .sh nor .sql nor .sql.gz" ;;
        esac
    done
    rm -f "$client"
}

first_start() {
    local root
    root=$(setting ROOT_PASSWORD)
    if [ -z "$root" ] && [ -n "$(setting RANDOM_ROOT_PASSWORD)" ]; then
        root=$(head -c 24 /dev/urandom | base64)
        say "GENERATED ROOT PASSWORD: $root"
    fi
    if [ -z "$root" ] && [ -z "$(setting ALLOW_EMPTY_ROOT_PASSWORD)" ]; then
        fail "the database is new: set one of MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_FILE, MARIADB_RANDOM_ROOT_PASSWORD, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD"
    fi
    if [ -n "$(setting USER)" ] && [ -z "$(setting PASSWORD)" ]; then fail "MARIADB_USER is set without MARIADB_PASSWORD or MARIADB_PASSWORD_FILE"; fi
    say "making the database in $data"
    # A first start that was cut off leaves half a database; the marker says that there was nothing to lose in it.
    if [ -e "$begun" ]; then find "$data" -mindepth 1 -maxdepth 1 ! -path "$begun" -exec rm -rf {} +; fi
    touch "$begun"
    mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db >/dev/null
    start_private_server "$@"
    accounts "$root" | sql --binary-mode
    run_scripts "$root"
    stop_private_server
    rm -f "$begun"
    say "the database is ready"
}

case "${1:-}" in
    -*) set -- mariadbd "$@" ;;
    mysqld) shift; set -- mariadbd "$@" ;;
esac
if [ "${1:-}" != mariadbd ]; then exec "$@"; fi
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$data" /run/mysqld
    find "$data" /run/mysqld ! -user mysql -exec chown mysql:mysql {} +
    exec setpriv --reuid=mysql --regid=mysql --clear-groups "$0" "$@"
fi
if [ -d "$data/mysql" ] && [ ! -e "$begun" ]; then
    exec "$@"
fi
first_start "$@"
exec "$@"
