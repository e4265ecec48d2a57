#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_create
short_description: Archive a volume, a dump or a swarm's state on a host
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Makes one archive on the host that it runs on, of a Docker volume, of what a command in a container prints, or of the state that a manager
    keeps of its swarm.
  - Commands before and after it, and pausing or stopping the containers that use the volume, make it consistent. Containers go on, whatever happens.
  - The archive is a file of mode 0600 that belongs to whoever owns its directory. RV(manifest) tells what is in it, with its SHA-256.
  - Role P(dockhost.azure.maintenance#role) puts the steps of a backup together.
requirements:
  - tar on the host
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  name:
    description: Name of the backup, for the manifest.
    type: str
    required: true
  host:
    description: Name of this host, for the manifest.
    type: str
    required: true
  path:
    description: The archive to make. Its directory has to exist.
    type: path
    required: true
  volume:
    description: Name of the volume to archive. A host that does not have it makes no archive, and says so in RV(found).
    type: str
  service:
    description: The swarm service, Compose service or container in which O(dump) is run. A host where none of its containers runs makes no archive.
    type: str
  dump:
    description: The command that prints the dump on standard output, as a list of words.
    type: list
    elements: str
  user:
    description: The user in the container that O(dump) is run as.
    type: str
    default: ""
  swarm:
    description: Whether to archive the state of the swarm. The host has to be a manager.
    type: bool
    default: false
  consistency:
    description:
      - V(pause) halts the containers that use the volume while it is read, so that the archive is what a power cut would leave.
      - V(stop) stops them. Tasks of a swarm have to be held before, with M(dockhost.azure.service_hold).
      - V(none) reads while they write.
      - For O(swarm) V(stop) stops the engine, as Docker documents, and is refused where the swarm would lose its majority. V(pause) halts the engine only.
    type: str
    choices: [pause, stop, none]
    default: pause
  before:
    description: Commands in containers before the archive is made. One that fails ends the backup.
    type: list
    elements: dict
    default: []
    suboptions: &hook
      service:
        description: The swarm service, Compose service or container to run it in.
        type: str
        required: true
      command:
        description: The command, as a list of words.
        type: list
        elements: str
        required: true
      user:
        description: The user in the container to run it as.
        type: str
  after:
    description: Commands in containers after it, also when it failed.
    type: list
    elements: dict
    default: []
    suboptions: *hook
  unless_content:
    description: Digests of content that is kept already. An archive with the same content is removed again and changes nothing.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Tells whether the host has what is to be archived. Whether it changed since the last archive is known only when it is made.
    support: full
  diff_mode:
    description: Data are not shown.
    support: none
"""

EXAMPLES = r"""
- name: Archive a volume while its containers are halted
  dockhost.azure.backup_create:
    name: uploads
    host: "{{ inventory_hostname }}"
    volume: blog_uploads
    path: /var/tmp/uploads.gz
  become: true

- name: Let the database write its own dump
  dockhost.azure.backup_create:
    name: blog-sql
    host: "{{ inventory_hostname }}"
    service: blog_database
    dump: [sh, -c, 'mariadb-dump --single-transaction --all-databases -uroot -p"$(cat /run/secrets/database_root_password)"']
    path: /var/tmp/blog.gz
  become: true
"""

RETURN = r"""
found:
  description: Whether this host has what was to be archived.
  returned: success
  type: bool
created:
  description: Whether there is an archive at O(path) now.
  returned: success
  type: bool
manifest:
  description: What is in the archive, its size and its digests.
  returned: when RV(found)
  type: dict
  sample: {format: 1, name: uploads, kind: volume, volume: blog_uploads, host: demo-1, created: "2026-01-01T02:00:00Z", consistency: pause, bytes: 1024,
    sha256: "…", content_bytes: 10240, content_sha256: "…", unsteady: false}
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.create import create


def hooks() -> dict:
    """The option for commands in containers."""
    words = dict(type="list", elements="str", required=True)
    options = dict(service=dict(type="str", required=True), command=words, user=dict(type="str"))
    return dict(type="list", elements="dict", default=[], options=options)


ARGUMENTS = dict(
    name=dict(type="str", required=True),
    host=dict(type="str", required=True),
    path=dict(type="path", required=True),
    volume=dict(type="str"),
    service=dict(type="str"),
    dump=dict(type="list", elements="str"),
    user=dict(type="str", default=""),
    swarm=dict(type="bool", default=False),
    consistency=dict(type="str", choices=["pause", "stop", "none"], default="pause"),
    before=hooks(),
    after=hooks(),
    unless_content=dict(type="list", elements="str", default=[]),
    **ENGINE_ARGS,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_together=[("service", "dump")],
        mutually_exclusive=[("volume", "service")],
        required_one_of=[("volume", "service", "swarm")],
    )
    params = module.params
    try:
        manifest = create(Engine(params["docker_socket"]), params, module.check_mode)
    except (ArchiveError, EngineError, HostError) as error:
        module.fail_json(msg=f"Failed to back up {params['name']}: {error}")
    if manifest is None:
        module.exit_json(changed=False, found=False, created=False)
    manifest["host"] = params["host"]
    known = manifest.get("content_sha256") in params["unless_content"]
    if known:
        os.unlink(params["path"])
    module.exit_json(changed=not known, found=True, created=not known and not module.check_mode, manifest=manifest)


if __name__ == "__main__":
    main()
