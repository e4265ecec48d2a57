# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extensions of the system: fetched, verified, merged once."""

from __future__ import annotations

import hashlib
import io
import os

import pytest
from ansible.module_utils import urls
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import sysext
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

IMAGE = b"an image" * 1000
GOOD = {"name": "docker-compose", "url": "https://extensions.example/docker-compose.raw", "checksum": f"sha256:{hashlib.sha256(IMAGE).hexdigest()}"}


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A host's folders, a server of extensions, and the commands that were run."""
    ran = []
    monkeypatch.setattr(sysext, "STORE", str(tmp_path / "opt"))
    monkeypatch.setattr(sysext, "LINKS", str(tmp_path / "etc"))
    monkeypatch.setattr(sysext, "check", lambda *argv, **more: ran.append(argv))
    monkeypatch.setattr(urls, "open_url", lambda url, **more: io.BytesIO(IMAGE))
    return ran


def read(path):
    return open(path, encoding="utf-8").read() if os.path.exists(path) else None


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def test_it_is_fetched_once(host, tmp_path):
    assert sysext.missing([GOOD], read) == [GOOD]
    sysext.install([GOOD], write)
    assert (tmp_path / "etc" / "docker-compose.raw").read_bytes() == IMAGE and host == [("systemd-sysext", "refresh")]
    assert sysext.missing([GOOD], read) == []
    assert sysext.missing([{**GOOD, "checksum": "sha256:other"}], read) != []
    (tmp_path / "etc" / "docker-compose.raw").unlink()
    assert sysext.missing([GOOD], read) == [GOOD]


def test_another_image_is_not_used(host, tmp_path):
    with pytest.raises(HostError, match="has another checksum"):
        sysext.install([{**GOOD, "checksum": "sha256:" + "0" * 64}], write)
    assert os.listdir(tmp_path / "opt") == [] and os.listdir(tmp_path / "etc") == [] and host == []


@pytest.mark.parametrize(
    "change, words", [({"name": "../x"}, "is no name of an extension"), ({"url": "http://x/y"}, "begin with https"), ({"checksum": "md5:1"}, "64 hexadecimal")]
)
def test_refused_before_anything_is_done(change, words):
    sysext.validate([GOOD])
    with pytest.raises(HostError, match=words):
        sysext.validate([{**GOOD, **change}])
