# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes out of text and JSON what is, or may be, a secret. Rather too much than too little: what is taken out is not needed to find a fault.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import re
import typing as t

GONE = "(removed)"
_WORDS = (
    "pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|unlock[_-]?key|credential|authorization|signature"
)
_NAMES = r"[\w.-]*(?:" + _WORDS + r")[\w.-]*"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S), GONE),
    (re.compile(r"SWM(?:TKN|KEY)-[\w-]+"), GONE),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), GONE),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 " + GONE),
    (re.compile(r"(\w+://[^\s:/@]*):[^\s/@]+@"), r"\1:" + GONE + "@"),
    (re.compile(r"(?i)([?&;](?:sig|sv|se|code|access_token)=)[^&\s\"']+"), r"\1" + GONE),
    (re.compile(r'(?i)("' + _NAMES + r'"\s*:\s*)"(?:[^"\\]|\\.)*"'), r'\1"' + GONE + '"'),
    (re.compile(r"(?i)(\b" + _NAMES + r"\s*[=:]\s*)(?![\s{\[])(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s,;\"']+)"), r"\1" + GONE),
    (re.compile(r"(?i)(--?" + _NAMES + r"\s+)(?!-)\S+"), r"\1" + GONE),
)
# Of these members of the engine's JSON nothing but names is kept: variables, arguments, health checks and labels hold whatever people put there.
_LISTS = ("Args", "Cmd", "Command", "Entrypoint", "Test")
# Labels that Docker and this collection write themselves tell what belongs together.
_KNOWN_LABELS = ("com.docker.", "dockhost.")


def text(said: str) -> str:
    """Text without what looks like a secret."""
    for rule, instead in _RULES:
        said = rule.sub(instead, said)
    return said


def data(value: t.Any) -> t.Any:
    """JSON of the engine: values of variables go, arguments go, and of the rest what looks like a secret."""
    if isinstance(value, dict):
        return {name: _member(name, one) for name, one in value.items()}
    if isinstance(value, list):
        return [data(one) for one in value]
    return text(value) if isinstance(value, str) else value


def _member(name: str, value: t.Any) -> t.Any:
    if name == "Env" and isinstance(value, list):
        return [str(one).split("=", 1)[0] + "=" + GONE for one in value]
    if name in _LISTS and isinstance(value, list):
        return [GONE for _one in value]
    if name == "Command" and isinstance(value, str):   # as containers are listed: the whole command as one text
        return value.split(" ", 1)[0] + " " + GONE
    if name == "Labels" and isinstance(value, dict):
        return {label: text(str(one)) if label.startswith(_KNOWN_LABELS) else GONE for label, one in value.items()}
    if isinstance(value, str) and re.fullmatch(_NAMES, name, re.I) and name not in ("SecretID", "SecretName"):
        return GONE
    return data(value)
