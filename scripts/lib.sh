# shellcheck shell=bash
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the scripts share: where things are, and how they speak.

# Where the repository is, its Python environment, and everything that is made while it is tried.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034
VENV=$ROOT/.venv
# shellcheck disable=SC2034
WORK=$ROOT/.work
STARTED=$SECONDS

# A line of progress: seconds since the script began, then what happens now.
say() { printf '[%4d s] %s\n' "$((SECONDS - STARTED))" "$*"; }

# One sentence that says what is wrong and what to do, then the end.
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Run a long command with its output in a log; show every 15 seconds that it is alive, and on failure the log's end.
quietly() {
  local what=$1 log=$2 pid begun=$SECONDS tick=0
  shift 2
  mkdir -p "$(dirname "$log")"
  say "$what"
  "$@" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.3
    tick=$((tick + 1))
    if [ $((tick % 50)) -eq 0 ]; then
      say "  … still at it after $((SECONDS - begun)) s: $(tail -n 1 "$log" | cut -c 1-100)"
    fi
  done
  if ! wait "$pid"; then
    tail -n 25 "$log" >&2
    die "$what: failed; the whole output is in $log"
  fi
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# Debian, Ubuntu and what calls itself like them.
is_debian_like() {
  [ -r /etc/os-release ] || return 1
  # shellcheck disable=SC1091
  (. /etc/os-release; case " ${ID:-} ${ID_LIKE:-} " in *" debian "* | *" ubuntu "*) exit 0 ;; *) exit 1 ;; esac)
}

engine_answers() { command -v docker >/dev/null && docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Whether these scripts may install Debian packages and start a service.
may_install() { is_root && is_debian_like; }

# Let Ansible find the collection of this work tree: .work/dev/ansible_collections/dockhost/azure (git ignores .work).
link_collection() {
  mkdir -p "$WORK/dev/ansible_collections/dockhost"
  [ -L "$WORK/dev/ansible_collections/dockhost/azure" ] || ln -s ../../../.. "$WORK/dev/ansible_collections/dockhost/azure"
}
