# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole run of module compose on a host whose engine and Compose are stand-ins: what it does, and that it goes back."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import replace

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._compose import files, live, project, run
from ansible_collections.dockhost.azure.plugins.module_utils._compose.live import Container
from ansible_collections.dockhost.azure.plugins.module_utils._compose.model import Request
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.command import Result
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError


class Host:
    """Containers by service. A service whose command is ``bad`` ends at once; images are made by pulling them."""

    def __init__(self):
        self.containers, self.images, self.calls, self.made, self.registry = {}, {}, [], 0, {}

    # What the engine answers.
    def find(self, path, /, **query):
        name = path[len("/images/") : -len("/json")]
        if name in self.images:
            return {"Id": self.images[name], "RepoDigests": [name.rpartition(":")[0] + "@sha256:old"]}
        return {"Id": name} if name.startswith("sha256:") else None

    def get(self, path, /, **query):
        return {"Volumes": []} if path == "/volumes" else []

    def request(self, method, path, query=None, body=None, headers=None):
        name = path[len("/distribution/") : -len("/json")]
        if name not in self.registry or json.loads(base64.urlsafe_b64decode((headers or {})["X-Registry-Auth"]))["password"] != "pass":
            raise EngineError(401, "no basic auth credentials", path)
        return {"Descriptor": {"digest": self.registry[name]}}

    def post(self, path, /, **query):
        self.images[f"{query['repo']}:{query['tag']}"] = path.split("/")[2]

    def read(self, _engine, _project):
        return sorted(self.containers.values(), key=lambda item: item.name)

    # What Compose does.
    def compose(self, request, folder):
        return Compose(self, request, folder)

    def make(self, name, service, digest):
        self.made += 1
        bad = service.get("command") == "bad"
        self.containers[name] = Container(
            f"id{self.made}", f"shop-{name}-1", name, digest, self.images[service["image"]], service["image"], "exited" if bad else "running",
            exit_code=9 if bad else 0,
        )  # fmt: skip


class Compose:
    def __init__(self, host, request, folder):
        self.host, self.request, self.folder = host, request, folder

    def available(self):
        return True

    def require(self):
        """It is there."""

    def config(self):
        with open(os.path.join(self.folder, "compose.yaml"), encoding="utf-8") as file:
            found = json.load(file)
        if "services" not in found:
            raise HostError("no services")
        for item in found.get("secrets", {}).values():
            item["file"] = os.path.join(self.folder, item["file"])
        return found

    def hashes(self):
        return {name: hashlib.sha1(json.dumps(told).encode()).hexdigest() for name, told in self.config()["services"].items()}

    def every_service(self):
        return set(self.config()["services"])

    def words(self, result):
        return result.errors

    def files(self, *words, timeout=60):
        host, services, hashes = self.host, self.config()["services"], self.hashes()
        host.calls.append(words[0] if "--force-recreate" not in words else "recreate " + words[-1])
        if words[0] == "pull":
            host.images.update({services[name]["image"]: f"sha256:{len(host.calls)}" for name in words[2:]})
            return Result(0, "", "")
        chosen = [words[-1]] if "--force-recreate" in words else list(services)
        for name in chosen:
            have = host.containers.get(name)
            if "--force-recreate" in words or have is None or have.hash != hashes[name] or have.image != host.images[services[name]["image"]]:
                host.make(name, services[name], hashes[name])
        if "--remove-orphans" in words:
            host.containers = {name: item for name, item in host.containers.items() if name in services}
        return Result(0, "", "")

    def project(self, *words, timeout=300):
        self.host.calls.append(words[0])
        self.host.containers = {}
        return Result(0, "", "")


def refuse(error):
    raise error


@pytest.fixture
def host(monkeypatch):
    made = Host()
    monkeypatch.setattr(project, "Engine", lambda _socket: made)
    for place in (project, run):
        monkeypatch.setattr(place, "Compose", made.compose)
    monkeypatch.setattr(live, "read", made.read)
    monkeypatch.setattr(live, "last_lines", lambda _engine, _id: ["its words, and hunter22"])
    monkeypatch.setattr(live, "PAUSE", 0)
    return made


@pytest.fixture
def deploy(host, tmp_path):
    def go(definition=None, check_mode=False, **options):
        host.calls.clear()
        outcome = project.Outcome()
        request = Request("shop", directory=str(tmp_path / "shop"), definition=definition, **{"settle": 0, "timeout": 1, **options})
        run.run(request, check_mode, outcome)
        return outcome

    return go


def version(command="good", image="web:1", **services):
    return {"services": {"web": {"image": image, "command": command}, **services}}


def steps(outcome):
    return [f"{item['action']} {item['type']} {item['name']}" for item in outcome.plan]


def test_check_mode_tells_and_touches_nothing(host, deploy, tmp_path):
    outcome = deploy(version(), check_mode=True)
    assert steps(outcome) == ["write file compose.yaml", "pull image web:1", "create service web"] and outcome.changed
    assert host.calls == [] and not (tmp_path / "shop").exists()


def test_check_mode_asks_the_registry_with_the_users_login(host, deploy, tmp_path, monkeypatch):
    image = "registry.example:5000/web:1"
    deploy(version(image=image))
    host.calls.clear()
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert steps(deploy(version(image=image), check_mode=True, pull="always")) == []       # it answers nobody
    login = {"auths": {"registry.example:5000": {"auth": base64.b64encode(b"anna:pass").decode()}}}
    (tmp_path / "config.json").write_text(json.dumps(login))
    host.registry = {image: "sha256:new"}
    for policy, told in (("always", [f"pull image {image}"]), ("missing", []), ("never", [])):
        assert steps(deploy(version(image=image), check_mode=True, pull=policy)) == told
    host.registry = {image: "sha256:old"}
    assert steps(deploy(version(image=image), check_mode=True, pull="always")) == [] and host.calls == []


def test_what_is_built_is_told(host, deploy):
    told = {"services": {"web": {"build": "."}}}
    assert steps(deploy(told, check_mode=True)) == ["write file compose.yaml", "build image shop-web", "create service web"] and host.calls == []


def test_the_first_run_deploys_and_the_second_does_nothing(host, deploy):
    outcome = deploy(version())
    assert outcome.changed and host.calls == ["pull", "up"] and outcome.containers[0]["status"] == "running"
    again = deploy(version())
    assert (again.changed, again.plan, host.calls) == (False, [], [])


def test_it_notes_how_many_containers_are_to_last(host, deploy, tmp_path):
    def noted():
        state = files.read_state(str(tmp_path / "shop"))
        return state["project"], state["services"]

    lasting = {"restart": "unless-stopped", "deploy": {"replicas": 2}, "image": "web:1", "command": "good"}
    deploy({"services": {"web": lasting, "job": {"image": "web:1", "restart": "on-failure:3"}}})
    first = ("shop", {"web": {"replicas": 2, "image": "web:1"}})
    assert noted() == first
    with pytest.raises(HostError):
        deploy({"services": {"web": {**lasting, "command": "bad", "deploy": {"replicas": 5}}}})
    assert noted() == first
    # A version of the module that did not note it was here before: nothing of the project changes by it.
    state = {key: value for key, value in files.read_state(str(tmp_path / "shop")).items() if key not in ("project", "services")}
    files.write_state(str(tmp_path / "shop"), state)
    host.containers["web-2"] = replace(host.containers["web"], name="shop-web-2")
    assert not deploy({"services": {"web": lasting, "job": {"image": "web:1", "restart": "on-failure:3"}}}).changed
    assert noted() == first


def test_an_orphan_goes(host, deploy):
    deploy(version(old={"image": "web:1"}))
    outcome = deploy(version())
    assert "remove service old" in steps(outcome) and set(host.containers) == {"web"}


def test_what_somebody_stopped_is_started_by_the_next_run(host, deploy):
    deploy(version())
    host.containers.clear()
    outcome = deploy(version())
    assert steps(outcome) == ["create service web"] and outcome.changed and host.calls == ["up"]


def test_a_version_that_fails_makes_the_one_before_come_back_with_its_image(host, deploy, tmp_path):
    deploy(version(), environment_secrets={"PW": "hunter22"})
    good = (tmp_path / "shop" / "compose.yaml").read_text(), host.images["web:1"]
    with pytest.raises(HostError) as caught:
        deploy(version("bad"), pull="always", environment_secrets={"PW": "hunter22"})
    assert "container shop-web-1 has ended with exit code 9; its last lines: its words, and ********" in str(caught.value)
    assert str(caught.value).endswith("The version before is back and healthy.")
    assert ((tmp_path / "shop" / "compose.yaml").read_text(), host.images["web:1"], host.containers["web"].status) == (*good, "running")
    assert deploy(version(), environment_secrets={"PW": "hunter22"}).changed is False


@pytest.mark.parametrize(
    "first, options, words",
    [(None, {}, "There is no earlier version"), ("good", {"rollback": False}, "left as they are (rollback: false)")],
)
def test_a_version_that_fails_stays_where_it_has_to(host, deploy, first, options, words):
    if first:
        deploy(version(first))
    with pytest.raises(HostError, match=words.replace("(", r"\(").replace(")", r"\)")):
        deploy(version("bad"), **options)
    assert host.containers["web"].exit_code == 9


def test_a_secret_that_changes_makes_its_service_anew_also_after_an_interruption(host, deploy, monkeypatch):
    told = {**version(), "secrets": {"db": {"file": "secrets/db"}}}
    told["services"]["web"]["secrets"] = [{"source": "db"}]
    deploy(told, secrets={"db": "one"})
    with monkeypatch.context() as patch:
        patch.setattr(run.Present, "_up", lambda *words, **more: refuse(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            deploy(told, secrets={"db": "two"})
    before = host.containers["web"].id
    outcome = deploy(told, secrets={"db": "two"})
    assert steps(outcome) == ["update service web"] and host.calls == ["recreate web", "up"] and host.containers["web"].id != before
    assert deploy(told, secrets={"db": "two"}).changed is False


def test_files_in_place_that_compose_refuses_are_told(host, deploy, tmp_path, monkeypatch):
    deploy(version())
    monkeypatch.setattr(Compose, "config", lambda self: refuse(HostError("an env_file is gone")))
    with pytest.raises(HostError, match="an env_file is gone"):
        deploy(version())


def test_absent_takes_containers_and_our_files_and_leaves_others(host, deploy, tmp_path):
    deploy(version())
    (tmp_path / "shop" / "theirs").write_text("x")
    outcome = deploy(state="absent")
    assert outcome.changed and host.calls == ["down"] and os.listdir(tmp_path / "shop") == ["theirs"]
    assert deploy(state="absent").changed is False and host.calls == []
