# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a conversion: inventory, group_vars, vault.yml, Compose files and the account. Private; pure."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._convert.made import Made, Template

try:
    import yaml
except ImportError:
    HAS_YAML = False
else:
    HAS_YAML = True

ACCOUNT = "CONVERTED.md"
VAULT = "group_vars/all/vault.yml"
_HEAD = "# Made by dockhost.azure.convert. Read it and change what is wrong; {0} tells where it comes from and what is missing.\n---\n".format(ACCOUNT)


class Unsafe(str):
    """Text with braces that is not to be taken for a template."""


def _marked(value: Any) -> Any:
    """The value with each text of others that Jinja would take for a template marked as unsafe."""
    if isinstance(value, Mapping):
        return {str(key): _marked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_marked(item) for item in value]
    if isinstance(value, str) and not isinstance(value, Template) and any(mark in value for mark in ("{{", "{%", "{#")):
        return Unsafe(value)
    return value


def text_of(value: Any) -> str:
    """YAML for Ansible."""

    class Dumper(yaml.SafeDumper):
        """Without anchors, since people read it, and with lists set in."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
            return super().increase_indent(flow, False)

    Dumper.add_representer(Unsafe, lambda dumper, data: dumper.represent_scalar("!unsafe", str(data), style='"'))
    Dumper.add_representer(Template, lambda dumper, data: dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style='"'))
    return yaml.dump(_marked(value), Dumper=Dumper, sort_keys=False, width=1000, allow_unicode=True)


def files_of(made: Made, target: str) -> Dict[str, Tuple[str, int]]:
    """(text, mode) of each file by its path below the folder."""
    found: Dict[str, Tuple[str, int]] = {}
    deployment = made.variables.get("deployment")
    if deployment:
        found[made.name + ".docker_hosts.yml"] = (_inventory(made, deployment), 0o644)
    if made.machines:
        hosts = {"existing": {"hosts": made.machines}}
        found["existing.yml"] = (_HEAD.replace("---", "# The old machines, as they are.\n---") + text_of({"all": {"children": hosts}}), 0o644)
    for path, document in made.documents.items():
        text = text_of_compose(document)
        if target == "swarm" and any(mark in text for mark in ("{{", "{%", "{#")):
            text = "{% raw %}\n" + text + "{% endraw %}\n"  # role stack takes the file for a template
        found[path] = (text, 0o644)
    for group, variables in made.variables.items():
        found["group_vars/all/{0}.yml".format(group)] = (_variables(made, variables), 0o644)
    if made.secrets:
        head = "# Secrets. Encrypt this file before it goes into a repository: ansible-vault encrypt {0}\n---\n".format(VAULT)
        found[VAULT] = (head + text_of(made.secrets), 0o600)
    found[ACCOUNT] = (_account(made), 0o644)
    return found


def text_of_compose(document: Any) -> str:
    """A Compose file: YAML without anything of Ansible."""
    return yaml.safe_dump(document, sort_keys=False, width=1000, allow_unicode=True)


def _inventory(made: Made, deployment: Mapping[str, Any]) -> str:
    plugin: Dict[str, Any] = {
        "plugin": "dockhost.azure.docker_hosts", "deployment": made.name,
        "resource_groups": [deployment.get("deployment_resource_group", "rg-" + made.name)],
    }  # fmt: skip
    if "deployment_admin_username" in deployment:
        plugin["admin_username"] = deployment["deployment_admin_username"]
    return _HEAD + text_of(plugin)


def _variables(made: Made, variables: Mapping[str, Any]) -> str:
    lines = [_HEAD]
    for name, value in variables.items():
        if name in made.notes:
            lines.append("# {0}\n".format(made.notes[name].replace("\n", " ")))
        lines.append(text_of({name: value}))
    return "".join(lines)


def _account(made: Made) -> str:
    lines = ["# Conversion of {0}".format(made.name), "", "## Carried over", "", "| from | to |", "|---|---|"]
    lines += ["| {0} | `{1}` |".format(_cell(source), _cell(target)) for source, target in made.carried]
    lines += ["", "## Not carried over", "", "| what | why, and what to do |", "|---|---|"]
    lines += ["| {0} | {1} |".format(_cell(source), _cell(reason)) for source, reason in made.left]
    if made.secrets:
        lines += ["", "## Secrets", "", "They are in `{0}`, which only its owner may read. Encrypt it before it goes anywhere:".format(VAULT), "",
                  "    ansible-vault encrypt {0}".format(VAULT)]  # fmt: skip
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
