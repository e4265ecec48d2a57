# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of module compose: what is wanted, what is there, what to do; do it, wait, and go back where it does not become healthy.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._compose import files, live, plan
from ansible_collections.dockhost.azure.plugins.module_utils._compose.cli import Compose
from ansible_collections.dockhost.azure.plugins.module_utils._compose.end import Ending
from ansible_collections.dockhost.azure.plugins.module_utils._compose.model import ENVIRONMENT, OURS, File, Request, check, wanted_files
from ansible_collections.dockhost.azure.plugins.module_utils._compose.project import Outcome, Project
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import Result
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine import logins
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError

Json = t.Any


class Present(Project):
    """A project that is to run."""

    def present(self) -> None:
        """Files, containers, and that they become healthy."""
        request, outcome = self.request, self.outcome
        self.wanted = wanted_files(request)
        if not self.compose.available():
            if not self.check_mode:
                self.compose.require()
            # A host that gets its engine in the same run: all that can be said is that the project is new.
            outcome.plan.append(plan.step("create", "project", request.name))
            outcome.changed = True
            return
        write, gone = files.differing(self.wanted, self.actual, request.folder)
        before, found = self._before(), live.read(self.engine, request.name)
        # Files that are in place may have become wrong too, by one that somebody else took away.
        after = self._staged() if write or gone else self.compose.config()
        self._tell(write, gone, before, after, found)
        if self.check_mode:
            outcome.changed = bool(outcome.plan)
            self.told(found)
            return
        self._write(write, gone, self._recreate(after, write, gone), plan.lasting(after))
        outcome.changed = bool(write or gone)
        try:
            self._up(after, found, rebuild=bool(write))
            self._wait()
        except HostError as error:
            raise HostError(self._failed(str(error))) from None
        if request.wait:
            self._keep()

    def _recreate(self, project: Json, write: t.Sequence[str], gone: t.Sequence[str]) -> dict[str, str]:
        """Services whose mounted files change, and those that an interrupted run still owes that."""
        owed = {name: file for name, file in self.state.get("recreate", {}).items() if name in (project.get("services") or {})}
        return {**owed, **plan.touched(project, self.request.folder, [*write, *gone])}

    def _before(self) -> dict[str, Json]:
        """The project as its files in place say; empty where there are none, or none that Compose can read."""
        if not all(name in self.actual for name in self.request.compose_files):
            return {}
        try:
            return self.compose.config()
        except HostError:
            return {}

    def _staged(self) -> dict[str, Json]:
        """The project as the wanted files say, which are not in place yet. HostError where Compose refuses them."""
        folder = self.request.folder
        stage = tempfile.mkdtemp(prefix="dockhost-compose-")  # 0700
        try:
            files.put(stage, self.wanted)
            # What others put into the folder, an env_file for instance, is part of the project too.
            for name in os.listdir(folder) if os.path.isdir(folder) else ():
                ours = any(path.split("/")[0] == name for path in (*self.wanted, *self.actual))
                if name != OURS and not ours:
                    os.symlink(os.path.join(folder, name), os.path.join(stage, name))
            found = Compose(self.request, stage).config()
        finally:
            shutil.rmtree(stage)
        return _moved(found, stage, folder)

    def _tell(self, write: t.Sequence[str], gone: t.Sequence[str], before: Json, after: Json, found: t.Sequence[live.Container]) -> None:
        """Plan and diff."""
        request, outcome = self.request, self.outcome
        changed = bool(write or gone)
        steps = [plan.step("write", "file", name) for name in write] + [plan.step("delete", "file", name) for name in gone]
        steps += plan.parts(after, before) if changed else []
        steps += self._pulls(after) if self.check_mode else []
        steps += self._builds(after, changed)
        hashes = None if changed else self.compose.hashes()
        steps += plan.services(after, before, hashes, found, self._images(after), self._recreate(after, write, gone))
        steps += [plan.step("remove", "service", name, "it is not in the project") for name in self._orphans(after, found, changed)]
        outcome.plan = steps
        names = set(request.environment_secrets) | set(self.state.get("secret_variables", ()))
        old = self.actual.get(ENVIRONMENT)
        hidden = [*self.hidden, *plan.hidden_of(old.content.decode(errors="replace") if old else "", names, self.actual)]
        outcome.diff = plan.show(after, before, sorted(set(hidden), key=len, reverse=True))
        outcome.diff += plan.show_files(self.wanted, self.actual, [*write, *gone], request.compose_files, names, hidden)
        lines = [f"{item['action']} {item['type']} {item['name']}" + (f": {item['detail']}" if item["detail"] else "") + "\n" for item in steps]
        told = [line for line, item in zip(lines, steps) if item["type"] in ("service", "image")]
        if told:
            outcome.diff.append({"before_header": "containers", "after_header": "containers", "before": "", "after": "".join(told)})

    def _orphans(self, after: Json, found: t.Sequence[live.Container], changed: bool) -> list[str]:
        named = plan.orphans(set(after.get("services") or {}), found)
        if not named or not self.request.remove_orphans:
            return []
        # Services of a profile that is off are no orphans.
        return [name for name in named if changed or name not in self.compose.every_service()]

    def _images(self, project: Json) -> dict[str, str]:
        """Image name → its id on this host, for those that are there."""
        names = {service["image"] for service in (project.get("services") or {}).values() if service.get("image")}
        found = {name: self.engine.find(f"/images/{name}/json") for name in names}
        return {name: item["Id"] for name, item in found.items() if item}

    def _pulls(self, project: Json) -> list[dict[str, str]]:
        """In check mode: the images that are missing, or that their registries have in another version, asked without pulling any."""
        steps = []
        services = (project.get("services") or {}).values()
        for name in sorted({service["image"] for service in services if service.get("image") and not service.get("build")}):
            have = self.engine.find(f"/images/{name}/json")
            if have and (self.request.pull != "always" or not self._is_newer(name, have)):
                continue
            if self.request.pull != "never":
                steps.append(plan.step("pull", "image", name, "" if have else "it is not on this host"))
        return steps

    def _is_newer(self, name: str, have: Json) -> bool:
        """Whether the image's registry, asked with this user's login, has another one; not where none answers, since a pull could not tell either."""
        try:
            answer = self.engine.request("GET", f"/distribution/{name}/json", headers=logins.auth_header(name))
        except EngineError:
            return False
        return not any(item.endswith("@" + answer["Descriptor"]["digest"]) for item in have.get("RepoDigests") or ())

    def _builds(self, project: Json, changed: bool) -> list[dict[str, str]]:
        """The images that are built: those that are missing, and all when a file changed, as it may be in one."""
        steps = []
        for service, told in sorted((project.get("services") or {}).items()):
            if told.get("build"):
                name = told.get("image") or f"{self.request.name}-{service}"
                missing = self.engine.find(f"/images/{name}/json") is None
                steps += [plan.step("build", "image", name, "" if changed else "it is not on this host")] if changed or missing else []
        return steps

    def _write(self, write: t.Sequence[str], gone: t.Sequence[str], recreate: t.Mapping[str, str], services: t.Mapping[str, Json]) -> None:
        noted = {**files.noted(self.wanted), "secret_variables": sorted(self.request.environment_secrets)}
        noted.update(project=self.request.name, services=dict(services))
        noted.update({"recreate": dict(recreate)} if recreate else {})
        state = {**noted, **({"good": self.state["good"]} if "good" in self.state else {})}
        if not (write or gone) and state == self.state:
            return
        folder = self.request.folder
        files.make_folder(folder)
        # Noted before they are written: what an interrupted run left is still known as ours.
        both = {**self.state, **state, "files": {**self.state.get("files", {}), **noted["files"]}}
        files.write_state(folder, both)
        files.put(folder, {name: self.wanted[name] for name in write})
        files.remove(folder, gone)
        files.write_state(folder, state)
        self.state = state

    def _up(self, project: Json, found: t.Sequence[live.Container], rebuild: bool) -> None:
        """``docker compose up``, where anything differs."""
        request, outcome = self.request, self.outcome
        self._pull(project)
        steps = plan.services(project, project, self.compose.hashes(), found, self._images(project), self.state.get("recreate", {}))
        if not (steps or self._orphans(project, found, False)):
            return
        words = ["up", "--detach", "--quiet-pull", "--pull", "missing" if request.pull == "always" else request.pull]
        words += ["--remove-orphans"] if request.remove_orphans else []
        built = any(service.get("build") for service in (project.get("services") or {}).values())
        words += ["--build"] if built and rebuild else []
        # Images are there already; only a build takes longer than the containers may.
        timeout = request.timeout + (1800 if built else 60)
        result = self._start(words, found, timeout)
        now = live.read(self.engine, request.name)
        outcome.changed |= _essence(now) != _essence(found)
        if result.code:
            bad = [item for item in now if item.wrong]
            raise HostError(live.failure(self.engine, bad) if bad else f"docker compose up failed: {self.compose.words(result)}")

    def _pull(self, project: Json) -> None:
        """Images, apart from what starts containers, since a pull may take longer than those may."""
        request, outcome, images = self.request, self.outcome, self._images(project)
        services = {name: told["image"] for name, told in (project.get("services") or {}).items() if told.get("image") and not told.get("build")}
        names = sorted(name for name, image in services.items() if request.pull == "always" or image not in images)
        if not names or request.pull == "never":
            return
        result = self.compose.files("pull", "--quiet", *names, timeout=1800)
        if result.code:
            raise HostError(f"its images cannot be pulled: {self.compose.words(result)}")
        pulled = {name for name, image in self._images(project).items() if images.get(name) != image}
        outcome.plan[:0] = [plan.step("pull", "image", name) for name in sorted(pulled)]
        outcome.changed |= bool(pulled)

    def _start(self, words: t.Sequence[str], found: t.Sequence[live.Container], timeout: float) -> Result:
        """``docker compose up`` in these words: first what has a file mounted that is another one now, which Compose would leave as it is, then all.

        In this order, which is that of dependencies: a job that is started before its server is made anew has the new password, and the server the old one.
        """
        stale = sorted({item.service for item in found} & set(self.state.get("recreate", {})))
        result = self.compose.files(*words, "--force-recreate", *stale, timeout=timeout) if stale else None
        if result is None or result.code == 0:
            result = self.compose.files(*words, timeout=timeout)
        if result.code == 0 and "recreate" in self.state:
            self.state = {key: value for key, value in self.state.items() if key != "recreate"}
            files.write_state(self.request.folder, self.state)
        return result

    def _wait(self) -> None:
        request = self.request
        if not request.wait:
            self.told(live.read(self.engine, request.name))
            return
        # What has been running all along has shown that it stays up.
        settle = request.settle if self.outcome.changed else 0
        self.told(live.wait(self.engine, request.name, request.timeout, settle))

    def _keep(self) -> None:
        """Remember this version as one that works."""
        images = {item.image_name: item.image for item in live.read(self.engine, self.request.name)}
        told = self.state.get("good") or {}
        if files.good(self.request.folder, self.state) != self.wanted or told.get("images") != images:
            self.state = files.keep_good(self.request.folder, self.wanted, self.state, images)

    # -- going back ---------------------------------------------------------------------------------------

    def _failed(self, reason: str) -> str:
        """The error's text, after the last good version is back where there is one."""
        reason = plan.mask(reason, self.hidden)
        told = f"Project {self.request.name} did not become healthy: {reason}."
        good, images = files.good(self.request.folder, self.state), (self.state.get("good") or {}).get("images") or {}
        now = {item.image_name: item.image for item in live.read(self.engine, self.request.name)}
        if not good or (good == self.wanted and all(now.get(name, image) == image for name, image in images.items())):
            return f"{told} There is no earlier version to go back to; its containers are left as they are."
        if not self.request.rollback:
            return f"{told} Its containers are left as they are (rollback: false)."
        try:
            self._go_back(good, images)
        except (HostError, EngineError) as error:
            return f"{told} The version before is back, and did not become healthy either: {plan.mask(str(error), self.hidden)}."
        self.outcome.rolled_back = True
        return f"{told} The version before is back and healthy."

    def _go_back(self, good: t.Mapping[str, File], images: t.Mapping[str, str]) -> None:
        folder = self.request.folder
        for name, image in images.items():
            have = self.engine.find(f"/images/{name}/json")
            if "@" in name or (have and have["Id"] == image) or not self.engine.find(f"/images/{image}/json"):
                continue
            repository, _colon, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "latest")
            self.engine.post(f"/images/{image}/tag", repo=repository, tag=tag)
        changed = [name for name in {*self.wanted, *good} if self.wanted.get(name) != good.get(name)]
        files.remove(folder, [name for name in self.wanted if name not in good])
        files.put(folder, good)
        project = self.compose.config()
        told = {"secret_variables": self.state.get("secret_variables", []), "good": self.state["good"], "recreate": plan.touched(project, folder, changed)}
        told.update(project=self.request.name, services=plan.lasting(project))
        self.state = {**files.noted(good), **told}
        files.write_state(folder, self.state)
        found = live.read(self.engine, self.request.name)
        result = self._start(["up", "--detach", "--pull", "missing", "--remove-orphans"], found, self.request.timeout + 600)
        if result.code:
            raise HostError(self.compose.words(result))
        self.told(live.wait(self.engine, self.request.name, self.request.timeout, self.request.settle))


def _moved(value: Json, stage: str, folder: str) -> Json:
    """The configuration with paths where the files will be."""
    if isinstance(value, dict):
        return {key: _moved(item, stage, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, stage, folder) for item in value]
    return value.replace(stage, folder) if isinstance(value, str) else value


def _essence(found: t.Sequence[live.Container]) -> set[tuple[str, bool]]:
    return {(item.id, item.status in ("running", "restarting")) for item in found}


def run(request: Request, check_mode: bool, outcome: Outcome) -> None:
    """Do what the request says. Raises HostError and EngineError."""
    check(request)
    if request.state == "present":
        Present(request, check_mode, outcome).present()
    else:
        getattr(Ending(request, check_mode, outcome), request.state)()
