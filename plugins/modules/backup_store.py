#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_store
short_description: Keep archives in a directory or in Azure Blob Storage
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Lists, adds, fetches and removes archives that M(dockhost.azure.backup_create) made, each with its manifest beside it
    (C(NAME/HOST/STAMP.gz) and C(NAME/HOST/STAMP.json)).
  - Blob Storage is asked over HTTPS with the standard library, from the machine that the module runs on.
options:
  state:
    description:
      - V(listed) tells which archives there are.
      - V(chosen) tells the manifest of the one that is wanted, and fails when there is none, or when a file in a directory is damaged.
      - V(added) keeps O(file) under its manifest, and removes the oldest beyond O(keep).
      - V(fetched) is V(chosen), and puts the archive into O(file).
    type: str
    choices: [listed, chosen, added, fetched]
    default: listed
  name:
    description: Name of the backup.
    type: str
    required: true
  host:
    description: Only archives of this host.
    type: str
    default: ""
  archive:
    description: Which one is wanted, V(latest), or a stamp as RV(archives) lists them, or its beginning.
    type: str
    default: latest
  file:
    description: The archive to add, or where to put the one that is fetched.
    type: path
  manifest:
    description: For O(state=added), the manifest.
    type: dict
  stamp:
    description: For O(state=added), the name of the archive among those of the same name and host, a time such as V(20260101T020000Z).
    type: str
  keep:
    description: For O(state=added), how many archives of the same name and host are kept. V(0) keeps all.
    type: int
    default: 0
  directory:
    description: The directory that holds the archives.
    type: path
  blob_url:
    description: The container of Blob Storage that holds them, as C(https://ACCOUNT.blob.core.windows.net/CONTAINER).
    type: str
  blob_sas:
    description: A shared access signature for the container with the permissions C(rwdl). The machine's managed identity signs in when it is not given.
    type: str
  blob_identity:
    description: Client id of the user assigned identity to sign in with, where the machine has several.
    type: str
  blob_ca_file:
    description: Certificates to trust instead of the machine's own.
    type: path
attributes:
  check_mode:
    description: Adds, fetches and removes nothing.
    support: full
  diff_mode:
    description: Data are not shown.
    support: none
"""

EXAMPLES = r"""
- name: Which archives are there
  dockhost.azure.backup_store:
    name: uploads
    directory: /srv/backups
  register: uploads
"""

RETURN = r"""
archives:
  description: The manifests, the oldest first, each with C(stamp) and C(key).
  returned: when O(state=listed)
  type: list
  elements: dict
manifest:
  description: The manifest of the archive that was chosen or fetched.
  returned: when O(state=chosen) or O(state=fetched)
  type: dict
path:
  description: Where the chosen archive lies.
  returned: when O(state=chosen) and O(directory) is given
  type: str
removed:
  description: Keys of archives that were removed since there are newer ones.
  returned: when O(state=added)
  type: list
  elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import archive, store
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError


ARGUMENTS = dict(
    state=dict(type="str", choices=["listed", "chosen", "added", "fetched"], default="listed"),
    name=dict(type="str", required=True),
    host=dict(type="str", default=""),
    archive=dict(type="str", default="latest"),
    file=dict(type="path"),
    manifest=dict(type="dict"),
    stamp=dict(type="str"),
    keep=dict(type="int", default=0),
    directory=dict(type="path"),
    blob_url=dict(type="str"),
    blob_sas=dict(type="str", no_log=True),
    blob_identity=dict(type="str"),
    blob_ca_file=dict(type="path"),
)


def run(params: dict, check_mode: bool) -> dict:
    """What the module returns."""
    backend = store.backend_of(params)
    name, state = params["name"], params["state"]
    if not store.NAME.match(name):
        raise ArchiveError(f"name is '{name}': letters, digits, '-', '_' and '.' make a name, and it begins with a letter or digit.")
    if state == "listed":
        return dict(changed=False, archives=store.archives(backend, name, params["host"]))
    if state == "added":
        removed = store.add(backend, params["file"], params["manifest"], params["stamp"], params["keep"], check_mode)
        return dict(changed=True, removed=removed)
    manifest = store.choose(backend, name, params["archive"], params["host"])
    result = dict(changed=False, manifest=manifest)
    if params["directory"]:
        result["path"] = os.path.join(store.Directory(params["directory"]).path, manifest["key"])
        archive.check(result["path"], manifest["sha256"])
    if state == "fetched" and not check_mode:
        backend.get(manifest["key"], params["file"])
        archive.check(params["file"], manifest["sha256"])
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_one_of=[("directory", "blob_url")],
        mutually_exclusive=[("directory", "blob_url")],
        required_if=[("state", "added", ("file", "manifest", "stamp")), ("state", "fetched", ("file",))],
    )
    try:
        module.exit_json(**run(module.params, module.check_mode))
    except (ArchiveError, OSError) as error:
        module.fail_json(msg=f"{error}")


if __name__ == "__main__":
    main()
