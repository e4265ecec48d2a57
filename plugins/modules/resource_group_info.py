#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: resource_group_info
short_description: What is in a resource group, and whose it is
version_added: 0.1.0
description:
  - Lists the resources of a resource group, those of the deployment and those of others apart.
author:
  - The dockhost.azure authors (@dockhost)
extends_documentation_fragment:
  - dockhost.azure.azure
  - dockhost.azure.azure.attributes
  - dockhost.azure.tags.deployment
attributes:
  check_mode:
    support: full
    details: It changes nothing.
  diff_mode:
    support: N/A
    details: It changes nothing.
options:
  name:
    description: The name of the resource group.
    type: str
    required: true
seealso:
  - module: dockhost.azure.resource_group
"""

EXAMPLES = r"""
- name: List what the demo has made
  dockhost.azure.resource_group_info:
    name: demo
  register: found

- name: Show it
  ansible.builtin.debug:
    var: found.lines
"""

RETURN = r"""
exists:
  description: Whether there is such a resource group.
  returned: success
  type: bool
group_is_ours:
  description: Whether the group itself belongs to the deployment.
  returned: success
  type: bool
resource_group:
  description: The group with C(id), C(name), C(location), C(tags), C(provisioning_state) and C(owned); empty where it does not exist.
  returned: success
  type: dict
owned:
  description: The resources of the deployment, each with C(id), C(name), C(type), C(location) and C(tags).
  returned: success
  type: list
  elements: dict
foreign:
  description: The resources of others, in the same form.
  returned: success
  type: list
  elements: dict
lines:
  description: The same as text, a line for each resource.
  returned: success
  type: list
  elements: str
error:
  description: What Azure said, with C(code), C(message), C(target), C(details) and C(status).
  returned: when Azure refused
  type: dict
"""

from ansible_collections.dockhost.azure.plugins.module_utils import _module
from ansible_collections.dockhost.azure.plugins.module_utils._model import names
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import RESOURCES_API, group_id
from ansible_collections.dockhost.azure.plugins.module_utils._plan import resource_group as rules


class ResourceGroupInfoTask(_module.Task):
    """Two requests: the group and the list of what is in it."""

    def __init__(self, params, subscription_id):
        super().__init__(params, subscription_id)
        self.name = names.check_name("name", params["name"], "resource group")

    async def observe(self, client):
        path = group_id(self.subscription_id, self.name)
        group = await client.get(path, RESOURCES_API)
        inside = [] if group is None else await client.list(path + "/resources", RESOURCES_API)
        return group, sorted(inside, key=lambda item: (item["type"].lower(), item["name"].lower()))

    def result(self, actual, plan, applied):
        group, inside = actual
        owned, foreign = rules.split(inside, self.deployment)
        view = rules.group_view(group, self.deployment)
        return {
            "exists": group is not None,
            "group_is_ours": bool(view and view["owned"]),
            "resource_group": view,
            "owned": [rules.brief(item) for item in owned],
            "foreign": [rules.brief(item) for item in foreign],
            "lines": [rules.describe(item) for item in owned]
            + [rules.describe(item) + " (not of this deployment)" for item in foreign],
        }


def main():
    _module.run_info(
        ResourceGroupInfoTask, dict(_module.DEPLOYMENT_ARGS, name={"type": "str", "required": True}),
    )


if __name__ == "__main__":
    main()
