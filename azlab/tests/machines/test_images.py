# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of two versions of azlab stand beside each other in one engine."""
from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from azlab import images
from azlab.machines.docker import engine

pytestmark = pytest.mark.machines


@pytest.fixture
def other_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folders of a version whose gateway has one more file."""
    before = images.tag_of("gateway")
    shutil.copytree(images.IMAGES, tmp_path / "images")
    (tmp_path / "images" / "gateway" / "of_another_version.py").write_text("A = 1\n")
    monkeypatch.setattr(images, "IMAGES", tmp_path / "images")
    images.tag_of.cache_clear()
    yield
    monkeypatch.undo()
    images.tag_of.cache_clear()
    assert images.tag_of("gateway") == before


def test_another_version_leaves_this_ones_images_alone(request: pytest.FixtureRequest) -> None:
    client = engine.connect()
    mine = images.Builder(client, print).infrastructure()
    request.getfixturevalue("other_version")
    other = images.Builder(client, print).infrastructure()
    try:
        assert other["gateway"].id != mine["gateway"].id and other["machine"].id == mine["machine"].id
        assert other["gateway"].tag == images.tag_of("gateway") != mine["gateway"].tag
        assert client.images.get(mine["gateway"].tag).id == mine["gateway"].id, "the first version's is still there"
        assert images.any_of(client, "gateway") == other["gateway"].id
        inside = client.containers.run(other["gateway"].tag, ["ls", "/opt/azlab"], network_mode="none", remove=True).decode()
        assert "of_another_version.py" in inside
    finally:
        client.images.remove(other["gateway"].tag)
    assert images.any_of(client, "gateway") in {image.id for image in client.images.list("azlab/gateway")}
