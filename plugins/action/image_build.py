# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the build context on the controller, and sends it to the host only where the image is missing."""

from __future__ import annotations

import os
import tempfile
from typing import Any, Dict, Mapping, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.dockhost.azure.plugins.module_utils._image.context import ContextError, archive, digest, files

MODULE = "dockhost.azure.image_build"


class ActionModule(ActionBase):
    """Module image_build, with what only the controller can do for it."""

    TRANSFERS_FILES = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        """One call of the module, or two with the context between them."""
        super().run(tmp, task_vars)
        arguments = {**self._task.args, "archive": None}
        folder = os.path.expanduser(str(arguments.get("context") or ""))
        dockerfile = str(arguments.get("dockerfile") or "Dockerfile")
        try:
            paths = files(folder, dockerfile)
        except ContextError as error:
            raise AnsibleActionFail(str(error)) from error
        settings = {"dockerfile": dockerfile, "target": arguments.get("target") or "", "build_args": arguments.get("build_args") or {}}
        arguments["content"] = digest(folder, paths, settings)
        result = self._execute_module(module_name=MODULE, module_args=arguments, task_vars=task_vars)
        if result.pop("needed", False):
            result = self._build(folder, paths, arguments, task_vars)
            result.pop("needed", None)
        return result

    def _build(self, folder: str, paths: Any, arguments: Dict[str, Any], task_vars: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
        remote = self._connection._shell.join_path(self._make_tmp_path(), "context.tar.gz")
        try:
            with tempfile.NamedTemporaryFile(suffix=".tar.gz") as local:
                archive(folder, paths, local)
                local.flush()
                self._transfer_file(local.name, remote)
            self._fixup_perms2([self._connection._shell.tmpdir, remote])
            return self._execute_module(module_name=MODULE, module_args={**arguments, "archive": remote}, task_vars=task_vars)
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
