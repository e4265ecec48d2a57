# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""azlab as a package of its own: the wheel has all that it needs, and runs where nothing else of the project is."""
from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.install
SOURCE = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "tests", ".*_cache")


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return done     # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `pip wheel azlab/` builds it, from a copy, so that the work tree is left as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(SOURCE, folder / "azlab", ignore=LEFT_OUT)
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder / "out", folder / "azlab")
    found = list((folder / "out").glob("azlab-*.whl"))
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """An environment with that wheel and what it asks for, and nothing else: (its programs, environment variables)."""
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", folder / "venv")
    run(folder / "venv/bin/pip", "install", "-q", wheel)
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "AZLAB_HOME": str(folder / "labs"), "LANG": "C.UTF-8"}
    yield folder / "venv/bin", env
    subprocess.run([folder / "venv/bin/azlab", "down", "--name", "wheel"], env=env, check=False, capture_output=True)


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    """Data, images and the page; programs of the images stay executable."""
    inside = {info.filename: info.external_attr >> 16 for info in zipfile.ZipFile(wheel).infolist()}
    sources = [file for file in (SOURCE / "src/azlab").rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert len(sources) > 150
    missing = [name for file in sources if (name := str(file.relative_to(SOURCE / "src"))) not in inside]
    assert missing == []
    programs = [str(file.relative_to(SOURCE / "src")) for file in sources if os.access(file, os.X_OK)]
    assert [name for name in programs if not inside[name] & 0o111] == []
    metadata = zipfile.ZipFile(wheel).read(next(name for name in inside if name.endswith("/METADATA"))).decode()
    assert "# azlab" in metadata and "Requires-Python: >=3.11" in metadata


def test_a_lab_starts_where_nothing_else_of_the_project_is(fresh: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    programs, env = fresh
    for other in ("ansible", "azure", "pytest"):
        assert subprocess.run([programs / "python", "-c", f"import {other}"], env=env, cwd=tmp_path, capture_output=True).returncode == 1
    assert "azlab 'wheel' is up" in run(programs / "azlab", "up", "--name", "wheel", env=env, cwd=tmp_path).stdout
    state = json.loads(run(programs / "azlab", "status", "--name", "wheel", "--json", env=env, cwd=tmp_path).stdout)
    assert state["running"] is True
    with urllib.request.urlopen(state["page"] + "app.js") as script:
        assert b"EventSource" in script.read()
    trust = ssl.create_default_context(cafile=json.loads(run(
        programs / "azlab", "env", "--name", "wheel", "--json", env=env, cwd=tmp_path).stdout)["AZURE_CA_FILE"])
    with urllib.request.urlopen(state["url"] + "/metadata/endpoints?api-version=2022-09-01", context=trust) as answer:
        assert json.load(answer)["resourceManager"].startswith(state["url"])
    run(programs / "azlab", "down", "--name", "wheel", env=env, cwd=tmp_path)


def test_the_example_of_the_readme_runs_there(fresh: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    programs, env = fresh
    example = (SOURCE / "README.md").read_text().split("```python\n")[1].split("```")[0]
    run(programs / "python", "-c", example + "\ntest_a_network()\n", env=env, cwd=tmp_path)
