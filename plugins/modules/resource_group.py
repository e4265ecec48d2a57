#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: resource_group
short_description: Resource group of a deployment
version_added: 0.1.0
description:
  - Makes, tags and deletes a resource group.
  - A group that was there before is used as it is, and is not marked as belonging to the deployment, so that it is not deleted with
    it.
author:
  - The dockhost.azure authors (@dockhost)
extends_documentation_fragment:
  - dockhost.azure.azure
  - dockhost.azure.azure.attributes
  - dockhost.azure.tags
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: The name of the resource group.
    type: str
    required: true
  location:
    description: The region of the group, for instance V(westeurope). Azure does not let it change. Required with O(state=present).
    type: str
  state:
    description:
      - With V(absent) the group and all that is in it is deleted, and the task waits until it is gone.
      - A group that does not carry the tag of this deployment, or that holds resources which do not, is refused.
    type: str
    choices:
      - present
      - absent
    default: present
  force_delete_nonempty:
    description: Whether O(state=absent) also deletes a group that others made, and resources of others in it.
    type: bool
    default: false
seealso:
  - module: dockhost.azure.resource_group_info
"""

EXAMPLES = r"""
- name: A resource group for the demo
  dockhost.azure.resource_group:
    name: demo
    location: westeurope
    tags:
      owner: me

- name: Delete it with all that the deployment made in it
  dockhost.azure.resource_group:
    name: demo
    state: absent
"""

RETURN = r"""
resource_group:
  description: The group as it is after the task; empty where it does not exist.
  returned: success
  type: dict
  contains:
    id:
      description: The id of the group.
      type: str
      returned: when it exists
    name:
      description: The name of the group.
      type: str
      returned: when it exists
    location:
      description: The region of the group.
      type: str
      returned: when it exists
    tags:
      description: The tags of the group.
      type: dict
      returned: when it exists
    provisioning_state:
      description: What Azure says of the group, V(Succeeded) or V(Deleting).
      type: str
      returned: when it exists
    owned:
      description: Whether the group belongs to this deployment and is deleted with it.
      type: bool
      returned: when it exists
plan:
  description: What was done, or would be done in check mode, each with C(action), C(type), C(name), C(changes), C(reason), C(seconds).
  returned: success
  type: list
  elements: dict
error:
  description: What Azure said, with C(code), C(message), C(target), C(details) and C(status).
  returned: when Azure refused
  type: dict
"""

from ansible_collections.dockhost.azure.plugins.module_utils import _module
from ansible_collections.dockhost.azure.plugins.module_utils._errors import RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._model import names
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import RESOURCES_API, group_id
from ansible_collections.dockhost.azure.plugins.module_utils._plan import resource_group as rules
from ansible_collections.dockhost.azure.plugins.module_utils._plan.core import plan
from ansible_collections.dockhost.azure.plugins.module_utils._plan.network import owner_refusals

RESOURCE_GROUP_ARGS = dict(
    _module.TAGS_ARGS,
    name={"type": "str", "required": True},
    location={"type": "str"},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    force_delete_nonempty={"type": "bool", "default": False},
)


class ResourceGroupTask(_module.Task):
    """Read the group, and before a delete what is in it."""

    def __init__(self, params, subscription_id):
        super().__init__(params, subscription_id)
        self.name = names.check_name("name", params["name"], "resource group")
        self.tags = names.check_tags("tags", params["tags"])
        self.absent = params["state"] == "absent"
        self.inside = []

    async def observe(self, client):
        path = group_id(self.subscription_id, self.name)
        group = await client.get(path, RESOURCES_API)
        if group is not None and group["properties"].get("provisioningState") == "Deleting" and not self.absent:
            group = None  # the PUT waits until it is gone
        if group is not None and self.absent:
            self.inside = await client.list(path + "/resources", RESOURCES_API)
        return {} if group is None else {path.lower(): group}

    def plan(self, actual):
        path = group_id(self.subscription_id, self.name).lower()
        group = actual.get(path)
        if self.absent:
            refused = []
            if group is not None and not self.params["force_delete_nonempty"]:
                refused = rules.delete_refusals(self.name, group, self.inside, self.deployment)
            if refused:
                raise RefusedError(refused)
            return plan([], actual, delete=[rules.group_resource(self.subscription_id, self.name, "", {})])
        tags = names.owned_tags(self.tags, self.deployment, group)
        wanted = rules.group_resource(self.subscription_id, self.name, self.params["location"], tags)
        refused = owner_refusals([wanted], actual, self.deployment)
        if refused:
            raise RefusedError(refused)
        return plan([wanted], actual)

    def result(self, actual, plan, applied):
        group = actual.get(group_id(self.subscription_id, self.name).lower())
        return {"resource_group": rules.group_view(group, self.deployment)}


def main():
    _module.run(ResourceGroupTask, RESOURCE_GROUP_ARGS, required_if=[("state", "present", ["location"])])


if __name__ == "__main__":
    main()
