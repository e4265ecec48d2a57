# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From old tools' files to variables: what is carried over, what is not and why, and where secrets go."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import stat

import pytest
import yaml

from ansible_collections.dockhost.azure.plugins.module_utils._convert import render
from ansible_collections.dockhost.azure.plugins.module_utils._convert.task import Conversion
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._stack.document import build

ROOT = pathlib.Path(__file__).resolve().parents[5]
SPEC = importlib.util.spec_from_file_location("old_tools", ROOT / "tests" / "support" / "old_tools.py")
old = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(old)


class Loader(yaml.SafeLoader):
    """Ansible's tag, read as what it marks."""


Loader.add_constructor("!unsafe", lambda loader, node: ("unsafe", loader.construct_scalar(node)))


@pytest.fixture
def convert(tmp_path):
    """Convert into a folder; (result, files by path as text)."""

    def run(kind, source, target="swarm", name=None, protected=None, force=False, folder="made"):
        def on_disk(what, file):
            if isinstance(what, pathlib.Path) or what is None:
                return what and str(what)
            path = tmp_path / file
            path.write_text(what if isinstance(what, str) else json.dumps(what))
            return str(path)

        conversion = Conversion({
            "kind": kind, "source": on_disk(source, "source.json"), "protected_source": on_disk(protected, "prot.json"), "name": name,
            "destination": str(tmp_path / folder), "target": target, "force": force,
        })  # fmt: skip
        conversion.apply()
        place = tmp_path / folder
        return conversion, {str(path.relative_to(place)): path.read_text() for path in sorted(place.rglob("*")) if path.is_file()}

    return run


def variables(files, folder=""):
    """All of group_vars."""
    found = {}
    for path, text in files.items():
        if path.startswith(os.path.join(folder, "group_vars/all/")) and not path.endswith("vault.yml"):
            found.update(yaml.load(text, Loader))
    return found


def reasons(conversion):
    return {item["what"]: item["why"] for deployment in conversion.result()["deployments"] for item in deployment["left"]}


def nowhere_but_in_the_vault(conversion, files, *secrets):
    for secret in secrets:
        assert [path for path, text in files.items() if secret in text] == [path for path in files if path.endswith(render.VAULT)], secret
        assert secret not in json.dumps(conversion.result()) and secret not in json.dumps(conversion.diff()), secret


def test_a_store_of_docker_machine_becomes_a_deployment(convert, tmp_path):
    engine = {"ArbitraryFlags": ["log-driver=journald"], "Labels": ["tier=web", "provider=azure"], "RegistryMirror": ["https://mirror.example.com"],
              "StorageDriver": "aufs", "GraphDir": "/data/docker",
              "Env": ["GODEBUG=x", "HTTP_PROXY=http://proxy:3128", "HTTPS_PROXY=http://me:pr0xy-password@proxy:3128"]}  # fmt: skip
    source = old.store(
        tmp_path / "store",
        old.machine("web-1", "198.51.100.11", OpenPorts=["80", "8080/tcp"], engine=engine, SwarmMaster=True, swarm={"IsSwarm": True}),
        old.machine("web-2", "198.51.100.12", OpenPorts=["80"], engine=engine, DNSLabel="shop"),
        old.machine("web-3", "198.51.100.13", OpenPorts=["53/udp"]),
    )
    conversion, files = convert("docker_machine", source)
    made = variables(files)
    assert made == {
        "deployment_name": "shop-machines", "deployment_resource_group": "rg-shop-machines", "deployment_location": "northeurope",
        "deployment_hosts": 3, "deployment_managers": 1, "deployment_size": "Standard_DS2_v2", "deployment_admin_username": "docker-user",
        "deployment_ssh_public_keys": [old.KEY], "deployment_application_ports": ["80", "8080", "53"],
        "azure_subscription_id": "11111111-2222-4333-8444-555555555555", "azure_client_id": "6c9f4b0a-1111-4222-8333-944455556666",
        "docker_daemon_options": {"log-driver": "journald", "registry-mirrors": ["https://mirror.example.com"], "labels": ["tier=web"]},
        "docker_proxy": {"http": "http://proxy:3128", "https": "{{ vault_docker_proxy_https }}"}, "docker_data_root": "/data/docker",
    }  # fmt: skip
    assert yaml.safe_load(files["shop-machines.docker_hosts.yml"]) == {
        "plugin": "dockhost.azure.docker_hosts", "deployment": "shop-machines", "resource_groups": ["rg-shop-machines"], "admin_username": "docker-user",
    }  # fmt: skip
    existing = yaml.safe_load(files["existing.yml"])["all"]["children"]["existing"]["hosts"]
    assert existing["web-2"] == {"ansible_host": "198.51.100.12", "ansible_user": "docker-user", "ansible_port": 22,
                                 "ansible_ssh_private_key_file": "/home/ops/.docker/machine/machines/web-2/id_rsa"}  # fmt: skip
    nowhere_but_in_the_vault(conversion, files, old.CLIENT_SECRET, "pr0xy-password")
    why = reasons(conversion)
    for what in ("Driver.Image = canonical:UbuntuServer:16.04.0-LTS:latest", "web-2: Driver.DNSLabel = shop", "Driver.DockerPort = 2376, open to everybody",
                 "web-1: Docker Swarm (classic), discovery and strategy spread", "web-3: HostOptions.EngineOptions", "web-1: containers, images and volumes",
                 "web-1: HostOptions.EngineOptions.StorageDriver = aufs", "web-1: HostOptions.EngineOptions.Env GODEBUG"):  # fmt: skip
        assert what in why and what in files["CONVERTED.md"]


def test_machines_of_several_kinds_become_deployments_of_their_own(convert, tmp_path):
    other = old.machine("box", "192.0.2.9")
    other["DriverName"] = "virtualbox"
    source = old.store(tmp_path / "store", old.machine("a", "198.51.100.1"), old.machine("b", "198.51.100.2", Size="Standard_A2"),
                       old.machine("c", "198.51.100.3", ResourceGroup="rg-shop-machines", Size="Standard_D2_v2"), other)  # fmt: skip
    conversion, files = convert("docker_machine", source)
    assert [item["name"] for item in conversion.result()["deployments"]] == ["shop-machines", "shop-machines-2", "rg-shop-machines"]
    assert "deployment_size" not in variables(files, "shop-machines-2") and "Driver.Size = Standard_A2" in reasons(conversion)
    last = variables(files, "rg-shop-machines")
    assert last["deployment_image"] == "Debian:debian-13:13:latest" and last["deployment_resource_group"] == "rg-rg-shop-machines"
    assert "machine box" in reasons(conversion)


def test_the_new_hosts_are_never_in_the_old_resource_group(convert, tmp_path):
    source = old.store(tmp_path / "store", old.machine("a", "198.51.100.1", ResourceGroup="RG-shop"))
    assert variables(convert("docker_machine", source, name="shop")[1])["deployment_resource_group"] == "rg-shop-new"


@pytest.mark.parametrize("target", ["swarm", "compose"])
def test_a_compose_file_of_the_first_format(convert, target):
    conversion, files = convert("compose_v1", old.COMPOSE, target, name="shop")
    nowhere_but_in_the_vault(conversion, files, *old.COMPOSE_SECRETS)
    text = files["compose.yml"].replace("{% raw %}", "").replace("{% endraw %}", "")
    document = yaml.safe_load(text)
    web = document["services"]["web"]
    debug = {"DEBUG": None} if target == "compose" else {}  # has no value: Compose takes it from the shell, and a swarm has none
    assert web["environment"] == {"DATABASE_PASSWORD": "${WEB_DATABASE_PASSWORD}", "SITE_NAME": "The shop", **debug}
    assert ("./conf:/etc/mysql/conf.d:ro" in document["services"]["db"]["volumes"]) == (target == "compose")
    assert web["volumes"] == ["media_srv_media:/srv/media:ro"] and document["services"]["worker"]["volumes"] == ["media_srv_media:/srv/media"]
    assert document["services"]["media"]["volumes"] == ["media_srv_media:/srv/media"]
    assert document["services"]["db"]["networks"] == {"default": {"aliases": ["database"]}}
    assert set(document["volumes"]) == {"dbdata", "media_srv_media"}
    assert web["logging"] == {"driver": "syslog", "options": {"tag": "{{.Name}}"}}
    why = reasons(conversion)
    assert "source.json: web.external_links: legacy_search:search" in why
    if target == "compose":
        assert web["build"] == {"context": "./web", "dockerfile": "Dockerfile.prod"} and web["mem_limit"] == "512m"
        assert document["services"]["cache"]["network_mode"] == "service:db" and document["services"]["cache"]["cpuset"] == "0,1"
        made = variables(files)
        assert made["compose_name"] == "shop" and set(made["compose_files"]) == {"compose.yaml"} and "compose_environment" not in made
        assert made["compose_environment_secrets"]["WEB_DATABASE_PASSWORD"] == "{{ vault_web_database_password }}"
        assert document["services"]["db"]["container_name"] == "shop-db" and "{% raw %}" not in files["compose.yml"]
    else:
        assert web["deploy"] == {"resources": {"limits": {"memory": "512m"}}, "restart_policy": {"condition": "any"}}
        assert document["services"]["worker"]["deploy"]["restart_policy"] == {"condition": "on-failure", "max_attempts": 5}
        assert {"source.json: web.build", "source.json: cache.privileged", "source.json: cache.net: container:db", "source.json: worker.cpu_shares"} <= set(why)
        assert files["compose.yml"].startswith("{% raw %}")  # {{.Name}} is Docker's and not Jinja's


def test_role_stack_takes_what_a_compose_file_becomes(convert):
    dummy, files = convert("compose_v1", old.COMPOSE, name="shop")
    document = yaml.safe_load(files["compose.yml"].replace("{% raw %}", "").replace("{% endraw %}", ""))
    made = variables(files)
    assert made["stack_name"] == "shop" and made["stack_file"] == "{{ inventory_dir }}/compose.yml"
    vault = yaml.safe_load(files["group_vars/all/vault.yml"])
    values = {name: vault[place.strip("{ }")] for name, place in made["stack_variables"].items()}
    services = build("shop", document, {}, {}, b"key", values).services
    assert set(services) == {"shop_web", "shop_worker", "shop_media", "shop_db", "shop_cache"}
    assert "DATABASE_PASSWORD=pa55-of-the-shop" in services["shop_web"]["TaskTemplate"]["ContainerSpec"]["Env"]


def test_settings_of_the_docker_extension(convert):
    conversion, files = convert("docker_extension", old.PUBLIC, name="front", protected=old.PROTECTED)
    nowhere_but_in_the_vault(conversion, files, "s3ssion-key", "l0gin-password")
    made = variables(files)
    assert made["docker_daemon_options"] == {"debug": True, "dns": ["8.8.8.8"], "registry-mirrors": ["https://mirror.example.com"]}
    assert made["stack_variables"] == {"GREETING": "hello", "SESSION_KEY": "{{ vault_session_key }}"}
    assert yaml.safe_load(files["compose.yml"])["services"]["web"]["ports"] == ["80:80"]
    assert (made["registry_address"], made["registry_username"]) == ("registry.example.com", "ci")
    assert made["registry_password"] == "{{ vault_registry_password }}" and "docker.port = 2376" in reasons(conversion)
    assert not any(path.endswith("docker_hosts.yml") for path in files)  # the settings say nothing of hosts


def test_the_docker_extension_in_a_template(convert):
    conversion, files = convert("docker_extension", old.TEMPLATE)
    services = yaml.safe_load(files["compose.yml"])["services"]
    assert services["web"]["environment"] == {"GREETING": "hello"} and services["db"]["environment"] == {}
    assert "rootPassword" in reasons(conversion)["settings.compose.db.environment.MYSQL_ROOT_PASSWORD"]


def test_parameters_of_docker_for_azure(convert):
    conversion, files = convert("docker_for_azure", old.DOCKER_FOR_AZURE)
    made = variables(files)
    assert made == {
        "deployment_name": "dockerswarm", "deployment_hosts": 8, "deployment_managers": 3, "deployment_size": "Standard_DS3_v2",
        "deployment_ssh_public_keys": [old.KEY], "azure_client_id": "6c9f4b0a-1111-4222-8333-944455556666",
    }  # fmt: skip
    nowhere_but_in_the_vault(conversion, files, "pr1ncipal-secret")
    assert {"managerVMSize = Standard_DS2_v2", "enableSystemPrune", "enableExtLogs", "Cloudstor volumes"} <= set(reasons(conversion))


def test_a_description_of_acs_engine(convert):
    conversion, files = convert("acs_engine", old.ACS_ENGINE)
    made = variables(files)
    assert (made["deployment_name"], made["deployment_hosts"], made["deployment_managers"]) == ("shopmasters", 8, 3)
    assert made["deployment_location"] == "westeurope" and made["deployment_application_ports"] == ["80", "443"]
    assert made["deployment_size"] == "Standard_D2_v2" and made["deployment_image"] == "Debian:debian-13:13:latest"
    nowhere_but_in_the_vault(conversion, files, "pr1ncipal-secret")
    assert "w1ndows-password" not in "".join(files.values())
    assert {"agent pool windows: 2 hosts with osType Windows", "agentPoolProfiles[].vmSize = Standard_D3_v2", "agent pool data: diskSizesGB",
            "agent pool data: label tier=data", "masterProfile.firstConsecutiveStaticIP = 10.0.0.5", "windowsProfile"} <= set(reasons(conversion))  # fmt: skip


def test_files_that_people_changed_are_not_overwritten(convert, tmp_path):
    convert("acs_engine", old.ACS_ENGINE)
    again, dummy = convert("acs_engine", old.ACS_ENGINE)
    assert not again.writes
    changed = tmp_path / "made" / "group_vars" / "all" / "deployment.yml"
    changed.write_text("deployment_hosts: 9\n")
    with pytest.raises(RefusedError, match="group_vars/all/deployment.yml. Nothing was written"):
        convert("acs_engine", old.ACS_ENGINE)
    assert changed.read_text() == "deployment_hosts: 9\n"
    vault = tmp_path / "made" / "group_vars" / "all" / "vault.yml"
    assert stat.S_IMODE(vault.stat().st_mode) == 0o600
    vault.write_text("$ANSIBLE_VAULT;1.1;AES256\n6162\n")
    convert("acs_engine", old.ACS_ENGINE, force=True)
    assert vault.read_text().startswith("$ANSIBLE_VAULT") and changed.read_text() != "deployment_hosts: 9\n"


def test_text_of_others_never_becomes_a_template(convert):
    described = json.loads(json.dumps(old.ACS_ENGINE))
    described["properties"]["linuxProfile"]["adminUsername"] = "{{ lookup('pipe', 'id') }}"
    dummy, files = convert("acs_engine", described)
    assert variables(files)["deployment_admin_username"] == ("unsafe", "{{ lookup('pipe', 'id') }}")
    assert "!unsafe" in files["shopmasters.docker_hosts.yml"]


@pytest.mark.parametrize("kind, source, sentence", [
    ("acs_engine", {"properties": {"orchestratorProfile": {"orchestratorType": "DCOS"}}}, "orchestratorType is 'DCOS'"),
    ("acs_engine", {"properties": []}, "properties is not a mapping"),
    ("docker_for_azure", {"parameters": {"vmName": {"value": "x"}}}, "none of the parameters of Docker for Azure"),
    ("docker_for_azure", {"parameters": {"managerCount": {"value": "many"}}}, "managerCount is 'many' in the source"),
    ("compose_v1", "version: '2'\nservices: {}\n", "is not of the first format"),
    ("compose_v1", "web: {image: a, links: [db]}\n", "web.links has 'db', and there is no such service"),
    ("compose_v1", "web: {image: a, volumes_from: [web]}\n", "leads back to itself"),
    ("compose_v1", "web: [\n", "neither JSON nor YAML"),
    ("compose_v1", "- web\n", "holds no mapping at its top"),
    ("docker_extension", {"docker": {"port": "many"}}, "settings.docker.port is 'many'"),
    ("docker_extension", {"resources": []}, "without an extension of type DockerExtension"),
    ("docker_machine", pathlib.Path("/nowhere"), "there is no machines/NAME/config.json"),
    ("acs_engine", pathlib.Path("/nowhere"), "and there is no such file"),
])  # fmt: skip
def test_what_cannot_be_read_is_said_in_one_sentence(convert, kind, source, sentence, tmp_path):
    with pytest.raises(InputError) as told:
        convert(kind, source)
    assert sentence in str(told.value) and not (tmp_path / "made").exists()
