#!/bin/sh
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Starts MariaDB with the options given. Passwords of its users lie in the data, and the secrets are what the rest of the application has: while the server
# starts, and before it listens, the first are made the second, so that a new secret counts once the database was started with it, whatever was
# cut off before: https://mariadb.com/docs/server/server-management/variables-and-modes/server-system-variables#init_file
set -eu

# set_password HOST-OF-THE-ACCOUNT ACCOUNT FILE: a statement; what a shell's echo makes of backslashes differs.
set_password() {
  printf "ALTER USER IF EXISTS '%s'@'%s' IDENTIFIED BY '%s';\n" "$2" "$1" "$(sed -e 's/\\/\\\\/g' -e "s/'/''/g" "$3")"
}

# The file is in the container's memory alone. A database that is being made, or was left half made, gets its passwords from the image.
if [ -d /var/lib/mysql/wordpress ]; then
  file=/dev/shm/passwords.sql
  rm -f "$file"
  (
    umask 077
    set_password % wordpress "$MARIADB_PASSWORD_FILE"
    set_password localhost root "$MARIADB_ROOT_PASSWORD_FILE"
    set_password % root "$MARIADB_ROOT_PASSWORD_FILE"
  ) >"$file"
  chown mysql "$file"
  set -- "$@" --init-file="$file"
fi
exec docker-entrypoint.sh mariadbd "$@"
