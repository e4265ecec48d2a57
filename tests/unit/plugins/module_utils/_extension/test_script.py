# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script as text (shellcheck), and run with stand-ins for package managers, systemd and Docker of other distributions."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._extension import script
from ansible_collections.dockhost.azure.plugins.module_utils._extension.docker_settings import DockerSettings

PEM = {"ca": "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n", "cert": "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n",
       "key": "-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n"}  # fmt: skip
FULL = ({"docker": {"port": "2376", "options": ["-D", "--dns=8.8.8.8"]}, "compose": {"web": {"image": "web"}}, "compose-environment": {"A": "it's $HOME"}},
        {"environment": {"B": "very-hidden"}, "certs": PEM, "login": {"server": "r.example:5000", "username": "u", "password": "pass-word"}})  # fmt: skip
PLAIN = ({"compose": {"web": {"image": "web"}}}, {})
TOOLS = ("sh", "awk", "base64", "cat", "chmod", "cp", "cut", "date", "dirname", "env", "flock", "grep", "head", "id", "mkdir", "mktemp", "mv", "rm", "sed",
         "sha256sum", "tail", "touch", "tr", "uname")  # fmt: skip

# What a package manager leaves behind.
DOCKER = """case "$*" in
  version) echo 99 ;;
  "ps -aq"*) echo id ;;
  inspect*) echo "/compose-web-1 running none 0 0" ;;
  login*) cat ;;
esac
"""
MANAGER = """mkdir -p "$ROOTDIR/seen"
case "$*" in *install*)
  if [ -e "$ROOTDIR/reboot" ]; then rm "$ROOTDIR/reboot"; kill -9 $PPID; exit 1; fi
  if [ -e "$ROOTDIR/locked" ]; then rm "$ROOTDIR/locked"; echo 'Another app is currently holding the yum lock' >&2; exit 1; fi
  if [ -e "$ROOTDIR/lock-stays" ]; then echo 'System management is locked by the application with pid 7' >&2; exit 7; fi
  if [ -e "$ROOTDIR/no-network" ]; then echo x >>"$ROOTDIR/seen/tries"; echo 'Curl error (6): Could not resolve hostname' >&2; exit 1; fi
  cp "$ROOTDIR/later/docker" "$ROOTDIR/later/dockerd" "$ROOTDIR/bin/"
esac
"""


def render(given=FULL, **more):
    return script.render(DockerSettings.read(*given), script.Choices(user="azureuser", **more))


@pytest.mark.parametrize("given", [FULL, PLAIN, ({}, {})])
@pytest.mark.parametrize("mode", ["install", "remove"])
def test_shellcheck_is_content(given, mode, tmp_path):
    path = tmp_path / "script.sh"
    path.write_text(render(given, mode=mode))
    done = subprocess.run([str(pathlib.Path(sys.executable).parent / "shellcheck"), "-s", "sh", str(path)], capture_output=True, text=True, check=False)
    assert done.stdout == "" and done.returncode == 0


def test_secrets_are_not_readable_in_the_script_and_the_same_settings_give_the_same_script():
    text = render()
    assert text == render() and script.packed(text) == script.packed(render())
    for secret in ("very-hidden", "pass-word", "PRIVATE KEY"):
        assert secret not in text


def test_a_script_that_is_too_large_is_refused():
    with pytest.raises(InputError, match="CustomScript takes 262144"):
        render(({"compose": {"services": {"web": {"image": "x" * 300000}}}}, {}))


class System:
    """A directory that the script takes for the root of a system, and a PATH with nothing but stand-ins and plain tools."""

    def __init__(self, root, os_release, managers):
        self.root, self.log = root, root / "commands"
        for name in ("bin", "later", "etc", "root"):
            (root / name).mkdir()
        (root / "etc/os-release").write_text(os_release)
        for tool in TOOLS:
            (root / "bin" / tool).symlink_to(shutil.which(tool))
        for name in managers:
            self.stand_in("bin/" + name, MANAGER)
        for name in ("systemctl", "journalctl", "usermod"):
            self.stand_in("bin/" + name, "case $1 in is-failed) exit 1 ;; esac\n")
        (root / "bin/sleep").write_text("#!/bin/sh\nexec {0} 0.02\n".format(shutil.which("sleep")))
        (root / "bin/sleep").chmod(0o755)
        self.stand_in("later/docker", DOCKER)
        self.stand_in("later/dockerd", "")

    def stand_in(self, name, text):
        path = self.root / name
        path.write_text("#!/bin/sh\necho \"{0} $*\" >>{1}\n{2}".format(path.name, self.log, text))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self, given=FULL, **more):
        path = self.root / "script.sh"
        path.write_text(render(given, root=str(self.root), pause=0, **more))
        return self.start(path)

    def start(self, path):
        environment = {"PATH": str(self.root / "bin"), "ROOTDIR": str(self.root)}
        return subprocess.run(["/bin/sh", str(path)], env=environment, capture_output=True, text=True, timeout=60, check=False)

    def commands(self):
        return self.log.read_text()

    def status(self):
        return json.loads((self.root / "var/lib/dockhost/docker-status.json").read_text())


@pytest.mark.parametrize("os_release, manager, options, command, repository", [
    ("ID=rhel\nVERSION_ID=9.4\nID_LIKE=fedora\n", "dnf", {}, "dnf -q -y install docker-ce docker-ce-cli containerd.io docker-compose-plugin",
     "etc/yum.repos.d/docker-ce.repo"),
    ("ID=rocky\nVERSION_ID=9.4\nID_LIKE=\"rhel centos fedora\"\n", "dnf", {"source": "docker", "version": "27.5"},
     "dnf -q -y install docker-ce-27.5* docker-ce-cli-27.5* containerd.io docker-compose-plugin", "etc/yum.repos.d/docker-ce.repo"),
    ("ID=azurelinux\nVERSION_ID=3.0\n", "tdnf", {}, "tdnf -q -y install moby-engine docker-cli docker-compose", None),
    ("ID=sles\nVERSION_ID=15.6\nID_LIKE=suse\n", "zypper", {}, "install --no-recommends docker docker-compose", None),
    ("ID=sles\nVERSION_ID=15.6\nID_LIKE=suse\n", "zypper", {"source": "docker"}, "install --no-recommends docker docker-compose", None),
    ("ID=mariner\nVERSION_ID=2.0\n", "tdnf", {}, "tdnf -q -y install moby-engine moby-cli docker-compose", None),
    ("ID=ubuntu\nVERSION_ID=24.04\nID_LIKE=debian\n", "apt-get", {}, "install --no-install-recommends --allow-change-held-packages "
     "--allow-downgrades docker.io docker-compose-v2", None),
])  # fmt: skip
def test_other_distributions_with_stand_ins(tmp_path, os_release, manager, options, command, repository):
    system = System(tmp_path, os_release, [manager, "dpkg", "apt-mark"])
    (tmp_path / "locked").touch()
    done = system.run(**options)
    assert done.returncode == 0, done.stderr + (tmp_path / "var/log/azure/dockhost-docker.log").read_text()
    commands = system.commands()
    assert commands.count(command) == 2, commands  # the first time the lock was held
    assert repository is None or "https://download.docker.com/linux/" in (tmp_path / repository).read_text()
    assert ("versionlock add" in commands) == ("version" in options)
    assert system.status()["state"] == "success" and not list((tmp_path / "var/lib/dockhost").glob("docker-setup*"))
    for path, mode in (("etc/docker/key.pem", 0o600), ("etc/docker/compose/docker-compose.yml", 0o600), ("etc/docker/compose/environment", 0o600)):
        assert stat.S_IMODE((tmp_path / path).stat().st_mode) == mode
    assert "-H tcp://0.0.0.0:2376" in (tmp_path / "etc/systemd/system/docker.service.d/50-dockhost-extension.conf").read_text()
    assert json.loads((tmp_path / "etc/docker/daemon.json").read_text())["tlsverify"] is True
    assert "docker login --username u --password-stdin r.example:5000" in commands and "pass-word" not in commands
    assert stat.S_IMODE((tmp_path / "var/log/azure/dockhost-docker.log").stat().st_mode) == 0o600


def test_a_second_run_installs_nothing_and_does_not_restart_the_engine(tmp_path):
    system = System(tmp_path, "ID=sles\nVERSION_ID=15.6\n", ["zypper"])
    assert system.run().returncode == 0
    assert "systemctl restart docker.service" in system.commands()
    system.log.write_text("")
    assert system.run().returncode == 0
    assert "zypper" not in system.commands() and "restart" not in system.commands()


def test_a_reboot_in_the_middle_is_survived(tmp_path):
    system = System(tmp_path, "ID=sles\nVERSION_ID=15.6\n", ["zypper"])
    (tmp_path / "reboot").touch()
    assert system.run().returncode == -9
    copy, unit = tmp_path / "var/lib/dockhost/docker-setup.sh", tmp_path / "etc/systemd/system/dockhost-docker-setup.service"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700 and "ExecStart=/bin/sh {0}\n".format(copy) in unit.read_text()
    assert "systemctl enable dockhost-docker-setup.service" in system.commands() and system.status()["state"] == "transitioning"
    done = system.start(copy)  # as systemd does at the next boot
    assert done.returncode == 0, done.stderr
    assert system.status()["state"] == "success" and not copy.exists() and not unit.exists()
    assert "systemctl disable dockhost-docker-setup.service" in system.commands()


def test_an_engine_that_does_not_start_gets_its_old_options_and_certificates_back(tmp_path):
    system = System(tmp_path, "ID=sles\nVERSION_ID=15.6\n", ["zypper"])
    assert system.run().returncode == 0
    paths = ["etc/docker/key.pem", "etc/docker/cert.pem", "etc/docker/daemon.json", "etc/systemd/system/docker.service.d/50-dockhost-extension.conf"]
    before = [(tmp_path / path).read_text() for path in paths]
    system.stand_in("bin/docker", 'case "$*" in version) ! grep -q BROKEN "$ROOTDIR/etc/docker/cert.pem" || exit 1 ;; esac\n' + DOCKER)
    broken = ({"docker": {"port": "2377", "options": ["--mtu=1400"]}}, {"certs": dict(PEM, cert=PEM["cert"].replace("YWJj", "BROKEN"))})
    done = system.run(broken)
    assert done.returncode == 13 and "the old ones are back and it runs again" in done.stderr, done.stderr
    assert [(tmp_path / path).read_text() for path in paths] == before
    assert not (tmp_path / "var/lib/dockhost/before").exists()


def test_a_host_of_the_old_extension_is_taken_over_without_an_end_of_its_containers(tmp_path):
    system = System(tmp_path, "ID=sles\nVERSION_ID=15.6\n", ["zypper", "dpkg-query"])
    assert system.run().returncode == 0  # Docker is there
    for path in ("etc/docker/daemon.json", "var/lib/dockhost/daemon.json.sha256", "etc/systemd/system/docker.service.d/50-dockhost-extension.conf"):
        (tmp_path / path).unlink()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/docker.service").write_text("[Service]\nExecStart=/usr/bin/dockerd -H=fd:// --tlsverify -H=0.0.0.0:2376 -D\n")
    system.stand_in("bin/systemctl", 'case $1 in is-failed) exit 1 ;; show) echo FragmentPath=/lib/docker.service ;; reload) touch "$ROOTDIR/live" ;; esac\n')
    system.stand_in("bin/docker", 'case "$*" in info*) [ -e "$ROOTDIR/live" ] && echo true || echo false ;; esac\n' + DOCKER)
    old = ({"docker": {"port": "2376", "options": ["-D"]}, "compose": {"web": {"image": "web"}}}, {})
    system.log.write_text("")
    kept = {"keep_containers": True, "keep_certificates": True}
    done = system.run(old, **kept)
    assert done.returncode == 0, done.stderr
    commands = system.commands()
    assert commands.index("systemctl reload docker.service") < commands.index("systemctl restart docker.service")
    assert "up -d --remove-orphans --no-recreate" in commands
    dropin = (tmp_path / "etc/systemd/system/docker.service.d/50-dockhost-extension.conf").read_text()
    assert dropin == "[Service]\nExecStart=\nExecStart={0}/bin/dockerd -H fd:// -H tcp://0.0.0.0:2376\n".format(tmp_path)
    assert json.loads((tmp_path / "etc/docker/daemon.json").read_text())["live-restore"] is True
    system.log.write_text("")
    assert system.run(old, **kept).returncode == 0 and "restart docker" not in system.commands()
    (tmp_path / "etc/docker/key.pem").unlink()
    done = system.run(old, **kept)
    assert done.returncode == 12 and "/etc/docker/key.pem is missing" in done.stderr


@pytest.mark.parametrize("case, words", [
    ("swarm", "the engine does not take live-restore"), ("foreign", "set live-restore to true in it"), ("2017", "has the package docker-engine of 2017"),
])  # fmt: skip
def test_containers_that_cannot_be_kept(tmp_path, case, words):
    system = System(tmp_path, "ID=sles\nVERSION_ID=15.6\n", ["zypper"])
    assert system.run(PLAIN).returncode == 0
    system.stand_in("bin/dpkg-query", "echo installed\n" if case == "2017" else "exit 1\n")
    if case == "foreign":
        (tmp_path / "etc/docker/daemon.json").write_text("{}\n")
    system.log.write_text("")
    done = system.run(PLAIN, keep_containers=True)
    assert done.returncode in (11, 12) and words in done.stderr and "restart docker" not in system.commands(), done.stderr


def test_flatcar_gets_the_compose_plugin_with_its_checksum(tmp_path):
    system = System(tmp_path, "ID=flatcar\nID_LIKE=coreos\nVERSION_ID=4081\n", [])
    system.stand_in("bin/dockerd", "")
    system.stand_in("bin/docker", DOCKER + 'case "$*" in "compose version") test -x "$ROOTDIR/root/.docker/cli-plugins/docker-compose" ;; esac\n')
    fetched = 'name=$(basename "$6")\ncase $name in\n *.sha256) printf "%s  %s\\n" "$SUM" "${name%.sha256}" >"$5" ;;\n *) printf plugin >"$5" ;;\nesac\n'
    for tool in ("basename",):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    good = subprocess.run(["sha256sum"], input="plugin", capture_output=True, text=True, check=True).stdout.split()[0]
    system.stand_in("bin/curl", "SUM={0}\n".format("0" * 64) + fetched)
    done = system.run(PLAIN)
    assert done.returncode == 11 and "has another checksum" in done.stderr, done.stderr
    system.stand_in("bin/curl", "SUM={0}\n".format(good) + fetched)
    done = system.run(PLAIN)
    assert done.returncode == 0, done.stderr
    assert os.access(tmp_path / "root/.docker/cli-plugins/docker-compose", os.X_OK)


@pytest.mark.parametrize("trouble, code, words", [
    ("lock-stays", 10, "the package manager was locked by somebody else for more than 1 seconds"),
    ("no-network", 11, "cannot be installed: Curl error (6): Could not resolve hostname"),
])  # fmt: skip
def test_what_stops_an_installation_is_told(tmp_path, trouble, code, words):
    system = System(tmp_path, "ID=almalinux\nVERSION_ID=9\nID_LIKE=\"rhel\"\n", ["dnf"])
    (tmp_path / trouble).touch()
    done = system.run(lock_seconds=1)
    assert done.returncode == code and words in done.stderr.splitlines()[-1], done.stderr
    assert system.status()["exit_code"] == code and words in system.status()["reason"]
    if trouble == "no-network":
        assert (tmp_path / "seen/tries").read_text().count("x") == 3


@pytest.mark.parametrize("os_release, words", [
    ("ID=haiku\n", "Docker is not set up on 'haiku'"), ("ID=debian\nVERSION_ID=12\n", "Debian 12 has no Compose plugin: set docker_source to docker"),
])  # fmt: skip
def test_systems_without_a_way(tmp_path, os_release, words):
    done = System(tmp_path, os_release, ["apt-get", "dpkg"]).run(PLAIN)
    assert done.returncode in (11, 18) and words in done.stderr, done.stderr


@pytest.mark.parametrize("os_release, manager", [("ID=azurelinux\n", "tdnf"), ("ID=sles\n", "zypper"), ("ID=flatcar\n", "tdnf")])
def test_a_version_that_cannot_be_had_is_refused(tmp_path, os_release, manager):
    system = System(tmp_path, os_release, [manager])
    done = system.run(PLAIN, source="docker", version="27.5")
    assert done.returncode == 11 and "has one version of Docker only, its own: leave docker_version out" in done.stderr and "install" not in system.commands()


def test_a_pinned_version_is_locked_although_dnf_has_no_plugin_for_it(tmp_path):
    system = System(tmp_path, "ID=rocky\nVERSION_ID=9.4\n", ["dnf"])
    plugin = 'case "$*" in *versionlock*add*) [ -e "$ROOTDIR/plugin" ] || exit 1 ;; *"(versionlock)"*) touch "$ROOTDIR/plugin" ;; esac\n'
    system.stand_in("bin/dnf", plugin + MANAGER)
    assert system.run(PLAIN, source="docker", version="27.5").returncode == 0
    assert system.commands().count("versionlock add docker-ce docker-ce-cli") == 2


@pytest.mark.parametrize("entry, ours", [
    ("deb [arch=amd64] https://download.docker.com/linux/ubuntu noble stable\n", False),
    ("# deb https://download.docker.com/linux/ubuntu noble stable\n", True),
    ("deb http://archive.ubuntu.com/ubuntu noble main\n", True),
])  # fmt: skip
def test_dockers_repository_is_not_written_twice(tmp_path, entry, ours):
    system = System(tmp_path, "ID=ubuntu\nVERSION_ID=24.04\nVERSION_CODENAME=noble\nID_LIKE=debian\n", ["apt-get", "dpkg", "apt-mark", "curl"])
    for tool in ("find", "xargs"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    system.stand_in("bin/curl", 'touch "$5"\n')
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "etc/apt/sources.list.d/docker.list").write_text(entry)
    done = system.run(PLAIN, source="docker", version="27.5")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "etc/apt/sources.list.d/docker.sources").exists() == ours
    assert "docker-ce=5:27.5* docker-ce-cli=5:27.5* containerd.io docker-compose-plugin" in system.commands()


def test_a_foreign_daemon_json_is_not_overwritten(tmp_path):
    system = System(tmp_path, "ID=sles\nVERSION_ID=15.6\n", ["zypper"])
    (tmp_path / "etc/docker").mkdir()
    (tmp_path / "etc/docker/daemon.json").write_text('{"mtu": 1400}\n')
    done = system.run()
    assert done.returncode == 12 and "was written by somebody else" in done.stderr
    assert (tmp_path / "etc/docker/daemon.json").read_text() == '{"mtu": 1400}\n'


@pytest.mark.parametrize("state, words", [
    ("exited none 3 0", "container compose-web-1 has ended with exit code 3"), ("running unhealthy 0 0", "is unhealthy"),
    ("running starting 0 0", "after 1 seconds container compose-web-1 is starting"), ("restarting none 5 4", "ends again and again, last with exit code 5"),
])  # fmt: skip
def test_containers_that_do_not_become_healthy(tmp_path, state, words):
    system = System(tmp_path, "ID=sles\nVERSION_ID=15.6\n", ["zypper"])
    system.stand_in("later/docker", DOCKER.replace("running none 0 0", state))
    done = system.run(PLAIN, health_seconds=1)
    assert done.returncode == 17 and words in done.stderr, done.stderr


def test_a_job_that_ended_well_is_well(tmp_path):
    system = System(tmp_path, "ID=sles\nVERSION_ID=15.6\n", ["zypper"])
    system.stand_in("later/docker", DOCKER.replace("running none 0 0", "exited none 0 0"))
    assert system.run(PLAIN).returncode == 0
