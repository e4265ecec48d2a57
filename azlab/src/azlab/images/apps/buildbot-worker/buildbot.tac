# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One worker, told by its environment to whom it belongs; its password is not handed on to what it builds."""

import os
import sys

from buildbot_worker.bot import Worker
from twisted.application import service
from twisted.python.log import FileLogObserver, ILogObserver

application = service.Application("buildbot-worker")
application.setComponent(ILogObserver, FileLogObserver(sys.stdout).emit)
worker = Worker(os.environ.get("BUILDMASTER", "localhost"), int(os.environ.get("BUILDMASTER_PORT", "9989")), os.environ.get("WORKERNAME", "worker"),
                os.environ.pop("WORKERPASS", ""), "/buildbot", 600, umask=None, maxdelay=300, allow_shutdown=None)
worker.setServiceParent(application)
