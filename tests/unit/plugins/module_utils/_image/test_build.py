# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the host does for an image: nothing where the registry has it, else build and push, and why that failed."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._image.build import BuildError, run

PARAMS = {
    "name": "10.0.0.4:5000/shop/api", "content": "0123456789abcdef", "archive": None, "push": True, "rebuild": False, "dockerfile": "Dockerfile",
    "build_args": {"B": "2", "A": "1"}, "target": "",
}  # fmt: skip
TAGGED = "10.0.0.4:5000/shop/api:0123456789ab"


class Registry:
    """An engine whose registry has an image after it was pushed."""

    def __init__(self, *has, refusal=None):
        self.has, self.refusal = set(has), refusal

    def request(self, method, path, headers=None):
        if self.refusal:
            raise self.refusal
        if path[len("/distribution/") : -len("/json")] not in self.has:
            raise EngineError(404, "manifest unknown")
        return {"Descriptor": {"digest": "sha256:feed"}}


class Docker:
    """The command docker, without buildx; what fails is named."""

    def __init__(self, registry, fails=""):
        self.registry, self.fails, self.calls = registry, fails, []

    def __call__(self, words, **options):
        self.calls.append(words)
        if words[1] == "buildx":
            return 1, "", "no such command"
        if words[1] == self.fails:
            return 1, "step 3\n", "no such file"
        if words[1] == "push":
            self.registry.has.add(words[-1])
        return 0, "", ""


@pytest.fixture
def built(tmp_path):
    (tmp_path / "context.tar.gz").write_bytes(b"tar")
    return {**PARAMS, "archive": str(tmp_path / "context.tar.gz")}


def test_an_image_that_is_there_is_left_alone():
    registry = Registry(TAGGED)
    docker = Docker(registry)
    result = run(registry, PARAMS, False, docker)
    assert (result["changed"], result["image"], docker.calls) == (False, f"{TAGGED}@sha256:feed", [])


def test_the_context_is_asked_for_only_where_the_image_is_missing_and_not_in_check_mode():
    assert run(Registry(), PARAMS, False, None)["needed"] is True
    told = run(Registry(), PARAMS, True, None)
    assert (told["changed"], told["needed"], told["image"]) == (True, False, TAGGED)


def test_build_and_push(built):
    registry = Registry()
    docker = Docker(registry)
    result = run(registry, built, False, docker)
    assert (result["changed"], result["image"]) == (True, f"{TAGGED}@sha256:feed")
    words = ["docker", "build", "--tag", TAGGED, "--file", "Dockerfile", "--build-arg", "A=1", "--build-arg", "B=2", "-"]
    assert docker.calls[1:] == [words, ["docker", "push", "--quiet", TAGGED]]


def test_rebuild_builds_what_is_there_already(built):
    registry = Registry(TAGGED)
    docker = Docker(registry)
    assert run(registry, {**PARAMS, "rebuild": True}, False, docker)["needed"] is True
    assert run(registry, {**built, "rebuild": True}, False, docker)["changed"] is True
    assert {"--pull", "--no-cache"} <= set(docker.calls[1])


@pytest.mark.parametrize("fails, words", [("build", "could not be built:\nstep 3\nno such file"), ("push", "was built and could not be pushed: step 3")])
def test_the_last_lines_are_shown(built, fails, words):
    registry = Registry()
    with pytest.raises(BuildError) as caught:
        run(registry, built, False, Docker(registry, fails))
    assert words in str(caught.value)


def test_a_registry_that_does_not_answer_is_named():
    with pytest.raises(BuildError, match="does not answer .no route.: is it there, and does this host trust it"):
        run(Registry(refusal=EngineError(500, "no route")), PARAMS, False, None)
    # The same run may be about to make it.
    assert run(Registry(refusal=EngineError(500, "no route")), PARAMS, True, None)["changed"] is True


@pytest.mark.parametrize("name", ["Shop/API", "shop/api:1", "api:1", "shop api", ""])
def test_names_that_are_none(name):
    with pytest.raises(BuildError, match="give the image without tag or digest"):
        run(Registry(), {**PARAMS, "name": name}, False, None)
