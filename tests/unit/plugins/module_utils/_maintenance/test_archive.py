# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives: what comes back is what went in, and nothing torn or foreign is unpacked."""

from __future__ import annotations

import io
import os
import tarfile

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import archive
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError


@pytest.fixture
def data(tmp_path):
    """A directory with what volumes have: modes, owners, links, a hole, an attribute."""
    made = tmp_path / "data"
    made.mkdir(mode=0o750)
    (made / "file").write_text("precious")
    os.chmod(made / "file", 0o604)
    (made / "link").symlink_to("/etc/passwd")
    os.link(made / "file", made / "same")
    with open(made / "hole", "wb") as file:
        file.truncate(8 << 20)
    if os.geteuid() == 0:
        os.chown(made / "file", 999, 998)
    return made


def test_what_comes_back_is_what_went_in(data, tmp_path):
    packed, back = str(tmp_path / "a.gz"), tmp_path / "back"
    written = archive.pack(str(data), packed)
    assert os.stat(packed).st_mode & 0o777 == 0o600
    assert written.bytes == os.path.getsize(packed) and written.sha256 == archive.sha256_of(packed) and not written.unsteady
    archive.check(packed, written.sha256)
    assert archive.look_through(packed)[0] == 5
    back.mkdir()
    archive.unpack(packed, str(back))
    assert (back / "file").read_text() == "precious" and os.readlink(back / "link") == "/etc/passwd"
    for name in (".", "file"):
        was, now = os.stat(data / name), os.stat(back / name)
        assert (was.st_mode, was.st_uid, was.st_gid, int(was.st_mtime)) == (now.st_mode, now.st_uid, now.st_gid, int(now.st_mtime))
    assert os.stat(back / "file").st_ino == os.stat(back / "same").st_ino
    hole = os.stat(back / "hole")
    assert hole.st_size == 8 << 20 and hole.st_blocks * 512 < 1 << 20


def test_the_same_content_has_the_same_digest_and_another_has_not(data, tmp_path):
    digests = [archive.pack(str(data), str(tmp_path / name)).content_sha256 for name in ("a.gz", "b.gz")]
    assert digests[0] == digests[1]
    (data / "file").write_text("Precious")
    assert archive.pack(str(data), str(tmp_path / "c.gz")).content_sha256 != digests[0]


def test_a_damaged_archive_is_told(data, tmp_path):
    packed = tmp_path / "a.gz"
    written = archive.pack(str(data), str(packed))
    content = bytearray(packed.read_bytes())
    content[len(content) // 2] ^= 1
    packed.write_bytes(content)
    with pytest.raises(ArchiveError, match="is damaged: its SHA-256 is"):
        archive.check(str(packed), written.sha256)
    with pytest.raises(ArchiveError, match="does not exist: choose another one"):
        archive.check(str(tmp_path / "none"), written.sha256)


def test_a_torn_archive_is_told(data, tmp_path):
    packed = tmp_path / "a.gz"
    archive.pack(str(data), str(packed))
    packed.write_bytes(packed.read_bytes()[:-40])
    with pytest.raises(ArchiveError, match="cannot be read to its end"):
        archive.look_through(str(packed))


@pytest.mark.parametrize("name, link", [("/etc/cron.d/x", ""), ("../x", ""), ("a/../../x", ""), ("x", "../../etc/shadow")])
def test_a_member_elsewhere_is_refused(tmp_path, name, link):
    packed = tmp_path / "a.gz"
    with tarfile.open(packed, "w:gz") as made:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = (tarfile.LNKTYPE, link) if link else (tarfile.REGTYPE, "")
        made.addfile(member, io.BytesIO())
    with pytest.raises(ArchiveError, match="has a member outside of its own directory"):
        archive.look_through(str(packed))


def test_room_is_looked_for(tmp_path):
    archive.need_space(str(tmp_path), 1, "it")
    with pytest.raises(ArchiveError, match="MiB free, and it needs 1048640 MiB: make room there"):
        archive.need_space(str(tmp_path), 1 << 40, "it")


def test_a_directory_that_is_not_there(tmp_path):
    with pytest.raises(ArchiveError, match="could not be archived: .*No such file"):
        archive.pack(str(tmp_path / "none"), str(tmp_path / "a.gz"))
    assert not (tmp_path / "a.gz").exists()
