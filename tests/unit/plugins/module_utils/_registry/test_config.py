# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry's configuration, units and logins: what is rendered, what is refused, what is shown."""

from __future__ import annotations

import dataclasses
import json
import subprocess

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._registry import config, passwords, units
from ansible_collections.dockhost.azure.plugins.module_utils._registry.config import Request

PEM = "-----BEGIN CERTIFICATE-----\n"
PLAIN = Request(tls_certificate=PEM, tls_key=PEM, users={"anna": "secret"})
BLOB = dataclasses.replace(
    PLAIN, source="image", storage="azure", azure={"account": "contoso", "container": "images", "key": "a2V5"}
)
IDENTITY = dataclasses.replace(BLOB, azure={"account": "contoso", "container": "images", "identity": "system"})
MIRROR = dataclasses.replace(
    PLAIN, name="mirror", port=5001, auth="none", users={}, mirror_of="https://registry-1.docker.io", mirror_username="me", mirror_password="hub"
)
TOKEN = {"realm": "https://tokens/auth", "service": "images", "issuer": "tokens", "certificates": PEM}


def test_the_configuration_of_a_registry_on_disk():
    made = config.config(PLAIN)
    assert made["storage"]["filesystem"] == {"rootdirectory": "/var/lib/dockhost-registry/registry"}
    assert made["auth"] == {"htpasswd": {"realm": "registry", "path": "/etc/dockhost/registry/registry/htpasswd"}}
    assert made["http"]["addr"] == ":5000" and made["storage"]["maintenance"] == {"readonly": {"enabled": False}}
    assert config.config(PLAIN, read_only=True)["storage"]["maintenance"] == {"readonly": {"enabled": True}}


@pytest.mark.parametrize(
    "request_, driver",
    [
        (BLOB, {"accountname": "contoso", "container": "images", "accountkey": "a2V5", "credentials": {"type": "shared_key"}}),
        (IDENTITY, {"accountname": "contoso", "container": "images", "credentials": {"type": "default_credentials"}}),
        (
            dataclasses.replace(BLOB, azure={**BLOB.azure, "realm": "core.chinacloudapi.cn"}),
            {"accountname": "contoso", "container": "images", "accountkey": "a2V5", "credentials": {"type": "shared_key"}, "realm": "core.chinacloudapi.cn"},
        ),
    ],
)
def test_images_on_azure_blob(request_, driver):
    storage = config.config(request_)["storage"]
    assert storage["azure"] == driver and "filesystem" not in storage


def test_an_assigned_identity_is_named_to_the_container_and_a_key_is_not_on_its_command_line():
    assigned = dataclasses.replace(IDENTITY, azure={**IDENTITY.azure, "identity": "11111111-2222"})
    assert "--env AZURE_CLIENT_ID=11111111-2222" in units.service(assigned)
    assert "AZURE_CLIENT_ID" not in units.service(IDENTITY)
    assert "a2V5" not in "".join(units.files(BLOB).values())


def test_mirror_and_token_login():
    made = config.config(MIRROR)
    assert made["proxy"] == {"remoteurl": "https://registry-1.docker.io", "username": "me", "password": "hub"} and "auth" not in made
    token = config.config(dataclasses.replace(PLAIN, auth="token", users={}, token=TOKEN))["auth"]["token"]
    assert token == {"realm": "https://tokens/auth", "service": "images", "issuer": "tokens", "rootcertbundle": "/etc/dockhost/registry/registry/token.crt"}


def test_settings_are_laid_over():
    made = config.config(dataclasses.replace(PLAIN, settings={"log": {"level": "warn"}, "http": {"secret": "s"}}))
    assert made["log"] == {"level": "warn", "fields": {"service": "registry"}} and made["http"]["secret"] == "s" and made["http"]["tls"]


def test_secrets_are_not_shown():
    for request, secret in ((BLOB, "a2V5"), (MIRROR, "hub"), (dataclasses.replace(PLAIN, settings={"http": {"secret": "hush"}}), "hush")):
        written = config.text(config.config(request))
        shown = config.without_secrets(written)
        assert json.loads(written) and f'"{secret}"' in written and f'"{secret}"' not in shown and "(hidden)" in shown


@pytest.mark.parametrize(
    "change, words",
    [
        ({"name": "Re/g"}, "name: 'Re/g' cannot name"),
        ({"port": 0}, "port: 0 is no TCP port"),
        ({"port": 443}, "port: 443 needs root"),
        ({"tls_key": ""}, "tls_key: it is missing"),
        ({"tls_certificate": "/etc/x.pem"}, "tls_certificate: this is no PEM text"),
        ({"users": {}}, "users: nobody could log in"),
        ({"auth": "token"}, "token: it is missing"),
        ({"mirror_of": "http://hub", "auth": "none"}, "mirror_of: http://hub is no https"),
        ({"mirror_of": "https://hub"}, "mirror_of: the Docker Engine sends no login"),
        ({"storage_path": "data"}, "storage_path: data is no absolute path"),
        ({"storage": "azure", "source": "image"}, "azure: give account"),
        ({"storage": "azure", "azure": BLOB.azure}, "storage: the distribution's package is built without"),
        ({"storage": "azure", "source": "image", "azure": {**BLOB.azure, "identity": "system"}}, "azure: give account"),
        ({"storage": "azure", "source": "image", "azure": IDENTITY.azure, "image": "registry:2.8.3"}, "azure.identity: image registry:2.8.3"),
        ({"storage": "azure", "source": "image", "azure": IDENTITY.azure, "image": "hub:5000/registry:3.0.0"}, "distribution#4618"),
    ],
)
def test_what_cannot_work_is_refused(change, words):
    with pytest.raises(HostError) as caught:
        config.check(dataclasses.replace(PLAIN, **change), check_mode=False)
    assert words in str(caught.value)


def test_what_works_is_not_refused():
    for request in (PLAIN, BLOB, IDENTITY, MIRROR, dataclasses.replace(BLOB, port=443), dataclasses.replace(IDENTITY, image="registry:3.1.0")):
        config.check(request, check_mode=False)
    config.check(dataclasses.replace(PLAIN, tls_certificate="", tls_key=""), check_mode=True)


@pytest.mark.parametrize("request_", [PLAIN, BLOB, dataclasses.replace(PLAIN, source="image", garbage_untagged=True)], ids=["package", "blob", "image"])
def test_the_script_that_collects_garbage_is_one(request_, tmp_path):
    files = units.files(request_)
    script = tmp_path / "collect"
    script.write_text(files["/etc/dockhost/registry/registry/collect-garbage"])
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert ("--delete-untagged" in script.read_text()) == request_.garbage_untagged
    assert "OnCalendar=Sun *-*-* 03:30:00" in files["/etc/systemd/system/dockhost-registry-registry-garbage.timer"]


def test_a_mirror_has_no_garbage_and_no_schedule_has_no_timer():
    for request in (MIRROR, dataclasses.replace(PLAIN, garbage_schedule="")):
        assert list(units.files(request)) == [f"/etc/systemd/system/dockhost-registry-{request.name}.service"]


def test_a_hash_stays_as_long_as_its_password():
    first, changes = passwords.htpasswd({"ben": "b", "anna": "a"}, None)
    assert changes == ["user anna: new", "user ben: new"] and [line.split(":")[0] for line in first.splitlines()] == ["anna", "ben"]
    assert passwords.htpasswd({"anna": "a", "ben": "b"}, first) == (first, [])
    second, changes = passwords.htpasswd({"anna": "other"}, first)
    assert changes == ["user anna: another password", "user ben: removed"]
    stored = passwords.parse(second)["anna"]
    assert passwords.crypt("other", stored) == stored != passwords.crypt("a", stored)


def test_a_hash_of_somebody_else_is_taken_as_it_is():
    made = passwords.new_hash("secret")
    assert passwords.htpasswd({"anna": made}, None)[0] == f"anna:{made}\n"
    assert not passwords.is_hash("$2y$10$short") and not passwords.is_hash("secret")


@pytest.mark.parametrize(
    "name, password, words",
    [("a:b", "x", "'a:b' cannot be"), ("", "x", "'' cannot"), ("a\n", "x", "cannot"), ("a", "", "is empty"), ("a", "ä" * 37, "72 bytes")],
)
def test_logins_that_would_not_mean_what_they_say(name, password, words):
    with pytest.raises(HostError) as caught:
        passwords.check_user(name, password)
    assert words in str(caught.value) and (len(password) < 3 or password not in str(caught.value))
