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
  - With nothing to change it asks C(dpkg) or C(rpm), and C(systemd), only, which takes a tenth of a second.
  - Supported are Debian 12 and 13, Ubuntu 22.04 and 24.04, RHEL and its family 8 to 10, Fedora, Azure Linux, SUSE and Flatcar, with systemd. Of these
    Debian was run; the others are covered by unit tests.
  - Flatcar has the engine as a part of the system, so that it is configured only. Compose and Buildx are extensions of the system there (C(systemd-sysext)).
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
      - V(distribution) takes the packages of the distribution. RHEL and its family have none.
      - V(docker) takes those of Docker's own repository, which is set up for that, and removes those of the distribution. It has none for Azure Linux,
        SUSE and Flatcar.
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
  unit_settings:
    description:
      - "Settings for the service C(docker.service), by section, in a drop-in beside what O(daemon_options) and O(proxies) need, such as
        C({Service: {LimitNOFILE: 1048576}}). A list gives several lines of one name."
      - A change restarts the engine. An empty mapping removes them, and they stay as they are when omitted.
    type: dict
  proxies:
    description:
      - Proxies for what the engine itself fetches and sends. They are in a file that root alone can read, since they may carry a password.
      - A change restarts the engine. An empty mapping removes them, and they stay as they are when omitted.
    type: dict
    suboptions:
      http:
        description: The proxy for plain HTTP, such as C(http://proxy.example.com:3128).
        type: str
      https:
        description: The proxy for HTTPS.
        type: str
      no_proxy:
        description: Hosts, domains and ranges that are reached without it, separated by commas.
        type: str
  tls:
    description:
      - Certificate authority, certificate and key of the engine, in PEM form, for a TCP address in O(daemon_options). They are written to
        C(/etc/docker/tls) as C(ca.pem), C(cert.pem) and C(key.pem), which C(tlscacert), C(tlscert) and C(tlskey) have to name.
      - M(dockhost.azure.docker_certificates) makes them. A change restarts the engine, and they stay as they are when omitted.
    type: dict
    suboptions:
      ca:
        description: The certificate of the authority that signs clients.
        type: str
      certificate:
        description: The certificate of this host.
        type: str
      key:
        description: Its key.
        type: str
  kernel_parameters:
    description:
      - "Kernel parameters (C(sysctl)), set now and at each boot, such as C({net.core.somaxconn: 4096})."
      - Values that are taken out of the mapping stay until the next boot. They stay as they are when omitted.
    type: dict
  prune:
    description:
      - A timer of systemd that removes what is no longer used. Networks are left alone, since a swarm's may be in use elsewhere.
      - It stays as it is when omitted.
    type: dict
    suboptions:
      schedule:
        description: When, as systemd writes it, such as V(daily) or V(Sun 03:00). No timer when empty.
        type: str
        default: ""
      spread:
        description: By up to how many seconds each run is put off, so that not all hosts do it at once.
        type: int
        default: 3600
      older_than:
        description: Only what is older than that, such as V(168h). Volumes have no age.
        type: str
        default: 168h
      containers:
        description: Whether stopped containers are removed.
        type: bool
        default: true
      images:
        description: V(dangling) removes images without a name, V(unused) all that no container uses, V(none) leaves them.
        type: str
        choices: [dangling, unused, none]
        default: dangling
      build_cache:
        description: Whether the cache of builds is removed.
        type: bool
        default: true
      volumes:
        description: Whether anonymous volumes that no container uses are removed, with what is in them.
        type: bool
        default: false
  system_extensions:
    description:
      - Extensions of the system (C(systemd-sysext)), for systems whose C(/usr) is read-only. On Flatcar, Compose and Buildx come as such from
        U(https://extensions.flatcar.org).
      - They are fetched by the host, verified and merged into C(/usr), now and at each boot. Ones that are taken out of the list stay.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Its name, such as C(docker-compose), by which the system knows it.
        type: str
        required: true
      url:
        description: Where its image is read, over https.
        type: str
        required: true
      checksum:
        description: Its digest, as C(sha256:) and 64 hexadecimal digits. Another one is fetched anew.
        type: str
        required: true
  leave_data:
    description:
      - A new C(data-root) in O(daemon_options) is refused while the old one has containers, volumes or the membership of a swarm. This lets them lie
        where they are instead; the engine begins anew.
    type: bool
    default: false
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

- name: Docker Engine behind a proxy, with its data on a disk, more open files, and a timer that removes what is old
  dockhost.azure.engine:
    daemon_options:
      data-root: /data/docker
    proxies:
      https: http://proxy.example.com:3128
      no_proxy: 10.0.0.0/8,.example.com
    unit_settings:
      Service:
        LimitNOFILE: 1048576
    kernel_parameters:
      net.core.somaxconn: 4096
    prune:
      schedule: weekly
      images: unused
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
    unit_settings=dict(type="dict"),
    proxies=dict(type="dict", options=dict(http=dict(type="str"), https=dict(type="str"), no_proxy=dict(type="str", no_log=False))),
    tls=dict(
        type="dict",
        options=dict(ca=dict(type="str"), certificate=dict(type="str"), key=dict(type="str", no_log=True)),
    ),
    kernel_parameters=dict(type="dict"),
    prune=dict(
        type="dict",
        options=dict(
            schedule=dict(type="str", default=""),
            spread=dict(type="int", default=3600),
            older_than=dict(type="str", default="168h"),
            containers=dict(type="bool", default=True),
            images=dict(type="str", choices=["dangling", "unused", "none"], default="dangling"),
            build_cache=dict(type="bool", default=True),
            volumes=dict(type="bool", default=False),
        ),
    ),
    system_extensions=dict(
        type="list",
        elements="dict",
        default=[],
        options=dict(name=dict(type="str", required=True), url=dict(type="str", required=True), checksum=dict(type="str", required=True)),
    ),
    leave_data=dict(type="bool", default=False),
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
