# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each variable of the playbooks for day two with a value that is not possible: one sentence that names it, before anything is asked of Azure."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest
from playbook_run import environment

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
PLAYBOOKS = ("scale", "upgrade", "rotate", "stop", "start", "status", "drift")

SECRETS = {"rotate_what": "secrets", "rotate_secrets_dir": "."}
CASES = [
    ("status", {"status_page": "/nowhere/at/all.html"}, "status_page is '/nowhere/at/all.html': give the path of a file in a folder that exists"),
    ("status", {"status_page": "/tmp/"}, "status_page is '/tmp/'"),
    ("scale", {}, "Neither scale_workers nor scale_managers is given. Say how many"),
    ("scale", {"scale_workers": "many"}, "scale_workers is 'many': give a whole number from 0 to 999"),
    ("scale", {"scale_workers": "-1"}, "scale_workers is '-1'"),
    ("scale", {"scale_managers": "4"}, "scale_managers is '4': a swarm takes 1, 3, 5 or 7 managers"),
    ("stop", {"stop_state": "off"}, "stop_state is 'off': give deallocated"),
    ("start", {"start_timeout": "0"}, "start_timeout is '0': give whole seconds from 1"),
    ("start", {"start_services": "perhaps"}, "start_services is 'perhaps': give true or false"),
    ("upgrade", {"upgrade_packages": "all"}, "value of upgrade_packages must be one of: safe, full, none, got: all"),
    ("upgrade", {"upgrade_engine": "perhaps"}, "upgrade_engine is 'perhaps': give true or false"),
    ("upgrade", {"upgrade_reboot": "later"}, "value of upgrade_reboot must be one of: auto, always, never, got: later"),
    ("upgrade", {"upgrade_timeout": "0"}, "upgrade_timeout is '0'"),
    ("upgrade", {"upgrade_pause": "1.5"}, "upgrade_pause '1.5'"),
    ("upgrade", {"upgrade_lock_timeout": "long"}, "upgrade_lock_timeout 'long': give whole seconds"),
    ("upgrade", {"upgrade_poll_url": "ftp://x/"}, "upgrade_poll_url is 'ftp://x/': give an address that begins with http:// or https://"),
    ("rotate", {}, "rotate_what is '': give one or more of ssh_keys, swarm_tokens"),
    ("rotate", {"rotate_what": "ssh_keys,passwords"}, "rotate_what is 'ssh_keys,passwords'"),
    ("rotate", {"rotate_what": "ssh_keys"}, "rotate_ssh_public_key_file is '' and"),
    ("rotate", {"rotate_what": "ssh_keys", "rotate_ssh_public_key_file": "a.pub", "rotate_ssh_private_key_file": "b"}, "'b' does not belong to a.pub"),
    ("rotate", {"rotate_what": "secrets", "rotate_secrets_dir": ".", "rotate_secrets": "../x", "rotate_application": "a.b.c"}, "rotate_secrets '../x'"),
    ("rotate", {"rotate_what": "secrets", "rotate_secrets_dir": ".", "rotate_secrets": "x"}, "rotate_application '': give the folder"),
    ("rotate", {**SECRETS, "rotate_secrets": "cache_password,database_password", "rotate_application": "a.b.c"},
     "rotate_secrets has database_password, which a.b.c keeps in its database: a new file would lock it out."),
    ("rotate", {**SECRETS, "rotate_secrets": "cache_password,admin_password", "rotate_application": "a.b.c"},
     "rotate_secrets has admin_password, which a.b.c keeps in its database"),
    ("rotate", {**SECRETS, "rotate_secrets": "admin_password", "rotate_application": "dockhost.azure.monitoring"},
     "which dockhost.azure.monitoring keeps in Grafana's volume: Grafana would go on with the old one. Change the password there"),
    ("rotate", {"rotate_what": "certificates", "rotate_certificates_dir": "."}, "rotate_certificates_dir is '.': give the folder"),
    ("drift", {"drift_file": "/nowhere/at/all.json"}, "drift_file is '/nowhere/at/all.json': give the path of a file in a folder that exists"),
    ("drift", {"drift_application": "dockhost.azure.wordpress"}, "drift_application is 'dockhost.azure.wordpress': give the name of a role"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("input")
    for name in ("a", "b"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made / name)], check=True)
    return made


@pytest.mark.parametrize("playbook, given, words", CASES, ids=[f"{name}-{'-'.join(given) or 'nothing'}-{n}" for n, (name, given, _words) in enumerate(CASES)])
def test_a_value_that_is_not_possible_is_named(folder, playbook, given, words):
    done, said = attempt(folder, playbook, given)
    assert done.returncode != 0
    assert words in said, said[-1500:]
    assert "az login" not in said


@pytest.mark.parametrize("application, names, more", [
    ("ci", "admin_password", {}),
    ("monitoring", "admin_password", {"monitoring_grafana": "false"}),
    ("wordpress", "database_root_password,database_password,admin_password", {}),
    ("webapp", "database_password,queue_password", {}),
], ids=["ci", "monitoring", "wordpress", "webapp"])  # fmt: skip
def test_a_password_that_no_volume_keeps_or_that_a_database_takes_at_its_start_can_be_made_anew(folder, application, names, more):
    given = {**SECRETS, "rotate_secrets": names, "rotate_application": f"dockhost.azure.{application}", **more}
    done, said = attempt(folder, "rotate", given)
    assert done.returncode == 0, said[-1500:]
    assert f"Secrets of dockhost.azure.{application}: the services that use them were updated" in said


def test_secrets_that_follow_from_a_seed_are_not_made_anew_one_by_one(folder):
    given = {**SECRETS, "rotate_secrets": "cache_password", "rotate_application": "dockhost.azure.wordpress", "wordpress_secret_seed": "a-long-text"}
    done, said = attempt(folder, "rotate", given)
    assert done.returncode != 0 and "wordpress_secret_seed is set, so that all secrets of dockhost.azure.wordpress follow from it" in said, said[-1500:]
    assert "a-long-text" not in said
    assert attempt(folder, "rotate", {**given, "rotate_application": "dockhost.azure.webapp"})[0].returncode == 0  # a seed of another application


def attempt(folder, playbook, given):
    """Run a playbook; how it ended, and what it said in one line."""
    # No subscription and no lab: whoever asked Azure first would say that nobody is signed in.
    extra = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
    done = subprocess.run([str(BIN / "ansible-playbook"), "-i", "localhost,", f"dockhost.azure.{playbook}", *extra],
                          env=environment(folder), cwd=folder, capture_output=True, text=True, check=False)
    # What is told once on standard error, in its own words, and once as YAML or JSON.
    return done, " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_variable_of_a_playbook_is_documented_in_it_and_tried_here(playbook):
    text = (ROOT / "playbooks" / f"{playbook}.yml").read_text()
    documented = set(re.findall(rf"^#   ({playbook}_\w+)", text, re.M))
    tried = {name for case, given, _words in CASES if case == playbook for name in given}
    assert documented and tried <= documented
    assert documented - tried <= {"rotate_ssh_old_public_keys"}
    guide = (ROOT / "docs" / "day_two.md").read_text()
    assert not [name for name in documented if f"`{name}`" not in guide]
