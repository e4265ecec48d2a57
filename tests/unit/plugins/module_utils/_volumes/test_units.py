# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units, mount options and the engine's volumes, and what is refused."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._volumes import units
from ansible_collections.dockhost.azure.plugins.module_utils._volumes.units import VolumeRefused

DEFAULTS = {"type": "smb", "uid": 0, "gid": 0, "file_mode": "0644", "dir_mode": "0755"}


def volumes(**entry):
    return units.volumes_of({**DEFAULTS, **entry}, "/srv/dockhost/volumes", "myaccount", "file.core.windows.net")


def test_a_share_over_smb():
    (one,) = volumes(name="blog_uploads", uid=33, gid=34, file_mode="640", options=["actimeo=1", "nobrl"])
    assert one.what == "//myaccount.file.core.windows.net/blog-uploads"
    assert one.mount_options == (
        "_netdev,vers=3.1.1,serverino,nosharesock,mfsymlinks,credentials=/etc/dockhost/volumes/myaccount.credentials,uid=33,gid=34,file_mode=0640,"
        "dir_mode=0755,actimeo=1,nobrl"
    )
    assert one.engine_options == {"type": "none", "o": "bind", "device": "/srv/dockhost/volumes/blog_uploads"}


def test_a_share_over_nfs():
    (one,) = volumes(name="x1", type="nfs", share="s", account="other1")
    assert (one.what, one.mount_options) == ("other1.file.core.windows.net:/other1/s", "_netdev,vers=4,minorversion=1,sec=sys,nconnect=4")


def test_a_share_for_each_slot():
    made = volumes(name="queue", slots=3)
    assert [(one.name, one.share, one.directory) for one in made] == [
        (f"queue-{number}", f"queue-{number}", f"/srv/dockhost/volumes/queue-{number}") for number in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    "entry, words",
    [
        ({"name": "Uploads"}, "name is 'Uploads': a volume has 2 to 61 small letters"),
        ({"name": "up", "account": "My-Account"}, "account of volume up is 'My-Account': name the storage account"),
        ({"name": "up", "file_mode": "rw"}, "file_mode of volume up is 'rw': give three or four octal digits"),
        ({"name": "up", "dir_mode": "0999"}, "dir_mode of volume up is '0999'"),
        ({"name": "up", "path": "data"}, "path of volume up is 'data': give an absolute path"),
        ({"name": "up", "slots": 101}, "slots of volume up is 101: give a number from 0 to 100"),
        ({"name": "up", "options": ["password=hunter2"]}, "options of volume up have 'password': give the account's key as account_keys"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(entry, words):
    with pytest.raises(VolumeRefused, match=words) as caught:
        volumes(**entry)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("directory", ["/srv/dockhost/volumes/blog_uploads", "/srv/a-b/c.d", "/.hidden/x", "/mnt/ä b"])
@pytest.mark.skipif(not shutil.which("systemd-escape"), reason="systemd-escape is not on this machine")
def test_units_are_named_as_systemd_names_them(directory):
    said = subprocess.run(["systemd-escape", "--path", "--suffix=mount", directory], capture_output=True, text=True, check=True).stdout.strip()
    assert units.unit_name(directory, "mount") == said


def test_names_of_units():
    assert units.unit_name("/srv/a-b/c.d", "automount") == r"srv-a\x2db-c.d.automount"


@pytest.mark.parametrize("automount, count", [(True, 2), (False, 1)])
def test_what_starts_with_the_host(automount, count):
    (one,) = volumes(name="up")
    files = units.unit_files(one, automount)
    assert len(files) == count and all(text.startswith(units.MARK) for text in files.values())
    wanted = {path for path, text in files.items() if "WantedBy=multi-user.target" in text}
    assert wanted == {"/etc/systemd/system/srv-dockhost-volumes-up." + ("automount" if automount else "mount")}
    assert "network-online.target" in files["/etc/systemd/system/srv-dockhost-volumes-up.mount"]


def test_the_key_is_in_no_unit():
    (one,) = volumes(name="up")
    assert "password" not in "".join(units.unit_files(one, True).values())
    assert units.credentials_text("myaccount", "k==") == "username=myaccount\npassword=k==\n"


def test_a_directory_needs_no_unit():
    (one,) = volumes(name="up", type="disk")
    assert units.unit_files(one, True) == {}
