# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stack reads of the swarm, and that a host's login goes along where the swarm is given an image."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._stack.live import Deployer, observe, pin_images
from ansible_collections.dockhost.azure.plugins.module_utils._stack.plan import Actual, Step

IMAGE = "10.0.0.4:5000/shop/api:1"
SPEC = {"Name": "shop_api", "Labels": {}, "TaskTemplate": {"ContainerSpec": {"Image": IMAGE}}, "Mode": {"Global": {}}}


class Swarm:
    """An engine that remembers what it was asked for."""

    def __init__(self, **answers):
        self.answers, self.sent = answers, []

    def get(self, path, /, **dummy):
        return self.answers.get(path.rpartition("/")[2], [])

    def find(self, path, /):
        return self.answers.get(path)

    def request(self, method, path, headers=None):
        self.sent.append((path, headers))
        return {"Descriptor": {"digest": "sha256:feed"}}

    def post(self, path, /, body=None, headers=None, **query):
        self.sent.append((path, headers))


def test_the_hosts_network_has_an_id_of_the_swarm_that_no_list_shows():
    service = {"Spec": {"Name": "m_hosts", "TaskTemplate": {"Networks": [{"Target": "swarmhost"}, {"Target": "overlay"}]}}}
    networks = [{"Name": "host", "Id": "localhost", "Scope": "local"}, {"Name": "m_metrics", "Id": "overlay", "Scope": "swarm"}]
    swarm = Swarm(services=[service], networks=networks, **{"/networks/swarmhost": {"Name": "host", "Id": "swarmhost", "Scope": "swarm"}})
    seen = {name: item["Id"] for name, item in observe(swarm, "m").all_networks.items()}
    assert seen == {"host": "swarmhost", "m_metrics": "overlay"}


@pytest.fixture
def login(tmp_path, monkeypatch):
    auth = base64.b64encode(b"anna:secret").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"10.0.0.4:5000": {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


def user_of(headers):
    return json.loads(base64.urlsafe_b64decode(headers["X-Registry-Auth"]))["username"] if headers else None


def test_the_login_goes_along_with_services_and_questions(login):
    swarm = Swarm()
    assert pin_images(swarm, [IMAGE, "redis:8"])[0][IMAGE] == f"{IMAGE}@sha256:feed"
    Deployer(swarm, Actual()).apply(Step("create", "service", "shop_api", "does not exist", spec=SPEC))
    found = {"Spec": SPEC, "Version": {"Index": 7}}
    Deployer(swarm, Actual(services={"shop_api": found})).apply(Step("update", "service", "shop_api", "differs", spec=SPEC, id="x"))
    assert [(path, user_of(headers)) for path, headers in swarm.sent] == [
        (f"/distribution/{IMAGE}/json", "anna"), ("/distribution/redis:8/json", None), ("/services/create", "anna"), ("/services/x/update", "anna"),
    ]  # fmt: skip
