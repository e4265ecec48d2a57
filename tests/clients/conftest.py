# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's clients against azlab: each in a Python environment of its own, unchanged."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).parent))

from az_client import Az  # noqa: E402
from azcollection_client import Collection  # noqa: E402

from azlab import testing  # noqa: E402


def client_environment(name: str) -> pathlib.Path:
    """The folder of the Python environment that tests/clients/requirements/NAME.txt asks for; made when it is missing."""
    made = subprocess.run([str(ROOT / "scripts" / "client-environment"), name], stdout=subprocess.PIPE, text=True, check=True)
    return pathlib.Path(made.stdout.strip())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder are tests of clients."""
    for item in items:
        if item.path.is_relative_to(pathlib.Path(__file__).parent):
            item.add_marker(pytest.mark.clients)


@pytest.fixture(scope="session")
def az_environment() -> pathlib.Path:
    return client_environment("azure-cli")


@pytest.fixture(scope="module")
def azure() -> Iterator[testing.RunningLab]:
    """A lab of the module's own, without machines and without latencies."""
    with testing.lab() as running:
        yield running


@pytest.fixture(scope="module")
def az(azure: testing.RunningLab, az_environment: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Az]:
    """The Azure CLI, signed in to the module's lab."""
    client = Az(az_environment, tmp_path_factory.mktemp("az"), azure.env)
    client.sign_in()
    yield client
    client.close()


@pytest.fixture(scope="session")
def azcollection_environment() -> pathlib.Path:
    return client_environment("azcollection")


@pytest.fixture(scope="module")
def azcollection(azure: testing.RunningLab, azcollection_environment: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """azure.azcollection, led to the module's lab."""
    return Collection(azcollection_environment, tmp_path_factory.mktemp("azcollection"), azure.proxy_env)
