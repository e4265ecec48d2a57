#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module http_poll: a client that asks all the time."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http_poll
short_description: Ask a web address all the time and count what fails
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Asks an address again and again, each time over a new connection, until a file is removed, and counts the requests that were not
    answered. Made to run beside other tasks, with C(async) and C(poll=0).
  - A request counts as answered when a status below 500 comes back in time. Redirections are not followed.
options:
  url:
    description: The address, C(http://) or C(https://).
    type: str
    required: true
  flag:
    description: A file that exists as long as the module is to go on. It makes the file when it begins; remove it to end the module.
    type: path
    required: true
  interval:
    description: Seconds from the beginning of one request to that of the next.
    type: float
    default: 0.5
  timeout:
    description: Seconds in which a request has to be answered.
    type: float
    default: 5
  seconds:
    description: Seconds after which the module ends in any case.
    type: int
    default: 86400
  validate_certs:
    description: Whether a certificate that is not valid counts as a failure.
    type: bool
    default: true
attributes:
  check_mode:
    description: Asks nothing in check mode.
    support: full
  diff_mode:
    description: Nothing is changed, so there is nothing to show.
    support: N/A
"""

EXAMPLES = r"""
- name: Begin to ask
  dockhost.azure.http_poll:
    url: http://203.0.113.10/
    flag: /tmp/ask
  async: 3600
  poll: 0
  register: asking

- name: End it
  ansible.builtin.file:
    path: /tmp/ask
    state: absent

- name: See what failed meanwhile
  ansible.builtin.async_status:
    jid: "{{ asking.ansible_job_id }}"
  register: asked
  until: asked.finished
  retries: 30
  delay: 1
"""

RETURN = r"""
requests:
  description: How many requests were made.
  returned: success
  type: int
  sample: 240
unanswered:
  description: How many of them were not answered.
  returned: success
  type: int
  sample: 0
outage:
  description: The longest time in seconds from a request that failed to one that was answered.
  returned: success
  type: float
  sample: 0.0
failures:
  description: The first twenty failures, with the time of day (UTC).
  returned: success
  type: list
  elements: dict
  sample: [{at: "10:03:11", error: "[Errno 111] Connection refused"}]
"""

import http.client
import ssl
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._poll import poll

ARGUMENTS = dict(
    url=dict(type="str", required=True),
    flag=dict(type="path", required=True),
    interval=dict(type="float", default=0.5),
    timeout=dict(type="float", default=5),
    seconds=dict(type="int", default=86400),
    validate_certs=dict(type="bool", default=True),
)


def ask(url: str, timeout: float, context: ssl.SSLContext) -> str:
    """One request over a connection of its own; "" where it was answered."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        answer = connection.getresponse()
        answer.read()
        return "" if answer.status < 500 else f"status {answer.status}"
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given = module.params
    parts = urlsplit(given["url"])
    if parts.scheme not in ("http", "https") or not parts.hostname:
        module.fail_json(msg=f"url is '{given['url']}': give an address that begins with http:// or https:// and names a host.")
    if module.check_mode:
        module.exit_json(changed=False, requests=0, unanswered=0, outage=0.0, failures=[])
    context = ssl.create_default_context()
    if not given["validate_certs"]:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with open(given["flag"], "w", encoding="ascii"):
            pass
    except OSError as error:
        module.fail_json(msg=f"flag '{given['flag']}' cannot be made: {error}. Give a file in a folder that exists.")
    count = poll(lambda: ask(given["url"], given["timeout"], context), given["flag"], given["interval"], given["seconds"])
    module.exit_json(changed=False, **count.result())


if __name__ == "__main__":
    main()
