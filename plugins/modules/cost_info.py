#!/usr/bin/python
# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cost_info
short_description: Estimate what Docker hosts on Azure cost a month
version_added: 0.1.0
author: The dockhost.azure authors (@dockhost)
description:
  - Reckons what machines, disks, public addresses and a load balancer cost a month, from a price list that M(dockhost.azure.price_list) fetched.
  - What the list has no price for is named and left out of the sum; nothing is guessed.
  - Traffic, operations on disks, snapshots, taxes and discounts are not counted.
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: Nothing is changed in either mode.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details: Nothing is changed.
options:
  prices:
    description: The file of the price list.
    type: path
    required: true
  hosts:
    description: The machines.
    type: list
    elements: dict
    default: []
    suboptions:
      size:
        description: Their size.
        type: str
        required: true
      count:
        description: How many.
        type: int
        default: 1
  disks:
    description: The managed disks, those of the operating systems too.
    type: list
    elements: dict
    default: []
    suboptions:
      type:
        description: Their type.
        type: str
        choices:
          - Premium_LRS
          - Premium_ZRS
          - StandardSSD_LRS
          - StandardSSD_ZRS
          - Standard_LRS
        default: Premium_LRS
      size_gb:
        description: Their size in GiB.
        type: int
        required: true
      count:
        description: How many.
        type: int
        default: 1
  public_addresses:
    description: How many static public addresses.
    type: int
    default: 0
  load_balancer_rules:
    description: How many rules the load balancer has, outbound rules included and inbound NAT rules not. V(0) is no load balancer.
    type: int
    default: 0
  hours:
    description: The hours of a month that machines are not deallocated. The others are paid for the whole month of 730.
    type: int
    default: 730
seealso:
  - module: dockhost.azure.price_list
"""

EXAMPLES = r"""
- name: Three hosts behind a load balancer, switched off at night
  dockhost.azure.cost_info:
    prices: ~/prices-westeurope.json
    hosts: [{size: Standard_D2s_v5, count: 3}]
    disks: [{size_gb: 30, count: 3}]
    public_addresses: 1
    load_balancer_rules: 3
    hours: 365
  delegate_to: localhost
  register: costs

- name: Show it
  ansible.builtin.debug:
    msg: "{{ costs.table.splitlines() }}"
"""

RETURN = r"""
rows:
  description: What is paid for.
  returned: success
  type: list
  elements: dict
  contains:
    what:
      description: What it is.
      type: str
      sample: host Standard_D2s_v5
    count:
      description: How many.
      type: int
      sample: 3
    units:
      description: Hours of the month, or 1 for what is paid by the month.
      type: int
      sample: 730
    unit_price:
      description: The price of a unit; null where the list has none.
      type: float
    month:
      description: What it costs a month; null where the list has no price.
      type: float
total:
  description: The sum of what has a price.
  returned: success
  type: float
missing:
  description: What the list has no price for.
  returned: success
  type: list
  elements: str
  sample: []
not_counted:
  description: What is never counted.
  returned: success
  type: list
  elements: str
  sample: [traffic out of the region]
currency:
  description: The currency of the list.
  returned: success
  type: str
  sample: EUR
date:
  description: The day of the list.
  returned: success
  type: str
  sample: "2026-11-25"
table:
  description: All of it as text.
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockhost.azure.plugins.module_utils._costs import prices
from ansible_collections.dockhost.azure.plugins.module_utils._costs.estimate import DISK_TYPES, MONTH, NOT_COUNTED, Estimate, table
from ansible_collections.dockhost.azure.plugins.module_utils._errors import DockhostError, InputError
from ansible_collections.dockhost.azure.plugins.module_utils._tls import files

ARGUMENTS = dict(
    prices={"type": "path", "required": True},
    hosts={
        "type": "list", "elements": "dict", "default": [],
        "options": {"size": {"type": "str", "required": True}, "count": {"type": "int", "default": 1}},
    },
    disks={
        "type": "list", "elements": "dict", "default": [],
        "options": {
            "type": {"type": "str", "choices": list(DISK_TYPES), "default": "Premium_LRS"},
            "size_gb": {"type": "int", "required": True},
            "count": {"type": "int", "default": 1},
        },
    },
    public_addresses={"type": "int", "default": 0},
    load_balancer_rules={"type": "int", "default": 0},
    hours={"type": "int", "default": MONTH},
)  # fmt: skip


def estimated(given):
    """(the estimate, the price list).

    :raises InputError: an option that cannot be.
    """
    text = files.read(given["prices"])
    if text is None:
        raise InputError("prices", "prices is '{0}', and there is no such file: fetch it with dockhost.azure.price_list.".format(given["prices"]))
    document = prices.load(given["prices"], text)
    if not 0 <= given["hours"] <= MONTH:
        raise InputError("hours", "hours is {0}: a month has from 0 to {1} here.".format(given["hours"], MONTH))
    for option in ("public_addresses", "load_balancer_rules"):
        if given[option] < 0:
            raise InputError(option, "{0} is {1}: it cannot be less than 0.".format(option, given[option]))
    estimate = Estimate(document, given["hours"])
    for item in given["hosts"]:
        estimate.hosts(item["size"], item["count"])
    for item in given["disks"]:
        estimate.disks(item["type"], item["size_gb"], item["count"])
    estimate.addresses(given["public_addresses"])
    estimate.load_balancer(given["load_balancer_rules"])
    return estimate, document


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        estimate, document = estimated(module.params)
    except DockhostError as error:
        module.fail_json(msg=str(error), **error.result())
    module.exit_json(
        changed=False, rows=estimate.rows, total=estimate.total, missing=estimate.missing, not_counted=list(NOT_COUNTED),
        currency=document["currency"], date=document["date"], table=table(estimate, document),
    )  # fmt: skip


if __name__ == "__main__":
    main()
