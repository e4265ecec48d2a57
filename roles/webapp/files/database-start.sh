#!/bin/sh
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Starts PostgreSQL. Its user's password lies in the data, and the secret is what the rest of the application has: before the server listens the first is
# made the second, so that a new secret counts once the database was started with it, whatever was cut off before. Single-user mode asks for no
# password and opens no port: https://www.postgresql.org/docs/current/app-postgres.html#APP-POSTGRES-SINGLE-USER
set -eu

# The password goes through pipes: it stands in no command line, and what fails is not logged with its text. Single-user mode ends well whatever its
# statements say, so the second one tells whether there is such a user at all.
statements() {
  printf 'ALTER ROLE "%s" PASSWORD ' "$(printf %s "$POSTGRES_USER" | sed 's/"/""/g')"
  printf "'%s'\n" "$(sed "s/'/''/g" "$POSTGRES_PASSWORD_FILE")"
  printf "SELECT 'password set' FROM pg_roles WHERE rolname = '%s'\n" "$(printf %s "$POSTGRES_USER" | sed "s/'/''/g")"
}

if [ -s "${PGDATA:=/var/lib/postgresql/data}/PG_VERSION" ]; then
  server="$(command -v postgres) --single -D $PGDATA -c log_min_error_statement=panic -c log_min_messages=fatal"
  said=$(statements | su -s /bin/sh postgres -c "exec $server postgres") || said=
  case $said in
  *'"password set"'*) ;;
  *) echo "database-start: the password of $POSTGRES_USER could not be set; what is in the data stays" >&2 ;;
  esac
fi
exec docker-entrypoint.sh postgres
