# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the shell script that do not depend on settings, second part: the engine and the login. Private."""

from __future__ import annotations

ENGINE = r"""
DAEMON=$ROOT/etc/docker/daemon.json
MARK=$STATE/daemon.json.sha256
DROPIN=$ROOT/etc/systemd/system/docker.service.d/50-dockhost-extension.conf

ours() { # daemon.json is what an earlier run of this has written
  [ -f "$MARK" ] && [ "$(sha256sum <"$DAEMON")" = "$(cat "$MARK")" ]
}

OWN_FILES="$DAEMON $MARK $DROPIN $ROOT/etc/docker/ca.pem $ROOT/etc/docker/cert.pem $ROOT/etc/docker/key.pem"

remember() { # what an engine that runs was started with
  rm -rf "$STATE/before"
  systemctl is-active --quiet docker.service || return
  mkdir -p "$STATE/before" && chmod 0700 "$STATE/before"
  for file in $OWN_FILES; do if [ -f "$file" ]; then cp -p "$file" "$STATE/before/${file##*/}"; fi; done
}

go_back() {
  for file in $OWN_FILES; do
    if [ -f "$STATE/before/${file##*/}" ]; then cp -p "$STATE/before/${file##*/}" "$file"; else rm -f "$file"; fi
  done
}

certificates() {
  if [ "$CERTIFICATES" = keep ]; then
    for name in ca.pem cert.pem key.pem; do
      [ -s "$ROOT/etc/docker/$name" ] || fail 12 "keep_certificates is set and /etc/docker/$name is missing: give certificates, or leave the port out"
    done
    return
  fi
  [ "$CERTIFICATES" = 1 ] || return 0
  for name in ca.pem cert.pem key.pem; do
    if put 0600 "$ROOT/etc/docker/$name" "$name"; then changed=1; fi
  done
}

daemon_options() {
  new=$STATE/daemon.json.new
  payload daemon.json >"$new"
  if [ ! -s "$new" ]; then
    rm -f "$new"
    if [ -f "$DAEMON" ] && ours; then rm -f "$DAEMON" "$MARK"; changed=1; fi
    return
  fi
  if same "$DAEMON" "$new"; then sha256sum <"$new" >"$MARK"; rm -f "$new"; return; fi
  if [ -f "$DAEMON" ] && ! ours; then
    rm -f "$new"
    fail 12 "/etc/docker/daemon.json was written by somebody else: give its settings as docker.options and move the file away"
  fi
  if dockerd --help 2>/dev/null | grep -q -e --validate && ! dockerd --validate --config-file "$new" >"$STATE/out" 2>&1; then
    rm -f "$new"
    cat "$STATE/out" >>"$LOG"
    fail 12 "the engine refuses docker.options: $(words_of "$STATE/out")"
  fi
  mkdir -p "$(dirname "$DAEMON")"
  chmod 0644 "$new" && mv -f "$new" "$DAEMON" && sha256sum <"$DAEMON" >"$MARK"
  changed=1
}

# The old extension wrote its options into the packaged unit; what packages write there has no '=' after -H.
start_line() { # the command line of the packaged unit
  unit=$(systemctl show -p FragmentPath docker.service | cut -d= -f2-)
  start=$(sed -n 's/^ExecStart=//p' "$ROOT$unit" 2>/dev/null | head -n 1)
  foreign=0
  case $start in
    *' -H=fd://'*)
      foreign=1
      start="$(command -v dockerd) -H fd://"
      [ ! -S "$ROOT/run/containerd/containerd.sock" ] || start="$start --containerd=/run/containerd/containerd.sock"
      ;;
  esac
}

listen() { # the engine's addresses beside its socket: on its command line, where the unit has the socket already
  start_line
  if [ -z "$ADDRESSES" ] && [ "$foreign" = 0 ]; then
    if [ -f "$DROPIN" ]; then rm -f "$DROPIN"; changed=1; fi
    return
  fi
  [ -n "$start" ] || start="$(command -v dockerd) -H unix:///var/run/docker.sock"
  case $start in *' -H'* | *' --host'*) ;; *) start="$start -H unix:///var/run/docker.sock" ;; esac
  for address in $ADDRESSES; do start="$start -H $address"; done
  mkdir -p "$(dirname "$DROPIN")"
  printf '[Service]\nExecStart=\nExecStart=%s\n' "$start" >"$STATE/dropin"
  if same "$DROPIN" "$STATE/dropin"; then rm -f "$STATE/dropin"; else mv -f "$STATE/dropin" "$DROPIN"; changed=1; fi
}

engine_words() {
  journalctl -u docker.service -n 30 -o cat --no-pager 2>/dev/null |
    grep -E 'failed to start|level=(fatal|error)|unable to|invalid' | tail -n 1 | cut -c 1-500
}

start_engine() {
  quiet systemctl daemon-reload
  quiet systemctl enable docker.service
  # A unit that failed a moment ago may be started at once.
  quiet systemctl reset-failed docker.service docker.socket
  if [ "$changed" = 1 ]; then quiet systemctl restart docker.service; else quiet systemctl start docker.service; fi
  waited=0
  until docker version >"$STATE/out" 2>&1; do
    waited=$((waited + 1))
    if [ "$waited" -ge 60 ] || systemctl is-failed --quiet docker.service; then return 1; fi
    sleep 1
  done
}

# Containers run on without their engine only if it was told so before it stops.
live_restore() {
  [ "$KEEP_CONTAINERS" = 1 ] && systemctl is-active --quiet docker.service || return 0
  [ "$(docker info -f '{{.LiveRestoreEnabled}}' 2>/dev/null)" != true ] || return 0
  if dpkg-query -W -f '${db:Status-Status}' docker-engine 2>/dev/null | grep -q '^installed'; then
    fail 11 "this host has the package docker-engine of 2017, which the old extension purges when it goes: install docker-ce in its place first"
  fi
  if [ ! -f "$DAEMON" ]; then
    mkdir -p "$(dirname "$DAEMON")" && echo '{"live-restore": true}' >"$DAEMON"
  elif ours; then
    payload daemon.json >"$DAEMON"
    changed=1
  else
    fail 12 "/etc/docker/daemon.json was written by somebody else: set live-restore to true in it, reload the engine, and run again"
  fi
  sha256sum <"$DAEMON" >"$MARK"
  quiet systemctl reload docker.service
  waited=0
  until [ "$(docker info -f '{{.LiveRestoreEnabled}}' 2>/dev/null)" = true ]; do
    waited=$((waited + 1))
    [ "$waited" -lt 20 ] || fail 12 "the engine does not take live-restore, without which its restart ends the containers (is it in a swarm?)"
    sleep 1
  done
}

engine() {
  changed=0
  live_restore
  remember
  certificates
  daemon_options
  listen
  start_engine && return
  why=$(engine_words)
  if [ -d "$STATE/before" ]; then
    go_back
    changed=1
    start_engine &&
      fail 13 "the engine does not start with these options and certificates (${why:-see journalctl -u docker}); the old ones are back and it runs again"
  fi
  fail 13 "the engine does not start: ${why:-see journalctl -u docker}"
}

user() {
  [ -n "$DOCKER_USER" ] && id "$DOCKER_USER" >/dev/null 2>&1 || return 0
  case " $(id -nG "$DOCKER_USER") " in *" docker "*) ;; *) usermod -aG docker "$DOCKER_USER" >>"$LOG" 2>&1 ;; esac
}

login() {
  [ -n "$LOGIN_USER" ] || return 0
  tries=0
  # shellcheck disable=SC2086
  until payload password | docker login --username "$LOGIN_USER" --password-stdin ${LOGIN_SERVER:+"$LOGIN_SERVER"} >"$STATE/out" 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 3 ] || ! grep -Eiq "$AWAY" "$STATE/out"; then
      fail 14 "the registry ${LOGIN_SERVER:-Docker Hub} refuses the login: $(grep -v WARNING "$STATE/out" | tail -n 2 | tr '\n' ' ')"
    fi
    sleep "$PAUSE"
  done
  say "signed in to ${LOGIN_SERVER:-Docker Hub}"
}
"""
