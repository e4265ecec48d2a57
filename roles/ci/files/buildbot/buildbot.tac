# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buildbot's master: its state on the volume, its configuration from the swarm, its log on standard output."""

import sys

from buildbot.master import BuildMaster
from twisted.application import service
from twisted.python.log import FileLogObserver, ILogObserver

basedir = "/var/lib/buildbot"
configfile = "/etc/buildbot/master.py"

# Buildbot looks for these words, with these quotation marks.
application = service.Application('buildmaster')
application.setComponent(ILogObserver, FileLogObserver(sys.stdout).emit)
BuildMaster(basedir, configfile, umask=None).setServiceParent(application)
