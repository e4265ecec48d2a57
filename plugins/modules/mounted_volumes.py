#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mounted_volumes
short_description: Docker volumes on shares of Azure Files, or on directories, of a host
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Makes Docker volumes whose data are on a share of Azure Files (SMB or NFS), so that every host of a swarm has the same, without a plugin.
  - systemd mounts the share when it is used, with the key of the storage account in a file that root alone can read. The Docker volume is the mounted
    directory, so that neither C(docker volume inspect) nor a list of processes shows the key.
  - All that can be known is checked before the first thing is changed.
extends_documentation_fragment:
  - dockhost.azure.engine
options:
  state:
    description: V(absent) removes the Docker volumes and their mounts. What is on the shares and in directories stays.
    type: str
    choices: [present, absent]
    default: present
  volumes:
    description: The volumes.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the volume.
        type: str
        required: true
      type:
        description: V(smb) or V(nfs) for a share, V(disk) for a directory of the host, V(tmpfs) for its memory.
        type: str
        choices: [smb, nfs, disk, tmpfs]
        default: smb
      share:
        description: Name of the share. The volume's name, with V(-) for V(_) and V(.), when not given.
        type: str
      account:
        description: The storage account, where it is not O(account).
        type: str
      slots:
        description:
          - A share for each task of a service, volumes C(NAME-1) to C(NAME-N) on shares C(SHARE-1) to C(SHARE-N). The service says
            C(source) V(NAME-{{.Task.Slot}}).
        type: int
        default: 0
      path:
        description: The directory, where it is not O(directory)/NAME.
        type: str
      uid:
        description: Owner of the files. Shares over NFS keep owners themselves.
        type: int
        default: 0
      gid:
        description: Group of the files.
        type: int
        default: 0
      file_mode:
        description: Mode of files on a share over SMB.
        type: str
        default: "0644"
      dir_mode:
        description: Mode of directories on a share over SMB, or of the directory itself.
        type: str
        default: "0755"
      options:
        description: More mount options. They take the place of those that the module gives.
        type: list
        elements: str
        default: []
  account:
    description: The storage account of all shares.
    type: str
    default: ""
  account_keys:
    description: The keys of storage accounts by their names. They are shown nowhere.
    type: dict
    default: {}
  suffix:
    description: The end of the accounts' addresses, which other clouds have otherwise.
    type: str
    default: file.core.windows.net
  directory:
    description: Where shares are mounted.
    type: path
    default: /srv/dockhost/volumes
  automount:
    description: Whether shares are mounted when they are used, and not when the host starts. Kernels without autofs mount when the host starts.
    type: bool
    default: true
attributes:
  check_mode:
    description: Says what would be done, also on a host whose engine and programs tasks before it would install.
    support: full
  diff_mode:
    description: RV(done) says it all, and files may hold a key.
    support: none
"""

EXAMPLES = r"""
- name: Uploads that all hosts share
  dockhost.azure.mounted_volumes:
    account: myaccount
    account_keys: {myaccount: "{{ vault_account_key }}"}
    volumes:
      - {name: blog_uploads, uid: 33, gid: 33}
  become: true
"""

RETURN = r"""
done:
  description: What was done, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [credentials of myaccount, unit srv-dockhost-volumes-blog_uploads.mount, volume blog_uploads]
names:
  description: The names of the volumes, those of slots one by one.
  returned: success
  type: list
  elements: str
  sample: [blog_uploads]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host.packages import HostError
from ansible_collections.dockhost.azure.plugins.module_utils._engine.client import ENGINE_ARGS, Engine
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._volumes.host import converge, remove
from ansible_collections.dockhost.azure.plugins.module_utils._volumes.units import VolumeRefused, volumes_of

VOLUME = dict(
    name=dict(type="str", required=True),
    type=dict(type="str", choices=["smb", "nfs", "disk", "tmpfs"], default="smb"),
    share=dict(type="str"),
    account=dict(type="str"),
    slots=dict(type="int", default=0),
    path=dict(type="str"),
    uid=dict(type="int", default=0),
    gid=dict(type="int", default=0),
    file_mode=dict(type="str", default="0644"),
    dir_mode=dict(type="str", default="0755"),
    options=dict(type="list", elements="str", default=[]),
)
ARGUMENTS = dict(
    state=dict(type="str", choices=["present", "absent"], default="present"),
    volumes=dict(type="list", elements="dict", required=True, options=VOLUME),
    account=dict(type="str", default=""),
    account_keys=dict(type="dict", default={}, no_log=True),
    suffix=dict(type="str", default="file.core.windows.net"),
    directory=dict(type="path", default="/srv/dockhost/volumes"),
    automount=dict(type="bool", default=True),
    **ENGINE_ARGS,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    engine = Engine(params["docker_socket"])
    try:
        volumes = [one for entry in params["volumes"] for one in volumes_of(entry, params["directory"], params["account"], params["suffix"])]
        twice = sorted({one.name for one in volumes if [two.name for two in volumes].count(one.name) > 1})
        if twice:
            raise VolumeRefused(f"volumes name {', '.join(twice)} more than once: give each a name of its own.")
        if params["state"] == "present":
            outcome = converge(engine, volumes, params["account_keys"], params["automount"], module.check_mode)
        else:
            outcome = remove(engine, volumes, module.check_mode)
    except (VolumeRefused, EngineError, HostError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=outcome.changed, done=outcome.done, names=[one.name for one in volumes])


if __name__ == "__main__":
    main()
