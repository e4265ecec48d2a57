# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images a lab serves for the applications that it was told."""
from __future__ import annotations

import pytest
from azlab.images import IMAGES, app_names, images_for


def test_each_application_has_its_images():
    assert images_for("wordpress") == ["haproxy", "mariadb", "redis", "wordpress"]
    assert set(images_for(" webapp , acme")) == {"haproxy", "redis", "debian", "postgres", "certbot", "pebble"}
    assert images_for("none") == [] and set(images_for("all")) == set(app_names())


def test_what_is_no_application_is_refused():
    with pytest.raises(ValueError, match="'blog' is no application of the lab: give acme, ci, monitoring, webapp, wordpress, several"):
        images_for("wordpress,blog")


def test_each_image_has_a_folder_and_each_folder_an_image():
    folders = {path.name for path in (IMAGES / "apps").iterdir() if path.is_dir()}
    assert folders == set(app_names())
