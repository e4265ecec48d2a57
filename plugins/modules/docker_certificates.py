#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_certificates
short_description: Make and renew the TLS certificates of Docker hosts
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Makes a certificate authority, a certificate for each host with all of its names and addresses, and one for the client, in a folder on
    the controller, for engines that listen on a TCP port. Asks nothing of Azure and of the hosts.
  - A certificate is made anew when it nears its end, when the host has got another name or address, when it cannot be read, or when another
    authority has signed it. Otherwise nothing is written.
  - Writes a C(docker context) for each host on wish, so that C(docker --context NAME ps) reaches it.
  - M(dockhost.azure.docker_extension) takes the folder as C(certificates) and brings each host its own.
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
    details: Tells which certificates are made and why, never what is in them.
options:
  directory:
    description:
      - The folder on the controller. It is made when it is missing, and it holds private keys, readable by their owner only.
      - C(ca.pem), C(ca-key.pem), C(client/cert.pem), C(client/key.pem), C(hosts/NAME/cert.pem) and C(hosts/NAME/key.pem) are in it.
      - Certificates of hosts that are not in O(hosts) are left alone.
    type: path
    required: true
  hosts:
    description:
      - The hosts, each with C(name), and C(public_address), C(private_address), C(fqdn) and C(names), a list, as far as there are any. The
        hosts that M(dockhost.azure.host_group) and M(dockhost.azure.host_group_info) return can be given as they are.
      - All of these, C(localhost) and C(127.0.0.1) become subject alternative names.
    type: list
    elements: dict
    required: true
  state:
    description: V(present) makes what is missing. V(absent) removes certificates and contexts of the hosts, and leaves the authority alone.
    type: str
    choices:
      - present
      - absent
    default: present
  valid_days:
    description: For how many days certificates of hosts and of the client are valid.
    type: int
    default: 365
  ca_valid_days:
    description: For how many days the authority is valid. When it is renewed, all others are with it.
    type: int
    default: 3650
  renew_days:
    description: How many days before its end a certificate is renewed.
    type: int
    default: 30
  ca_name:
    description: The common name of the authority.
    type: str
    default: dockhost.azure
  contexts:
    description: Whether a C(docker context) is written for each host.
    type: bool
    default: false
  context_prefix:
    description: What stands before a host's name in the name of its context.
    type: str
    default: ""
  docker_config:
    description: The folder of the Docker CLI's configuration.
    type: path
    default: ~/.docker
  port:
    description: The engines' port, for contexts.
    type: int
    default: 2376
  reach:
    description: Which address contexts take, where a host has both.
    type: str
    choices:
      - public
      - private
    default: public
requirements:
  - cryptography
seealso:
  - module: dockhost.azure.docker_extension
  - module: dockhost.azure.host_group_info
"""

EXAMPLES = r"""
- name: The hosts of a group
  dockhost.azure.host_group_info:
    resource_group: rg-demo
    name: demo
  register: demo

- name: A CA, a certificate for each host and one for me, with a docker context for each host
  dockhost.azure.docker_certificates:
    directory: ~/.docker/dockhost/rg-demo
    hosts: "{{ demo.hosts }}"
    contexts: true

- name: Engines that listen with these certificates; renewed ones are brought to the hosts by the next run
  dockhost.azure.docker_extension:
    resource_group: rg-demo
    group: demo
    settings:
      docker:
        port: "2376"
    certificates: ~/.docker/dockhost/rg-demo
"""

RETURN = r"""
certificates:
  description: The hosts' certificates; empty with O(state=absent).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The host.
      type: str
      sample: demo-1
    names:
      description: What the certificate has to be valid for.
      type: list
      elements: str
    cert_file:
      description: The file with the certificate.
      type: str
    key_file:
      description: The file with its key.
      type: str
    not_after:
      description: When it expires (UTC).
      type: str
      sample: "2027-11-25T12:00:00Z"
    context:
      description: The C(docker context) of the host, if contexts are written.
      type: str
      sample: demo-1
ca_file:
  description: The file with the authority's certificate.
  returned: success
  type: str
changes:
  description: What was made, renewed or removed, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    what:
      description: C(CA), C(client), a host or a context.
      type: str
      sample: host demo-1
    reason:
      description: Why.
      type: str
      sample: expires on 2027-11-25
"""

import datetime

from ansible_collections.dockhost.azure.plugins.module_utils._errors import DockhostError
from ansible_collections.dockhost.azure.plugins.module_utils._tls import authority
from ansible_collections.dockhost.azure.plugins.module_utils._tls.task import Certificates
from ansible.module_utils.basic import AnsibleModule, missing_required_lib

ARGUMENTS = dict(
    directory={"type": "path", "required": True},
    hosts={"type": "list", "elements": "dict", "required": True},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    valid_days={"type": "int", "default": 365},
    ca_valid_days={"type": "int", "default": 3650},
    renew_days={"type": "int", "default": 30},
    ca_name={"type": "str", "default": "dockhost.azure"},
    contexts={"type": "bool", "default": False},
    context_prefix={"type": "str", "default": ""},
    docker_config={"type": "path", "default": "~/.docker"},
    port={"type": "int", "default": 2376},
    reach={"type": "str", "choices": ["public", "private"], "default": "public"},
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if not authority.HAS_CRYPTOGRAPHY:
        module.fail_json(msg=missing_required_lib("cryptography"))
    try:
        folder = Certificates(module.params, datetime.datetime.now(datetime.timezone.utc))
        if module.params["state"] == "present":
            folder.present()
        else:
            folder.absent()
        result = folder.result()
        if module._diff:
            result["diff"] = folder.diff()
        if not module.check_mode:
            folder.work.apply()
    except DockhostError as error:
        module.fail_json(msg=str(error), **error.result())
    module.exit_json(changed=bool(folder.work.changes), **result)


if __name__ == "__main__":
    main()
