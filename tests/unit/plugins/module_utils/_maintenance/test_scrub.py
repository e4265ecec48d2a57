# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be a secret does not get into a bundle, and what helps to find a fault does."""

from __future__ import annotations

import json
import os
import tarfile

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import bundle, scrub

SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "said",
    [
        "docker swarm join --token SWMTKN-1-{0}-abc 10.0.0.4:2377",
        "unlock with SWMKEY-1-{0}",
        "MYSQL_ROOT_PASSWORD={0}",
        "db_password: {0}",
        'password="{0} x"',
        '{{"AccountKey": "{0}"}}',
        '{{"db_password": "a \\" {0}"}}',
        '{{"registry-token": "{0}"}}',
        "AccountName=a;AccountKey={0};EndpointSuffix=core.windows.net",
        "GET https://a.blob.core.windows.net/c?sv=1&sig={0}&se=2",
        "postgres://shop:{0}@db/shop",
        "Authorization: Bearer {0}",
        "curl -u x --password {0} https://y",
        "-----BEGIN RSA PRIVATE KEY-----\n{0}\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n{0}",
        "token eyJhbGciOiJIUzI1NiJ9.{0}.sig",
    ],
)
def test_secrets_in_text(said):
    assert SECRET not in scrub.text(said.format(SECRET))


@pytest.mark.parametrize(
    "said",
    [
        "dockerd: failed to start: port 2377 is in use",
        "level=warning msg=\"failed to resolve task secrets\" node.id=abc",
        "Node demo-2 is down since 12:00",
        "https://registry.example.com/v2/library/redis:8.0",
        "token bucket is empty",
    ],
)
def test_what_helps_stays(said):
    assert scrub.text(said) == said


def test_json_of_the_engine():
    service = {
        "Name": "shop_web",
        "Env": [f"KEY={SECRET}", "PLAIN"],
        "Args": ["--pw", SECRET],
        "Command": f"redis-server --masterauth {SECRET}",
        "Healthcheck": {"Test": ["CMD-SHELL", f"redis-cli -a {SECRET} ping"], "Retries": 3},
        "Labels": {"traefik.users": f"anna:{SECRET}", "com.docker.stack.namespace": "shop"},
        "JoinTokens": {"Worker": f"SWMTKN-1-{SECRET}"},
        "Secrets": [{"SecretID": "abc", "SecretName": "db"}],
        "Options": {"o": f"addr=x,password={SECRET},vers=3"},
        "DbPassword": SECRET,
        "Replicas": 3,
    }
    shown = scrub.data([service])
    assert SECRET not in json.dumps(shown)
    assert shown[0]["Env"] == ["KEY=(removed)", "PLAIN=(removed)"] and shown[0]["Replicas"] == 3
    assert shown[0]["Labels"] == {"traefik.users": "(removed)", "com.docker.stack.namespace": "shop"}
    assert shown[0]["Command"] == "redis-server (removed)" and shown[0]["Healthcheck"] == {"Test": ["(removed)", "(removed)"], "Retries": 3}
    assert shown[0]["Secrets"] == [{"SecretID": "abc", "SecretName": "db"}] and "vers=3" in shown[0]["Options"]["o"]


class Engine:
    """A manager."""

    def get(self, path, **query):
        if path == "/info":
            return {"Swarm": {"ControlAvailable": True, "Cluster": {"Spec": {"x": f"SWMKEY-1-{SECRET}"}}}}
        return [{"Spec": {"ContainerSpec": {"Env": [f"A={SECRET}"]}}}]


def test_a_bundle(tmp_path):
    files = bundle.collect(Engine(), 1, 10)
    assert {"swarm/tasks.json", "engine/info.json", "host/disk.txt", "journal/docker.txt"} <= set(files)
    assert SECRET not in "".join(files.values())
    path = str(tmp_path / "b.tar.gz")
    assert bundle.write(path, "web-1", files) == os.path.getsize(path)
    with tarfile.open(path) as read:
        assert "web-1/swarm/nodes.json" in read.getnames()
    assert os.stat(path).st_mode & 0o777 == 0o600
