# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Application images in a real engine: built when they are missing, on a network of their own that is removed at the end."""

from __future__ import annotations

import os
import time
import uuid

import docker
import docker.errors
import pytest
from azlab.images import Builder

LABEL = "dockhost.test"


@pytest.fixture(scope="session")
def engine():
    client = docker.from_env(timeout=120)
    client.ping()
    return client


@pytest.fixture(scope="session")
def image(engine):
    builder = Builder(engine, print)
    return lambda name: builder.app(name).tag


class Containers:
    """Starts containers on one network, by short names, and removes them all."""

    def __init__(self, engine, network):
        self.engine, self.network, self.made, self.volumes = engine, network, [], []

    def run(self, image, *command, name=None, **options):
        container = self.engine.containers.create(image, list(command) or None, labels={LABEL: self.network.name}, **options)
        self.made.append(container)
        self.network.connect(container, aliases=[name] if name else None)
        container.start()
        return container

    def end(self, image, *command, **options):
        """Run to the end: exit code and output."""
        container = self.run(image, *command, **options)
        code = container.wait(timeout=60)["StatusCode"]
        return code, container.logs().decode()

    def volume(self):
        """A named volume, removed with the containers."""
        self.volumes.append(self.engine.volumes.create(f"{self.network.name}-{len(self.volumes)}", labels={LABEL: self.network.name}))
        return self.volumes[-1].name

    @staticmethod
    def until(check, seconds=60):
        """Wait until a check holds; its last answer."""
        end = time.monotonic() + seconds
        while True:
            answer = check()
            if answer or time.monotonic() > end:
                return answer
            time.sleep(0.3)

    def close(self):
        for container in self.made:
            container.remove(force=True, v=True)
        for volume in self.volumes:
            volume.remove(force=True)


@pytest.fixture
def containers(engine):
    network = engine.networks.create(f"apptest-{os.getpid()}-{uuid.uuid4().hex[:6]}", labels={LABEL: "1"})
    started = Containers(engine, network)
    yield started
    started.close()
    network.remove()
