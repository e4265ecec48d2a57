# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's registry: serves the application images under their names on Docker Hub, so that no playbook knows the difference."""
from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
import time

import docker
import docker.errors
import docker.types
from docker.models.containers import Container

from azlab import images, pki
from azlab.machines.docker import names, seed
from azlab.machines.driver import LabConfig, MachineError

NAMES = ("registry-1.docker.io", "index.docker.io", "docker.io", "localhost")
# Layers that were pushed once are there for each lab and each start; no lab removes them.
CACHE_VOLUME = "azlab-registry-cache"
MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


class LabRegistry:
    """The registry container of a lab. Blocking; run in threads."""

    def __init__(self, config: LabConfig, client: docker.DockerClient) -> None:
        self.config = config
        self.client = client
        self.address = str(ipaddress.IPv4Network(config.public_range)[names.REGISTRY_HOST])
        self._port = 0

    def ensure(self) -> None:
        """Make and start it; returns when it answers."""
        container = self._find()
        if container is not None and container.labels.get(images.LABEL) != self._image_id():
            container.remove(force=True)
            container = None
        container = container or self._create()
        container.start()
        container.reload()
        self._port = int(container.attrs["NetworkSettings"]["Ports"]["443/tcp"][0]["HostPort"])
        self._wait(container)

    def push(self, tag: str, hub_name: str) -> bool:
        """Serve the image `tag` as `hub_name` (docker.io/library/x:1); False when it was there already."""
        repository, _colon, version = hub_name.removeprefix("docker.io/").rpartition(":")
        image = self.client.images.get(tag)
        if self._served(repository, version) == image.id:
            return False
        # The engine takes registries on the loopback address without a trusted certificate.
        target = f"127.0.0.1:{self._port}/{repository}"
        image.tag(target, version)
        try:
            for event in self.client.api.push(target, version, stream=True, decode=True, auth_config={}):
                if "error" in event:
                    raise MachineError("InternalExecutionError", f"image {hub_name} could not be put into the lab's registry: {event['error']}")
        finally:
            self.client.images.remove(f"{target}:{version}")
        return True

    def _served(self, repository: str, version: str) -> str:
        """The id (digest of the configuration) of the image that is served under a name; empty when there is none."""
        connection = self._connection()
        try:
            connection.request("GET", f"/v2/{repository}/manifests/{version}", headers={"Accept": MANIFESTS})
            response = connection.getresponse()
            body = response.read()
            return str(json.loads(body)["config"]["digest"]) if response.status == 200 else ""
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.config.ca_file))
        return http.client.HTTPSConnection("localhost", self._port, context=context, timeout=10)

    def _wait(self, container: Container) -> None:
        deadline = time.monotonic() + 30
        while True:
            connection = self._connection()
            try:
                connection.request("GET", "/v2/")
                connection.getresponse().read()
                return
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > deadline:
                    last = container.logs(tail=3).decode(errors="replace").strip()
                    raise MachineError("InternalExecutionError", f"the lab's registry does not answer ({error}): {last}") from error
                time.sleep(0.05)
            finally:
                connection.close()

    def _find(self) -> Container | None:
        try:
            return self.client.containers.get(names.registry(self.config.name))
        except docker.errors.NotFound:
            return None

    def _image_id(self) -> str:
        return str(self.client.images.get(images.tag_of("registry")).id)

    def _create(self) -> Container:
        lab = self.config.name
        network = names.internet(lab)
        self.client.volumes.create(CACHE_VOLUME, labels={names.LABEL_CACHE: "registry"})
        endpoint = self.client.api.create_endpoint_config(ipv4_address=self.address)
        api = self.client.api
        created = api.create_container(
            images.tag_of("registry"), name=names.registry(lab), hostname="registry", ports=[443],
            labels={**names.labels(self.config, "registry"), images.LABEL: self._image_id()},
            networking_config=api.create_networking_config({network: endpoint}),
            host_config=api.create_host_config(
                port_bindings={443: ("127.0.0.1",)}, network_mode=network,
                log_config=docker.types.LogConfig(type="json-file", config={"max-size": "5m", "max-file": "1"}),
                mounts=[docker.types.Mount("/var/lib/registry", CACHE_VOLUME, type="volume", labels={names.LABEL_CACHE: "registry"})]))
        container = self.client.containers.get(created["Id"])
        certificate, key = pki.issue(self.config.home, NAMES, (self.address, "127.0.0.1"))
        container.put_archive("/", seed.tar({"etc/azlab/tls/cert.pem": (certificate, 0o644), "etc/azlab/tls/key.pem": (key, 0o600)}))
        return container
