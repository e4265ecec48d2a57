# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions on dates, which templates write in the formats of .NET with its invariant culture.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-date
https://learn.microsoft.com/dotnet/standard/base-types/custom-date-and-time-format-strings
"""
from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from azlab.templates.context import Scope
from azlab.templates.registry import function, integer, misplaced, text, wrong

_PERIOD = re.compile(r"^(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
                     r"(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")

# What a format of one letter stands for. All moments are UTC, so that the zone is always Z.
_STANDARD = {"d": "MM/dd/yyyy", "D": "dddd, dd MMMM yyyy", "f": "dddd, dd MMMM yyyy HH:mm", "F": "dddd, dd MMMM yyyy HH:mm:ss",
             "g": "MM/dd/yyyy HH:mm", "G": "MM/dd/yyyy HH:mm:ss", "m": "MMMM dd", "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
             "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'", "s": "yyyy-MM-ddTHH:mm:ss", "t": "HH:mm", "T": "HH:mm:ss",
             "u": "yyyy-MM-dd HH:mm:ss'Z'", "U": "dddd, dd MMMM yyyy HH:mm:ss", "y": "yyyy MMMM"}
_STANDARD.update({"M": _STANDARD["m"], "O": _STANDARD["o"], "R": _STANDARD["r"], "Y": _STANDARD["y"]})
_CUSTOM = re.compile(r"""(?P<run>y+|M+|d+|H+|h+|m+|s+|f{1,7}|F{1,7}|t+|z+|K)|'(?P<one>[^']*)'|"(?P<two>[^"]*)"|\\(?P<escaped>.)|%""")


def dotnet_date(moment: datetime, how: str) -> str:
    """A moment (UTC) in a .NET date format. Raises ValueError when a format of one letter is none."""
    if len(how) == 1:
        if how not in _STANDARD:
            raise ValueError(how)
        how = _STANDARD[how]
    return _CUSTOM.sub(lambda match: _part(moment, match), how)


def _part(moment: datetime, match: re.Match[str]) -> str:
    """One part of a custom format."""
    run = match["run"]
    if run is None:
        return match["one"] or match["two"] or match["escaped"] or ""
    kind, width = run[0], len(run)
    if kind in "Md" and width > 2:
        names = {"M": ("%b", "%B"), "d": ("%a", "%A")}[kind]
        return moment.strftime(names[width > 3])
    if kind in "fF":
        digits = f"{moment.microsecond:06d}0"[:width]
        return digits.rstrip("0") if kind == "F" else digits
    if kind in "tzK":
        return {"t": ("A" if moment.hour < 12 else "P") + "M"[:width - 1], "K": "Z",
                "z": "+0" if width == 1 else "+00" if width == 2 else "+00:00"}[kind]
    number = {"y": moment.year if width > 2 else moment.year % 100, "M": moment.month, "d": moment.day, "H": moment.hour,
              "h": moment.hour % 12 or 12, "m": moment.minute, "s": moment.second}[kind]
    return f"{number:0{width if kind == 'y' else min(width, 2)}d}"


def _shown(name: str, moment: datetime, how: Any, default: str) -> str:
    wanted = text(name, how) if how is not None else default
    try:
        return dotnet_date(moment, wanted)
    except ValueError:
        raise wrong(name, f"cannot use the format '{wanted}': it is none of a date") from None


@function("utcNow", 0, 1, needs_scope=True)
def utc_now(scope: Scope, how: Any = None) -> str:
    if not scope.fresh_values:
        raise misplaced("utcNow")
    return _shown("utcNow", scope.context.now, how, "yyyyMMddTHHmmssZ")


@function("dateTimeAdd", 2, 3)
def date_time_add(base: Any, duration: Any, how: Any = None) -> str:
    match = _PERIOD.match(text("dateTimeAdd", duration))
    if not match:
        raise wrong("dateTimeAdd", f"expects an ISO 8601 duration: '{duration}' is none")
    years, months, weeks, days, hours, minutes, seconds = (int(g or 0) for g in match.groups()[1:])
    given = text("dateTimeAdd", base)
    try:
        step = timedelta(days=365 * years + 30 * months + 7 * weeks + days, hours=hours, minutes=minutes, seconds=seconds)
        moment = datetime.fromisoformat(given.replace(" ", "T", 1))
    except OverflowError:
        raise wrong("dateTimeAdd", f"cannot add '{duration}': it is too long") from None
    except ValueError:
        raise wrong("dateTimeAdd", f"expects a date: '{given}' is none") from None
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        moment = moment - step if match.group(1) else moment + step
    except OverflowError:
        raise wrong("dateTimeAdd", f"cannot add '{duration}' to '{given}': there is no such date") from None
    return _shown("dateTimeAdd", moment, how, "o")


@function("dateTimeToEpoch", 1)
def date_time_to_epoch(value: Any) -> int:
    try:
        moment = datetime.fromisoformat(text("dateTimeToEpoch", value))
    except ValueError:
        raise wrong("dateTimeToEpoch", f"expects a date: '{value}' is none") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


@function("dateTimeFromEpoch", 1)
def date_time_from_epoch(value: Any) -> str:
    try:
        moment = datetime.fromtimestamp(integer("dateTimeFromEpoch", value), UTC)
    except (ValueError, OverflowError, OSError):
        raise wrong("dateTimeFromEpoch", f"cannot be evaluated: there is no date '{value}'") from None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
