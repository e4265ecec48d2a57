#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: storage_account
short_description: Storage account with file shares and blob containers
version_added: 0.1.0
description:
  - Makes and changes a storage account with the shares of Azure Files that role P(dockhost.azure.volumes#role) mounts, and the blob containers that roles
    P(dockhost.azure.registry#role) and P(dockhost.azure.maintenance#role) keep images and backups in, as one plan.
  - Shares and containers that the task does not name are left alone. The account's key goes to a file and is in no result.
author:
  - The dockhost.azure authors (@dockhost)
extends_documentation_fragment:
  - dockhost.azure.azure
  - dockhost.azure.azure.attributes
  - dockhost.azure.tags
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  resource_group:
    description: The resource group of the account.
    type: str
    required: true
  name:
    description: The name of the account, 3 to 24 lower-case letters and digits. No other account in Azure has it.
    type: str
    required: true
  location:
    description:
      - The region of the account, for instance V(westeurope).
      - The region of the resource group when not given.
    type: str
  performance:
    description:
      - V(standard) for shares over SMB and for blobs, V(premium) for shares on SSD, over SMB or NFS.
      - Azure does not let it change.
    type: str
    choices:
      - standard
      - premium
    default: standard
  replication:
    description: How the data are kept several times. Premium storage has V(LRS) and V(ZRS).
    type: str
    choices:
      - LRS
      - ZRS
      - GRS
      - GZRS
    default: LRS
  shares:
    description: The shares of Azure Files to have.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the share.
        type: str
        required: true
      slots:
        description: A share for each task of a service, C(NAME-1) to C(NAME-N), as role P(dockhost.azure.volumes#role) mounts them.
        type: int
        default: 0
      quota_gb:
        description:
          - How large it may become, in GiB. Premium shares have at least V(100), and are paid for by this size.
          - Azure's default when it is made without.
        type: int
      protocol:
        description: How hosts mount it. V(nfs) needs O(performance=premium), O(secure_transfer=false) and O(subnets) or a private endpoint.
        type: str
        choices:
          - smb
          - nfs
        default: smb
      root_squash:
        description: For V(nfs), whose files those of root become - nobody's else (V(none)), or an anonymous user's for V(root) or for V(all).
        type: str
        choices:
          - none
          - root
          - all
  containers:
    description: The names of the blob containers to have. Nobody reads them without signing in.
    type: list
    elements: str
    default: []
  subnets:
    description:
      - The subnets that alone reach the account, each as an id or as NETWORK/SUBNET in O(resource_group). They need the service endpoint
        C(Microsoft.Storage).
      - An empty list lets in everybody who has the key; what is there is left as it is when not given.
    type: list
    elements: str
  secure_transfer:
    description: Whether only encrypted connections are taken. NFS as hosts mount it has none.
    type: bool
    default: true
  key_file:
    description:
      - A file on the controller that gets the account's first key (mode 0600), for O(dockhost.azure.volumes#role:main:volumes_account_key). It is written
        only when it differs.
    type: path
  state:
    description:
      - V(absent) deletes the account with all that is in it, when it carries the tag of this deployment.
      - An account that holds shares or containers is refused without O(force_delete_nonempty).
    type: str
    choices:
      - present
      - absent
    default: present
  force_delete_nonempty:
    description: Whether O(state=absent) deletes an account that has shares or containers, and the data in them.
    type: bool
    default: false
seealso:
  - module: dockhost.azure.mounted_volumes
"""

EXAMPLES = r"""
- name: A share for uploads, one for each of three tasks, and a container for backups
  dockhost.azure.storage_account:
    resource_group: demo
    name: demofiles7431
    shares:
      - name: blog-uploads
        quota_gb: 50
      - name: queue
        slots: 3
    containers:
      - backups
    key_file: ~/.local/state/dockhost/demo/demofiles7431.key

- name: Shares over NFS, for the hosts' subnet alone
  dockhost.azure.storage_account:
    resource_group: demo
    name: demonfs7431
    performance: premium
    secure_transfer: false
    subnets:
      - demo-vnet/hosts
    shares:
      - name: media
        protocol: nfs
        quota_gb: 100
"""

RETURN = r"""
storage_account:
  description: The account as it is after the task.
  returned: success
  type: dict
  contains:
    id:
      description: The id of the account; null where it does not exist.
      type: str
      returned: success
    file_endpoint:
      description: Where its shares are reached.
      type: str
      returned: when it exists
      sample: https://demofiles7431.file.core.windows.net/
    blob_endpoint:
      description: Where its containers are reached; null for a premium account.
      type: str
      returned: when it exists
    shares:
      description: The names of all shares.
      type: list
      elements: str
      returned: when it exists
    containers:
      description: The names of all containers.
      type: list
      elements: str
      returned: when it exists
plan:
  description: What was done, or would be done in check mode, each with C(action), C(type), C(name), C(changes), C(reason), C(seconds).
  returned: success
  type: list
  elements: dict
error:
  description: What Azure said, with C(code), C(message), C(target), C(details) and C(status).
  returned: when Azure refused
  type: dict
"""

import asyncio
import os
from dataclasses import replace

from ansible_collections.dockhost.azure.plugins.module_utils import _module
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._model import storage as model
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import STORAGE_API, Resource, by_id, is_ours, list_path
from ansible_collections.dockhost.azure.plugins.module_utils._plan.core import Plan, plan
from ansible_collections.dockhost.azure.plugins.module_utils._plan.network import owner_refusals

STORAGE_ARGS = dict(
    _module.TAGS_ARGS,
    resource_group={"type": "str", "required": True},
    name={"type": "str", "required": True},
    location={"type": "str"},
    performance={"type": "str", "choices": ["standard", "premium"], "default": "standard"},
    replication={"type": "str", "choices": ["LRS", "ZRS", "GRS", "GZRS"], "default": "LRS"},
    shares={"type": "list", "elements": "dict", "default": [], "options": {
        "name": {"type": "str", "required": True},
        "slots": {"type": "int", "default": 0},
        "quota_gb": {"type": "int"},
        "protocol": {"type": "str", "choices": ["smb", "nfs"], "default": "smb"},
        "root_squash": {"type": "str", "choices": ["none", "root", "all"]},
    }},
    containers={"type": "list", "elements": "str", "default": []},
    subnets={"type": "list", "elements": "str"},
    secure_transfer={"type": "bool", "default": True},
    key_file={"type": "path", "no_log": False},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    force_delete_nonempty={"type": "bool", "default": False},
)


class StorageTask(_module.Task):
    """Observe the account, its shares and its containers, plan once."""

    def __init__(self, params, subscription_id):
        super().__init__(params, subscription_id)
        self.wanted = model.Storage.from_params(params, subscription_id)
        self.group = params["resource_group"]
        self.location = _module.text_or_none(params["location"])
        self.absent = params["state"] == "absent"
        self.key_file = params["key_file"] if not self.absent else None
        self.key_differs = False
        self.deployment_place(None)

    def check(self):
        folder = os.path.dirname(os.path.abspath(self.key_file)) if self.key_file else "/"
        if not os.path.isdir(folder):
            raise InputError("key_file", "key_file is '{0}', whose folder does not exist on the controller: make it first.".format(self.key_file))

    def deployment_place(self, account):
        """Where the account is."""
        self.place = model.Place(self.subscription_id, self.group, self.wanted.name, self.location or "", self.deployment, account)
        return self.place

    async def observe(self, client):
        accounts = by_id(await client.list(list_path(self.subscription_id, self.group, model.ACCOUNTS), STORAGE_API))
        identity = self.place.id()
        actual = {key: body for key, body in accounts.items() if key == identity.lower()}
        account = actual.get(identity.lower())
        if account is not None:
            paths = [identity + "/fileServices/default/shares"]
            if account["kind"] != "FileStorage":
                paths.append(identity + "/blobServices/default/containers")
            for found in await asyncio.gather(*[client.list(path, STORAGE_API) for path in paths]):
                actual.update(by_id(found))
            if self.key_file:
                self.key_differs = await self._key(client) != _read(self.key_file)
        elif self.location is None and not self.absent:
            self.location = await _module.group_location(client, self.group)
        if account is not None and self.location is None:
            self.location = account["location"]
        self.deployment_place(account)
        return actual

    async def _key(self, client):
        answer = await client.request("POST", self.place.id() + "/listKeys", STORAGE_API, doing="read the keys of storage account " + self.wanted.name)
        return answer.body["keys"][0]["value"]

    def plan(self, actual):
        desired = self.wanted.resources(self.place)
        if self.absent:
            return self._delete_plan(actual)
        refused = owner_refusals(desired[:1], actual, self.deployment)
        if refused:
            raise RefusedError(refused)
        # A PUT would have to carry what only Azure writes; a PATCH takes what is ours, except for what never changes.
        return Plan(tuple(
            replace(step, method="PATCH", body={key: value for key, value in step.resource.body.items() if key not in ("location", "kind")})
            if step.action == "update" else step for step in plan(desired, actual).steps
        ))

    def _delete_plan(self, actual):
        account = actual.get(self.place.id().lower())
        if account is None:
            return Plan()
        inside = sorted(key.rsplit("/", 1)[-1] for key in actual if key != self.place.id().lower())
        if not is_ours(account, self.deployment):
            raise RefusedError([(
                "Storage account {0} is not deleted, because it does not carry the tag dockhost-deployment={1}: this collection deletes only what it made."
            ).format(self.wanted.name, self.deployment)])
        if inside and not self.params["force_delete_nonempty"]:
            raise RefusedError(["Storage account {0} is not deleted, because it holds {1}: set force_delete_nonempty to delete the data too.".format(
                self.wanted.name, ", ".join(inside[:5]) + (" and {0} more".format(len(inside) - 5) if len(inside) > 5 else ""))])
        return plan([], actual, delete=[Resource(self.place.id(), model.ACCOUNTS)])

    async def finish(self, client, actual, results):
        if not self.key_file:
            return
        key = await self._key(client)
        if _read(self.key_file) != key:
            _write(self.key_file, key)
            self.key_differs = True

    def result(self, actual, plan, applied):
        account = actual.get(self.place.id().lower())
        shown = {"id": account["id"] if account else None}
        if account is not None:
            points = account["properties"].get("primaryEndpoints") or {}
            shown.update(file_endpoint=points.get("file"), blob_endpoint=points.get("blob"), shares=_names(actual, "/shares/"),
                         containers=_names(actual, "/containers/"))
        return {"storage_account": shown, "changed": plan.changed or self.key_differs}


def _names(actual, part):
    return sorted(key.rsplit("/", 1)[-1] for key in actual if part in key)


def _read(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError):
        return None


def _write(path, key):
    """Whole or not at all, and for its owner alone."""
    draft = path + ".new"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w", encoding="ascii") as file:
        file.write(key + "\n")
    os.replace(draft, path)


def main():
    _module.run(StorageTask, STORAGE_ARGS)


if __name__ == "__main__":
    main()
