#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module host_upgrade: the packages of a host's operating system."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_upgrade
short_description: Upgrade the packages of a host's operating system
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Upgrades all packages of Debian or Ubuntu that are not held, with C(apt-get), and tells whether the host has to be restarted for it.
  - Configuration files that somebody changed stay as they are.
  - A host has to be restarted where the packages say so (C(/run/reboot-required)), or where a newer kernel than the running one is
    installed.
  - Role P(dockhost.azure.upgrade#role) uses it, host by host.
requirements:
  - Python 3.9 or later on the host, and nothing else
options:
  state:
    description:
      - V(upgraded) upgrades.
      - V(listed) only tells what would be upgraded, after reading the package lists again.
    type: str
    choices: [upgraded, listed]
    default: upgraded
  packages:
    description:
      - V(safe) installs what new versions need and removes nothing.
      - V(full) may remove packages too, where new versions need that.
    type: str
    choices: [safe, full]
    default: safe
  update_lists:
    description: Whether the package lists are read again first. They never are in check mode.
    type: bool
    default: true
  lock_timeout:
    description: How many seconds to wait for another program, such as cloud-init or unattended-upgrades, to release the locks of dpkg and apt.
    type: int
    default: 300
attributes:
  check_mode:
    description: Says what would be upgraded by the package lists that are there.
    support: full
  diff_mode:
    description: Shows packages with their versions.
    support: full
"""

EXAMPLES = r"""
- name: Upgrade the host
  dockhost.azure.host_upgrade:
  become: true
  register: upgraded

- name: Restart it where it has to be
  ansible.builtin.reboot:
  become: true
  when: upgraded.reboot_required
"""

RETURN = r"""
packages:
  description: What was upgraded, or would be. C(before) is empty for a package that is new, C(after) for one that goes.
  returned: success
  type: list
  elements: dict
  sample: [{name: base-files, before: "13.8", after: 13.8+deb13u1}]
reboot_required:
  description: Whether the host has to be restarted, as it is after the task.
  returned: success
  type: bool
reboot_reasons:
  description: Why.
  returned: success
  type: list
  elements: str
  sample: [the kernel 6.12.57+deb13-amd64 is installed and 6.12.48+deb13-amd64 runs]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import apt, upgrade
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError

ARGUMENTS = dict(
    state=dict(type="str", choices=["upgraded", "listed"], default="upgraded"),
    packages=dict(type="str", choices=["safe", "full"], default="safe"),
    update_lists=dict(type="bool", default=True),
    lock_timeout=dict(type="int", default=300),
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given = module.params
    try:
        if given["update_lists"] and not module.check_mode:
            apt.update(given["lock_timeout"])
        packages = upgrade.pending(given["packages"])
        act = given["state"] == "upgraded" and bool(packages)
        if act and not module.check_mode:
            upgrade.upgrade(given["packages"], given["lock_timeout"])
        reasons = upgrade.reboot_reasons()
    except HostError as error:
        module.fail_json(msg=str(error))
    except PermissionError as error:
        module.fail_json(msg=f"The host refused: {error}. Run the task with become: true.")
    lines = {word: "".join(f"{p['name']} {p[word]}\n" for p in packages if p[word]) for word in ("before", "after")} if act else {}
    diff = dict(before=lines.get("before", ""), after=lines.get("after", ""))
    module.exit_json(changed=act, packages=packages, reboot_required=bool(reasons), reboot_reasons=reasons, diff=diff)


if __name__ == "__main__":
    main()
