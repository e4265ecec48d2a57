#!/bin/sh
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Options and configuration files are redis-server's. Started as root, it takes over /data and goes on as user redis.
set -e
case "${1:-}" in
    -*|*.conf) set -- redis-server "$@" ;;
esac
if [ "${1:-}" = redis-server ]; then
    # In a container only the engine decides who reaches the port: without a password of its own, protected mode would refuse
    # every other container. The official image is built with protected mode off.
    file=
    case "${2:-}" in
        ""|-*) ;;
        *) file=$2; shift ;;
    esac
    shift
    # An option on the command line wins over the file: only say it where nobody else did.
    protected="--protected-mode no"
    for argument in "$@"; do
        [ "$argument" = --protected-mode ] && protected=
    done
    if [ -n "$file" ] && [ -r "$file" ] && grep -qi '^[[:space:]]*protected-mode' "$file"; then
        protected=
    fi
    # shellcheck disable=SC2086  # two words, or none
    set -- redis-server ${file:+"$file"} "$@" $protected
    if [ "$(id -u)" = 0 ]; then
        find . \! -user redis -exec chown redis:redis {} +
        exec setpriv --reuid=redis --regid=redis --clear-groups "$@"
    fi
fi
exec "$@"
