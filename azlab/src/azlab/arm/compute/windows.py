# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PURE: what is Windows's own in the body of a machine. Such machines are in the model only: a lab with hosts refuses them."""
from __future__ import annotations

from typing import Any

from azlab.arm.compute.base import invalid, section

NAME_LIMIT = 15
_SECRET = ("additionalUnattendContent",)        # Azure takes it and never shows it


def is_windows(image: dict[str, Any]) -> bool:
    return str(image.get("os", "Linux")) == "Windows"


def check_kind(profile: dict[str, Any], image: dict[str, Any]) -> None:
    """The OS profile must speak of the system that the image holds."""
    other = "linuxConfiguration" if is_windows(image) else "windowsConfiguration"
    if other in profile:
        raise invalid(other, f"Parameter 'osProfile.{other}' is not allowed.")


def configuration(profile: dict[str, Any], host: str) -> dict[str, Any]:
    """`windowsConfiguration` with Azure's defaults.

    Raises:
        ArmError: a computer name that NetBIOS would not take.
    """
    if len(host) > NAME_LIMIT or host.isdigit():
        raise invalid("computerName", f"Windows computer name cannot be more than {NAME_LIMIT} characters long, be entirely numeric, or "
                                      "contain the following characters: ` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : . ' \" , < > / ?.")
    given = section(profile, "windowsConfiguration")
    shown = {k: v for k, v in given.items() if k not in _SECRET}
    return {"provisionVMAgent": True, "enableAutomaticUpdates": True, **shown,
            "patchSettings": {"patchMode": "AutomaticByOS", "assessmentMode": "ImageDefault", **section(given, "patchSettings")}}
