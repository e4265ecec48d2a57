# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the shell script that do not depend on settings, second half: engine, login, Compose, removal. Private."""

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

listen() { # the engine's addresses beside its socket: on its command line, where the unit has the socket already
  if [ -z "$ADDRESSES" ]; then
    if [ -f "$DROPIN" ]; then rm -f "$DROPIN"; changed=1; fi
    return
  fi
  unit=$(systemctl show -p FragmentPath docker.service | cut -d= -f2-)
  start=$(sed -n 's/^ExecStart=//p' "$ROOT$unit" 2>/dev/null | head -n 1)
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

engine() {
  changed=0
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

COMPOSE = r"""
PROJECT=$ROOT/etc/docker/compose
FILE=$PROJECT/docker-compose.yml

# What a tool says must not carry the values that came as secrets into Azure's status.
mask() {
  awk 'BEGIN { n = split(ENVIRON["SECRET_NAMES"], names, " ") }
    { line = $0
      for (i = 1; i <= n; i++) { value = ENVIRON[names[i]]; if (length(value) < 4) continue
        while (p = index(line, value)) line = substr(line, 1, p - 1) "********" substr(line, p + length(value)) }
      print line }'
}

compose() ( # compose ARGUMENT…: in an environment of its own, which has the variables for the file
  export SECRET_NAMES
  set -a
  # shellcheck disable=SC1091
  . "$PROJECT/environment"
  set +a
  docker compose -p compose -f "$FILE" "$@" >"$STATE/out.raw" 2>&1 </dev/null
  result=$?
  mask <"$STATE/out.raw" >"$STATE/out"
  rm -f "$STATE/out.raw"
  cat "$STATE/out" >>"$LOG"
  exit "$result"
)

containers() { docker ps -aq --no-trunc --filter label=com.docker.compose.project=compose; }

# One line a container: name, state, health, exit code, restarts.
FORMAT='{{.Name}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.State.ExitCode}} {{.RestartCount}}'
states() {
  # shellcheck disable=SC2046
  docker inspect -f "$FORMAT" $(containers) 2>/dev/null | sed 's,^/,,'
}

verdict() { # what is wrong for good, or what is still awaited; nothing when all is well
  states | while read -r name state health code restarts; do
    case $state:$health in
      running:none | running:healthy) [ "$restarts" -lt 3 ] || echo "bad container $name has restarted $restarts times" ;;
      running:unhealthy) echo "bad container $name is unhealthy" ;;
      running:*) echo "wait container $name is $health" ;;
      exited:*) [ "$code" = 0 ] || echo "bad container $name has ended with exit code $code" ;;
      dead:*) echo "bad container $name is dead" ;;
      restarting:*)
        if [ "$restarts" -ge 3 ]; then echo "bad container $name ends again and again, last with exit code $code"; else
          echo "wait container $name is restarting"
        fi
        ;;
      *) echo "wait container $name is $state" ;;
    esac
  done
}

healthy() {
  deadline=$(($(date +%s) + HEALTH_SECONDS)) good=0
  while :; do
    found=$(verdict)
    bad=$(printf '%s\n' "$found" | sed -n 's/^bad //p')
    if [ -n "$bad" ]; then sick "$(printf '%s' "$bad" | tr '\n' ';')"; fi
    if [ -z "$found" ] && [ -n "$(containers)" ]; then good=$((good + 1)); else good=0; fi
    [ "$good" -lt 3 ] || return 0
    [ "$(date +%s)" -lt "$deadline" ] || sick "after $HEALTH_SECONDS seconds $(printf '%s' "$found" | sed 's/^wait //' | tr '\n' ';')"
    sleep 1
  done
}

sick() { # their own words may hold secrets: they go to the log on the host, which only root reads
  for id in $(containers); do
    say "last lines of $(docker inspect -f '{{.Name}}' "$id"):"
    docker logs --tail 20 "$id" >>"$LOG" 2>&1
  done
  fail 17 "$1 (docker logs, or the end of $LOG, tells more)"
}

project() {
  [ "$COMPOSE" = 1 ] || return 0
  mkdir -p "$PROJECT" && chmod 0700 "$PROJECT"
  put 0600 "$FILE" docker-compose.yml
  put 0600 "$PROJECT/environment" environment
  compose config -q || fail 15 "the compose file has an error: $(words_of "$STATE/out")"
  step "compose up"
  tries=0
  until compose up -d --remove-orphans; do
    tries=$((tries + 1))
    if [ "$tries" -ge 3 ] || ! grep -Eiq "$AWAY" "$STATE/out"; then fail 16 "docker compose up failed: $(words_of "$STATE/out")"; fi
    sleep "$PAUSE"
  done
  step "wait for the containers"
  healthy
}
"""

REMOVE = r"""
remove_docker() { # images and volumes in /var/lib/docker stay
  if [ -f "$FILE" ] && have_compose; then compose down --remove-orphans || say "docker compose down failed"; fi
  systemctl disable --now docker.socket docker.service >>"$LOG" 2>&1
  names="docker.io docker-cli docker-compose docker-compose-v2 docker-ce docker-ce-cli containerd.io docker-compose-plugin moby-engine docker"
  there=
  for name in $names; do
    case $FAMILY in
      apt) dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -q '^installed' && there="$there $name" ;;
      dnf | tdnf | zypper) rpm -q "$name" >/dev/null 2>&1 && there="$there $name" ;;
    esac
  done
  # shellcheck disable=SC2086
  if [ -n "$there" ]; then
    case $FAMILY in
      apt) apt-mark unhold $there >>"$LOG" 2>&1; apt_get remove $there ;;
      dnf) patiently dnf -q -y remove $there ;;
      tdnf) patiently tdnf -q -y remove $there ;;
      zypper) patiently zypper -q --non-interactive remove $there ;;
    esac || fail 11 "the packages$there cannot be removed: $(words_of "$STATE/out")"
  fi
  rm -rf "$PROJECT" "$DROPIN" "$ROOT/etc/docker/ca.pem" "$ROOT/etc/docker/cert.pem" "$ROOT/etc/docker/key.pem" "$HOME/.docker/config.json"
  if [ -f "$DAEMON" ] && ours; then rm -f "$DAEMON"; fi
  rm -f "$MARK" "$STATE/docker-version"
  systemctl daemon-reload >>"$LOG" 2>&1
}
"""

MAIN = r"""
main() {
  mkdir -p "$STATE" "$(dirname "$LOG")" && chmod 0700 "$STATE"
  touch "$LOG" && chmod 0600 "$LOG"
  [ -n "$ROOT" ] || [ "$(id -u)" = 0 ] || fail 19 "this has to run as root"
  exec 9>"$STATE/lock"
  flock -w "$LOCK_SECONDS" 9 || fail 10 "another run of this script has not ended for $LOCK_SECONDS seconds"
  say "begin ($MODE)"
  arm
  step "look at the system"
  detect
  if [ "$MODE" = remove ]; then step "remove Docker"; remove_docker; else
    step "install Docker"
    install_docker
    step "configure the engine"
    engine
    user
    step "sign in to the registry"
    login
    step "check the compose file"
    project
  fi
  STEP=finished
  status success 0 "done"
  disarm
  say "end"
  echo "done; log: $LOG"
}

main
"""
