#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module registry: a private container registry on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry
short_description: Run a private container registry on a host
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Runs the CNCF Distribution registry as a systemd service, from the distribution's package or from an image, over TLS only.
  - Logins are kept as bcrypt hashes that are made on the host by its C library, so that no password is ever given to a program.
  - Garbage is collected by a timer, with the registry read-only all the while, as its documentation asks for.
  - A registry that does not come up with a new configuration gets the old one back, and the error tells the registry's own last words.
  - Needs root on the host and nothing there but Python and systemd.
requirements:
  - Python 3.9 or later on the host, and nothing else
options:
  name:
    description: Name of the registry, for hosts with several. The service is C(dockhost-registry-<name>).
    type: str
    default: registry
  state:
    description: V(absent) removes service, configuration and logins, and leaves the images on the disk.
    type: str
    choices: [present, absent]
    default: present
  source:
    description:
      - V(distribution) installs package C(docker-registry) of Debian or Ubuntu (version 2.8), which needs no Docker Engine.
      - V(image) runs O(image) in the host's Docker Engine.
    type: str
    choices: [distribution, image]
    default: distribution
  image:
    description: The image for O(source=image). It is pulled when it is not there.
    type: str
    default: docker.io/library/registry:3
  listen_address:
    description: Address of the host to listen on, all of them when empty.
    type: str
    default: ""
  port:
    description: Port to listen on. From 1024 with O(source=distribution), whose service is not root's.
    type: int
    default: 5000
  tls_certificate:
    description:
      - The certificate as PEM text, with the chain if there is one. M(dockhost.azure.docker_certificates) makes one.
      - Required for O(state=present), except in check mode.
    type: str
    default: ""
  tls_key:
    description: The certificate's key as PEM text.
    type: str
    default: ""
  auth:
    description:
      - V(htpasswd) asks for the name and password of one of O(users).
      - V(token) sends clients to the token server in O(token).
      - V(none) lets everybody in who reaches the port, which is what a mirror needs.
    type: str
    choices: [htpasswd, token, none]
    default: htpasswd
  users:
    description:
      - Passwords by user. Whoever is not named cannot log in any more.
      - A bcrypt hash as C(htpasswd -nB) prints it is taken as it is.
    type: dict
    default: {}
  token:
    description: The token server for O(auth=token).
    type: dict
    suboptions:
      realm:
        description: Address of the token server.
        type: str
        required: true
      service:
        description: What this registry is called there.
        type: str
        required: true
      issuer:
        description: Who has to have signed the tokens.
        type: str
        required: true
      certificates:
        description: The certificates that tokens are checked with, as PEM text.
        type: str
        required: true
  storage:
    description: Where images are stored. V(azure) is Azure Blob and needs O(source=image).
    type: str
    choices: [disk, azure]
    default: disk
  storage_path:
    description: The folder for O(storage=disk). C(/var/lib/dockhost-registry/<name>) when empty.
    type: str
    default: ""
  azure:
    description: Where in Azure Blob for O(storage=azure).
    type: dict
    suboptions:
      account:
        description: Name of the storage account.
        type: str
        required: true
      container:
        description: Name of the container, which has to exist.
        type: str
        required: true
      key:
        description: A key of the account.
        type: str
      identity:
        description:
          - The host's managed identity in place of a key, V(system) or the client id of one that is assigned to it.
          - It needs the role Storage Blob Data Contributor on the container.
        type: str
      realm:
        description: The cloud's suffix where it is not C(core.windows.net), such as C(core.chinacloudapi.cn).
        type: str
  mirror_of:
    description:
      - Makes this a pull-through cache of another registry, Docker Hub's being C(https://registry-1.docker.io). Nothing can be pushed to it.
      - Put its address into C(registry-mirrors) of the engines. Engines send a mirror no login, so O(auth=none) is required.
    type: str
    default: ""
  mirror_username:
    description: User at the registry behind the mirror. What that user may read, everybody who reaches the mirror may.
    type: str
    default: ""
  mirror_password:
    description: Password or token of O(mirror_username).
    type: str
    default: ""
  deletion:
    description: Whether images can be deleted over the registry's API.
    type: bool
    default: true
  garbage_schedule:
    description:
      - When garbage is collected, as systemd's C(OnCalendar). Never when empty.
      - Until it is done images can be pulled, and pushes are refused.
    type: str
    default: Sun *-*-* 03:30:00
  garbage_untagged:
    description: Whether manifests that no tag leads to any more are garbage too. Whoever pulls by digest would miss them.
    type: bool
    default: false
  settings:
    description: Anything else of the registry's configuration, laid over what the other options say.
    type: dict
    default: {}
  timeout:
    description: Seconds within which the registry has to serve after a start.
    type: int
    default: 60
  lock_timeout:
    description: Seconds to wait for another program to release the locks of dpkg and apt.
    type: int
    default: 300
  docker_socket:
    description: Path of the Docker Engine's socket, for O(source=image).
    type: str
    default: /var/run/docker.sock
attributes:
  check_mode:
    description: Says what would be done, on a host that has nothing yet as well. Installs and pulls nothing.
    support: full
  diff_mode:
    description: Shows files with their text, without keys and passwords; of logins the users only.
    support: full
notes:
  - Storage on Azure Blob is rendered and covered by unit tests, and was never run against Azure.
seealso:
  - module: dockhost.azure.registry_client
  - module: dockhost.azure.docker_certificates
"""

EXAMPLES = r"""
- name: A registry with one user
  dockhost.azure.registry:
    tls_certificate: "{{ lookup('ansible.builtin.file', 'registry.crt') }}"
    tls_key: "{{ lookup('ansible.builtin.file', 'registry.key') }}"
    users:
      ci: "{{ vault_registry_password }}"
  become: true

- name: Images on Azure Blob, read and written with the host's managed identity
  dockhost.azure.registry:
    source: image
    image: docker.io/library/registry:3.1
    port: 443
    tls_certificate: "{{ lookup('ansible.builtin.file', 'registry.crt') }}"
    tls_key: "{{ lookup('ansible.builtin.file', 'registry.key') }}"
    users:
      ci: "{{ vault_registry_password }}"
    storage: azure
    azure:
      account: contosoimages
      container: registry
      identity: system
  become: true

- name: A mirror of Docker Hub
  dockhost.azure.registry:
    name: mirror
    port: 5001
    auth: none
    mirror_of: https://registry-1.docker.io
    tls_certificate: "{{ lookup('ansible.builtin.file', 'registry.crt') }}"
    tls_key: "{{ lookup('ansible.builtin.file', 'registry.key') }}"
  become: true
"""

RETURN = r"""
plan:
  description: What was done, or would be in check mode.
  type: list
  elements: dict
  returned: always
  sample: [{action: restart, type: service, name: dockhost-registry-registry.service, detail: ""}]
service:
  description: The systemd unit.
  type: str
  returned: success
  sample: dockhost-registry-registry.service
storage_path:
  description: The folder with the images, empty with O(storage=azure).
  type: str
  returned: success
  sample: /var/lib/dockhost-registry/registry
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._registry.config import Request
from ansible_collections.dockhost.azure.plugins.module_utils._registry.server import Outcome, converge

TOKEN = dict(
    realm=dict(type="str", required=True),
    service=dict(type="str", required=True),
    issuer=dict(type="str", required=True),
    certificates=dict(type="str", required=True),
)
AZURE = dict(
    account=dict(type="str", required=True),
    container=dict(type="str", required=True),
    key=dict(type="str", no_log=True),
    identity=dict(type="str"),
    realm=dict(type="str"),
)
ARGUMENTS = dict(
    name=dict(type="str", default="registry"),
    state=dict(type="str", choices=["present", "absent"], default="present"),
    source=dict(type="str", choices=["distribution", "image"], default="distribution"),
    image=dict(type="str", default="docker.io/library/registry:3"),
    listen_address=dict(type="str", default=""),
    port=dict(type="int", default=5000),
    tls_certificate=dict(type="str", default=""),
    tls_key=dict(type="str", default="", no_log=True),
    auth=dict(type="str", choices=["htpasswd", "token", "none"], default="htpasswd"),
    users=dict(type="dict", default={}, no_log=True),
    token=dict(type="dict", options=TOKEN, no_log=False),
    storage=dict(type="str", choices=["disk", "azure"], default="disk"),
    storage_path=dict(type="str", default=""),
    azure=dict(type="dict", options=AZURE),
    mirror_of=dict(type="str", default=""),
    mirror_username=dict(type="str", default=""),
    mirror_password=dict(type="str", default="", no_log=True),
    deletion=dict(type="bool", default=True),
    garbage_schedule=dict(type="str", default="Sun *-*-* 03:30:00"),
    garbage_untagged=dict(type="bool", default=False),
    settings=dict(type="dict", default={}),
    timeout=dict(type="int", default=60),
    lock_timeout=dict(type="int", default=300),
    **ENGINE_ARGS,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    outcome, request = Outcome(), Request(**module.params)
    try:
        converge(request, module.check_mode, outcome)
    except (HostError, EngineError) as error:
        module.fail_json(msg=str(error), plan=outcome.plan)
    except PermissionError as error:
        module.fail_json(msg=f"The host refused: {error}. Run the task with become: true.", plan=outcome.plan)
    path = request.data if request.storage == "disk" else ""
    result = dict(changed=outcome.changed, plan=outcome.plan, service=f"{request.unit}.service", storage_path=path)
    if module._diff:
        result["diff"] = outcome.diff
    module.exit_json(**result)


if __name__ == "__main__":
    main()
