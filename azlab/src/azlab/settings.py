# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of one lab: where its state is, who may sign in, what it listens on."""
from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
import uuid
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from azlab import pki
from azlab.machines.driver import LabConfig

_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,20}$")


def _client_secret() -> str:
    """A client secret that commands take as a value: one that began with "-" would be an option to `az login -p`.

    The prefix also tells a person, or a scanner of secrets, that what it found opens no Azure.
    """
    return "azlab-" + secrets.token_urlsafe(24)


class SettingsError(Exception):
    """A setting that cannot be used; the text is one sentence for people."""


def base_directory() -> Path:
    """Where all labs of this user live: $AZLAB_HOME, or ~/.local/state/azlab."""
    configured = os.environ.get("AZLAB_HOME")
    return Path(configured) if configured else Path.home() / ".local" / "state" / "azlab"


@dataclass
class Settings:
    """What `lab.json` (mode 0600) holds. Ids and the secret are made once per lab."""

    name: str = "default"
    machines: str = "none"
    port: int = 8443
    admin_port: int = 0
    proxy_port: int = 0
    latency_scale: float = 0.0
    public_range: str = "203.0.113.0/24"
    egress: str = "packages"        # see azlab.machines.egress
    apps: str = "wordpress"         # see azlab.images.images_for
    core_quota: int = 4000
    subscriptions: int = 1
    conditions: str = ""            # file that `azlab up` was given; read at each start
    given: dict[str, Any] = field(default_factory=dict)     # conditions of `azlab up --set`, over those of the file
    subscription_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    tenant: str = field(default_factory=lambda: str(uuid.uuid4()))
    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    object_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    secret: str = field(default_factory=_client_secret)
    pid: int = 0
    base: Path = field(default_factory=base_directory, repr=False)     # not saved: where it lies says it

    @property
    def home(self) -> Path:
        return self.base / self.name

    @property
    def subscription_ids(self) -> tuple[str, ...]:
        """All subscriptions that the client may use; the first is `subscription_id`, the others follow from it."""
        first = uuid.UUID(self.subscription_id)
        return (self.subscription_id, *(str(uuid.uuid5(first, str(number))) for number in range(2, self.subscriptions + 1)))

    def subscription_name(self, subscription: str) -> str:
        """Its display name: that of the lab, with a number from the second on."""
        number = self.subscription_ids.index(subscription) + 1
        return f"azlab {self.name}" + (f" {number}" if number > 1 else "")

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def save(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home.chmod(0o700)
        temporary = self.home / "lab.json.new"
        data = {k: v for k, v in asdict(self).items() if k != "base"}
        pki.write_private(temporary, json.dumps(data, indent=1).encode())
        temporary.replace(self.home / "lab.json")

    def driver_config(self) -> LabConfig:
        return LabConfig(name=self.name, home=self.home, public_range=self.public_range, egress=self.egress, apps=self.apps,
                         ca_file=self.home / "ca.pem", ca_key=self.home / "ca-key.pem")

    def environment(self) -> dict[str, str]:
        """What a shell needs so that Ansible, the SDKs and the Azure CLI use this lab."""
        controller = f"{ipaddress.ip_network(self.public_range)[1]}/32"
        ca = str(self.home / "ca.pem")
        return {
            "AZLAB_NAME": self.name,
            "AZURE_CLOUD_ENVIRONMENT": self.url,
            "AZURE_CA_FILE": ca,
            "REQUESTS_CA_BUNDLE": ca,
            "AZURE_SUBSCRIPTION_ID": self.subscription_id,
            "AZURE_CLIENT_ID": self.client_id,
            "AZURE_SECRET": self.secret,                # names that Ansible reads …
            "AZURE_TENANT": self.tenant,
            "AZURE_CLIENT_SECRET": self.secret,         # … and those of azure-identity
            "AZURE_TENANT_ID": self.tenant,
            "AZURE_AUTHORITY_HOST": self.url,
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",   # Azure CLI: do not ask Microsoft whether this authority exists
            "DOCKHOST_SSH_SOURCES": controller,
        }

    def proxy_environment(self) -> dict[str, str]:
        """What a shell needs so that clients which insist on the names of the public cloud reach this lab.

        They believe that they talk to Azure itself (`AzureCloud`), through a proxy that leads to the lab and nowhere else.
        The lower-case names are there for clients that know only these. `CURL_CA_BUNDLE` wins over `SSL_CERT_FILE` with
        curl, so that one set for the machine's own proxy would hide the lab's authority.
        """
        proxy, direct = f"http://127.0.0.1:{self.proxy_port}", "localhost,127.0.0.1"
        own = self.environment()
        return {
            **own,
            "AZURE_CLOUD_ENVIRONMENT": "AzureCloud",
            "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com",
            "SSL_CERT_FILE": own["REQUESTS_CA_BUNDLE"],
            "CURL_CA_BUNDLE": own["REQUESTS_CA_BUNDLE"],
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": direct,
            "no_proxy": direct,
        }


def load(name: str, base: Path | None = None) -> Settings | None:
    """The settings of an existing lab, or None."""
    if not _NAME.match(name):
        raise SettingsError(f"lab name '{name}' cannot be used: give 1 to 21 lower-case letters, digits and '-'.")
    base = base or base_directory()
    path = base / name / "lab.json"
    if not path.exists():
        return None
    known = {f.name for f in fields(Settings)} - {"base"}
    try:
        saved = json.loads(path.read_text())
        return Settings(**{k: v for k, v in saved.items() if k in known}, base=base)
    except (ValueError, AttributeError) as problem:
        raise SettingsError(f"{path} is damaged ({problem}): move {path.parent} away, then 'azlab up --name {name}' makes the lab anew; "
                            f"'azlab down --name {name} --orphans' removes what it left in the Docker engine.") from None
