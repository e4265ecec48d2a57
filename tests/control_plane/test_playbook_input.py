# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each variable of playbooks backup, restore, heal, convert, costs and swarm_recover with a value that is not possible: one sentence that names it,
its value and the remedy, before anything is asked of hosts or of Azure.

A playbook tells of all its values in one run, so that one run tries all of them.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest
from playbook_run import environment

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent

# Playbook -> variable -> the value, and what is said of it.
CASES = {
    "backup": {
        "maintenance_backups": ([{"volume": "data"}], "give a list of entries, each with name, and with volume or with service and dump"),
        "maintenance_backup_swarm": ("perhaps", "is 'perhaps': give true or false"),
        "maintenance_backup_swarm_consistency": ("some", "is 'some': give auto, stop, pause or none"),
        "maintenance_backup_dir": ("a-file", "is 'a-file': there is a file of this name, give a folder"),
        "maintenance_backup_blob_url": ("ftp://x/y", "is 'ftp://x/y': give the address of a container"),
        "maintenance_backup_keep": ("many", "is 'many': give a whole number, 0 to keep all"),
        "maintenance_staging_dir": ("tmp", "is 'tmp': give the path of a folder on the hosts that begins with /"),
    },
    "restore": {
        "maintenance_restore_names": ("", "is '': name the backups to restore, separated by commas"),
        "maintenance_restore_archive": ("yesterday", "is 'yesterday': give latest, or a stamp such as 20260101T020000Z"),
        "maintenance_restore_to": ("nowhere", "is 'nowhere': give one of the hosts m-1, m-2, w-1"),
        "maintenance_restore_overwrite": ("perhaps", "is 'perhaps': give true or false"),
        "maintenance_restore_unlock_key": ("hidden-words", "is no key of a swarm (its value is not shown): give the key that docker swarm unlock-key"),
        "maintenance_backup_blob_url": ("x/y", "is 'x/y': give the address of a container"),
    },
    "heal": {
        "heal_after": ("soon", "is 'soon': give a whole number of seconds"),
        "heal_workers_at_once": ("-1", "is '-1': give a whole number of hosts"),
        "heal_replace": ("perhaps", "is 'perhaps': give true or false"),
        "heal_data_hosts": ("never", "is 'never': give true or false"),
    },
    "convert": {
        "convert_kind": ("kubernetes", "is 'kubernetes': give one of docker_machine, docker_extension, compose_v1"),
        "convert_source": ("/nowhere", "is '/nowhere': give a file or folder that exists"),
        "convert_destination": ("a-file", "is 'a-file': there is a file of this name, give a folder"),
        "convert_protected_source": ("/nowhere", "is '/nowhere': give a file that exists"),
        "convert_name": ("--", "is '--': give a name with letters or digits"),
        "convert_target": ("podman", "is 'podman': give swarm or compose"),
        "convert_force": ("perhaps", "is 'perhaps': give true or false"),
    },
    "costs": {
        "costs_refresh": ("perhaps", "is 'perhaps': give true or false"),
        "costs_prices": ("/tmp", "is '/tmp': this is a folder, give the file of the price list"),
        "costs_currency": ("euro", "is 'euro': give three capital letters, such as EUR"),
        "costs_url": ("ftp://x", "is 'ftp://x': give an address that begins with http:// or https://"),
        "costs_hours": ("731", "is '731': give a whole number from 0 to 730"),
        "costs_os_disk_type": ("Fast", "is 'Fast': give one of Premium_LRS, Premium_ZRS"),
        "costs_os_disk_gb": ("0", "is '0': give whole GiB from 1 to 32767"),
        "costs_further_hosts": ([{"count": 1}], "give a list of hosts, each with size and count"),
        "costs_further_disks": ("one", "is 'one': give a list of disks, each with type, size_gb and count"),
        "deployment_hosts": ("some", "is 'some': give a whole number"),
    },
    "swarm_recover": {
        "swarm_recover_host": ("w-1", "is 'w-1': give one of the managers m-1, m-2"),
        "swarm_recover_confirm": ("yes", "is 'yes': give one of the managers m-1, m-2"),
        "swarm_recover_backup_dir": ("backups", "is 'backups': give the path of a folder on the host that begins with /"),
    },
}
# Any text is possible: a name that there is or is not, which only archives can tell.
ANY = {"maintenance_backup_names", "maintenance_restore_from", "maintenance_restore_volume"}
HOSTS = "[swarm_manager]\nm-1\nm-2\n[swarm_worker]\nw-1\n[all:vars]\nansible_host=192.0.2.1\n"


@pytest.fixture(scope="module", params=CASES)
def said(request, tmp_path_factory):
    """Playbook, and what it says in one line when all of its variables have values that are not possible."""
    folder = tmp_path_factory.mktemp("input")
    (folder / "a-file").write_text("")
    (folder / "hosts").write_text(HOSTS)
    # No subscription and no lab: whoever asked Azure first would say that nobody is signed in.
    given = json.dumps({name: value for name, (value, _words) in CASES[request.param].items()})
    done = subprocess.run([str(BIN / "ansible-playbook"), "-i", "hosts", f"dockhost.azure.{request.param}", "-e", given],
                          env=environment(folder), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout[-2000:] + done.stderr[-2000:]
    return request.param, " ".join((done.stdout + done.stderr).split())


def test_each_value_that_is_not_possible_is_named_with_the_remedy(said):
    playbook, text = said
    for name, (_value, words) in CASES[playbook].items():
        found = re.search(rf"{name} is ('[^']*'|[^:]*): |{name} is", text)
        assert found and re.search(rf"{name} [^.]*?{re.escape(words)}", text), (name, text[-3000:])
    assert "hidden-words" not in text


def test_nothing_was_asked_of_hosts_or_of_azure(said):
    _playbook, text = said
    assert "az login" not in text and "UNREACHABLE" not in text and "unreachable=0" in text
    assert not re.search(r"(m-1|m-2|w-1) +: ok=", text)


@pytest.mark.parametrize("playbook", CASES)
def test_every_variable_that_a_playbook_documents_is_tried_here(playbook):
    documented = set(re.findall(r"^#   ([a-z]+_\w+)", (ROOT / "playbooks" / f"{playbook}.yml").read_text(), re.M))
    assert documented and documented - ANY <= set(CASES[playbook])
