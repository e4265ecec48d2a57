# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Buildbot's package of pages gives it, with one page."""

from buildbot.www.plugin import Application

ep = Application(__name__, "Buildbot without its pages")
