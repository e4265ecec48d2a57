#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_group
short_description: Manage a group of Docker hosts on Azure
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Makes, changes, starts, stops and removes a whole group of Linux virtual machines in one task.
  - All hosts are made side by side. A host is its virtual machine, its network interface and its disks, and a public address
    where O(public_ip=true). Removing the machine removes all of it.
  - Names are deterministic. Hosts are called C(<name>-1), C(<name>-2) and so on unless O(names) says otherwise, their
    interfaces C(<host>-nic), their addresses C(<host>-ip) and their disks C(<host>-osdisk) and C(<host>-data-<lun>), so that any run
    finds what an interrupted run made.
  - Region, size, zones, quota, image, backend pools, subnet and its free addresses are checked before the first host is made.
extends_documentation_fragment:
  - dockhost.azure.azure
  - dockhost.azure.azure.attributes
  - dockhost.azure.tags
attributes:
  check_mode:
    support: full
    details: A network or resource group that does not exist yet is returned in RV(missing) in check mode, since an earlier task would make it.
  diff_mode:
    support: full
options:
  resource_group:
    description: The resource group of the hosts. It has to exist.
    type: str
    required: true
  name:
    description: The name of the group. The names of the hosts are made of it, so letters, digits and hyphens, at most 58.
    type: str
    required: true
  state:
    description:
      - V(present) brings the group to O(count) hosts, or to the hosts of O(names), each as the options say.
      - V(absent) removes the hosts, or those of O(names), with their interfaces, addresses and disks, and proves by listing that
        nothing of them is left.
      - V(started), V(stopped), V(deallocated) and V(restarted) change the power state of the hosts, or of those of O(names).
        A stopped machine is still paid for, a deallocated one is not. Who asks for V(stopped) is content with a deallocated one.
      - V(reimaged) gives the hosts, or those of O(names), a new disk of their operating system, made of the image that they have. All
        that was on the old one is lost. Addresses, identities and data disks stay. O(custom_data) has to be given again, since Azure
        does not give it back. The tag C(dockhost-reimaged) counts, so that M(dockhost.azure.host_keys) reads the new host keys.
    type: str
    choices:
      - present
      - absent
      - started
      - stopped
      - deallocated
      - restarted
      - reimaged
    default: present
  engine:
    description:
      - How the hosts are made with O(state=present). A group keeps its engine for life.
      - V(virtual_machines) makes each host a resource of its own, two or three requests each, with the names and numbers told above.
      - V(scale_set) makes one flexible scale set with the name of the group, and the set makes the hosts, up to 1000 with one request. For
        those who need hundreds. Azure then chooses the names (C(<name>_) and eight hexadecimal digits), so that O(names) is not possible
        here, hosts have no numbers, and all of them are workers of a swarm (O(swarm_managers) is 0 or not given). O(availability_set)
        and an identity of the system are not possible either, and O(name) has at most 35 characters.
      - In a scale set the newest host is the one that Azure made last. Hosts that go are named to the set in one request.
      - What is of single hosts, such as O(delete_protection), is written as soon as they are there. RV(plan) does not tell it before, since their
        names are not known.
      - What somebody else puts into the set is not the group's. O(state=absent) refuses to remove the set as long as that is in it.
      - Other states find out by themselves how the hosts were made.
    type: str
    choices:
      - virtual_machines
      - scale_set
    default: virtual_machines
  count:
    description:
      - How many hosts the group has, from 0 to 1000.
      - Hosts that are there stay, and new ones get the lowest free numbers. When it is lowered, O(scale_in) says which go.
    type: int
  names:
    description:
      - The names of the hosts, instead of O(count). Hosts of the group that are not named go.
      - With other states than V(present), the hosts that are meant; all of the group when not given.
    type: list
    elements: str
  scale_in:
    description:
      - Which hosts go when O(count) is lowered. RV(removing) names them in check mode, so that they can be drained first.
      - V(newest) takes those with the highest numbers, and so the managers of a swarm last.
      - V(oldest) takes those that Azure made first.
      - V(balance_zones) takes the highest number of the zone that has most hosts, one after the other.
    type: str
    choices:
      - newest
      - oldest
      - balance_zones
    default: newest
  scale_in_first:
    description:
      - Names of hosts that go before those that O(scale_in) chooses, when O(count) is lowered. None goes while no more than O(count)
        hosts are there.
    type: list
    elements: str
  location:
    description:
      - The region of the hosts, which has to be that of their network.
      - Where the hosts are already, or else the region of the resource group, when not given.
    type: str
  size:
    description:
      - The size of the hosts, for instance V(Standard_D2s_v5). Needed with O(state=present).
      - A running host is restarted by Azure to change its size, which O(allow_restart) has to allow.
    type: str
  allow_restart:
    description: Whether Azure may restart running hosts to change their size or the cache of their disk. See O(serial).
    type: bool
    default: false
  image:
    description:
      - The image of new hosts, as C(publisher:offer:sku:version), or the id of an image, of an image of a gallery, or of one of
        its versions.
      - Of an image of a gallery, new hosts get the newest version that is replicated to their region and is not excluded from
        being the latest; hosts that are there keep theirs.
    type: str
    default: Debian:debian-13:13-gen2:latest
  image_plan:
    description: The purchase plan of a marketplace image that has one.
    type: dict
    suboptions:
      name:
        description: Name of the plan.
        type: str
        required: true
      product:
        description: The product (offer).
        type: str
        required: true
      publisher:
        description: The publisher.
        type: str
        required: true
  admin_username:
    description: The user who may sign in, with sudo. Azure refuses some names, such as V(admin) and V(root).
    type: str
    default: azureuser
  ssh_public_keys:
    description:
      - The public keys of that user, as the lines of files like C(id_ed25519.pub). At least one is needed with O(state=present).
      - Passwords are switched off.
      - With O(state=reimaged), the keys that the new systems are to have. Without it they have those that the machines were made with, also where
        these were taken away since; Azure cannot change them in a machine's model. They are put in place by Azure's RunCommand.
    type: list
    elements: str
  custom_data:
    description:
      - What cloud-init gets at the first boot, at most 65535 bytes. Text that starts with C(#cloud-config) is checked to be YAML, a mapping,
        and of cloud-init's types in what most people use (C(runcmd), C(packages), C(write_files) …). A first line that only looks like that is
        refused, since cloud-init would not read the text.
      - Use the lookups P(ansible.builtin.file#lookup) and P(ansible.builtin.template#lookup) for files and templates.
      - Azure never returns it, so a digest of it is kept in the tag C(dockhost-custom-data), which tells a later run whether it
        has changed.
    type: str
  immutable_changes:
    description:
      - What to do when hosts differ in what Azure cannot change on an existing machine, such as O(image), O(custom_data), O(zones),
        O(admin_username), O(ssh_public_keys), the operating system's disk, and O(size) without O(allow_restart).
      - V(refuse) changes nothing at all and says which hosts differ in what.
      - V(keep) leaves existing hosts as they are, uses the new values for new hosts, and returns the others in RV(outdated). With a higher
        O(count) first, and then the old O(count) and these hosts in O(scale_in_first), hosts are renewed without ever being fewer, and a
        playbook can drain them in between.
      - V(replace) does that in one run, for hosts that need not be drained. Each new host gets the lowest free number, and only when it is what
        O(wait_for) says, its old one goes with all that is on it. With O(serial) so many at once, else all, so that the quota has to have room for
        as many more hosts. An old host whose replacement could not be made stays. Not with O(names), O(scale_in_first), O(engine=scale_set) and
        O(on_failure=rollback).
    type: str
    choices:
      - refuse
      - keep
      - replace
    default: refuse
  zones:
    description:
      - The availability zones to spread the hosts over, round robin by their numbers.
      - A host keeps its zone as long as that is one of these, so a zone that is added moves nobody.
    type: list
    elements: str
  availability_set:
    description: Name or id of an availability set for the hosts, in regions without zones.
    type: str
  proximity_placement_group:
    description: Name or id of a proximity placement group.
    type: str
  subnet:
    description:
      - The subnet of the hosts, as an id, or as a mapping with C(network) and C(name), and C(resource_group) where it is in another one.
      - Needed with O(state=present).
    type: raw
  security_group:
    description: Name or id of a network security group for the interfaces. The subnet's is mostly enough.
    type: str
  load_balancer_pools:
    description:
      - Ids of the backend pools that the hosts are members of.
      - Memberships are left as they are when not given; an empty list takes the hosts out of all pools.
    type: list
    elements: str
  application_security_groups:
    description: Names or ids of application security groups. Left as they are when not given.
    type: list
    elements: str
  public_ip:
    description: Whether each host has a public address of its own.
    type: bool
    default: false
  private_addresses:
    description:
      - Static private addresses, by host. Hosts that are not in it get theirs from Azure.
      - Not with O(engine=scale_set), where Azure chooses the names of hosts.
      - All are left as they are when not given. Azure restarts the network of a running host whose address changes.
    type: dict
  further_interfaces:
    description:
      - Interfaces of each host beside its first, called C(<host>-<name>), in this order. They go with their host.
      - Not with O(engine=scale_set).
      - Left as they are when not given. They come and go only on deallocated hosts, and O(size) has to carry as many.
    type: list
    elements: dict
    suboptions:
      name:
        description: Its name, at most 16 letters, digits and hyphens.
        type: str
        required: true
      subnet:
        description: Its subnet, as in O(subnet). It has to be in the same virtual network as the first one's.
        type: raw
        required: true
      security_group:
        description: Name or id of a network security group.
        type: str
      application_security_groups:
        description: Names or ids of application security groups. Left as they are when not given.
        type: list
        elements: str
      accelerated_networking:
        description: Whether it uses accelerated networking. Left as it is when not given.
        type: bool
      private_addresses:
        description: Static private addresses by host, as in O(private_addresses).
        type: dict
  accelerated_networking:
    description: Whether the first interfaces use accelerated networking. Left as it is when not given.
    type: bool
  os_disk_size_gb:
    description: Size of the operating system's disk in GiB; that of the image when not given.
    type: int
  os_disk_type:
    description: Type of the operating system's disk; Azure's choice for the size when not given.
    type: str
    choices:
      - Standard_LRS
      - StandardSSD_LRS
      - StandardSSD_ZRS
      - Premium_LRS
      - Premium_ZRS
  os_disk_caching:
    description:
      - Host cache of the operating system's disk. V(ReadWrite) for new hosts when not given.
      - A running host is restarted by Azure to change it, which O(allow_restart) has to allow.
    type: str
    choices:
      - None
      - ReadOnly
      - ReadWrite
  os_disk_ephemeral:
    description:
      - Puts the operating system on a local disk of the machine's host, which costs nothing, is fast, and is lost when Azure moves the host.
        Such a host cannot be deallocated, and O(state=reimaged) sets it up anew within seconds.
      - The value says where it is placed; O(size) has to have room there for the image.
    type: str
    choices:
      - CacheDisk
      - ResourceDisk
      - NvmeDisk
  data_disks:
    description: Empty disks for each host. A disk that is no longer listed stays where it is.
    type: list
    elements: dict
    suboptions:
      lun:
        description: Its number on the host, from 0 to 63.
        type: int
        required: true
      size_gb:
        description: Its size in GiB.
        type: int
        required: true
      type:
        description: Its type; Azure's choice when not given.
        type: str
        choices:
          - Standard_LRS
          - StandardSSD_LRS
          - StandardSSD_ZRS
          - Premium_LRS
          - Premium_ZRS
          - UltraSSD_LRS
          - PremiumV2_LRS
      caching:
        description: Its host cache.
        type: str
        choices:
          - None
          - ReadOnly
          - ReadWrite
        default: None
  spot:
    description: Makes Spot hosts, which Azure may take back at any time.
    type: dict
    suboptions:
      eviction_policy:
        description: What happens to a host that Azure takes back.
        type: str
        choices:
          - Deallocate
          - Delete
        default: Deallocate
      max_price:
        description: The highest price per hour in US dollars; -1 is the price of an ordinary host.
        type: float
        default: -1
  identities:
    description: Managed identities of the hosts. Left as they are when not given.
    type: dict
    suboptions:
      system_assigned:
        description: Whether each host has an identity of its own.
        type: bool
        default: false
      user_assigned:
        description: Ids of user-assigned identities.
        type: list
        elements: str
        default: []
  boot_diagnostics:
    description: Whether Azure keeps the serial log and a screenshot of each host. This costs nothing.
    type: bool
    default: true
  security_profile:
    description: Trusted Launch and encryption.
    type: dict
    suboptions:
      security_type:
        description: V(TrustedLaunch) needs an image of generation 2 and a size that supports it.
        type: str
        choices:
          - Standard
          - TrustedLaunch
        default: TrustedLaunch
      secure_boot:
        description: Whether secure boot is on, with V(TrustedLaunch).
        type: bool
        default: true
      vtpm:
        description: Whether there is a virtual TPM, with V(TrustedLaunch).
        type: bool
        default: true
      encryption_at_host:
        description: Whether the machine's host encrypts temporary disks and caches.
        type: bool
  license_type:
    description: The license of the image that you bring yourself.
    type: str
    choices:
      - RHEL_BYOS
      - RHEL_BASE
      - RHEL_EUS
      - SLES_BYOS
      - SLES_STANDARD
      - UBUNTU_PRO
  termination_notice:
    description:
      - How many minutes before Azure deletes a host it says so to the host (Scheduled Events, C(Terminate)), from 5 to 15, so that
        containers can be moved; 0 for no notice. Left as it is when not given.
      - A deletion then takes as long, unless the host acknowledges the event.
    type: int
  delete_protection:
    description:
      - V(true) puts a management lock (C(CanNotDelete), named C(dockhost-delete-protection)) on each host, so that nobody deletes it, in the portal
        neither. V(false) takes these locks away. Left as it is when not given.
      - A host that is locked, by this or by somebody else's lock, is never removed, not by a lower O(count) either; O(delete_protection=false)
        together with O(state=absent), or with the lower O(count), unlocks and removes in one run.
      - The client needs the right C(Microsoft.Authorization/locks/*), which the roles Owner and User Access Administrator have and Contributor
        has not.
    type: bool
  append_tags:
    description:
      - Whether tags that O(tags) does not name stay on the hosts, their interfaces and addresses.
      - With V(false) they are removed, but for those of this collection (C(dockhost-…)) and those that Azure hides (C(hidden-…)).
    type: bool
    default: true
  swarm_managers:
    description:
      - How many hosts, those with the lowest numbers, are to be managers of a Docker swarm. The others are workers.
      - It is written on the hosts as the tag C(dockhost-swarm-role), by which P(dockhost.azure.docker_hosts#inventory) groups them.
    type: int
  serial:
    description:
      - How many hosts are changed, replaced, started, stopped, restarted or reimaged at once; all when not given. One that fails stops the rest.
    type: int
  wait_for:
    description:
      - V(provisioned) waits until Azure says that the hosts are there.
      - V(ssh) waits further until an SSH server answers on each, over its public address, the load balancer's inbound NAT, or its
        private address, whichever comes first in this order.
      - V(docker) waits further until Docker Engine answers on each, asked over Azure's agent (RunCommand), so that no way for SSH is needed.
        Hosts that are switched off are not asked. Something has to install it, for instance O(custom_data).
      - When time is up, each host that is not ready is named, with what is missing there.
    type: str
    choices:
      - provisioned
      - ssh
      - docker
    default: provisioned
  wait_timeout:
    description: How many seconds to wait for SSH or Docker, and for what Azure is still doing since an earlier run.
    type: int
    default: 900
  on_failure:
    description:
      - What to do when some hosts cannot be made.
      - V(keep) keeps what could be made. Running again continues from there.
      - V(rollback) removes all that this run has made.
    type: str
    choices:
      - keep
      - rollback
    default: keep
notes:
  - Hosts have no public addresses by default. SSH then leads through the inbound NAT of a load balancer, see
    M(dockhost.azure.load_balancer), and C(outbound) of that, or a NAT gateway, lets them out.
  - The module only ever removes what carries the tags C(dockhost-deployment) and C(dockhost-group) of this group. A resource of another
    that has the name of a host is refused.
  - A machine that Azure shows as Failed is asked for again. One whose operating system did not finish provisioning is reported
    with what to do, since asking again would change nothing.
  - While it works, a line on the terminal tells of each host that changes state, and how many are done. Where the output is no terminal there is
    none of it, and in a job of AWX one line every fifteen seconds.
  - A run without changes needs five or six requests, whatever the number of hosts.
  - One run at a time changes a group. Another one waits for it, at most O(wait_timeout) seconds, and then looks anew. The turn is an empty
    flexible scale set C(<name>_lock), which costs nothing and is deleted when the run ends. What a killed run left is taken over by the next
    one, at once on the same controller, after two minutes on another. Who may not make scale sets gets a warning instead.
seealso:
  - module: dockhost.azure.host_group_info
  - module: dockhost.azure.host_keys
  - module: dockhost.azure.network
  - module: dockhost.azure.load_balancer
  - plugin: dockhost.azure.docker_hosts
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Provide three Docker hosts in three zones, the first of them a swarm manager
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: demo
    count: 3
    swarm_managers: 1
    size: Standard_D2s_v5
    image: Debian:debian-13:13-gen2:latest
    zones: ["1", "2", "3"]
    ssh_public_keys:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    custom_data: "{{ lookup('ansible.builtin.template', 'cloud-config.yml.j2') }}"
    subnet:
      network: demo-vnet
      name: hosts
    load_balancer_pools:
      - "{{ lb.load_balancer.pools.hosts }}"
    tags:
      environment: demo
  register: group

- name: Provide two named hosts with fixed addresses, a second interface for storage and data disks, that nobody deletes by mistake
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: store
    names: [store-a, store-b]
    size: Standard_D4s_v5
    ssh_public_keys:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    custom_data: "{{ lookup('ansible.builtin.file', 'cloud-config.yml') }}"
    subnet: &hosts
      network: demo-vnet
      name: hosts
    private_addresses:
      store-a: 10.0.1.20
      store-b: 10.0.1.21
    further_interfaces:
      - name: storage
        subnet:
          network: demo-vnet
          name: storage
        accelerated_networking: true
    data_disks:
      - lun: 0
        size_gb: 256
        type: Premium_LRS
        caching: ReadOnly
    delete_protection: true

- name: Provide twenty cheap workers that may go at any time, on disks that cost nothing
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: batch
    count: 20
    size: Standard_D8ds_v5
    os_disk_ephemeral: ResourceDisk
    spot:
      eviction_policy: Delete
      max_price: 0.12
    ssh_public_keys:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    custom_data: |
      #cloud-config
      packages: [docker.io]
    subnet: *hosts
    wait_for: docker
    wait_timeout: 600

- name: Provide hosts from an image of one's own, in its newest version
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: own
    count: 2
    size: Standard_D2s_v5
    image: /subscriptions/{{ subscription }}/resourceGroups/rg-images/providers/Microsoft.Compute/galleries/images/images/docker-host
    ssh_public_keys:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    subnet:
      network: demo-vnet
      name: hosts

- name: Take the protection away and remove the named hosts
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: store
    state: absent
    delete_protection: false

- name: Restart the hosts, one after the other
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: demo
    state: restarted
    serial: 1
    wait_for: ssh

- name: Set the second host up anew, with the same name and address
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: demo
    state: reimaged
    names: [demo-2]
    custom_data: "{{ lookup('ansible.builtin.template', 'cloud-config.yml.j2') }}"
    wait_for: ssh

- name: Pay for nothing but the disks over night
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: demo
    state: deallocated

- name: Ask which two of five hosts would go
  dockhost.azure.host_group: &group
    resource_group: rg-demo
    name: demo
    count: 3
    scale_in: balance_zones
    size: Standard_D2s_v5
    zones: ["1", "2", "3"]
    ssh_public_keys:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    subnet:
      network: demo-vnet
      name: hosts
  check_mode: true
  register: asked

- name: Drain them
  ansible.builtin.command: docker node update --availability drain {{ item }}
  delegate_to: demo-1
  loop: "{{ asked.removing }}"

- name: Remove just these
  dockhost.azure.host_group:
    <<: *group
    scale_in_first: "{{ asked.removing }}"

- name: Make five hosts of the new image beside the five of the old one
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: workers
    count: 10
    size: Standard_D2s_v5
    image: Debian:debian-13:13-gen2:latest
    immutable_changes: keep
    ssh_public_keys:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    subnet:
      network: demo-vnet
      name: hosts
    wait_for: ssh
  register: both

- name: Drain the old ones, once the new ones have joined the swarm
  ansible.builtin.command: docker node update --availability drain {{ item }}
  delegate_to: demo-1
  loop: "{{ both.outdated }}"

- name: Remove the old ones, so that there were never fewer than five
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: workers
    count: 5
    scale_in_first: "{{ both.outdated }}"
    size: Standard_D2s_v5
    image: Debian:debian-13:13-gen2:latest
    immutable_changes: keep
    ssh_public_keys:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    subnet:
      network: demo-vnet
      name: hosts

- name: Renew hosts that keep nothing, two at a time, each new one ready before its old one goes
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: runners
    count: 6
    size: Standard_D2s_v5
    image: Debian:debian-13:13-gen2:latest
    immutable_changes: replace
    serial: 2
    custom_data: |
      #cloud-config
      packages: [docker.io]
    ssh_public_keys:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    subnet:
      network: demo-vnet
      name: hosts
    wait_for: docker

- name: Remove one host that is broken (the next run with state present makes it anew)
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: demo
    state: absent
    names: [demo-2]

- name: Two hundred workers beside the managers, with one request
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: demo-workers
    engine: scale_set
    count: 200
    swarm_managers: 0
    size: Standard_D2s_v5
    zones: ["1", "2", "3"]
    ssh_public_keys:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    subnet:
      network: demo-vnet
      name: hosts
    deployment: rg-demo

- name: Remove the group
  dockhost.azure.host_group:
    resource_group: rg-demo
    name: demo
    state: absent
"""

RETURN = r"""
hosts:
  description: The hosts of the group, by number. In check mode those that are there now.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: demo-1
    id:
      description: Its id.
      type: str
    vm_id:
      description: The id that Azure gives to a machine for its life.
      type: str
      sample: 16c968d7-e529-4dfe-ac73-c8ccedb63818
    resource_group:
      description: Its resource group.
      type: str
      sample: rg-demo
    location:
      description: Its region.
      type: str
      sample: westeurope
    size:
      description: Its size.
      type: str
      sample: Standard_D2s_v5
    image:
      description: The image that it was made of.
      type: str
      sample: "Debian:debian-13:13-gen2:latest"
    private_address:
      description: Its private address.
      type: str
      sample: 172.28.0.4
    public_address:
      description: Its own public address, if it has one.
      type: str
    zone:
      description: Its zone, if it has one.
      type: str
      sample: "1"
    fault_domain:
      description: Its fault domain, where Azure tells it.
      type: int
    power_state:
      description: C(running), C(stopped), C(deallocated) and what lies between.
      type: str
      sample: running
    provisioning_state:
      description: What Azure says of the last change.
      type: str
      sample: Succeeded
    deployment:
      description: The deployment that it belongs to.
      type: str
      sample: rg-demo
    group:
      description: The host group that it belongs to.
      type: str
      sample: demo
    index:
      description: Its number; none in a scale set.
      type: int
      sample: 1
    swarm_role:
      description: C(manager) or C(worker), if the group says so.
      type: str
      sample: manager
    admin_username:
      description: The user who may sign in.
      type: str
      sample: azureuser
    network_interface:
      description: The id of its network interface.
      type: str
    tags:
      description: Its tags.
      type: dict
plan:
  description: What was done, or would be done in check mode.
  returned: success
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
      sample: Microsoft.Compute/virtualMachines
    name:
      description: The name of the resource.
      type: str
      sample: demo-1
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
      sample: 41.3
removing:
  description: The hosts that go. In check mode this is the list of hosts to drain before the real run.
  returned: success
  type: list
  elements: str
  sample: [demo-3]
missing:
  description: In check mode, what has to be made before the hosts can be, each as a sentence. An earlier task of the same play may do that.
  returned: success
  type: list
  elements: str
  sample: ["subnet: the virtual network 'net' does not exist: make it with dockhost.azure.network first."]
outdated:
  description: Hosts that differ in what Azure cannot change, and were left as they are. See O(immutable_changes).
  returned: success
  type: list
  elements: str
failures:
  description: What went wrong with which host.
  returned: when hosts could not be made, changed or removed
  type: list
  elements: dict
  contains:
    host:
      description: The host.
      type: str
      sample: demo-2
    step:
      description: What was being done.
      type: str
      sample: create virtual machine demo-2
    action:
      description: The kind of step.
      type: str
      sample: create
    code:
      description: Azure's code.
      type: str
      sample: ZonalAllocationFailed
    message:
      description: Azure's message.
      type: str
    next_step:
      description: What to do.
      type: str
"""

from ansible_collections.dockhost.azure.plugins.module_utils._hosts.group_args import ARGUMENTS, CONSTRAINTS
from ansible_collections.dockhost.azure.plugins.module_utils._hosts.group_task import HostGroupTask
from ansible_collections.dockhost.azure.plugins.module_utils._module import run


def main() -> None:
    """Run the module."""
    run(HostGroupTask, ARGUMENTS, **CONSTRAINTS)


if __name__ == "__main__":
    main()
