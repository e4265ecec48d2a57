# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a template, in Azure's words."""
from __future__ import annotations


class ExpressionError(Exception):
    """An expression that cannot be parsed or evaluated; the message is the inner part of Azure's."""


class TemplateError(Exception):
    """A template that cannot be deployed: the whole message, and Azure's code for it."""

    def __init__(self, message: str, code: str = "InvalidTemplate") -> None:
        super().__init__(message)
        self.message, self.code = message, code


def invalid(inner: str) -> TemplateError:
    """Azure's frame around what its validation found."""
    return TemplateError(f"Deployment template validation failed: '{inner}'.")
