# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the shell script that do not depend on settings, third part: Compose, removal, the order of steps. Private."""

from __future__ import annotations

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
  recreate=
  [ "$KEEP_CONTAINERS" = 0 ] || recreate=--no-recreate
  # shellcheck disable=SC2086
  until compose up -d --remove-orphans $recreate; do
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
