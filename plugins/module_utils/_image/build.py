# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of module image_build on the host: look for the image, and build and push it where it is missing.

Docker's own command builds, since BuildKit cannot be used over the Engine API alone.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import re
import time
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.logins import auth_header

LAST_LINES = 20
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"(?:[a-z0-9.-]+(?::[0-9]+)?/)?{_PART}(?:/{_PART})*")

Run = t.Callable[..., t.Tuple[int, str, str]]
Params = t.Mapping[str, t.Any]


class BuildError(Exception):
    """Why there is no image; the text is for people."""


def run(engine: Engine, params: Params, check_mode: bool, command: Run) -> dict[str, t.Any]:
    """The module's result. Raises BuildError, EngineError and EngineUnreachable.

    ``needed`` in it asks the action for the archive: the image is missing and nothing was sent yet.
    """
    if not _NAME.fullmatch(params["name"]):
        raise BuildError(f"name is '{params['name']}': give the image without tag or digest, in lower case, such as registry.example.com/shop/api.")
    tag = params["content"][:12]
    tagged = f"{params['name']}:{tag}"
    digest = "" if params["rebuild"] and not params["archive"] else _digest(engine, tagged, params["push"], check_mode)
    result = {"tag": tag, "digest": digest, "image": _pinned(tagged, digest), "changed": False, "needed": False, "seconds": 0.0}
    if (digest or not params["push"] and _local(engine, tagged)) and not params["rebuild"]:
        return result
    result["diff"] = {"before": "", "after": f"image {tagged}\n"}
    if check_mode or not params["archive"]:
        return {**result, "changed": True, "needed": not check_mode}
    began = time.monotonic()
    _build(params, tagged, command)
    if params["push"]:
        _push(tagged, command)
        digest = _digest(engine, tagged, True, False)
    return {**result, "changed": True, "digest": digest, "image": _pinned(tagged, digest), "seconds": round(time.monotonic() - began, 1)}


def _pinned(tagged: str, digest: str) -> str:
    return f"{tagged}@{digest}" if digest else tagged


def _digest(engine: Engine, tagged: str, push: bool, check_mode: bool) -> str:
    """The digest that the registry tells; empty where it has no such image."""
    if not push:
        return ""
    try:
        answer = engine.request("GET", f"/distribution/{tagged}/json", headers=auth_header(tagged))
    except EngineError as error:
        # The engine tells "not there" and "not yours to see" in one breath; what is really wrong shows when it is pushed.
        if error.status in (401, 403, 404) or "manifest unknown" in error.message or "not found" in error.message:
            return ""
        if check_mode:  # a registry that the same run would make is not there yet
            return ""
        raise BuildError(f"The registry of {tagged} does not answer ({error.message}): is it there, and does this host trust it and sign in?") from error
    return str(answer["Descriptor"]["digest"])


def _local(engine: Engine, tagged: str) -> bool:
    return engine.find(f"/images/{tagged}/json") is not None


def _build(params: Params, tagged: str, command: Run) -> None:
    words = ["docker", "build", "--tag", tagged, "--file", params["dockerfile"]]
    for name, value in sorted((params["build_args"] or {}).items()):
        words += ["--build-arg", f"{name}={value}"]
    if params["target"]:
        words += ["--target", params["target"]]
    if params["rebuild"]:
        words += ["--pull", "--no-cache"]
    buildkit = command(["docker", "buildx", "version"])[0] == 0
    with open(params["archive"], "rb") as file:
        code, out, err = command([*words, "-"], data=file.read(), binary_data=True, environ_update={"DOCKER_BUILDKIT": "1" if buildkit else "0"})
    if code:
        raise BuildError(f"{tagged} could not be built:\n{_end(out + err)}")


def _push(tagged: str, command: Run) -> None:
    code, out, err = command(["docker", "push", "--quiet", tagged])
    if code:
        raise BuildError(f"{tagged} was built and could not be pushed: {_end(out + err)}")


def _end(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-LAST_LINES:])
