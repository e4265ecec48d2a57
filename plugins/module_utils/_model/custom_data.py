# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""customData of a machine: size, form, and the digest by which a later run knows it (private to dockhost.azure).

Azure never returns customData, so that its digest is kept in a tag of the machine. It is salted with the group's id:
equal texts in two groups do not show as equal, and a short secret inside cannot be looked up in a table.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any, Dict, Mapping, Optional, Tuple

from ansible.module_utils.common.yaml import HAS_YAML, yaml_load

try:
    from yaml import YAMLError
except ImportError:  # without PyYAML nothing is parsed (HAS_YAML)
    YAMLError = ValueError

# https://learn.microsoft.com/azure/virtual-machines/custom-data: 64 KB of customData, 65,535 bytes decoded.
LIMIT = 65535
CLOUD_CONFIG = "#cloud-config"
HEADERS = (CLOUD_CONFIG, "#cloud-config-archive", "#cloud-config-jsonp")
_NEARLY = re.compile(r"^#\s*cloud[-_ ]?config", re.IGNORECASE)

# https://cloudinit.readthedocs.io/en/latest/reference/modules.html
KEYS: Dict[str, Tuple[type, ...]] = {
    "bootcmd": (list,), "runcmd": (list,), "packages": (list,), "write_files": (list,), "mounts": (list,), "users": (list, dict, str),
    "ssh_authorized_keys": (list,), "package_update": (bool,), "package_upgrade": (bool,), "apt": (dict,), "ntp": (dict,),
    "final_message": (str,), "hostname": (str,), "timezone": (str,), "disk_setup": (dict,), "fs_setup": (list,),
}  # fmt: skip
_WORDS: Dict[Any, str] = {list: "a list", dict: "a mapping", str: "a text", bool: "true or false", int: "a number", float: "a number"}


def problem(data: bytes) -> Optional[str]:
    """What is wrong with custom data, as a part of a sentence, or None."""
    if len(data) > LIMIT:
        return f"it has {len(data)} bytes and Azure takes {LIMIT}"
    text = data.decode("utf-8", errors="replace")
    first = text.lstrip("\ufeff \t\r\n").split("\n", 1)[0].rstrip()
    if _NEARLY.match(first) and (first not in HEADERS or not text.startswith(first)):
        return f"cloud-init takes it for a cloud-config only where the very first line is {CLOUD_CONFIG}, and it begins with {text[:40].splitlines()[0]!r}"
    if re.match(r"^\{\s*'", text):
        return f"it is a mapping and not a text: write '{CLOUD_CONFIG}' and a line break before it, and the filter to_nice_yaml after it"
    if not text.startswith(CLOUD_CONFIG) or not HAS_YAML:
        return None
    return _cloud_config_problem(text)


def _cloud_config_problem(text: str) -> Optional[str]:
    try:
        document = yaml_load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: {getattr(error, 'problem', error)}" if mark else str(error)
        return f"it starts with {CLOUD_CONFIG} but is not YAML: {where}"
    if document is not None and not isinstance(document, dict):
        return f"it starts with {CLOUD_CONFIG} but holds a {type(document).__name__} where cloud-init expects a mapping"
    return _key_problem(document or {})


def _key_problem(document: Mapping[Any, Any]) -> Optional[str]:
    """What cloud-init's schema says of the keys that most people use."""
    for name, kinds in KEYS.items():
        if name in document and not isinstance(document[name], kinds):
            words = " or ".join(_WORDS[kind] for kind in kinds)
            return f"cloud-init expects {words} as {name}, and it is {_WORDS.get(type(document[name]), 'empty')}"
    for position, entry in enumerate(document.get("write_files") or ()):
        if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
            return f"write_files[{position}] has no path"
    return None


def encode(data: bytes) -> str:
    """The form in which ARM takes it."""
    return base64.b64encode(data).decode("ascii")


def digest(data: bytes, salt: str) -> str:
    """Sixteen hexadecimal digits that stand for the data within one group."""
    return hashlib.sha256(salt.lower().encode("utf-8") + b"\0" + data).hexdigest()[:16]
