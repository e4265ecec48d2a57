# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A price list from a stand-in for Azure's Retail Prices API, and what a deployment costs by it. All prices here are made up."""

from __future__ import annotations

import http.server
import json
import pathlib
import re
import subprocess
import sys
import threading
import urllib.parse

import pytest

from ansible_collections.dockhost.azure.plugins.module_utils._costs import prices
from ansible_collections.dockhost.azure.plugins.module_utils._costs.estimate import Estimate, table
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from playbook_run import environment

PLAYBOOK = pathlib.Path(sys.executable).parent / "ansible-playbook"


def price(service, product, sku, meter, unit, amount, region="westeurope", size="", **more):
    return {
        "currencyCode": "EUR", "tierMinimumUnits": 0.0, "retailPrice": amount, "unitPrice": amount, "armRegionName": region, "location": "EU West",
        "meterId": "00000000-0000-0000-0000-000000000000", "meterName": meter, "productName": product, "skuName": sku, "serviceName": service,
        "unitOfMeasure": unit, "type": "Consumption", "isPrimaryMeterRegion": True, "armSkuName": size, **more,
    }  # fmt: skip


VM, DV5 = "Virtual Machines", "Virtual Machines Dsv5 Series"
SOLD = [
    price(VM, DV5, "Standard_D2s_v5 Spot", "D2s v5 Spot", "1 Hour", 0.01, size="Standard_D2s_v5"),
    price(VM, DV5 + " Windows", "Standard_D2s_v5", "D2s v5", "1 Hour", 0.9, size="Standard_D2s_v5"),
    price(VM, DV5, "Standard_D2s_v5", "D2s v5", "1 Hour", 0.1, size="Standard_D2s_v5"),
    price(VM, DV5, "D2s v5 Low Priority", "D2s v5 Low Priority", "1 Hour", 0.02, size="Standard_D2s_v5"),
    price(VM, DV5, "Standard_D2s_v5", "D2s v5", "1 Hour", 500.0, size="Standard_D2s_v5", type="Reservation", reservationTerm="1 Year"),
    price("Storage", "Premium SSD Managed Disks", "P4 LRS", "P4 LRS Disk", "1/Month", 5.0),
    price("Storage", "Premium SSD Managed Disks", "P4 LRS", "P4 LRS Disk Mount", "1/Month", 0.3),
    price("Storage", "Premium SSD Managed Disks", "P10 LRS", "P10 LRS Disk", "1/Month", 20.0),
    price("Storage", "Standard HDD Managed Disks", "S4 LRS", "S4 LRS Disk", "1/Month", 1.5),
    price("Virtual Network", "IP Addresses", "Standard", "Standard IPv4 Static Public IP", "1 Hour", 0.004),
    price("Load Balancer", "Load Balancer", "Standard", "Standard Included LB Rules and Outbound Rules", "1 Hour", 0.02, "Global"),
    price("Load Balancer", "Load Balancer", "Standard", "Standard Overage LB Rules and Outbound Rules", "1/Hour", 0.008, "Global"),
    price("Load Balancer", "Load Balancer", "Standard", "Standard Data Processed", "1 GB", 0.005, "Global"),
]


class Api(http.server.BaseHTTPRequestHandler):
    """As documented: a filter, pages with NextPageLink, 429 with Retry-After. Two prices a page."""

    asked: list = []
    busy = 0

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        Api.asked.append(query)
        if Api.busy:
            Api.busy -= 1
            self.send_response(429)
            self.send_header("Retry-After", "0")
            self.end_headers()
            return
        question = query["$filter"][0]
        wanted = {key: set(re.findall(key + " eq '([^']*)'", question)) for key in ("serviceName", "armSkuName", "productName", "armRegionName", "skuName")}
        found = [item for item in SOLD if all(not values or item[key] in values for key, values in wanted.items())]
        found = [item for item in found if item["type"] == "Consumption" or "priceType" not in question]
        skip = int(query.get("$skip", ["0"])[0])
        base = "http://{0}/api/retail/prices".format(self.headers["Host"])
        more = "{0}?{1}".format(base, urllib.parse.urlencode({"currencyCode": query["currencyCode"][0], "$filter": question, "$skip": skip + 2}))
        body = json.dumps({"BillingCurrency": "EUR", "CustomerEntityId": "Default", "CustomerEntityType": "Retail", "Items": found[skip : skip + 2],
                           "NextPageLink": more if len(found) > skip + 2 else None, "Count": len(found[skip : skip + 2])}).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        """Nothing."""


@pytest.fixture(scope="module")
def api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield "http://127.0.0.1:{0}/api/retail/prices".format(server.server_port)
    server.shutdown()
    server.server_close()


def price_list(*without):
    kept = [item for item in SOLD if item["type"] == "Consumption" and item["meterName"] not in without]
    return {"format": 1, "date": "2026-11-25", "currency": "EUR", "location": "westeurope", "prices": kept}


def test_an_estimate_takes_linux_machines_that_are_paid_by_the_hour():
    estimate = Estimate(price_list())
    estimate.hosts("Standard_D2s_v5", 3)
    estimate.disks("Premium_LRS", 30, 3)
    estimate.disks("Premium_LRS", 100, 1)
    estimate.disks("Standard_LRS", 1, 2)
    estimate.addresses(1)
    estimate.load_balancer(7)
    assert [(row["what"], row["count"], row["month"]) for row in estimate.rows] == [
        ("host Standard_D2s_v5", 3, 219.0), ("disk P4 LRS (Premium_LRS, 30 GiB)", 3, 15.0), ("disk P10 LRS (Premium_LRS, 100 GiB)", 1, 20.0),
        ("disk S4 LRS (Standard_LRS, 1 GiB)", 2, 3.0), ("public address", 1, 2.92), ("load balancer with up to 5 rules", 1, 14.6),
        ("load balancer, further rules", 2, 11.68),
    ]  # fmt: skip
    assert estimate.total == 286.2 and not estimate.missing


def test_hosts_that_are_off_at_night_cost_less_and_their_disks_do_not():
    estimate = Estimate(price_list(), 365)
    estimate.hosts("Standard_D2s_v5", 1)
    estimate.disks("Premium_LRS", 30, 1)
    assert [row["month"] for row in estimate.rows] == [36.5, 5.0]


def test_what_has_no_price_is_named_and_not_guessed():
    document = price_list("Standard IPv4 Static Public IP")
    estimate = Estimate(document)
    estimate.hosts("Standard_D4s_v5", 2)
    estimate.addresses(1)
    estimate.disks("Premium_LRS", 30, 1)
    assert estimate.missing == ["host Standard_D4s_v5", "public address"] and estimate.total == 5.0
    shown = table(estimate, document)
    assert "Not in the price list, and so not in the sum: host Standard_D4s_v5, public address." in shown
    assert "prices of 2026-11-25" in shown and "Not counted: traffic" in shown


@pytest.mark.parametrize("type_, size, sentence", [
    ("Premium_LRS", 0, "a disk of 0 GiB"), ("Premium_LRS", 40000, "a disk of 40000 GiB"), ("UltraSSD_LRS", 8, "UltraSSD_LRS"),
])  # fmt: skip
def test_disks_that_are_none(type_, size, sentence):
    with pytest.raises(InputError, match=sentence):
        Estimate(price_list()).disks(type_, size, 1)


@pytest.mark.parametrize("location, currency, size, option", [
    ("westeurope' or 1 eq 1 or '", "EUR", "Standard_D2s_v5", "location"), ("westeurope", "Euro", "Standard_D2s_v5", "currency"),
    ("westeurope", "EUR", "D2' x", "sizes"),
])  # fmt: skip
def test_values_that_would_change_the_question_are_refused(location, currency, size, option):
    with pytest.raises(InputError, match="^{0} is".format(option)):
        prices.check(location, currency, [size])


def test_a_next_page_elsewhere_is_not_followed():
    with pytest.raises(prices.PricesError, match="elsewhere"):
        prices.read(lambda address: {"Items": [], "NextPageLink": "https://elsewhere.example/x"}, prices.API, "westeurope", "EUR", ["Standard_D2s_v5"])
    first = {"Items": SOLD[2:3], "NextPageLink": "https://prices.azure.com:443/api/retail/prices?$skip=1000"}
    pages = iter([first] + 5 * [{"Items": [], "NextPageLink": None}])
    assert len(prices.read(lambda address: next(pages), prices.API, "westeurope", "EUR", ["Standard_D2s_v5"])) == 1


def test_playbook_costs(api, tmp_path):
    """The list is fetched page by page, although the API is busy at first; the second run takes the list that is there."""
    env = environment(tmp_path, no_proxy="*")

    def run(*more):
        words = ["-e", "costs_url=" + api, "-e", "costs_currency=EUR", "-e", "deployment_hosts=3", *more]
        done = subprocess.run([str(PLAYBOOK), "dockhost.azure.costs", *words], env=env, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
        return done.returncode, done.stdout + done.stderr

    Api.busy, Api.asked[:] = 1, []
    status, said = run()
    assert status == 0 and "changed=1" in said, said
    assert re.search(r"host Standard_D2s_v5 +3 +0\.1000 +219\.00", said) and re.search(r"all +251\.52", said), said
    assert len(Api.asked) == 8 and all(query["currencyCode"] == ["'EUR'"] for query in Api.asked)  # 429, then 2 + 2 + 1 + 2 pages
    document = json.loads((tmp_path / "state" / "prices-westeurope-EUR.json").read_text())
    assert len(document["prices"]) == 12 and document["source"] == api and re.fullmatch(r"\d{4}-\d\d-\d\d", document["date"])
    status, said = run("-e", "costs_hours=many")
    assert status != 0 and "costs_hours is 'many'" in said and len(Api.asked) == 8
