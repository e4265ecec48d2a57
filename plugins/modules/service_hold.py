#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_hold
short_description: Hold the services of a swarm that use a volume, and let them go on
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Takes the tasks of all services that mount a volume away, so that nothing writes to it, and waits until none of them runs.
  - How many replicas a service had is written on the service itself, so that whoever comes after an interrupted run can let it go on.
  - Services in replicated mode are scaled to none, those in global mode get a constraint that no node fulfils.
  - Runs on a manager of the swarm.
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  volume:
    description: Name of the volume.
    type: str
    required: true
  state:
    description: V(held) takes the tasks away, V(released) brings them back.
    type: str
    choices: [held, released]
    required: true
  timeout:
    description: Seconds to wait until it is so.
    type: int
    default: 180
attributes:
  check_mode:
    description: Says which services would be held or released.
    support: full
  diff_mode:
    description: RV(services) says it all.
    support: none
"""

EXAMPLES = r"""
- name: Nothing may write to the volume now
  dockhost.azure.service_hold:
    volume: blog_database
    state: held
  become: true

- name: Go on
  dockhost.azure.service_hold:
    volume: blog_database
    state: released
  become: true
"""

RETURN = r"""
services:
  description: The services that were held or released, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [blog_database]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.archive import ArchiveError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance.hold import change


ARGUMENTS = dict(
    volume=dict(type="str", required=True),
    state=dict(type="str", choices=["held", "released"], required=True),
    timeout=dict(type="int", default=180),
    **ENGINE_ARGS,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        changed = change(Engine(params["docker_socket"]), params["volume"], params["state"] == "held", module.check_mode, params["timeout"])
    except (ArchiveError, EngineError) as error:
        remedy = " Run this module on a manager of the swarm." if getattr(error, "status", 0) == 503 else ""
        module.fail_json(msg=f"Services that use volume {params['volume']} could not be {params['state']}: {error}{remedy}")
    module.exit_json(changed=bool(changed), services=changed)


if __name__ == "__main__":
    main()
