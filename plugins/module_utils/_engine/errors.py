# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong when a module talks to the Docker Engine.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations


class EngineError(Exception):
    """The engine refused a request.

    ``status`` is the HTTP status (0 where there was no answer, or where a stream ended with an error),
    ``message`` the engine's own text, ``request`` the method and path that it refused.
    """

    def __init__(self, status: int, message: str, request: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.request = request

    def __str__(self) -> str:
        where = f"{self.request}: " if self.request else ""
        code = f" (HTTP {self.status})" if self.status else ""
        return f"{where}{self.message}{code}"

    @property
    def not_found(self) -> bool:
        """True where the thing asked for does not exist."""
        return self.status == 404


class EngineUnreachable(EngineError):
    """No engine answered; the message is one sentence with the remedy in it.

    ``absent``: no engine runs, as on a host that gets one later in the same run, whereas one that may not be used, or is silent, is there.
    ``silent``: it took the request, and did not answer in time.
    """

    def __init__(self, message: str, absent: bool = False, silent: bool = False) -> None:
        super().__init__(0, message)
        self.absent = absent
        self.silent = silent
