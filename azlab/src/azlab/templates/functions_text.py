# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions on strings and encodings.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-string
"""
from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import quote, unquote, urljoin

from azlab.templates import hashes, lenient
from azlab.templates.registry import function, integer, text, wrong
from azlab.templates.values import text_of

_HOLE = re.compile(r"\{\{|\}\}|\{(\d+)(?:,(-?\d+))?(?::([^}]*))?\}")
_WIDEST = 16384


def _formatted(value: Any, how: str | None) -> str:
    """One value in .NET's composite format, as far as templates use it: D, N, X and zeros for integers."""
    if not how or isinstance(value, bool) or not isinstance(value, int):
        return text_of(value)
    kind, width = how[0].upper(), how[1:]
    if set(how) == {"0"}:
        return f"{value:0{len(how)}d}"
    digits = min(int(width), 99) if width.isdigit() else 0
    if kind == "D":
        return ("-" if value < 0 else "") + f"{abs(value):0{digits}d}"
    if kind == "N":
        return f"{value:,.{digits if width else 2}f}"
    if kind == "X":
        return f"{value:0{digits}{'X' if how[0] == 'X' else 'x'}}"
    raise wrong("format", f"cannot be evaluated by this lab: the format '{how}' is not supported here")


@function("format", 1, None)
def format_(template: Any, *values: Any) -> str:
    def fill(match: re.Match[str]) -> str:
        if match.group(0) in ("{{", "}}"):
            return match.group(0)[0]
        index = int(match.group(1))
        if index >= len(values):
            raise wrong("format", f"has no argument for the item '{{{index}}}' of its format string")
        filled = _formatted(values[index], match.group(3))
        width = int(match.group(2) or 0)
        if abs(width) > _WIDEST:
            raise wrong("format", f"expects widths of at most '{_WIDEST}'")
        return filled.ljust(-width) if width < 0 else filled.rjust(width)
    return _HOLE.sub(fill, text("format", template))


@function("toLower", 1)
def to_lower(value: Any) -> str:
    return text("toLower", value).lower()


@function("toUpper", 1)
def to_upper(value: Any) -> str:
    return text("toUpper", value).upper()


@function("trim", 1)
def trim(value: Any) -> str:
    return text("trim", value).strip()


@function("substring", 2, 3)
def substring(value: Any, start: Any, count: Any = None) -> str:
    whole, at = text("substring", value), integer("substring", start)
    length = len(whole) - at if count is None else integer("substring", count)
    if at < 0 or length < 0 or at + length > len(whole):
        raise wrong("substring", "parameters are invalid: 'index' and 'length' must refer to a location within the "
                                 f"string. The index parameter: '{at}', the length parameter: '{length}', the length "
                                 f"of the string parameter: '{len(whole)}'")
    return whole[at:at + length]


@function("replace", 3)
def replace(value: Any, old: Any, new: Any) -> str:
    return text("replace", value).replace(text("replace", old), text("replace", new))


@function("split", 2)
def split(value: Any, delimiters: Any) -> list[str]:
    marks = delimiters if isinstance(delimiters, list) else [delimiters]
    pattern = "|".join(re.escape(text("split", m)) for m in marks if m)
    return re.split(pattern, text("split", value)) if pattern else [text("split", value)]


@function("join", 2)
def join(values: Any, delimiter: Any) -> str:
    if not isinstance(values, list):
        raise wrong("join", "expects its first parameter to be an array")
    return text("join", delimiter).join(text_of(v) for v in values)


@function("startsWith", 2)
def starts_with(value: Any, start: Any) -> bool:
    return text("startsWith", value).lower().startswith(text("startsWith", start).lower())


@function("endsWith", 2)
def ends_with(value: Any, end: Any) -> bool:
    return text("endsWith", value).lower().endswith(text("endsWith", end).lower())


@function("padLeft", 2, 3)
def pad_left(value: Any, width: Any, fill: Any = " ") -> str:
    if not isinstance(value, (str, int)) or isinstance(value, bool) or len(text("padLeft", fill)) != 1:
        raise wrong("padLeft", "expects a string or an integer, a length and one character")
    if integer("padLeft", width) > _WIDEST:
        raise wrong("padLeft", f"expects a length of at most '{_WIDEST}'")
    return text_of(value).rjust(width, fill)


@function("uniqueString", 1, None)
def unique_string(*values: Any) -> str:
    return hashes.unique_string([text("uniqueString", v) for v in values])


@function("guid", 1, None)
def guid(*values: Any) -> str:
    return hashes.guid([text("guid", v) for v in values])


@function("base64", 1)
def base64_(value: Any) -> str:
    return base64.b64encode(text("base64", value).encode()).decode()


@function("base64ToString", 1)
def base64_to_string(value: Any) -> str:
    try:
        return base64.b64decode(text("base64ToString", value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise wrong("base64ToString", "expects its parameter to be a base64 string") from None


@function("base64ToJson", 1)
def base64_to_json(value: Any) -> Any:
    return json_("base64ToJson", base64_to_string(value))


def json_(name: str, value: Any) -> Any:
    try:
        return lenient.loads(text(name, value).encode())
    except ValueError:
        raise wrong(name, "parameter is not valid: the provided value cannot be converted to JSON") from None


@function("json", 1)
def json_function(value: Any) -> Any:
    return json_("json", value)


@function("uri", 2)
def uri(base: Any, relative: Any) -> str:
    return urljoin(text("uri", base), text("uri", relative))


@function("uriComponent", 1)
def uri_component(value: Any) -> str:
    return quote(text("uriComponent", value), safe="-_.~")


@function("uriComponentToString", 1)
def uri_component_to_string(value: Any) -> str:
    return unquote(text("uriComponentToString", value))


@function("dataUri", 1)
def data_uri(value: Any) -> str:
    return "data:text/plain;charset=utf8;base64," + base64.b64encode(text_of(value).encode()).decode()


@function("dataUriToString", 1)
def data_uri_to_string(value: Any) -> str:
    head, _, data = text("dataUriToString", value).partition(",")
    return base64_to_string(data) if head.endswith(";base64") else unquote(data)
