# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A price list: what is asked of Azure's Retail Prices API, what is kept of its answers, and the file. Private to this collection.

The API is public and has no sign-in; answers come in pages (C(Items), C(NextPageLink)).
Source: https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Dict, List, Mapping, Sequence
from urllib.parse import quote, urlsplit

from ansible_collections.dockhost.azure.plugins.module_utils._errors import DockhostError, InputError

API = "https://prices.azure.com/api/retail/prices"
FORMAT = 1
_PAGES = 200
_KEPT = ("serviceName", "productName", "skuName", "armSkuName", "meterName", "armRegionName", "unitOfMeasure", "retailPrice", "tierMinimumUnits")
_DISKS = ("Premium SSD Managed Disks", "Standard SSD Managed Disks", "Standard HDD Managed Disks")
_SIZE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,60}")
_LOCATION = re.compile(r"[a-z0-9]{2,40}")
_CURRENCY = re.compile(r"[A-Z]{3}")


class PricesError(DockhostError):
    """The API did not answer as its documentation says."""


def check(location: str, currency: str, sizes: Sequence[str]) -> None:
    """Whether the values can be in a filter.

    :raises InputError: names the option and the value.
    """
    for option, value, pattern, example in (
        ("location", location, _LOCATION, "westeurope"), ("currency", currency, _CURRENCY, "EUR"),
        *(("sizes", size, _SIZE, "Standard_D2s_v5") for size in sizes),
    ):  # fmt: skip
        if not pattern.fullmatch(value):
            raise InputError(option, "{0} is '{1}': give it as Azure writes it, for instance {2}.".format(option, value, example))


def filters(location: str, sizes: Sequence[str]) -> List[str]:
    """The questions: one for each size, one for disks, addresses and load balancers. Load balancers are priced for the whole world."""
    here = "armRegionName eq '{0}' and priceType eq 'Consumption'".format(location)
    found = ["serviceName eq 'Virtual Machines' and armSkuName eq '{0}' and {1}".format(size, here) for size in sizes]
    products = " or ".join("productName eq '{0}'".format(name) for name in _DISKS)
    found.append("serviceName eq 'Storage' and ({0}) and {1}".format(products, here))
    found.append("serviceName eq 'Virtual Network' and productName eq 'IP Addresses' and {0}".format(here))
    found.append("serviceName eq 'Load Balancer' and skuName eq 'Standard' and armRegionName eq 'Global' and priceType eq 'Consumption'")
    return found


def read(get: Callable[[str], Any], api: str, location: str, currency: str, sizes: Sequence[str]) -> List[Dict[str, Any]]:
    """All prices that a list needs, in a fixed order.

    :param get: the JSON at an address.
    :raises PricesError: an answer that is none.
    """
    found = []
    for question in filters(location, sizes):
        address = "{0}?currencyCode='{1}'&$filter={2}".format(api, currency, quote(question))
        found += _pages(get, api, address)
    kept = [{key: item[key] for key in _KEPT if key in item} for item in found if item.get("type", "Consumption") == "Consumption"]
    unique = {json.dumps(item, sort_keys=True): item for item in kept}
    return [unique[key] for key in sorted(unique)]


def _pages(get: Callable[[str], Any], api: str, address: str) -> List[Mapping[str, Any]]:
    found: List[Mapping[str, Any]] = []
    for dummy in range(_PAGES):
        answer = get(address)
        if not isinstance(answer, dict) or not isinstance(answer.get("Items"), list):
            raise PricesError("{0} answered with something that is no page of prices.".format(urlsplit(api).netloc))
        found += answer["Items"]
        following = answer.get("NextPageLink")
        if not following:
            return found
        if urlsplit(following).hostname != urlsplit(api).hostname or urlsplit(following).scheme != urlsplit(api).scheme:
            raise PricesError("{0} named a next page elsewhere ({1}), which is not followed.".format(urlsplit(api).netloc, urlsplit(following).netloc))
        address = following
    raise PricesError("{0} named more than {1} pages.".format(urlsplit(api).netloc, _PAGES))


def text_of(document: Mapping[str, Any]) -> str:
    """The file."""
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def load(path: str, text: str) -> Dict[str, Any]:
    """A price list.

    :raises InputError: it is none.
    """
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT or not isinstance(document.get("prices"), list):
        raise InputError("prices", "prices is '{0}', which is no price list of dockhost.azure.price_list.".format(path))
    return document
