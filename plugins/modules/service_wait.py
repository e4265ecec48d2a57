#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_wait
short_description: Wait until the services of a Docker swarm run
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Runs on a manager of the swarm. Waits until all services, of whatever stack, have their tasks, for instance after nodes went or came.
  - A task counts when it runs, by its healthcheck where it has one, on a node that is ready. What the swarm last heard of tasks on nodes that are gone
    does not count. Jobs and services whose tasks may end count when they have ended well.
  - It ends as soon as waiting has no point, and tells what is missing in each service.
requirements:
  - Python 3.9 or later on the host, and nothing else
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  timeout:
    description: How many seconds to wait.
    type: int
    default: 180
attributes:
  check_mode:
    description: It changes nothing, and in check mode it does not wait either.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
seealso:
  - module: dockhost.azure.swarm_info
"""

EXAMPLES = r"""
- name: All services run
  dockhost.azure.service_wait:
    timeout: 300
  become: true
"""

RETURN = r"""
missing:
  description: What is missing, by the name of the service. In check mode what is missing now.
  returned: always
  type: dict
  sample: {shop_web: "1 of 2 tasks run (preparing)"}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._maintenance import whole


def main() -> None:
    """Run the module."""
    arguments = dict(timeout=dict(type="int", default=180), **ENGINE_ARGS)
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    try:
        missing = whole.wait(Engine(module.params["docker_socket"]), 0 if module.check_mode else module.params["timeout"])
    except EngineError as error:
        remedy = " Run this module on a manager of the swarm." if error.status == 503 else ""
        module.fail_json(msg=f"The services could not be looked at: {error}{remedy}", missing={})
    if missing and not module.check_mode:
        told = "; ".join(f"{name}: {text}" for name, text in missing.items())
        module.fail_json(msg=f"Services do not run as they should: {told}. See 'docker service ps SERVICE' on a manager.", missing=missing)
    module.exit_json(changed=False, missing=missing)


if __name__ == "__main__":
    main()
