# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build contexts: what belongs to one, and that equal files make an equal digest."""

from __future__ import annotations

import io
import os
import tarfile

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._image.context import ContextError, Ignored, archive, digest, files


@pytest.fixture
def folder(tmp_path):
    for name, content in {"Dockerfile": "FROM x", "app.py": "1", "tests/a.py": "2", ".git/HEAD": "ref", "sub/.env": "secret", "sub/keep.txt": "k"}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    (tmp_path / "link").symlink_to("app.py")
    return tmp_path


def test_all_files_but_the_history(folder):
    assert files(str(folder), "Dockerfile") == ["Dockerfile", "app.py", "link", "sub/.env", "sub/keep.txt", "tests/a.py"]


def test_dockerignore_leaves_out_and_takes_back_in(folder):
    (folder / ".dockerignore").write_text("# not for the image\ntests\n**/.env\nsub/*\n!sub/keep.txt\nDockerfile\n")
    assert files(str(folder), "Dockerfile") == [".dockerignore", "Dockerfile", "app.py", "link", "sub/keep.txt"]


@pytest.mark.parametrize(
    "rule, path, out",
    [
        ("*.pyc", "a.pyc", True), ("*.pyc", "sub/a.pyc", False), ("**/*.pyc", "sub/deep/a.pyc", True), ("**/*.pyc", "a.pyc", True),
        ("build", "build/x/y", True), ("build", "builder", False), ("/build/", "build/x", True), ("a?c", "abc", True), ("a?c", "a/c", False),
        ("[ab].txt", "b.txt", True), ("docs/**", "docs/a/b", True),
    ],
)  # fmt: skip
def test_patterns(rule, path, out):
    assert Ignored(rule)(path) is out


def test_the_digest_is_that_of_content_and_settings(folder):
    paths = files(str(folder), "Dockerfile")
    first = digest(str(folder), paths, {"target": ""})
    os.utime(folder / "app.py", (1, 1))
    assert digest(str(folder), paths, {"target": ""}) == first
    assert digest(str(folder), paths, {"target": "x"}) != first
    (folder / "app.py").chmod(0o755)
    executable = digest(str(folder), paths, {"target": ""})
    assert executable != first
    (folder / "app.py").write_text("other")
    assert digest(str(folder), paths, {"target": ""}) not in (first, executable)


def test_the_archive_holds_them_without_owner_and_time(folder):
    target = io.BytesIO()
    archive(str(folder), ["app.py", "link"], target)
    with tarfile.open(fileobj=io.BytesIO(target.getvalue())) as tar:
        assert [(entry.name, entry.uid, entry.mtime, entry.mode) for entry in tar if entry.isfile()] == [("app.py", 0, 0, 0o644)]
        assert tar.getmember("link").linkname == "app.py"


@pytest.mark.parametrize("where, dockerfile, words", [("none", "Dockerfile", "is no folder"), ("", "Other", "dockerfile 'Other' does not exist")])
def test_what_cannot_be_built_is_said(folder, where, dockerfile, words):
    with pytest.raises(ContextError, match=words):
        files(str(folder / where), dockerfile)
