# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logins of docker login, as the header for the engine."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine.logins import auth_header, registry_of


@pytest.mark.parametrize(
    "image, registry",
    [
        ("redis", ""), ("library/redis:8", ""), ("docker.io/library/redis:8", ""), ("10.0.0.4:5000/shop/api:1@sha256:0", "10.0.0.4:5000"),
        ("localhost/x", "localhost"), ("ghcr.io/a/b", "ghcr.io"), ("team/redis", ""),
    ],
)  # fmt: skip
def test_the_registry_in_a_name(image, registry):
    assert registry_of(image) == registry


def header_of(tmp_path, content, image):
    (tmp_path / "config.json").write_text(content)
    header = auth_header(image, str(tmp_path))
    return json.loads(base64.urlsafe_b64decode(header["X-Registry-Auth"])) if header else None


def test_the_login_of_the_registry_goes_along(tmp_path):
    login = base64.b64encode(b"anna:a:b").decode()
    content = json.dumps({"auths": {"10.0.0.4:5000": {"auth": login}, "https://index.docker.io/v1/": {"auth": login}}})
    assert header_of(tmp_path, content, "10.0.0.4:5000/a:1") == {"username": "anna", "password": "a:b", "serveraddress": "10.0.0.4:5000"}
    assert header_of(tmp_path, content, "redis")["serveraddress"] == "https://index.docker.io/v1/"
    assert header_of(tmp_path, content, "ghcr.io/a") is None


BROKEN = ["", "[]", "{}", '{"auths": {"ghcr.io": {}}}', '{"auths": {"ghcr.io": {"auth": "%%"}}}', '{"auths": {"ghcr.io": {"auth": "YQ=="}}}']


@pytest.mark.parametrize("content", BROKEN)
def test_no_login_no_header(tmp_path, content):
    assert header_of(tmp_path, content, "ghcr.io/a") is None
