#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module engine: a Docker Engine on the host it runs on."""

from __future__ import annotations

DOCUMENTATION = r"""
module: engine
short_description: Docker Engine on a host
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Installs the Docker Engine with its command line, the Compose plugin and Buildx, configures it, and keeps it running.
  - The whole configuration C(/etc/docker/daemon.json) is checked by the engine itself and in place before the engine starts
    for the first time.
  - A changed configuration is reloaded where a reload suffices, and the engine is restarted only where it must be.
  - With nothing to change it asks C(dpkg) and C(systemd) only, which takes a tenth of a second.
  - Supported are Debian 12 and 13, Ubuntu 22.04 and 24.04, with systemd.
requirements:
  - Python 3.9 or later on the host, and nothing else
options:
  state:
    description:
      - V(present) has the engine installed in any version, or in O(version).
      - V(latest) has the newest version that the package lists offer, which are read each time.
      - V(absent) stops the engine and removes its packages and its configuration. Images, containers and volumes stay on the disk.
    type: str
    choices: [present, latest, absent]
    default: present
  source:
    description:
      - V(distribution) takes the packages of Debian or Ubuntu.
      - V(docker) takes those of Docker's own repository, which is set up for that, and removes those of the distribution.
    type: str
    choices: [distribution, docker]
    default: distribution
  version:
    description:
      - Version of the engine, whole (C(26.1.5+dfsg1-9)) or its beginning (C(26.1)).
      - A version older than the installed one is refused unless O(allow_downgrade) is set.
    type: str
  allow_downgrade:
    description: Whether an older version than the installed one may be installed.
    type: bool
    default: false
  hold:
    description:
      - Whether the packages are held in their version, so that an upgrade of the system leaves them alone.
      - Holds stay as they are when omitted.
    type: bool
  compose:
    description: Whether to have the Compose plugin (C(docker compose)). Debian 12 has none; there it is left out, with a warning.
    type: bool
    default: true
  buildx:
    description: Whether to have Buildx (C(docker buildx)). Debian 12 has none; there it is left out, with a warning.
    type: bool
    default: true
  repository_url:
    description: Address of the repository for O(source=docker), for instance of a mirror. Docker's own by default.
    type: str
  repository_key:
    description: The key that signs the repository, ASCII armoured.
    type: str
  repository_key_url:
    description: Where to read the key from, once, when O(repository_key) is omitted. By default C(gpg) of the repository's address.
    type: str
  repository_channel:
    description: Channel of Docker's repository.
    type: str
    choices: [stable, test]
    default: stable
  daemon_options:
    description:
      - All that C(/etc/docker/daemon.json) is to say. What it does not name is removed from the file.
      - The file is left alone when omitted.
      - A TCP address in C(hosts) is refused without C(tlsverify), C(tlscacert), C(tlscert) and C(tlskey).
    type: dict
  live_restore:
    description:
      - Whether containers go on while the engine is restarted, unless O(daemon_options) says C(live-restore) itself.
      - V(auto) is yes where the host is in no swarm, since the two exclude each other.
      - Only used together with O(daemon_options).
    type: str
    choices: [auto, 'yes', 'no']
    default: auto
  users:
    description: Users of the host to be in group C(docker), which makes them the equal of root. Others in the group stay there.
    type: list
    elements: str
    default: []
  read_lists:
    description:
      - Whether the package lists are read in check mode too, so that O(state=latest) tells in check mode what a run would find. Nothing else on the host
        changes with that.
    type: bool
    default: false
  lock_timeout:
    description:
      - How many seconds to wait for another program, such as cloud-init or unattended-upgrades, to release the locks of dpkg and apt.
    type: int
    default: 300
attributes:
  check_mode:
    description: Says what would be done, on a host that has no engine yet as well.
    support: full
  diff_mode:
    description: Shows files with their text, packages with their versions.
    support: full
"""

EXAMPLES = r"""
- name: Docker Engine with rotated logs
  dockhost.azure.engine:
    daemon_options:
      log-driver: json-file
      log-opts: {max-size: 10m, max-file: "3"}
  become: true

- name: A version from Docker's repository that stays
  dockhost.azure.engine:
    source: docker
    version: "28.5"
    hold: true
    repository_key: "{{ lookup('ansible.builtin.file', 'docker.asc') }}"
  become: true
"""

RETURN = r"""
version:
  description: Version of the running engine, empty where none runs.
  type: str
  returned: always
  sample: 26.1.5+dfsg1
plan:
  description: What was done, or would be in check mode.
  type: list
  elements: dict
  returned: always
  contains:
    action:
      description: What was done.
      type: str
    type:
      description: What kind of thing it was done to.
      type: str
    name:
      description: The thing it was done to.
      type: str
    detail:
      description: More about it, for instance a version.
      type: str
service:
  description: What the engine needed, one of nothing, start, stop, reload, restart.
  type: str
  returned: always
  sample: reload
interrupts:
  description:
    - Whether a running engine was, or in check mode would be, down for a moment. Containers go on where C(live-restore) is on, and tasks of a swarm do not.
  type: bool
  returned: always
daemon_options:
  description: The configuration in C(/etc/docker/daemon.json) as it is wanted.
  type: dict
  returned: when O(daemon_options) is given
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.host import Outcome, Request, converge
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError

ARGUMENTS = dict(
    state=dict(type="str", choices=["present", "latest", "absent"], default="present"),
    source=dict(type="str", choices=["distribution", "docker"], default="distribution"),
    version=dict(type="str"),
    allow_downgrade=dict(type="bool", default=False),
    hold=dict(type="bool"),
    compose=dict(type="bool", default=True),
    buildx=dict(type="bool", default=True),
    repository_url=dict(type="str"),
    repository_key=dict(type="str", no_log=False),
    repository_key_url=dict(type="str", no_log=False),
    repository_channel=dict(type="str", choices=["stable", "test"], default="stable"),
    daemon_options=dict(type="dict"),
    live_restore=dict(type="str", choices=["auto", "yes", "no"], default="auto"),
    users=dict(type="list", elements="str", default=[]),
    read_lists=dict(type="bool", default=False),
    lock_timeout=dict(type="int", default=300),
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    outcome = Outcome()
    try:
        converge(Request(**module.params), module.check_mode, outcome)
    except (HostError, EngineError) as error:
        module.fail_json(msg=str(error), plan=outcome.plan)
    except PermissionError as error:
        module.fail_json(msg=f"The host refused: {error}. Run the task with become: true.", plan=outcome.plan)
    for warning in outcome.warnings:
        module.warn(warning)
    result = dict(changed=outcome.changed, plan=outcome.plan, version=outcome.version, service=outcome.service, interrupts=outcome.interrupts)
    if outcome.daemon_options is not None:
        result["daemon_options"] = outcome.daemon_options
    if module._diff:
        result["diff"] = outcome.diff
    module.exit_json(**result)


if __name__ == "__main__":
    main()
