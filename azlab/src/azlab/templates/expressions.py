# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions, the text between brackets: tokens and syntax tree.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Union

from azlab.templates.errors import ExpressionError

Node = Union["Literal", "Invoke", "Member", "Item"]


@dataclass(frozen=True)
class Literal:
    value: str | int


@dataclass(frozen=True)
class Invoke:
    """A call; a name with a dot is a user-defined function."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Member:
    target: Node
    name: str


@dataclass(frozen=True)
class Item:
    target: Node
    index: Node


_TOKEN = re.compile(r"""\s*(?:
    (?P<Literal>'(?:[^']|'')*')
  | (?P<Integer>-?\d+)
  | (?P<Identifier>[A-Za-z_$][\w$]*)
  | (?P<LeftParenthesis>\()
  | (?P<RightParenthesis>\))
  | (?P<LeftSquareBracket>\[)
  | (?P<RightSquareBracket>\])
  | (?P<Comma>,)
  | (?P<Dot>\.)
)""", re.VERBOSE)
_DEEPEST = 100


def is_expression(text: str) -> bool:
    """Whether a string of a template is an expression (`[[` starts a literal)."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def literal(text: str) -> str:
    """The meaning of a string that is no expression."""
    return text[1:] if text.startswith("[[") else text


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """The syntax tree of an expression with its brackets. Raises ExpressionError."""
    return _Parser(text[1:-1]).whole()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = self._tokens(source)
        self.at = 0
        self.depth = 0

    def _tokens(self, source: str) -> list[tuple[str, str]]:
        found, at, end = [], 0, len(source.rstrip())
        while at < end:
            match = _TOKEN.match(source, at)
            if match is None or match.end() == at:
                at += len(source[at:]) - len(source[at:].lstrip())
                raise ExpressionError(f"The language expression '{source}' is not valid: the string character "
                                      f"'{source[at]}' at position '{at}' is not expected")
            assert match.lastgroup is not None
            found.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()
        return found

    def whole(self) -> Node:
        node = self.expression()
        self.expect("EndOfData")
        return node

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "EndOfData"

    def expect(self, kind: str) -> str:
        actual = self.peek()
        if actual != kind:
            raise ExpressionError(f"Unable to parse language expression '{self.source}': expected token '{kind}' and "
                                  f"actual '{actual}'")
        self.at += 1
        return self.tokens[self.at - 1][1] if kind != "EndOfData" else ""

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ExpressionError(f"The language expression '{self.source[:60]}...' is nested too deep")
        node = self._primary()
        while self.peek() in ("Dot", "LeftSquareBracket"):
            if self.peek() == "Dot":
                self.at += 1
                node = Member(node, self.expect("Identifier"))
            else:
                self.at += 1
                node = Item(node, self.expression())
                self.expect("RightSquareBracket")
        self.depth -= 1
        return node

    def _primary(self) -> Node:
        if self.peek() == "Literal":
            return Literal(self.expect("Literal")[1:-1].replace("''", "'"))
        if self.peek() == "Integer":
            return Literal(int(self.expect("Integer")))
        name = self.expect("Identifier")
        if self.peek() == "Dot":
            self.at += 1
            name += "." + self.expect("Identifier")
        self.expect("LeftParenthesis")
        arguments: list[Node] = []
        while self.peek() != "RightParenthesis":
            if arguments:
                if self.peek() != "Comma":
                    self.expect("RightParenthesis")     # to say what Azure says
                self.expect("Comma")
            arguments.append(self.expression())
        self.at += 1
        return Invoke(name, tuple(arguments))
