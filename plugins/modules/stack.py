#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module stack: a Compose document on a Docker swarm."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack
short_description: Deploy a Compose document to a Docker swarm
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Makes the services, networks, configs and secrets of a Compose document on a swarm, and waits until the services run.
  - Compares what the document says with what the swarm holds, object by object. Check mode and diff show exactly that, and neither build
    nor pull anything.
  - Configs and secrets, which a swarm cannot change, are made anew when their content changes. The services that use them are
    updated, and the outdated ones are removed once the update went well. A secret's digest is keyed with a random key that lies in a config
    of the stack, so that nobody can try out values against it.
  - Where a service does not come up, the error is the task's own, with the last lines of its log.
  - What a swarm stack cannot do is refused with the key's path, and nothing is left out silently.
  - Stacks are compatible with C(docker stack services), C(docker stack ps) and C(docker stack rm).
  - Runs on a host that is a manager of the swarm and needs nothing there but Python.
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  name:
    description: Name of the stack. Its services, networks, configs and secrets are named C(<name>_<service>) and so on.
    type: str
    required: true
  state:
    description:
      - V(present) makes the swarm hold what the document says.
      - V(absent) removes everything that carries the stack's label, and waits until its networks are gone. Volumes stay.
    type: str
    choices: [present, absent]
    default: present
  compose:
    description:
      - The Compose document, see U(https://docs.docker.com/reference/compose-file/). Required for O(state=present).
      - V($NAME) and V(${NAME:-default}) are replaced from O(variables), and V($$) stands for a dollar sign, as in Compose.
    type: dict
  overlays:
    description:
      - More Compose documents, each laid over O(compose) and those before it, by the rules of
        U(https://docs.docker.com/reference/compose-file/merge/). Variables are replaced in the result.
    type: list
    elements: dict
  configs:
    description:
      - Texts of configs, by their names in the document. They are taken as they are, without replacing variables.
      - A config that the document does not declare is declared by being here.
    type: dict
  secrets:
    description:
      - Values of secrets, by their names in the document. They are taken as they are, and never shown.
      - A secret that the document does not declare is declared by being here.
    type: dict
  variables:
    description: Values of the variables in O(compose).
    type: dict
  first:
    description:
      - Names of services in the document whose updates are waited for before any other service is touched, such as a database whose
        new password the others are to have. It is waited for until its new task runs, and not until the swarm has watched the update.
      - A service that is not there yet, or does not change, is not waited for, unless an earlier run that was cut off has begun its update.
      - With O(wait) only.
    type: list
    elements: str
    default: []
  prune:
    description: Whether services and networks of the stack that the document does not name are removed.
    type: bool
    default: true
  resolve_image:
    description:
      - When a tag is resolved to the digest that it has in its registry, so that all hosts run the same image.
      - V(changed) when the document names another image than before, V(always) in each run, V(never) leaves it to each host.
    type: str
    choices: [always, changed, never]
    default: changed
  routing_mesh:
    description:
      - Whether the hosts' kernels have IPVS, which the swarm's routing mesh and virtual addresses need.
      - Without it, ports of mode ingress are published in mode host, by one task on a host at most, and services
        find each other by DNS round robin. RV(notes) says what was adapted.
      - Where it is not given, the kernel of the host that the module runs on decides.
    type: bool
  encrypt_networks:
    description:
      - Whether traffic on the stack's own overlay networks is encrypted between hosts (IPsec; IP protocol 50 must pass between them).
      - A network that is there and is not encrypted is refused, since it cannot be changed.
    type: bool
    default: false
  on_failure:
    description:
      - What happens to the stack where a service does not come up, an update is paused or rolled back, or a job fails. With O(wait) only.
      - V(keep) leaves it for a look. V(rollback) puts each service back to what it was before this run, removes what the run
        had made, and waits until the services of before run. The task fails in both cases, with the task's own error.
    type: str
    choices: [keep, rollback]
    default: keep
  wait:
    description: Whether to wait until all services of the stack have converged, jobs have completed, and healthchecks pass.
    type: bool
    default: true
  timeout:
    description: Seconds to wait at most.
    type: int
    default: 300
  settle:
    description: Seconds that a new task without a healthcheck has to run before it counts as running.
    type: int
    default: 5
attributes:
  check_mode:
    description: Can run in check mode and tell what would change; on a host that is in no swarm yet, everything.
    support: full
  diff_mode:
    description: Shows what changes in each service, network, config and secret. Values of secrets are never shown.
    support: full
notes:
  - Environment variables are readable in the swarm's API. Give passwords as secrets. In diffs, variables whose names look like passwords
    are hidden.
seealso:
  - module: dockhost.azure.swarm_info
    description: What the swarm publishes over all of its stacks.
"""

EXAMPLES = r"""
- name: Deploy a web server on two hosts
  dockhost.azure.stack:
    name: web
    compose:
      services:
        site:
          image: docker.io/library/nginx:1.29
          ports: ["80:80"]
          configs:
            - {source: page, target: /usr/share/nginx/html/index.html}
          deploy:
            replicas: 2
    configs:
      page: <h1>Hello</h1>
  become: true

- name: Rotate a password, and go back when the new tasks do not come up
  dockhost.azure.stack:
    name: shop
    compose: "{{ lookup('ansible.builtin.file', 'shop.yml') | from_yaml }}"
    secrets:
      db_password: "{{ shop_db_password }}"
    routing_mesh: "{{ swarm_routing_mesh }}" # a fact of the role swarm, for hosts with different kernels
  become: true

- name: Remove the stack
  dockhost.azure.stack:
    name: web
    state: absent
  become: true
"""

RETURN = r"""
plan:
  description: What was changed, or would be in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: update, type: service, name: web_site, reason: differs in deploy.replicas, changes: [{path: deploy.replicas, before: 2, after: 3}]}
services:
  description: The services of the stack. For jobs C(running) counts the completed tasks.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: web_site, id: 9mnpnzenvg8p8tdbtq4wvbkcz, image: "docker.io/library/nginx:1.29", mode: replicated, running: 2, desired: 2, state: done, message: ""}
published_ports:
  description: The ports that the stack opens on the swarm's nodes, each once. A load balancer forwards to C(port).
  returned: success
  type: list
  elements: dict
  sample: [{port: 80, target_port: 80, protocol: tcp, mode: ingress, service: web_site}]
notes:
  description: What was adapted to the swarm, and what could not be done but does no harm.
  returned: success
  type: list
  elements: str
  sample: ["site: port 80/tcp is published by each host that runs a task (mode host), since there is no routing mesh"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError, EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._stack.run import run
from ansible_collections.dockhost.azure.plugins.module_utils._stack.values import StackError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm.mesh import has_ipvs

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "compose": {"type": "dict"},
    "overlays": {"type": "list", "elements": "dict"},
    "configs": {"type": "dict"},
    "secrets": {"type": "dict", "no_log": True},
    "variables": {"type": "dict"},
    "first": {"type": "list", "elements": "str", "default": []},
    "prune": {"type": "bool", "default": True},
    "resolve_image": {"type": "str", "choices": ["always", "changed", "never"], "default": "changed"},
    "routing_mesh": {"type": "bool"},
    "encrypt_networks": {"type": "bool", "default": False},
    "on_failure": {"type": "str", "choices": ["keep", "rollback"], "default": "keep"},
    "wait": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 300},
    "settle": {"type": "int", "default": 5},
    **ENGINE_ARGS,
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_if=[("state", "present", ["compose"])],
    )
    hide_contents(module)
    if module.params["routing_mesh"] is None:
        module.params["routing_mesh"] = has_ipvs()
    try:
        module.exit_json(**run(Engine(module.params["docker_socket"]), module.params, module.check_mode))
    except StackError as error:
        module.fail_json(msg=str(error))
    except EngineUnreachable as error:
        module.fail_json(msg=str(error))
    except EngineError as error:
        module.fail_json(msg=f"Failed to deploy stack {module.params['name']}: {error}")


def hide_contents(module: AnsibleModule) -> None:
    """Secrets that stand in the document itself are hidden like those of option secrets."""
    for document in (module.params["compose"], *(module.params["overlays"] or ())):
        secrets = document.get("secrets") if isinstance(document, dict) else None
        for entry in secrets.values() if isinstance(secrets, dict) else ():
            if isinstance(entry, dict) and isinstance(entry.get("content"), str) and entry["content"]:
                module.no_log_values.add(entry["content"])


if __name__ == "__main__":
    main()
