# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the shell script that do not depend on settings, first part: messages, files, packages. Private.

POSIX sh, since /bin/sh is dash here and bash there. The variables come from ``script.render``. Every function that can fail
ends the script by ``fail CODE REASON``: the last line of the error output then says why, and the exit status which step it was.
"""

from __future__ import annotations

# Messages, status, files, waiting for the package manager.
BASICS = r"""
STATE=$ROOT/var/lib/dockhost
LOG=$ROOT/var/log/azure/dockhost-docker.log
STATUS=$STATE/docker-status.json
UNIT=$ROOT/etc/systemd/system/dockhost-docker-setup.service
STEP=start
export HOME="$ROOT/root" LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 ZYPP_LOCK_TIMEOUT="$LOCK_SECONDS"
[ -n "$ROOT" ] || PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

quiet() { "$@" >>"$LOG" 2>&1; }

say() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >>"$LOG"; }

status() { # status STATE EXIT_CODE REASON
  reason=$(printf '%s' "$3" | tr '\n\t\r' '   ' | sed 's/\\/\\\\/g; s/"/\\"/g')
  printf '{"state": "%s", "step": "%s", "exit_code": %s, "reason": "%s", "time": "%s"}\n' \
    "$1" "$STEP" "$2" "$reason" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$STATUS.new" && mv -f "$STATUS.new" "$STATUS"
}

step() { STEP=$1; say "step: $1"; status transitioning 0 "$1"; }

fail() { # fail CODE REASON
  say "failed in step $STEP: $2"
  status error "$1" "$2"
  disarm
  printf 'step: %s\nlog: %s\nreason: %s\n' "$STEP" "$LOG" "$2" >&2
  exit "$1"
}

words_of() { tail -n 4 "$1" | tr '\n' ' ' | cut -c 1-600; }

same() { [ -f "$1" ] && [ "$(sha256sum <"$1")" = "$(sha256sum <"$2")" ]; }

put() { # put MODE PATH PAYLOAD: true when the file has changed
  mkdir -p "$(dirname "$2")"
  candidate=$(mktemp "$2.XXXXXX") || fail 20 "no file can be written beside $2"
  payload "$3" >"$candidate" || fail 20 "$2 cannot be written"
  chmod "$1" "$candidate"
  if same "$2" "$candidate"; then chmod "$1" "$2"; rm -f "$candidate"; return 1; fi
  mv -f "$candidate" "$2"
  say "written: $2"
}

# A reboot in the middle: systemd goes on with a copy of this script, which is deleted in the end.
arm() {
  case $0 in "$STATE"/*) return ;; esac
  [ -r "$0" ] || return
  cp "$0" "$STATE/docker-setup.sh" && chmod 0700 "$STATE/docker-setup.sh"
  mkdir -p "$(dirname "$UNIT")"
  cat >"$UNIT" <<UNIT_END
[Unit]
Description=Goes on with the set-up of Docker that a reboot cut off
Wants=network-online.target
After=network-online.target
[Service]
Type=oneshot
ExecStart=/bin/sh $STATE/docker-setup.sh
[Install]
WantedBy=multi-user.target
UNIT_END
  systemctl enable dockhost-docker-setup.service >>"$LOG" 2>&1
}

disarm() {
  [ -e "$UNIT" ] && systemctl disable dockhost-docker-setup.service >>"$LOG" 2>&1
  rm -rf "$UNIT" "$STATE/docker-setup.sh" "$STATE/out" "$STATE/before"
}

BUSY='could not get lock|unable to (acquire|lock)|lock was locked|is locked|locked by another|another (app|instance|process)'
AWAY='temporary failure|could not resolve|failed to fetch|timed out|connection (refused|reset)|curl error|no route to host|unreachable'

patiently() { # patiently COMMAND…: again while the package manager's lock is held, and three times where the network is not up
  deadline=$(($(date +%s) + LOCK_SECONDS)) tries=0
  while :; do
    say "run: $*"
    "$@" >"$STATE/out" 2>&1 </dev/null
    result=$?
    cat "$STATE/out" >>"$LOG"
    [ "$result" -eq 0 ] && return 0
    if grep -Eiq "$BUSY" "$STATE/out"; then
      [ "$(date +%s)" -lt "$deadline" ] || fail 10 "the package manager was locked by somebody else for more than $LOCK_SECONDS seconds"
    else
      tries=$((tries + 1))
      if [ "$tries" -ge 3 ] || ! grep -Eiq "$AWAY" "$STATE/out"; then return "$result"; fi
    fi
    sleep "$PAUSE"
  done
}
"""

PACKAGES = r"""
family_of() { # family_of ID ID_LIKE
  for word in $1 $2; do
    case $word in
      flatcar) echo flatcar; return ;;
      debian | ubuntu) echo apt; return ;;
      azurelinux | mariner) echo tdnf; return ;;
      rhel | centos | fedora | rocky | almalinux | ol) echo dnf; return ;;
      sles | suse | opensuse*) echo zypper; return ;;
    esac
  done
  echo unknown
}

detect() {
  [ -r "$ROOT/etc/os-release" ] || fail 18 "there is no /etc/os-release: which system is this?"
  # shellcheck disable=SC1091
  OS_ID=$(. "$ROOT/etc/os-release" && echo "$ID")
  # shellcheck disable=SC1091
  OS_LIKE=$(. "$ROOT/etc/os-release" && echo "${ID_LIKE:-}")
  # shellcheck disable=SC1091
  OS_VERSION=$(. "$ROOT/etc/os-release" && echo "${VERSION_ID:-}")
  # shellcheck disable=SC1091
  OS_CODENAME=$(. "$ROOT/etc/os-release" && echo "${VERSION_CODENAME:-}")
  FAMILY=$(family_of "$OS_ID" "$OS_LIKE")
  [ "$FAMILY" != unknown ] || fail 18 "Docker is not set up on '$OS_ID': choose Debian, Ubuntu, RHEL or its family, Azure Linux, SUSE or Flatcar"
  say "system: $OS_ID $OS_VERSION ($FAMILY)"
}

have_compose() { docker compose version >/dev/null 2>&1; }

ready() { # everything that is wanted is installed
  command -v dockerd >/dev/null 2>&1 || return 1
  if [ "$COMPOSE" = 1 ]; then have_compose || return 1; fi
  [ -z "$VERSION" ] || [ "$(cat "$STATE/docker-version" 2>/dev/null)" = "$SOURCE $VERSION" ]
}

distribution_packages() { # the engine and the Compose plugin as the distribution calls them
  case $OS_ID:$OS_VERSION in
    debian:12*) [ "$COMPOSE" = 0 ] || fail 11 "Debian 12 has no Compose plugin: set docker_source to docker"; echo docker.io ;;
    debian:*) echo "docker.io docker-cli docker-compose" ;;
    ubuntu:*) echo "docker.io docker-compose-v2" ;;
    azurelinux:*) echo "moby-engine docker-cli docker-compose" ;;
    mariner:*) echo "moby-engine moby-cli docker-compose" ;;
    *) case $FAMILY in
        zypper) echo "docker docker-compose" ;;
        apt) echo docker.io ;;
      esac ;;
  esac
}

docker_packages() {
  case $FAMILY in
    apt) pin=${VERSION:+=5:$VERSION*} ;;
    *) pin=${VERSION:+-$VERSION*} ;;
  esac
  echo "docker-ce$pin docker-ce-cli$pin containerd.io docker-compose-plugin"
}

apt_get() { patiently apt-get -q -y -o "DPkg::Lock::Timeout=$LOCK_SECONDS" -o Dpkg::Options::=--force-confold "$@"; }

fetch() { # fetch URL FILE
  if command -v curl >/dev/null 2>&1; then patiently curl -fsSL --retry 3 -o "$2" "$1"; else patiently wget -q -O "$2" "$1"; fi
}

apt_repository() {
  # Two entries for one repository with different keys are an error for apt: one of somebody else's serves as well.
  if find "$ROOT/etc/apt" -name '*.list' -o -name '*.sources' 2>/dev/null | grep -v '/docker\.sources$' |
    xargs -r grep -sE '^(deb |URIs:)' | grep -qF "$REPOSITORY/linux/$OS_ID"; then
    say "Docker's repository is among apt's sources already"
    return
  fi
  mkdir -p "$ROOT/etc/apt/keyrings" "$ROOT/etc/apt/sources.list.d"
  if ! command -v curl >/dev/null 2>&1 && ! command -v wget >/dev/null 2>&1; then
    if ! { apt_get update && apt_get install --no-install-recommends ca-certificates curl; }; then
      fail 11 "curl cannot be installed: $(words_of "$STATE/out")"
    fi
  fi
  fetch "$REPOSITORY/linux/$OS_ID/gpg" "$ROOT/etc/apt/keyrings/docker.asc" ||
    fail 11 "the key of Docker's repository cannot be read from $REPOSITORY: $(words_of "$STATE/out")"
  chmod 0644 "$ROOT/etc/apt/keyrings/docker.asc"
  printf 'Types: deb\nURIs: %s/linux/%s\nSuites: %s\nComponents: stable\nSigned-By: /etc/apt/keyrings/docker.asc\n' \
    "$REPOSITORY" "$OS_ID" "$OS_CODENAME" >"$ROOT/etc/apt/sources.list.d/docker.sources"
}

rpm_repository() {
  case $OS_ID in rhel | fedora) name=$OS_ID ;; *) name=centos ;; esac
  mkdir -p "$ROOT/etc/yum.repos.d"
  # shellcheck disable=SC2016
  printf '[docker-ce-stable]\nname=Docker CE Stable\nenabled=1\ngpgcheck=1\nbaseurl=%s/$releasever/$basearch/stable\ngpgkey=%s/gpg\n' \
    "$REPOSITORY/linux/$name" "$REPOSITORY/linux/$name" >"$ROOT/etc/yum.repos.d/docker-ce.repo"
}

install_packages() { # install_packages PACKAGE…
  case $FAMILY in
    apt)
      patiently dpkg --configure -a || fail 11 "dpkg cannot finish an earlier installation: $(words_of "$STATE/out")"
      apt_get update || fail 11 "the package lists cannot be read: $(words_of "$STATE/out")"
      apt_get install --no-install-recommends --allow-change-held-packages --allow-downgrades "$@"
      ;;
    dnf) patiently dnf -q -y install "$@" ;;
    tdnf) patiently tdnf -q -y install "$@" ;;
    zypper) patiently zypper -q --non-interactive --gpg-auto-import-keys install --no-recommends "$@" ;;
  esac || fail 11 "the packages $* cannot be installed: $(words_of "$STATE/out")"
}

lock_version() { dnf -q versionlock add docker-ce docker-ce-cli >>"$LOG" 2>&1; }

hold() { # the pinned version stays until another one is asked for
  if [ "$FAMILY" = apt ]; then apt-mark hold docker-ce docker-ce-cli >>"$LOG" 2>&1; return; fi
  # With dnf 4 it is a plugin, which the images do not have.
  lock_version || { patiently dnf -q -y install 'dnf-command(versionlock)' && lock_version; } ||
    fail 11 "the version cannot be locked: dnf has no versionlock: $(words_of "$STATE/out")"
}

flatcar_compose() { # Docker is part of Flatcar, /usr is read-only, and Compose is a plugin of root
  target=$HOME/.docker/cli-plugins/docker-compose
  case $(uname -m) in aarch64 | arm64) machine=aarch64 ;; *) machine=x86_64 ;; esac
  name=docker-compose-linux-$machine
  mkdir -p "$(dirname "$target")" "$STATE/download"
  if ! { fetch "$COMPOSE_URL/$name" "$STATE/download/$name" && fetch "$COMPOSE_URL/$name.sha256" "$STATE/download/$name.sha256"; }; then
    fail 11 "the Compose plugin cannot be read from $COMPOSE_URL: $(words_of "$STATE/out")"
  fi
  (cd "$STATE/download" && sha256sum -c "$name.sha256") >>"$LOG" 2>&1 || fail 11 "the Compose plugin from $COMPOSE_URL has another checksum"
  mv -f "$STATE/download/$name" "$target" && chmod 0755 "$target"
}

install_docker() {
  if ready; then say "Docker is installed"; return; fi
  # Docker has no packages for these: https://docs.docker.com/engine/install/
  case $FAMILY in
    tdnf | zypper | flatcar) [ -z "$VERSION" ] || fail 11 "'$OS_ID' has one version of Docker only, its own: leave docker_version out" ;;
  esac
  if [ "$FAMILY" = flatcar ]; then
    command -v dockerd >/dev/null 2>&1 || fail 11 "this Flatcar has no Docker: use an image with it"
    flatcar_compose
    return
  fi
  source=$SOURCE
  case $FAMILY in dnf) source=docker ;; tdnf | zypper) source=distribution ;; esac
  # A host that has Docker's own packages keeps them, only what is missing is added.
  if [ "$FAMILY" = apt ] && dpkg-query -W -f '${db:Status-Status}' docker-ce 2>/dev/null | grep -q '^installed'; then source=docker; fi
  say "packages from: $source"
  fresh=0
  command -v dockerd >/dev/null 2>&1 || fresh=1
  # The engine starts when its configuration is complete, and not before.
  if [ "$fresh" = 1 ]; then systemctl mask --runtime docker.service docker.socket >>"$LOG" 2>&1; fi
  if [ "$source" = docker ]; then
    if [ "$FAMILY" = apt ]; then apt_repository; else rpm_repository; fi
    packages=$(docker_packages)
  else
    packages=$(distribution_packages) || exit $?
  fi
  # shellcheck disable=SC2086
  install_packages $packages
  if [ "$fresh" = 1 ]; then systemctl unmask --runtime docker.service docker.socket >>"$LOG" 2>&1; fi
  if [ "$source" = docker ] && [ -n "$VERSION" ]; then hold; echo "$SOURCE $VERSION" >"$STATE/docker-version"; fi
}
"""
