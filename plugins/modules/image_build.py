#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module image_build: an image from a Dockerfile on the controller, built on a host and pushed to a registry."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_build
short_description: Build an image from a folder of the controller and push it to a registry
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Sends a folder with a Dockerfile from the controller to the host, builds it there with C(docker build), and pushes the image.
  - The image's tag is made from the content of the folder, the build arguments and O(target), so that an image which the registry has already is
    neither sent nor built, and each state of the source keeps an image of its own to go back to.
  - C(.dockerignore) is respected, and C(.git) is never sent.
  - Builds with BuildKit where the host has C(docker buildx), else with the engine's classic builder, which knows no C(RUN --mount).
  - The registry's login is that of the task's user on the host (C(docker login)), as role P(dockhost.azure.registry#role) makes it.
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  name:
    description: The image without a tag, with the registry in front, such as V(10.0.0.4:5000/shop/api).
    type: str
    required: true
  context:
    description: Folder on the controller, the build context.
    type: path
    required: true
  dockerfile:
    description: The Dockerfile, relative to O(context).
    type: str
    default: Dockerfile
  build_args:
    description: Values of C(ARG)s of the Dockerfile. They can be read in the image's history, so that they must not be secret.
    type: dict
    default: {}
  target:
    description: The stage of the Dockerfile to build, the last one when empty.
    type: str
    default: ""
  push:
    description:
      - Whether the image is pushed. Without it the image stays on the host.
    type: bool
    default: true
  rebuild:
    description: Builds and pushes again, with a fresh base image, also when the registry has the image. The task is changed each time.
    type: bool
    default: false
  content:
    description: The digest of the content. The action of the same name sets it; a value of yours is replaced.
    type: str
  archive:
    description: The content, on the host. The action of the same name sets it; a value of yours is replaced.
    type: path
attributes:
  check_mode:
    description: Tells whether the image would be built, and builds nothing.
    support: full
  diff_mode:
    description: Shows the image's name.
    support: full
seealso:
  - module: dockhost.azure.stack
    description: Runs services from the image.
"""

EXAMPLES = r"""
- name: Build and push the API
  dockhost.azure.image_build:
    name: 10.0.0.4:5000/shop/api
    context: "{{ playbook_dir }}/api"
    build_args: {BASE_IMAGE: "docker.io/library/debian:13-slim"}
  register: api
  become: true

- name: Run it, by its digest
  dockhost.azure.stack:
    name: shop
    compose:
      services:
        api: {image: "{{ api.image }}"}
  become: true
"""

RETURN = r"""
image:
  description: The image with tag and digest, for a stack. In check mode, and without O(push), without the digest where it was not built yet.
  returned: success
  type: str
  sample: 10.0.0.4:5000/shop/api:1f0c2ab8d9e4@sha256:6f0c…
tag:
  description: The tag, made from the content.
  returned: success
  type: str
  sample: 1f0c2ab8d9e4
digest:
  description: The digest of the image in the registry, empty where it is not there.
  returned: success
  type: str
seconds:
  description: How long building and pushing took.
  returned: success
  type: float
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError, EngineUnreachable
from ansible_collections.dockhost.azure.plugins.module_utils._image.build import BuildError, run

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "context": {"type": "path", "required": True},
    "dockerfile": {"type": "str", "default": "Dockerfile"},
    "build_args": {"type": "dict", "default": {}},
    "target": {"type": "str", "default": ""},
    "push": {"type": "bool", "default": True},
    "rebuild": {"type": "bool", "default": False},
    "content": {"type": "str"},
    "archive": {"type": "path"},
    **ENGINE_ARGS,
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if not module.params["content"]:
        module.fail_json(msg="image_build reads its context on the controller: call it as dockhost.azure.image_build, not with another action.")
    try:
        module.exit_json(**run(Engine(module.params["docker_socket"]), module.params, module.check_mode, module.run_command))
    except (BuildError, EngineUnreachable) as error:
        module.fail_json(msg=str(error))
    except EngineError as error:
        module.fail_json(msg=f"Failed to build {module.params['name']}: {error}")


if __name__ == "__main__":
    main()
