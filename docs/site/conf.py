# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx for the documentation site; scripts/docs puts this folder, the guides and the generated pages together."""

from __future__ import annotations

import pathlib
import zlib

import yaml

HERE = pathlib.Path(__file__).parent
project = "dockhost.azure"
author = "The dockhost.azure authors"
project_copyright = "2026, " + author
release = version = yaml.safe_load((HERE / "galaxy.yml").read_text())["version"]

extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["reference/collections/environment_variables.rst"]
myst_heading_anchors = 6
myst_enable_extensions = ["colon_fence"]
default_role = "any"
highlight_language = "none"
pygments_style, pygments_dark_style = "tango", "monokai"

smartquotes = False  # they make a dash of --check

html_theme = "furo"
html_title = "dockhost.azure"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
# Nothing is fetched by readers' browsers either: all that a page needs comes with the site.
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5c8f", "color-brand-content": "#0b5c8f"},
    "dark_css_variables": {"color-brand-primary": "#6cb8ea", "color-brand-content": "#6cb8ea"},
}


# Labels of Ansible's documentation that antsibull-docs refers to, and their pages.
LABELS = (
    ("common_return_values", "reference_appendices/common_return_values.html"),
    ("ansible_configuration_settings", "reference_appendices/config.html"),
    ("action_plugins", "plugins/action.html"),
)


def ansible_inventory() -> str:
    """Where the pages of ansible.builtin are, as an inventory of Sphinx made here: nothing is fetched to build the site."""
    kinds = ("module", "lookup", "filter", "test", "inventory", "connection", "become", "strategy", "callback", "cache", "vars")
    names = [line.split() for line in (HERE / "builtin.txt").read_text().splitlines()]
    lines = [
        "ansible_collections.ansible.builtin.{0}_{1} std:label -1 collections/ansible/builtin/{0}_{1}.html {0}".format(name, kind)
        for kind, name in names
        if kind in kinds
    ]
    lines += ["{0} std:label -1 {1} {0}".format(*label) for label in LABELS]
    path = HERE / "ansible.inv"
    head = b"# Sphinx inventory version 2\n# Project: Ansible\n# Version: latest\n# The remainder of this file is compressed using zlib.\n"
    path.write_bytes(head + zlib.compress("\n".join(lines + [""]).encode()))
    return str(path)


intersphinx_mapping = {"ansible": ("https://docs.ansible.com/ansible/latest/", ansible_inventory())}
