#!/bin/bash
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# When Apache is to start and the working directory holds no WordPress yet, it is copied there (what is already there in
# wp-content stays), with a wp-config.php that reads the settings from the environment. Any other command just runs.
set -euo pipefail

copy_wordpress() {
    local source=/usr/src/wordpress path exclude=()
    for path in "$source"/wp-content/*/*/ "$source"/wp-content/*.php; do
        path=${path%/}; path=${path#"$source"/}
        if [ -e "$path" ]; then exclude+=(--exclude "./$path"); fi
    done
    tar -C "$source" --create --file - --owner www-data --group www-data --exclude ./wp-config-docker.php "${exclude[@]}" . | tar --extract --file -
    echo "WordPress is copied to $PWD" >&2
}

write_config() {
    # Every "put your unique phrase here" that no variable replaces becomes a random one: signed cookies are never guessable.
    awk '/put your unique phrase here/ {
        command = "head -c 48 /dev/urandom | base64 -w0"; command | getline phrase; close(command)
        sub("put your unique phrase here", phrase)
    } { print }' /usr/src/wordpress/wp-config-docker.php > wp-config.php
    chmod 0640 wp-config.php
    chown www-data:www-data wp-config.php
}

case "${1:-}" in
    apache2*)
        if [ "$(id -u)" = 0 ] && [ "$(stat -c %u .)" = 0 ]; then chown www-data:www-data .; fi
        if [ ! -e index.php ] && [ ! -e wp-includes/version.php ]; then copy_wordpress; fi
        if [ ! -s wp-config.php ]; then write_config; fi
        ;;
esac
exec "$@"
