#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module compose: a Compose project on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compose
short_description: Run a Compose project on a Docker host
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Brings the files of a Compose project to a host, starts it, and waits until its containers are healthy.
  - Where the new version does not become healthy, the version before comes back, files and images, and the error tells what is wrong, with the
    container's own last lines.
  - Check mode and diff show what would change in each service, network, volume, config and secret, as Compose itself understands the files. Nothing is
    built, pulled or written for that.
  - With nothing to change it asks Compose once and the engine once, and starts nothing.
  - Files lie in a folder that only root can enter. Values of secrets are in no diff, log or result.
  - Needs root on the host, and there the Docker CLI with its Compose plugin (version 2) and Python.
requirements:
  - Python 3.9 or later on the host
  - Docker CLI with the Compose plugin on the host
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  name:
    description: Name of the project. Containers are named C(<name>-<service>-1) and so on.
    type: str
    required: true
  state:
    description:
      - V(present) has the project running as its files say.
      - V(stopped) stops its containers and keeps them. Files are left as they are.
      - V(absent) removes containers, networks and the files that were written here. Volumes stay, unless O(remove_volumes).
    type: str
    choices: [present, stopped, absent]
    default: present
  directory:
    description: The project's folder on the host, C(/opt/compose/<name>) when empty. What others put there stays.
    type: str
    default: ""
  definition:
    description: The Compose document as a mapping. It becomes the first of O(compose_files).
    type: dict
  files:
    description: Texts of files, by their paths in the project's folder. They win over files of O(source).
    type: dict
    default: {}
  files_mode:
    description:
      - Mode of the files of O(files). A container that does not run as root needs V(0444) for those that it mounts.
      - On the host nobody but root gets into the folder, whatever the mode.
    type: str
    default: "0600"
  source:
    description:
      - A folder on the controller with the project's files, for instance a checkout of Git. Relative to the playbook.
      - All of it goes to the host, but for C(.git). Up to 8 MiB.
    type: path
  source_files:
    description: What O(source) becomes on its way. Not for playbooks.
    type: dict
    default: {}
  compose_files:
    description: The Compose files among the project's files. Later ones are laid over earlier ones.
    type: list
    elements: str
    default: [compose.yaml]
  environment:
    description:
      - Variables that the Compose files use, as V($NAME) or V(${NAME:-default}). Written to C(.env).
      - Of those whose names look like passwords neither this module's results nor its diffs show the values.
    type: dict
    default: {}
  environment_secrets:
    description: More of such variables, whose values are never shown.
    type: dict
    default: {}
  secrets:
    description:
      - Contents of files in the folder C(secrets), by their names. A Compose document names them C(file) with a path such as C(./secrets/db_password).
      - They are never shown.
    type: dict
    default: {}
  secrets_mode:
    description:
      - Mode of these files. Compose shows them in containers as they are, so a container that does not run as root needs V(0444).
      - On the host nobody but root gets into the folder, whatever the mode.
    type: str
    default: "0600"
  profiles:
    description: Profiles that are on.
    type: list
    elements: str
    default: []
  pull:
    description:
      - V(missing) pulls images that are not there, V(always) asks the registries in each run and takes what is newer, V(never) pulls none.
      - In check mode V(always) asks the registries for digests, with the logins of the user that the task runs as, and pulls nothing.
    type: str
    choices: [missing, always, never]
    default: missing
  remove_orphans:
    description: Whether containers of services that are no longer in the project are removed.
    type: bool
    default: true
  remove_volumes:
    description: Whether O(state=absent) removes the project's volumes too, with all that is in them.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until all containers are healthy; those without a healthcheck until they have run for O(settle) seconds.
      - A container that may end by itself (restart policy C(no) or C(on-failure)) is fine when it has ended with exit code 0.
    type: bool
    default: true
  timeout:
    description: Seconds to wait at most.
    type: int
    default: 300
  settle:
    description: Seconds that a new container without a healthcheck has to run.
    type: int
    default: 3
  rollback:
    description: Whether the last version that was healthy comes back when the new one does not become healthy. The run fails all the same.
    type: bool
    default: true
attributes:
  check_mode:
    description: Shows what would change, also in containers. Builds, pulls and writes nothing.
    support: full
  diff_mode:
    description: Shows each service, network and so on as it was and as it will be, and other files with their text. Secrets are never shown.
    support: full
seealso:
  - module: dockhost.azure.stack
    description: The same for a swarm.
  - module: dockhost.azure.registry_client
    description: A login for images of a private registry.
"""

EXAMPLES = r"""
- name: One web server
  dockhost.azure.compose:
    name: web
    definition:
      services:
        site:
          image: docker.io/library/nginx:1.29
          ports: ["80:80"]
          restart: unless-stopped
  become: true

- name: A project from a folder of this repository, with a secret
  dockhost.azure.compose:
    name: shop
    source: files/shop
    compose_files: [compose.yaml, compose.production.yaml]
    environment:
      TAG: "1.4"
    secrets:
      db_password: "{{ vault_shop_db_password }}"
    secrets_mode: "0444"
    pull: always
  become: true

- name: Remove it with its data
  dockhost.azure.compose:
    name: shop
    state: absent
    remove_volumes: true
  become: true
"""

RETURN = r"""
plan:
  description: What was done, or would be in check mode.
  type: list
  elements: dict
  returned: always
  sample: [{action: update, type: service, name: site, detail: its configuration differs}]
containers:
  description: The project's containers as they are after the run.
  type: list
  elements: dict
  returned: always
  sample: [{name: web-site-1, service: site, image: "docker.io/library/nginx:1.29", status: running, health: healthy}]
directory:
  description: The project's folder on the host.
  type: str
  returned: always
  sample: /opt/compose/web
rolled_back:
  description: Whether the version before came back.
  type: bool
  returned: failure
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._compose.model import Request
from ansible_collections.dockhost.azure.plugins.module_utils._compose.project import Outcome
from ansible_collections.dockhost.azure.plugins.module_utils._compose.run import run
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError

ARGUMENTS = dict(
    name=dict(type="str", required=True),
    state=dict(type="str", choices=["present", "stopped", "absent"], default="present"),
    directory=dict(type="str", default=""),
    definition=dict(type="dict"),
    files=dict(type="dict", default={}),
    files_mode=dict(type="str", default="0600"),
    source=dict(type="path"),
    # A checkout may hold what is no business of a log of Ansible's.
    source_files=dict(type="dict", default={}, no_log=True),
    compose_files=dict(type="list", elements="str", default=["compose.yaml"]),
    environment=dict(type="dict", default={}),
    environment_secrets=dict(type="dict", default={}, no_log=True),
    secrets=dict(type="dict", default={}, no_log=True),
    secrets_mode=dict(type="str", default="0600", no_log=False),
    profiles=dict(type="list", elements="str", default=[]),
    pull=dict(type="str", choices=["missing", "always", "never"], default="missing"),
    remove_orphans=dict(type="bool", default=True),
    remove_volumes=dict(type="bool", default=False),
    wait=dict(type="bool", default=True),
    timeout=dict(type="int", default=300),
    settle=dict(type="int", default=3),
    rollback=dict(type="bool", default=True),
    **ENGINE_ARGS,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    request = Request(**{name: value for name, value in module.params.items() if name != "source"})
    module.no_log_values.update(value for value in request.hidden_values() if len(value) >= 4)
    outcome = Outcome()
    result = dict(directory=request.folder)
    try:
        run(request, module.check_mode, outcome)
    except (HostError, EngineError) as error:
        result.update(plan=outcome.plan, containers=outcome.containers, rolled_back=outcome.rolled_back, changed=outcome.changed)
        module.fail_json(msg=str(error), **result)
    except PermissionError as error:
        module.fail_json(msg=f"The host refused: {error}. Run the task with become: true.", plan=outcome.plan, **result)
    result.update(changed=outcome.changed, plan=outcome.plan, containers=outcome.containers)
    if module._diff:
        result["diff"] = outcome.diff
    module.exit_json(**result)


if __name__ == "__main__":
    main()
