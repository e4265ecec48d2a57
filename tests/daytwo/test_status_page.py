# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status page in headless Chromium: on a phone, on a wide screen, on paper, light and dark."""

from __future__ import annotations

import base64
import json
import pathlib
import shutil

import pytest
from ansible_collections.dockhost.azure.plugins.filter.status_page import status_page

webdriver = pytest.importorskip("selenium.webdriver", reason="tests/requirements.txt is not installed")

pytestmark = pytest.mark.browser
DEMO = pathlib.Path(__file__).parents[1] / "unit/plugins/plugin_utils/_status/fixtures/demo.json"
PHONE = (320, 700)
EVIL = '"><script>window.struck=1</script><img src=x onerror=window.struck=1>'
# The lowest contrast of visible text to its ground (WCAG 2.2, 1.4.3: 4.5 at least). https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
CONTRAST = """
  const part = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ground = (e) => { for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  const shown = [...document.querySelectorAll("body *")].filter((e) => e.offsetParent && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
  const all = shown.map((e) => { const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.textContent]; });
  return all.sort((x, y) => x[0] - y[0])[0];"""


@pytest.fixture(scope="module")
def driver():
    binary, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    assert binary and chromedriver, "chromium and chromium-driver are not installed: scripts/setup all installs them"
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900"):
        options.add_argument(word)
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    yield browser
    browser.quit()


@pytest.fixture
def show(driver, tmp_path):
    """Open a status; whatever it holds, nothing is said on the console and nothing but the file itself is asked for."""
    def opened(said, width=1280, height=900, scheme="light", media=""):
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        file = tmp_path / "status.html"
        file.write_text(status_page(said))
        for log in ("browser", "performance"):
            driver.get_log(log)
        driver.get(file.as_uri())
        asked = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
        urls = [message["params"]["request"]["url"] for message in asked if message["method"] == "Network.requestWillBeSent"]
        assert urls == [file.as_uri()]
        assert [entry["message"] for entry in driver.get_log("browser")] == []
        return driver
    return opened


@pytest.fixture
def said():
    return json.loads(DEMO.read_text())


def texts(driver, selector):
    return driver.execute_script("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector)


def many(said, hosts=40):
    """A deployment of many hosts with long names and many tasks each."""
    machine, node, task = said["hosts"][0], said["swarm"]["nodes"][0], said["swarm"]["tasks"][0]
    for number in range(6, hosts + 1):
        name = f"a-host-with-a-name-as-long-as-azure-allows-it-to-be-no-{number}"
        said["hosts"].append({**machine, "name": name, "zone": str(number % 3 + 1), "private_address": f"172.28.1.{number}"})
        said["swarm"]["nodes"].append({**node, "name": name, "role": "worker", "leader": False, "reachability": None})
        said["swarm"]["tasks"] += [{**task, "node": name, "service": f"a_service_with_a_long_name_{n}_for_customers"} for n in range(6)]
    return said


def test_the_drawing_shows_zones_hosts_roles_and_tasks(show, said):
    page = show(said)
    assert texts(page, ".zone h3") == ["Zone 1", "Zone 2", "Zone 3"]
    assert [text.split("\n")[0] for text in texts(page, ".zone:nth-child(2) .host")] == ["demo-2", "demo-5"]
    assert "manager, leader" in texts(page, ".zone:nth-child(2) .host")[0]
    assert [text.split("\n") for text in texts(page, ".zone:nth-child(1) .tasks")] == [["shop_api.1", "shop_edge"]]
    assert texts(page, ".rules li")[0] == "80/tcp shop_edge on 2 of 5 hosts"
    assert texts(page, ".verdict") == ["5 things not as they should be."]


def test_zones_stand_side_by_side_on_a_wide_screen(show, said):
    tops = show(said).execute_script("return [...document.querySelectorAll('.zone')].map(e => e.getBoundingClientRect().top)")
    assert len(set(tops)) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 800])
@pytest.mark.parametrize("grown", [False, True], ids=["five hosts", "forty hosts"])
def test_no_sideways_scrolling_and_text_that_can_be_read(show, said, scheme, width, grown):
    page = show(many(said) if grown else said, width, scheme=scheme)
    assert page.execute_script("const e = document.documentElement; return e.scrollWidth - e.clientWidth") == 0
    lowest = page.execute_script(CONTRAST)
    assert lowest[0] >= 4.5, lowest


def test_dark_is_dark_and_paper_is_white(show, said):
    look = "return getComputedStyle(document.body).backgroundColor"
    assert show(said, scheme="dark").execute_script(look) == "rgb(16, 21, 28)"
    assert show(said, scheme="dark", media="print").execute_script(look) == "rgb(255, 255, 255)"


def test_it_is_printed_on_few_sheets(show, said):
    page = show(said, media="print")
    sheet = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})["data"])
    assert 1 <= sheet.count(b"/Type /Page\n") <= 2


def test_those_who_hear_the_page_learn_the_same(show, said):
    tree = show(said).execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    heard = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node.get("ignored")}
    assert ("heading", "demo-5 (not as it should be)") in heard
    assert ("heading", "Deployment demo") in heard and ("rowheader", "shop_api") in heard
    assert ("link", "80/tcp") in heard and any(role == "main" for role, _name in heard)
    assert not [role for role, _name in heard if role == "image"]


def test_markup_of_whoever_named_a_service_is_text(show, said):
    said["swarm"]["services"][0]["image"] = EVIL
    said["swarm"]["tasks"][3]["error"] = EVIL
    said["hosts"][0]["size"] = EVIL
    page = show(said)
    assert page.execute_script("return [window.struck ?? null, document.querySelectorAll('script, img').length]") == [None, 0]
    assert any(EVIL in text for text in texts(page, ".host .soft"))
