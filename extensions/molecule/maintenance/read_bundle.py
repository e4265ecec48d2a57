# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints what is in a bundle as JSON: its files, those that are empty, and those in which a secret was found. BUNDLE SECRET"""

import json
import re
import sys
import tarfile

bundle, hidden = sys.argv[1:]
with tarfile.open(bundle) as archive:
    files = {name.partition("/")[2]: archive.extractfile(name).read().decode() for name in archive.getnames()}
secret = re.compile(re.escape(hidden) + r"|SWM(TKN|KEY)-1|PRIVATE KEY-----[^(]{20}")
told = {
    "files": sorted(files),
    "empty": sorted(name for name, text in files.items() if not text.strip()),
    "secrets": sorted(name for name, text in files.items() if secret.search(text)),
}
print(json.dumps(told))
