#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_restore
short_description: Put an archive of M(dockhost.azure.backup_create) back on a host
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Reads the archive to its end, compares its SHA-256 with the manifest, looks at what is on the host and at the room on its disk, and only then
    changes something.
  - The content of a volume is unpacked beside the data that are there, and takes their place when that is complete.
  - What is there already is replaced only with O(overwrite).
requirements:
  - tar on the host
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  path:
    description: The archive on the host.
    type: path
    required: true
  manifest:
    description: Its manifest.
    type: dict
    required: true
  overwrite:
    description: Whether data that are there may be replaced.
    type: bool
    default: false
  check_only:
    description: Whether only to check, as is done before anything is stopped.
    type: bool
    default: false
  volume:
    description: The volume to restore to, where it is not the one that the archive is of. It is created when it does not exist.
    type: str
    default: ""
  service:
    description: For a dump, the service or container that loads it. The one that it came from when empty.
    type: str
    default: ""
  load:
    description: For a dump, the command that reads it on standard input, as a list of words.
    type: list
    elements: str
    default: []
  user:
    description: For a dump, the user in the container that O(load) is run as.
    type: str
    default: ""
  unlock_key:
    description: For the state of a swarm that was locked, its key.
    type: str
  advertise_address:
    description: For the state of a swarm, the address under which other nodes reach this host.
    type: str
    default: ""
attributes:
  check_mode:
    description: Checks all that a run would check and changes nothing.
    support: full
  diff_mode:
    description: Data are not shown.
    support: none
"""

EXAMPLES = r"""
- name: Bring a volume back
  dockhost.azure.backup_restore:
    path: /var/tmp/uploads.gz
    manifest: "{{ lookup('ansible.builtin.file', 'backups/uploads/demo-1/20260101T020000Z.json') | from_json }}"
    overwrite: true
  become: true
"""

RETURN = r"""
seen:
  description: What the check found, that is the members and the bytes of the archive, whether there is something that would be replaced.
  returned: success
  type: dict
  sample: {members: 12, content_bytes: 10240, exists: true, entries: 4}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.restore import check, restore
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import SwarmRefused


ARGUMENTS = dict(
    path=dict(type="path", required=True),
    manifest=dict(type="dict", required=True),
    overwrite=dict(type="bool", default=False),
    check_only=dict(type="bool", default=False),
    volume=dict(type="str", default=""),
    service=dict(type="str", default=""),
    load=dict(type="list", elements="str", default=[]),
    user=dict(type="str", default=""),
    unlock_key=dict(type="str", no_log=True),
    advertise_address=dict(type="str", default=""),
    **ENGINE_ARGS,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    manifest = params["manifest"]
    missing = [field for field in ("name", "kind", "sha256", "host") if not manifest.get(field)]
    if missing:
        module.fail_json(msg=f"manifest: {', '.join(missing)} is missing, so this is no manifest of backup_create.")
    params["service"] = params["service"] or manifest.get("service", "")
    engine = Engine(params["docker_socket"])
    try:
        seen = check(engine, params)
        if not params["check_only"] and not module.check_mode:
            restore(engine, params)
    except (ArchiveError, EngineError, HostError, SwarmRefused) as error:
        module.fail_json(msg=f"Failed to restore {manifest['name']}: {error}")
    module.exit_json(changed=not params["check_only"], seen=seen)


if __name__ == "__main__":
    main()
