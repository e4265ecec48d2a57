# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What apt says it would do, and when a host has to be restarted."""

from __future__ import annotations

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._docker_host import upgrade

SIMULATED = """Reading package lists...
Building dependency tree...
The following NEW packages will be installed:
  linux-image-6.12.57+deb13-amd64
Inst base-files [13.8] (13.8+deb13u1 Debian:13.1/stable [amd64])
Inst linux-image-6.12.57+deb13-amd64 (6.12.57-1 Debian-Security:13/stable-security [amd64])
Inst libc6 [2.41-12] (2.41-12+deb13u1 Debian:13.1/stable [amd64]) [libc-bin:amd64 ]
Remv old-thing [1:2.0-3]
Conf base-files (13.8+deb13u1 Debian:13.1/stable [amd64])
"""


def test_what_apt_would_do_is_read():
    assert upgrade.parse(SIMULATED) == [
        {"name": "base-files", "before": "13.8", "after": "13.8+deb13u1"},
        {"name": "libc6", "before": "2.41-12", "after": "2.41-12+deb13u1"},
        {"name": "linux-image-6.12.57+deb13-amd64", "before": "", "after": "6.12.57-1"},
        {"name": "old-thing", "before": "1:2.0-3", "after": ""},
    ]
    assert upgrade.parse("Reading package lists...\n0 upgraded, 0 newly installed.") == []


@pytest.mark.parametrize(
    "running, installed, newest",
    [
        ("6.12.48", ["6.12.48", "6.12.57"], "6.12.57"),
        ("6.12.57", ["6.12.48", "6.12.57"], ""),
        ("6.12.57", [], ""),  # a container has no kernel of its own
        ("5.10.0-custom", ["6.12.48"], ""),  # a kernel that is no package of this host
    ],
)
def test_a_newer_kernel_wants_a_restart(running, installed, newest):
    assert upgrade.newer_kernel(running, installed, lambda one, than: one > than) == newest


def test_reasons_for_a_restart(monkeypatch, tmp_path):
    monkeypatch.setattr(upgrade, "REBOOT_FILE", str(tmp_path / "reboot-required"))
    monkeypatch.setattr(upgrade, "installed_kernels", lambda: [])
    assert upgrade.reboot_reasons() == []
    (tmp_path / "reboot-required").touch()
    assert upgrade.reboot_reasons() == [f"{tmp_path}/reboot-required exists"]
