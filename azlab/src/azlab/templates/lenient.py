# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON as Azure reads it: with comments, single quotes, names without quotes, trailing commas, raw line breaks.

The Azure CLI sends template files as people wrote them, so a request's body can hold all of that.
"""
from __future__ import annotations

import json
import re
from typing import Any

_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_$][\w$.-]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}
_DEEPEST = 100


def loads(data: bytes) -> Any:
    """The value of a document. Raises ValueError with one sentence that says where it is wrong."""
    try:
        source = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("the content is not UTF-8") from None
    try:
        value = json.loads(source)
    except (ValueError, RecursionError):
        return _Reader(source).whole()
    if _depth(value) > _DEEPEST:
        raise ValueError("the document is nested too deep")
    return value


def _depth(value: Any) -> int:
    """How deep a document is nested, found without recursion."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [item for v in level if isinstance(v, (dict, list))
                 for item in (v.values() if isinstance(v, dict) else v)]
    return deepest


class _Reader:
    def __init__(self, source: str) -> None:
        self.source, self.at, self.depth = source, 0, 0

    def whole(self) -> Any:
        value = self.value()
        self.space()
        if self.at < len(self.source):
            raise self.wrong("Additional text encountered after finished reading JSON content")
        return value

    def wrong(self, what: str) -> ValueError:
        line = self.source.count("\n", 0, self.at) + 1
        position = self.at - (self.source.rfind("\n", 0, self.at) + 1)
        found = self.source[self.at:self.at + 1]
        return ValueError(f"{what}: {found}. Line {line}, position {position}.")

    def space(self) -> None:
        match = _SPACE.match(self.source, self.at)
        assert match is not None
        self.at = match.end()

    def peek(self) -> str:
        self.space()
        return self.source[self.at:self.at + 1]

    def value(self) -> Any:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.wrong("The document is nested too deep")
        mark = self.peek()
        if mark == "{":
            result: Any = self._object()
        elif mark == "[":
            result = self._array()
        elif mark in ("'", '"') and mark:
            result = self._string(mark)
        else:
            result = self._word()
        self.depth -= 1
        return result

    def _object(self) -> dict[str, Any]:
        self.at += 1
        result: dict[str, Any] = {}
        while self.peek() != "}":
            mark = self.peek()
            if mark in ("'", '"') and mark:
                name = self._string(mark)
            else:
                match = _NAME.match(self.source, self.at)
                if match is None:
                    raise self.wrong("Invalid property identifier character")
                self.at, name = match.end(), match.group(0)
            if self.peek() != ":":
                raise self.wrong("Invalid character after parsing property name. Expected ':' but got")
            self.at += 1
            result[name] = self.value()
            self._separator("}")
        self.at += 1
        return result

    def _array(self) -> list[Any]:
        self.at += 1
        result = []
        while self.peek() != "]":
            result.append(self.value())
            self._separator("]")
        self.at += 1
        return result

    def _separator(self, closing: str) -> None:
        mark = self.peek()
        if mark == ",":
            self.at += 1
        elif mark != closing:
            raise self.wrong("After parsing a value an unexpected character was encountered")

    def _string(self, quote: str) -> str:
        self.at += 1
        parts: list[str] = []
        while True:
            if self.at >= len(self.source):
                raise self.wrong("Unterminated string. Expected delimiter")
            char = self.source[self.at]
            self.at += 1
            if char == quote:
                return "".join(parts)
            parts.append(self._escape() if char == "\\" else char)

    def _escape(self) -> str:
        char = self.source[self.at:self.at + 1]
        self.at += 1
        if char == "u":
            digits = self.source[self.at:self.at + 4]
            try:
                self.at += 4
                return chr(int(digits, 16))
            except ValueError:
                raise self.wrong("Bad Unicode escape sequence") from None
        return _ESCAPES.get(char, char)

    def _word(self) -> Any:
        match = _NUMBER.match(self.source, self.at)
        if match:
            self.at = match.end()
            return json.loads(match.group(0))
        match = _NAME.match(self.source, self.at)
        if match and match.group(0) in _WORDS:
            self.at = match.end()
            return _WORDS[match.group(0)]
        raise self.wrong("Unexpected character encountered while parsing value")
