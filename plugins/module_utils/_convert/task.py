# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of C(convert): read a source, make the files, write those that are missing. Private to this collection."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._convert import acs_engine, compose, docker_machine, extension, render, swarm_template
from ansible_collections.dockhost.azure.plugins.module_utils._convert import made as to
from ansible_collections.dockhost.azure.plugins.module_utils._convert.made import Made, Template
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.dockhost.azure.plugins.module_utils._tls import files


def made_of(params: Mapping[str, Any]) -> List[Made]:
    """What the source becomes.

    :raises InputError: it cannot be read, or is not of the kind that it should be.
    """
    kind, name, target = params["kind"], params["name"] or "", params["target"]
    if kind == "docker_machine":
        return docker_machine.convert(docker_machine.read(params["source"]), name)
    document = _load("source", params["source"])
    if kind == "docker_for_azure":
        return [swarm_template.convert(document, name)]
    if kind == "acs_engine":
        return [acs_engine.convert(document, name)]
    if kind == "docker_extension":
        protected = _load("protected_source", params["protected_source"]) if params["protected_source"] else {}
        made = extension.convert(document, protected, name, target)
    else:
        made = Made(to.deployment_name(name or os.path.basename(os.path.dirname(os.path.abspath(params["source"])))))
        made.documents["compose.yml"] = compose.convert(made, document, target, os.path.basename(params["source"]))
        made.carried.append((os.path.basename(params["source"]), "compose.yml"))
    if made.documents:
        _how_to_deploy(made, target)
    return [made]


def _how_to_deploy(made: Made, target: str) -> None:
    """The variables of the role that takes the Compose file."""
    given = made.variables.pop("stack", {}).get("stack_variables") or {}
    if target == "swarm":
        found: Dict[str, Any] = {"stack_name": made.name, "stack_file": Template("{{ inventory_dir }}/compose.yml")}
        if given:
            found["stack_variables"] = given
        made.variables["stack"] = found
        return
    text = Template("{{ lookup('ansible.builtin.file', inventory_dir ~ '/compose.yml') }}")
    found = {"compose_name": made.name, "compose_files": {"compose.yaml": text}}
    for variable, secret in (("compose_environment", False), ("compose_environment_secrets", True)):
        part = {name: value for name, value in given.items() if isinstance(value, Template) is secret}
        if part:
            found[variable] = part
    made.variables["compose"] = found


def _load(option: str, path: str) -> Mapping[str, Any]:
    """JSON or YAML.

    :raises InputError: no file, no YAML, no mapping.
    """
    text = files.read(path)
    if text is None:
        raise InputError(option, "{0} is '{1}', and there is no such file.".format(option, path))
    try:
        # JSON first: YAML knows no tabs, which people have in their JSON.
        document = json.loads(text)
    except ValueError:
        try:
            document = render.yaml.safe_load(text)
        except render.yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise InputError(option, "{0} is '{1}', which is neither JSON nor YAML{2}.".format(
                option, path, " (line {0})".format(mark.line + 1) if mark else ""
            )) from error
    if not isinstance(document, dict):
        raise InputError(option, "{0} is '{1}', which holds no mapping at its top.".format(option, path))
    return document


class Conversion:
    """One run: what is made, what is on the disk already, what is to be written."""

    def __init__(self, params: Mapping[str, Any]):
        self.params = params
        self.made = made_of(params)
        self.writes: Dict[str, Tuple[str, str, int]] = {}  # path: before, after, mode
        self.files: Dict[str, List[str]] = {}
        refused = []
        for made in self.made:
            folder = self.folder(made)
            self.files[made.name] = []
            for path, (text, mode) in render.files_of(made, params["target"]).items():
                self.files[made.name].append(os.path.join(folder, path))
                refused += self._compare(os.path.join(folder, path), text, mode)
        if refused:
            raise RefusedError(["These files are there already and differ from what the source gives: {0}. Nothing was written. Choose another "
                                "destination, or say force: true to overwrite them.".format(", ".join(refused))])

    def folder(self, made: Made) -> str:
        """Where its files go: a folder of its own where there are several deployments."""
        return os.path.join(self.params["destination"], made.name) if len(self.made) > 1 else self.params["destination"]

    def _compare(self, path: str, text: str, mode: int) -> List[str]:
        before = files.read(path)
        if before == text or (before or "").startswith("$ANSIBLE_VAULT"):
            return []
        self.writes[path] = (before or "", text, mode)
        own = path.endswith(render.ACCOUNT)
        return [path] if before is not None and not own and not self.params["force"] else []

    def apply(self) -> None:
        """Write what is missing.

        :raises FilesError: it cannot be written.
        """
        for path, (dummy, text, mode) in self.writes.items():
            files.write(path, text, mode)

    def diff(self) -> List[Dict[str, str]]:
        """What is written, without what is secret."""
        return [
            {"before_header": path, "after_header": path, "before": before, "after": text}
            if not path.endswith(render.VAULT)
            else {"before_header": path, "after_header": path, "before": "", "after": "(secrets, not shown)\n"}
            for path, (before, text, dummy) in self.writes.items()
        ]

    def result(self) -> Dict[str, Any]:
        """What is returned; no value of a secret is in it."""
        return {
            "deployments": [
                {
                    "name": made.name, "directory": self.folder(made), "files": self.files[made.name],
                    "carried": [{"from": source, "to": target} for source, target in made.carried],
                    "left": [{"what": source, "why": reason} for source, reason in made.left],
                    "secrets": sorted(made.secrets),
                }
                for made in self.made
            ],
        }  # fmt: skip
