#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: diagnose
short_description: Collect what helps to find a fault on a Docker host
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Writes a tar.gz with versions, what the engine says of itself, containers, networks, volumes and images, on a manager also nodes, services and tasks,
    the journal, disk, memory and network of the host.
  - Secrets are taken out, that is tokens, keys and passwords in text, and the values of all variables and arguments of containers and services.
    Look at it before you give it away all the same; output of applications is not in it, what they write to the host's journal is.
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  path:
    description: The file to write. Its directory has to exist; the file gets the directory's owner and mode 0600.
    type: path
    required: true
  name:
    description: The folder in the file.
    type: str
    required: true
  hours:
    description: How many hours of the journal.
    type: int
    default: 24
  lines:
    description: How many lines of each part of the journal at most.
    type: int
    default: 5000
attributes:
  check_mode:
    description: Writes nothing.
    support: full
  diff_mode:
    description: There is nothing to compare with.
    support: none
"""

EXAMPLES = r"""
- name: What is wrong here
  dockhost.azure.diagnose:
    path: /var/tmp/demo-1.tar.gz
    name: demo-1
  become: true
"""

RETURN = r"""
files:
  description: Names of the files in it.
  returned: success, not in check mode
  type: list
  elements: str
bytes:
  description: Its size.
  returned: success, not in check mode
  type: int
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.bundle import collect, write

ARGUMENTS = dict(
    path=dict(type="path", required=True),
    name=dict(type="str", required=True),
    hours=dict(type="int", default=24),
    lines=dict(type="int", default=5000),
    **ENGINE_ARGS,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    if module.check_mode:
        module.exit_json(changed=True)
    files = collect(Engine(params["docker_socket"]), params["hours"], params["lines"])
    try:
        size = write(params["path"], params["name"], files)
    except OSError as error:
        module.fail_json(msg=f"{params['path']} could not be written: {error.strerror}. Name a file in a directory that exists.")
    module.exit_json(changed=True, files=sorted(files), bytes=size)


if __name__ == "__main__":
    main()
