# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error of the controller side and how it is worded. Private to this collection; pure.

One clear sentence each: what was wrong (option and value) and what the user can do. What Azure said stays available
as structure (code, message, details, target) in the return value.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple


class DockhostError(Exception):
    """Base of all errors that a module reports with ``fail_json``: ``str(error)`` is the message."""

    def result(self) -> Dict[str, Any]:
        """What goes into the return value beside ``msg``."""
        return {}


class InputError(DockhostError):
    """An option has a value that cannot work; nothing has been sent.

    :param option: the option as the user wrote it (``subnets[default].address_prefix``).
    """

    def __init__(self, option: str, sentence: str):
        super().__init__(sentence)
        self.option = option

    def result(self) -> Dict[str, Any]:
        return {"option": self.option}


class SignInError(DockhostError):
    """Azure cannot be reached or does not let us in."""

    def __init__(self, sentence: str, code: Optional[str] = None):
        super().__init__(sentence)
        self.code = code

    def result(self) -> Dict[str, Any]:
        return {"code": self.code} if self.code else {}


class RefusedError(DockhostError):
    """The plan holds steps that must not or cannot be done; nothing has been changed."""

    def __init__(self, reasons: Sequence[str]):
        super().__init__(" ".join(reasons))
        self.reasons = list(reasons)

    def result(self) -> Dict[str, Any]:
        return {"refused": self.reasons}


class InterruptedRun(DockhostError):
    """The user stopped the run; says what was done."""


class TransportError(DockhostError):
    """No answer: the connection failed or was cut.

    :param sent: whether the request may have reached Azure.
    """

    def __init__(self, sentence: str, sent: bool = False):
        super().__init__(sentence)
        self.sent = sent


class AzureError(DockhostError):
    """Azure refused a request, or an operation ended in Failed or Canceled.

    :param doing: verb and thing, ``create virtual network demo``.
    :param status: HTTP status of the answer (200 for a failed operation).
    """

    def __init__(
        self, code: str, message: str, status: int = 0, target: Optional[str] = None,
        details: Optional[List[Dict[str, Any]]] = None, doing: str = "",
    ):
        self.code, self.message, self.status = code, message, status
        self.target, self.details, self.doing = target, list(details or []), doing
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """``Failed to <verb> <thing>: <Azure code>: <text>``."""
        text = "{0}: {1}".format(self.code, self.message) if self.message else self.code
        extra = [
            "{0}: {1}".format(item.get("code"), item.get("message"))
            for item in self.details if item.get("message") and item.get("message") not in self.message
        ]
        text = " ".join([text] + extra)
        return "Failed to {0}: {1}".format(self.doing, text) if self.doing else text

    def during(self, doing: str) -> "AzureError":
        """The same error, saying what was being done."""
        return AzureError(self.code, self.message, self.status, self.target, self.details, self.doing or doing)

    def result(self) -> Dict[str, Any]:
        return {"error": {
            "code": self.code, "message": self.message, "target": self.target, "details": self.details,
            "status": self.status,
        }}

    @property
    def missing(self) -> bool:
        """Whether the resource, its parent or its group is not there (and not the subscription, or the type itself)."""
        return self.status == 404 and self.code.endswith("NotFound") and self.code != "SubscriptionNotFound"

    @property
    def codes(self) -> Tuple[str, ...]:
        """The code and those of the details."""
        return (self.code,) + tuple(str(item.get("code")) for item in self.details if item.get("code"))


class ApplyError(DockhostError):
    """Some steps of a plan failed; the others were done.

    :param errors: (title of the step, error).
    """

    def __init__(self, errors: Sequence[Tuple[str, DockhostError]], done: int, total: int):
        self.errors = list(errors)
        first = str(self.errors[0][1])
        if len(self.errors) > 1:
            named = ", ".join(title for title, dummy in self.errors[1:4])
            more = "" if len(self.errors) <= 4 else " and {0} more".format(len(self.errors) - 4)
            first = "{0} (also failed: {1}{2})".format(first, named, more)
        super().__init__("{0} ({1} of {2} steps done; running again continues from here)".format(first, done, total))

    def result(self) -> Dict[str, Any]:
        result = dict(self.errors[0][1].result())
        result["errors"] = [dict(error.result().get("error") or {}, step=title, msg=str(error))
                            for title, error in self.errors]
        return result


def from_body(status: int, body: Any, doing: str = "") -> AzureError:
    """The error in an ARM answer: ``{"error": {...}}``, compute's unwrapped ``{"code", ...}``, or no JSON at all."""
    error: Any = body
    if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
        error = body["error"]
    if not isinstance(error, Mapping) or not error.get("code"):
        text = str(body or "").strip()[:300]
        return AzureError("HTTP {0}".format(status), text or "no explanation was given", status, doing=doing)
    details = [dict(item) for item in error.get("details") or [] if isinstance(item, Mapping)]
    return AzureError(
        str(error["code"]), str(error.get("message") or ""), status, error.get("target"), details, doing
    )
