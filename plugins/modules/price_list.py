#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: price_list
short_description: Fetch Azure's public prices of what Docker hosts are made of
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Asks Azure's Retail Prices API, which is public and has no sign-in, for the prices of machines, managed disks, public addresses and load
    balancers in a region, and writes them to a file for M(dockhost.azure.cost_info).
  - Prices are pay as you go. Yours may be lower by reservations, savings plans and agreements.
  - Works on the controller. A second run on the same day changes nothing as long as the prices are the same.
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: The prices are fetched in either mode.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
options:
  path:
    description: The file of the price list.
    type: path
    required: true
  location:
    description: The region, as Azure writes it in identifiers.
    type: str
    required: true
  sizes:
    description: The sizes of machines whose prices are wanted.
    type: list
    elements: str
    required: true
  currency:
    description: The currency. Azure's own prices are in US dollars; it publishes others for orientation.
    type: str
    default: USD
  url:
    description: Address of the API, where it is not Azure's own.
    type: str
    default: https://prices.azure.com/api/retail/prices
  timeout:
    description: Seconds to wait for an answer.
    type: int
    default: 30
seealso:
  - module: dockhost.azure.cost_info
  - name: Azure Retail Prices
    description: The API.
    link: https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
"""

EXAMPLES = r"""
- name: Fetch the prices of today
  dockhost.azure.price_list:
    path: ~/prices-westeurope.json
    location: westeurope
    sizes: [Standard_D2s_v5, Standard_B2s]
    currency: EUR
  delegate_to: localhost
"""

RETURN = r"""
prices:
  description: How many prices are in the list.
  returned: success
  type: int
  sample: 213
date:
  description: The day of the list, in UTC.
  returned: success
  type: str
  sample: "2026-11-25"
"""

import datetime
import json
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import fetch_url
from ansible_collections.dockhost.azure.plugins.module_utils._costs import prices
from ansible_collections.dockhost.azure.plugins.module_utils._errors import DockhostError
from ansible_collections.dockhost.azure.plugins.module_utils._tls import files

ARGUMENTS = dict(
    path={"type": "path", "required": True},
    location={"type": "str", "required": True},
    sizes={"type": "list", "elements": "str", "required": True},
    currency={"type": "str", "default": "USD"},
    url={"type": "str", "default": prices.API},
    timeout={"type": "int", "default": 30},
)
TRIES = 5


def getter(module):
    """The JSON at an address; asks again when the API is busy, as long as it says, at most a minute each time."""

    def get(address):
        for attempt in range(TRIES):
            answer, info = fetch_url(module, address, timeout=module.params["timeout"])
            if info["status"] == 200:
                return json.loads(answer.read())
            if info["status"] not in (429, 500, 502, 503) or attempt == TRIES - 1:
                break
            wait = info.get("retry-after", "")
            time.sleep(min(60, int(wait) if wait.isdigit() else 2**attempt))
        raise prices.PricesError("{0} cannot be read: {1}. Fetch the list where it can, and bring the file.".format(module.params["url"], info["msg"]))

    return get


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given = module.params
    try:
        sizes = sorted(set(given["sizes"]))
        prices.check(given["location"], given["currency"], sizes)
        found = prices.read(getter(module), given["url"], given["location"], given["currency"], sizes)
        today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        text = prices.text_of({
            "format": prices.FORMAT, "date": today, "source": given["url"], "location": given["location"], "currency": given["currency"], "prices": found,
        })  # fmt: skip
        before = files.read(given["path"]) or ""
        if before != text and not module.check_mode:
            files.write(given["path"], text, 0o644)
    except DockhostError as error:
        module.fail_json(msg=str(error), **error.result())
    except ValueError:
        module.fail_json(msg="{0} answered with something that is no JSON.".format(given["url"]))
    module.exit_json(changed=before != text, prices=len(found), date=today, diff={"before": before, "after": text})


if __name__ == "__main__":
    main()
