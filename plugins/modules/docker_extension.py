#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_extension
short_description: Carry out the settings of the Azure Docker VM extension
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Takes the settings of the Azure Docker VM extension (publisher C(Microsoft.Azure.Extensions), type C(DockerExtension)) unchanged, and
    brings one host, many hosts or a whole group into the state that they describe, side by side and without SSH.
  - Microsoft retired that extension in November 2018. Where it is not published any more, or cannot be installed on the image, the
    CustomScript extension does the same with the Docker Engine and the Compose plugin of today. See O(handler).
  - Secrets are sent in protected settings only. They are compared by a digest, see O(digest_key), so that a rotated secret is applied and
    a second run with the same ones changes nothing.
extends_documentation_fragment:
  - dockhost.azure.azure
  - dockhost.azure.azure.attributes
  - dockhost.azure.tags.deployment
attributes:
  check_mode:
    support: full
    details: Machines that do not exist yet are a warning in check mode, since an earlier task would make them.
  diff_mode:
    support: full
    details: Protected settings, and with them the whole script, are never shown, only that they differ.
options:
  resource_group:
    description: The resource group of the machines. Needed unless O(handler=cloud_init).
    type: str
  hosts:
    description: The names of the machines. They need not belong to this collection. Either this, O(group) or O(scale_set).
    type: list
    elements: str
  group:
    description: The name of a group of M(dockhost.azure.host_group). All of its hosts are meant; a group without hosts is an error for O(state=present).
    type: str
  scale_set:
    description:
      - The name of a scale set with flexible orchestration. All of its present instances are meant; run again when there are more, or give
        the set custom data (see O(handler=cloud_init)).
      - Instances of sets with uniform orchestration are no machines of the resource group and are not reached.
    type: str
  name:
    description: The name of the extension on each machine.
    type: str
    default: docker
  state:
    description: V(present) brings hosts into the state of the settings. V(absent) removes the extension, and see O(remove_docker).
    type: str
    choices:
      - present
      - absent
    default: present
  handler:
    description:
      - What carries out the settings.
      - V(auto) asks Azure whether the old extension is published for the host's region and whether its user guide names the host's image,
        takes V(docker_extension) where both hold, and V(custom_script) otherwise. RV(handlers) says which was taken and why.
      - V(docker_extension) sends the settings to the old extension as they are.
      - V(custom_script) runs a script by the CustomScript extension, which brings the host into the same state with the parts of today.
      - V(cloud_init) asks nothing of Azure and returns RV(custom_data) for M(dockhost.azure.host_group), so that Docker is there when
        the host comes up for the first time.
    type: str
    choices:
      - auto
      - docker_extension
      - custom_script
      - cloud_init
    default: auto
  settings:
    description:
      - Public settings of the extension. They are C(docker.port), C(docker.options), C(compose), C(compose-environment) and
        C(azure-environment).
      - A compose file of the first format, with services at the top, is brought into the format of today. The module warns of what it
        changed.
    type: dict
  settings_file:
    description: A JSON file on the controller with the public settings, as people have it (C(pub.json)). Instead of O(settings).
    type: path
  protected_settings:
    description:
      - Protected settings of the extension. They are C(environment), C(certs) (C(ca), C(cert) and C(key), as PEM or base64 of it) and
        C(login) (C(server), C(username), C(password), C(email)).
    type: dict
  protected_settings_file:
    description: A JSON file on the controller with the protected settings (C(prot.json)). Instead of O(protected_settings).
    type: path
  certificates:
    description:
      - A folder that M(dockhost.azure.docker_certificates) has filled. Each host gets its own certificate from it, instead of C(certs) in
        O(protected_settings). A renewed certificate is a change.
      - Not with O(handler=cloud_init), which does not know the host.
    type: path
  docker_source:
    description:
      - Where V(custom_script) and V(cloud_init) take the engine from where it is not installed yet.
      - V(distribution) takes the distribution's packages. RHEL and its family have none and take Docker's.
      - V(docker) takes the packages of Docker's own repository. There are none for Azure Linux, SUSE and Flatcar, which take their own.
    type: str
    choices:
      - distribution
      - docker
    default: distribution
  docker_version:
    description:
      - The version of Docker's packages, for instance V(27.5), which is then held. Needs O(docker_source=docker).
      - Refused on the host where the system has one version only, which are Azure Linux, SUSE and Flatcar.
    type: str
  docker_repository:
    description: Where Docker's repository is, for mirrors.
    type: str
    default: https://download.docker.com
  docker_user:
    description: The user who goes into group C(docker); the machine's administrator when not given.
    type: str
  lock_timeout:
    description: How many seconds the script waits for the lock of the package manager.
    type: int
    default: 600
  health_timeout:
    description: How many seconds the script waits until all containers of the compose file run and are healthy.
    type: int
    default: 600
  allow_unauthenticated_tcp_which_gives_root_to_everybody:
    description:
      - Lets the engine listen on a TCP port without TLS. Whoever reaches the port is root on the host.
      - Without it such settings are refused. Give C(certs) in O(protected_settings) instead.
    type: bool
    default: false
  keep_containers:
    description:
      - Containers that run go on running while the host is taken over from the old extension. The engine gets C(live-restore), and containers
        of the project are not made anew although their definition may differ from what the Compose of today would make.
      - Not for hosts of a swarm, which does not work with C(live-restore).
      - A later run without it makes those anew that differ.
    type: bool
    default: false
  keep_certificates:
    description: The certificates in C(/etc/docker) on the hosts, which the old extension has put there, are used as they are.
    type: bool
    default: false
  remove_docker:
    description:
      - With O(state=absent), whether Docker is taken off the host before the extension goes. Containers end, packages and configuration
        are removed. Images and volumes in C(/var/lib/docker) stay.
    type: bool
    default: false
  force_update_tag:
    description: A text of your own. When it changes, the extension runs again although its settings are the same.
    type: str
  rerun:
    description: Runs the extension again in any case. This is always a change.
    type: bool
    default: false
  reinstall:
    description:
      - Whether the extension is removed first and then installed anew.
      - V(never) changes it in place. A failed one is asked to run again in place as well.
      - V(failed) does it where the extension has failed.
      - V(always) does it in any case, which is always a change.
    type: str
    choices:
      - never
      - failed
      - always
    default: never
  digest_key:
    description:
      - A secret text that goes into the digest of the protected settings, see M(dockhost.azure.vm_extension).
      - Taken from the environment variable E(DOCKHOST_DIGEST_KEY) when not given.
    type: str
notes:
  - The script logs to C(/var/log/azure/dockhost-docker.log) and keeps its status in C(/var/lib/dockhost/docker-status.json) on the host.
  - Azure takes one CustomScript on a machine. Where there is one of another name already, it is refused before anything is sent.
  - The security group of the subnet has to let in the ports that are to be reached; this module does not change it.
  - Run on Debian and Ubuntu. The parts for RHEL and its family, SUSE, Azure Linux and Flatcar were rendered, checked with shellcheck and run
    with stand-ins for their package managers only.
  - Hosts that are set up over SSH are better served by the role P(dockhost.azure.docker#role).
  - Certificates are tried out before anything is sent. A key of another certificate, a certificate of another CA or an expired one is refused.
seealso:
  - module: dockhost.azure.docker_certificates
  - module: dockhost.azure.vm_extension
  - module: dockhost.azure.host_group
"""

EXAMPLES = r"""
- name: Docker and a compose project on all hosts of a group, with the settings that were the old extension's
  dockhost.azure.docker_extension:
    resource_group: rg-demo
    group: demo
    settings:
      docker:
        port: "2376"
        options: ["--log-opt max-size=20m"]
      compose:
        services:
          web:
            image: docker.io/library/wordpress:6.8-apache
            ports: ["80:80"]
            environment:
              WORDPRESS_DB_HOST: "${DB_HOST}"
              WORDPRESS_DB_PASSWORD: "${DB_PASSWORD}"
      compose-environment:
        DB_HOST: db.example.com
    protected_settings:
      environment:
        DB_PASSWORD: "{{ vault_db_password }}"
      certs:
        ca: "{{ lookup('ansible.builtin.file', 'ca.pem') }}"
        cert: "{{ lookup('ansible.builtin.file', 'server-cert.pem') }}"
        key: "{{ lookup('ansible.builtin.file', 'server-key.pem') }}"
      login:
        server: registry.example.com
        username: deploy
        password: "{{ vault_registry_password }}"

- name: The files that were given to the Azure CLI
  dockhost.azure.docker_extension:
    resource_group: rg-demo
    hosts: [demo-1]
    settings_file: pub.json
    protected_settings_file: prot.json

- name: Custom data for new hosts, so that Docker is there at once
  dockhost.azure.docker_extension:
    handler: cloud_init
    docker_user: azureuser
    settings_file: pub.json
  register: docker
  no_log: true

- name: Take Docker off the hosts again
  dockhost.azure.docker_extension:
    resource_group: rg-demo
    group: demo
    state: absent
    remove_docker: true
"""

RETURN = r"""
handlers:
  description: What carries out the settings on each host, and why.
  returned: with all handlers but V(cloud_init)
  type: list
  elements: dict
  contains:
    host:
      description: The machine.
      type: str
      sample: demo-1
    handler:
      description: C(docker_extension) or C(custom_script).
      type: str
      sample: custom_script
    reason:
      description: Why.
      type: str
      sample: the Docker extension, retired in November 2018, is not published in westeurope
custom_data:
  description:
    - Custom data for M(dockhost.azure.host_group). It holds the protected settings, so register it with C(no_log).
  returned: with O(handler=cloud_init)
  type: str
extensions:
  description: The extension on each machine that has it. In check mode what is there now.
  returned: with all handlers but V(cloud_init)
  type: list
  elements: dict
  contains:
    host:
      description: The machine.
      type: str
      sample: demo-1
    id:
      description: The id of the extension.
      type: str
    name:
      description: Its name.
      type: str
      sample: docker
    publisher:
      description: Its publisher.
      type: str
      sample: Microsoft.Azure.Extensions
    type:
      description: Its type.
      type: str
      sample: CustomScript
    version:
      description: Its version.
      type: str
      sample: "2.1"
    provisioning_state:
      description: What Azure says of its last run.
      type: str
      sample: Succeeded
    settings:
      description: Its public settings.
      type: dict
    message:
      description: What it reported, where this run made or changed it.
      type: str
    stdout:
      description: The end of its output, likewise.
      type: str
    stderr:
      description: The end of its error output, likewise.
      type: str
plan:
  description: What was done, or would be done in check mode.
  returned: with all handlers but V(cloud_init)
  type: list
  elements: dict
  contains:
    action:
      description: C(create), C(update) or C(delete).
      type: str
      sample: create
    type:
      description: The type of the resource.
      type: str
      sample: Microsoft.Compute/virtualMachines/extensions
    name:
      description: The machine and the extension.
      type: str
      sample: demo-1/docker
    changes:
      description: What differs, from what to what.
      type: list
      elements: dict
    reason:
      description: Why.
      type: str
      sample: is missing
    seconds:
      description: How long it took, null in check mode.
      type: float
      sample: 61.2
failures:
  description: What went wrong on which machine.
  returned: when the settings could not be carried out somewhere
  type: list
  elements: dict
  contains:
    host:
      description: The machine.
      type: str
      sample: demo-2
    step:
      description: What was being done.
      type: str
      sample: create extension demo-2/docker
    code:
      description: Azure's code.
      type: str
      sample: VMExtensionProvisioningError
    message:
      description: Azure's message.
      type: str
    exit_code:
      description:
        - The exit status of the script. 10 is a lock that somebody else held, 11 packages, 12 engine options that are refused, 13 an engine
          that does not start, 14 the registry's login, 15 an error in the compose file, 16 C(docker compose up), 17 a container that is not
          healthy, 18 a system that is not known, 19 missing rights, 20 a file that cannot be written.
      type: int
      sample: 15
    stdout:
      description: The end of its output.
      type: str
    stderr:
      description: The end of its error output.
      type: str
    reason:
      description: The line that says why.
      type: str
    log:
      description: Where the log is on the machine.
      type: str
    next_step:
      description: What to do.
      type: str
"""

from ansible_collections.dockhost.azure.plugins.module_utils._errors import DockhostError
from ansible_collections.dockhost.azure.plugins.module_utils._extension.docker_task import (
    ARGUMENTS,
    CONSTRAINTS,
    DockerExtensionTask,
    custom_data,
)
from ansible_collections.dockhost.azure.plugins.module_utils._module import AZURE_ARGS, run
from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Run the module. Custom data need no Azure, and so no sign-in and no libraries."""
    module = AnsibleModule(argument_spec=dict(AZURE_ARGS, **ARGUMENTS), supports_check_mode=True, **CONSTRAINTS)
    if module.params["handler"] != "cloud_init" or module.params["state"] != "present":
        run(DockerExtensionTask, ARGUMENTS, **CONSTRAINTS)
    try:
        made = custom_data(module.params, sorted(module.no_log_values))
    except DockhostError as error:
        module.fail_json(msg=str(error), **error.result())
    module.exit_json(changed=False, custom_data=made)


if __name__ == "__main__":
    main()
