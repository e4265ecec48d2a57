# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of a Compose document: each function checks one kind and says where it is wrong.

The kinds are those of https://github.com/compose-spec/compose-spec/blob/main/spec.md

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import re
import typing as t

Json = t.Any

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)")
_NANOSECONDS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(b|k|kb|m|mb|g|gb|t|tb)?", re.IGNORECASE)
_FACTORS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


class StackError(ValueError):
    """The document asks for something wrong or unsupported; the message is one sentence for the user."""


def mapping(path: str, value: Json) -> dict[str, Json]:
    """A mapping; None counts as an empty one, ``x-…`` extensions are left out."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise StackError(f"{path}: a mapping is expected, not {shown(value)}.")
    return {str(key): item for key, item in value.items() if not str(key).startswith("x-")}


def section(path: str, value: Json, known: t.Iterable[str], hints: t.Mapping[str, str] | None = None) -> dict[str, Json]:
    """A mapping that may hold the known keys only; anything else is refused, with its hint where there is one."""
    found = mapping(path, value)
    allowed = set(known)
    for key in found:
        if key not in allowed:
            hint = (hints or {}).get(key)
            if hint:
                raise StackError(f"{path}.{key} is not supported in a swarm stack: {hint}.")
            raise StackError(f"{path}.{key} is not supported here; supported are {', '.join(sorted(allowed))}.")
    return found


def sequence(path: str, value: Json) -> list[Json]:
    """A list; None counts as an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise StackError(f"{path}: a list is expected, not {shown(value)}.")
    return value


def text(path: str, value: Json) -> str:
    """A text; numbers are taken, booleans are not, since YAML makes them out of words like "no"."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise StackError(f"{path}: a text is expected, not {shown(value)}; put it in quotes.")
    return str(value)


def texts(path: str, value: Json) -> list[str]:
    """A list of texts, or one text."""
    if isinstance(value, str):
        return [value]
    return [text(f"{path}[{index}]", item) for index, item in enumerate(sequence(path, value))]


def one_of(path: str, value: Json, allowed: t.Sequence[str]) -> str:
    """One of a few words."""
    word = text(path, value)
    if word not in allowed:
        raise StackError(f"{path} is {word!r}; it has to be one of {', '.join(allowed)}.")
    return word


def number(path: str, value: Json, kind: type = int, least: float | None = 0) -> t.Any:
    """A number, also as text; not below ``least``."""
    try:
        if isinstance(value, bool):
            raise ValueError
        result = kind(value)
        if kind is int and float(value) != result:
            raise ValueError
    except (TypeError, ValueError):
        raise StackError(f"{path}: a number is expected, not {shown(value)}.") from None
    if least is not None and result < least:
        raise StackError(f"{path} is {value}; it cannot be below {least:g}.")
    return result


def boolean(path: str, value: Json) -> bool:
    """A boolean, also as text (templates make texts)."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise StackError(f"{path}: true or false is expected, not {shown(value)}.")


def duration(path: str, value: Json) -> int:
    """A duration such as 1m30s, in nanoseconds."""
    word = str(value).strip()
    parts = _DURATION.findall(word)
    if word == "0":
        return 0
    if isinstance(value, bool) or not parts or "".join(amount + unit for amount, unit in parts) != word:
        raise StackError(f"{path}: a duration such as 30s or 1m30s is expected, not {shown(value)}.")
    return int(sum(float(amount) * _NANOSECONDS[unit] for amount, unit in parts))


def size(path: str, value: Json) -> int:
    """A number of bytes, as a number or a text such as 64m or 1gb (powers of 1024)."""
    found = _SIZE.fullmatch(str(value).strip())
    if isinstance(value, bool) or not found:
        raise StackError(f"{path}: a size such as 64m or 1g is expected, not {shown(value)}.")
    unit = (found.group(2) or "").lower()
    return int(float(found.group(1)) * 1024 ** _FACTORS[unit[:1]])


def file_mode(path: str, value: Json) -> int:
    """A file mode: a number as YAML reads 0440, or the same in quotes, octal."""
    try:
        mode = int(value, 8) if isinstance(value, str) else number(path, value)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o7777:
        raise StackError(f"{path}: a file mode such as 0440 is expected, not {shown(value)}.")
    return mode


def pairs(path: str, value: Json, separators: str = "=") -> dict[str, str | None]:
    """A mapping, or a list of NAME=value, as one mapping of texts; None where no value was given."""
    result: dict[str, str | None] = {}
    if isinstance(value, list):
        for index, item in enumerate(value):
            entry = text(f"{path}[{index}]", item)
            cut = min((entry.index(mark) for mark in separators if mark in entry), default=-1)
            name, content = (entry, None) if cut < 0 else (entry[:cut], entry[cut + 1 :])
            result[name] = content
        return result
    for name, content in mapping(path, value).items():
        result[name] = None if content is None else text(f"{path}.{name}", content)
    return result


def labels(path: str, value: Json) -> dict[str, str]:
    """Labels: those without a value get an empty one."""
    return {name: content or "" for name, content in pairs(path, value).items()}


def shown(value: Json) -> str:
    """A short picture of a wrong value for a message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    picture = repr(value)
    return picture if len(picture) <= 40 else picture[:37] + "…"
