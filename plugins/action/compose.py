# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the folder O(source) on the controller, which may be a checkout of Git, and runs the module with its files."""

from __future__ import annotations

import base64
import os
from typing import Any, Dict, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

# All of it goes through one task; images are what larger things belong in.
LARGEST = 8 * 1024 * 1024


def read_folder(folder: str) -> Dict[str, Dict[str, Any]]:
    """Path within the folder → content (base64) and whether it is executable. Git's own folder is left out."""
    found: Dict[str, Dict[str, Any]] = {}
    size = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            path = os.path.join(place, name)
            if os.path.islink(path) and not os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep):
                raise AnsibleActionFail(f"source: {path} leads out of the folder; put the file itself there.")
            if name == ".git" or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                content = file.read()
            size += len(content)
            if size > LARGEST:
                raise AnsibleActionFail(f"source: {folder} has more than {LARGEST // 1024 // 1024} MiB; put large files into an image.")
            found[os.path.relpath(path, folder)] = {"content": base64.b64encode(content).decode(), "executable": os.access(path, os.X_OK)}
    return found


class ActionModule(ActionBase):
    """The module, with the files of a folder on the controller."""

    _supports_async = True
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Run the module."""
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        source = arguments.pop("source", None)
        if source:
            folder = self._find(source)
            if not os.path.isdir(folder):
                raise AnsibleActionFail(f"source: {source} is no folder on the controller; name the one with the project's files.")
            arguments["source_files"] = read_folder(folder)
        result.update(self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val))
        return result

    def _find(self, source: str) -> str:
        """Absolute, or beside the playbook."""
        path = os.path.expanduser(source)
        return path if os.path.isabs(path) else os.path.join(self._loader.get_basedir(), path)
