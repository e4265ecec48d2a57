# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a lab in a real browser (headless Chromium): what people see and can do there."""
from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from azlab import testing
from labgroup import COMPUTE, NET, Group

webdriver = pytest.importorskip("selenium.webdriver", reason="tests/requirements.txt is not installed")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

pytestmark = pytest.mark.browser
EVIL = "<script>window.struck=1</script><img src=x onerror=window.struck=1>"
PHONE = (390, 844)


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    binary, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    assert binary and chromedriver, "chromium and chromium-driver are not installed: scripts/setup all installs them"
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1440,900"):
        options.add_argument(word)
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    yield browser
    browser.quit()


@pytest.fixture
def page(driver: Any, azure: testing.RunningLab) -> Iterator[Any]:
    """The page, opened anew; whatever a test does there, nothing may be said on the console and nothing asked elsewhere."""
    for log in ("browser", "performance"):
        driver.get_log(log)
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.get("about:blank")
    driver.get(azure.admin.url + "/page/")
    see(driver, lambda: "live" in driver.find_element(By.ID, "link").text)
    yield driver
    assert [entry["message"] for entry in driver.get_log("browser")] == []
    asked = [entry["message"] for entry in driver.get_log("performance") if '"Network.requestWillBeSent"' in entry["message"]]
    assert asked and all(f'"url":"{azure.admin.url}/' in message for message in asked)


def see(driver: Any, what: Callable[[], Any]) -> Any:
    """Wait until something is there; elements that the page replaces meanwhile are looked for again."""
    from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
    return WebDriverWait(driver, 10, 0.05, (NoSuchElementException, StaleElementReferenceException)).until(lambda _: what())


def view(driver: Any, name: str) -> None:
    driver.find_element(By.ID, f"tab-{name}").click()


def texts(driver: Any, selector: str) -> list[str]:
    """What elements say, read in one go, so that none is replaced in between."""
    found: list[str] = driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector)
    return found


def copied(driver: Any) -> str:
    return str(driver.execute_async_script("const done = arguments[0]; navigator.clipboard.readText().then(done, e => done(`${e}`))"))


def allow_clipboard(driver: Any, azure: testing.RunningLab) -> None:
    driver.execute_cdp_cmd("Browser.grantPermissions", {"origin": azure.admin.url,
                                                        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})


@pytest.fixture(scope="module")
def hosts(azure: testing.RunningLab) -> Group:
    """Twelve machines in a pool, one of them stopped, with a tag that is markup."""
    group = Group(azure, "rg-page")
    subnet, balancer = group.vnet(), group.id(f"{NET}/loadBalancers/lb")
    pool = f"{balancer}/backendAddressPools/web"
    group.put(f"{NET}/loadBalancers/lb", {
        "frontendIPConfigurations": [{"name": "front", "properties": {"publicIPAddress": {"id": group.address()["id"]}}}],
        "backendAddressPools": [{"name": "web"}]}, sku={"name": "Standard"})
    for number in range(1, 13):
        nic = group.nic(f"nic-{number}", subnet, loadBalancerBackendAddressPools=[{"id": pool}])
        group.vm(f"web-{number}", nic["id"], top={"tags": {"note": EVIL, "odd": str(number % 2)}})
    group.call("POST", f"{COMPUTE}/virtualMachines/web-7/powerOff")
    return group


def test_an_empty_lab_says_how_to_use_it(page: Any, azure: testing.RunningLab) -> None:
    allow_clipboard(page, azure)
    see(page, lambda: f'eval "$(azlab env --name {azure.settings.name})"' in texts(page, ".start code"))
    page.find_element(By.CSS_SELECTOR, ".start .copy").click()
    see(page, lambda: copied(page) == f'eval "$(azlab env --name {azure.settings.name})"')


def test_what_a_client_makes_appears_while_one_looks(page: Any, azure: testing.RunningLab) -> None:
    view(page, "resources")
    azure.arm("PUT", "resourceGroups/rg-appears", {"location": "westeurope"})
    see(page, lambda: any("rg-appears" in text for text in texts(page, "table button.link")))
    see(page, lambda: any(text.startswith("PUT\n201") and "rg-appears" in text for text in texts(page, ".request")))
    azure.arm("DELETE", "resourceGroups/rg-appears")
    see(page, lambda: not any("rg-appears" in text for text in texts(page, "table button.link")))


def test_machines_show_their_state_and_can_be_filtered(page: Any, hosts: Group) -> None:
    view(page, "machines")
    see(page, lambda: texts(page, "td[data-label=Name] button") == [f"web-{n}" for n in range(1, 13)])
    field = page.find_element(By.CSS_SELECTOR, "main input[type=search]")
    field.send_keys("stopped")
    see(page, lambda: texts(page, "td[data-label=Name] button") == ["web-7"])
    assert texts(page, "td[data-label=Power]") == ["■ stopped"]
    field.clear()
    field.send_keys("odd=1")
    see(page, lambda: texts(page, "td[data-label=Name] button") == [f"web-{n}" for n in range(1, 13, 2)])
    hosts.call("POST", f"{COMPUTE}/virtualMachines/web-7/start")
    see(page, lambda: texts(page, "td[data-label=Power]") == ["● running"] * 6)
    hosts.call("POST", f"{COMPUTE}/virtualMachines/web-7/powerOff")


def test_the_drawing_shows_hosts_in_their_subnet_and_who_does_not_serve_first(page: Any, hosts: Group) -> None:
    view(page, "lab")
    see(page, lambda: len(texts(page, ".subnet .host")) == 12)
    see(page, lambda: texts(page, ".pool .member")[:2] == ["web-7", "web-1"])
    assert "11 running, 1 stopped" in texts(page, ".subnet .box-head")[0]


def test_markup_of_clients_is_text(page: Any, hosts: Group) -> None:
    for name in ("resources", "machines", "lab", "operations", "conditions", "requests"):
        view(page, name)
        page.execute_async_script("setTimeout(arguments[0], 0)")
    hosts.call("GET", f"{NET}/virtualNetworks/{quote(EVIL)}")
    view(page, "machines")
    see(page, lambda: any(EVIL in text for text in texts(page, "td .tag")))
    page.find_element(By.CSS_SELECTOR, "td button.link").click()
    see(page, lambda: any(EVIL in text for text in texts(page, "dialog pre")))
    page.execute_script("document.getElementById('details').close()")
    see(page, lambda: any("script" in text for text in texts(page, ".request .path")))
    assert page.execute_script("return [window.struck ?? null, document.querySelectorAll('main script, aside script, img[src=x]').length]"
                               ) == [None, 0]


def test_the_id_of_a_request_is_copied_and_found_again(page: Any, azure: testing.RunningLab) -> None:
    allow_clipboard(page, azure)
    status, _, headers = azure.arm("GET", "resourceGroups/nowhere")
    assert status == 404
    wanted = {name.lower(): value for name, value in headers.items()}["x-ms-request-id"]
    field = page.find_element(By.ID, "request-filter")
    field.send_keys(wanted)
    see(page, lambda: len(texts(page, ".request")) == 1)
    page.find_element(By.CSS_SELECTOR, ".request").click()
    see(page, lambda: "ResourceGroupNotFound" in texts(page, "dialog")[0])
    page.find_element(By.CSS_SELECTOR, "button[aria-label='Copy request id']").click()
    see(page, lambda: copied(page) == wanted)
    assert azure.token()[:20] not in page.page_source


def test_a_click_is_not_lost_when_the_list_goes_on_under_it(page: Any, azure: testing.RunningLab) -> None:
    """What is pressed stays the same element until it is released, whatever else comes; and it does what it did."""
    from selenium.webdriver import ActionChains
    azure.arm("GET", "resourceGroups/pressed")
    pressed = see(page, lambda: page.find_element(By.XPATH, "//button[contains(@class, 'request')][.//*[contains(text(), 'pressed')]]"))
    ActionChains(page).click_and_hold(pressed).perform()
    azure.arm("GET", "resourceGroups/came-after")
    see(page, lambda: "came-after" in texts(page, ".request .path")[0])
    ActionChains(page).move_to_element(pressed).release().perform()
    see(page, lambda: any("resourceGroups/pressed" in text for text in texts(page, "dialog .id")))


def test_a_fault_is_set_strikes_and_is_taken_back(page: Any, azure: testing.RunningLab) -> None:
    view(page, "conditions")
    see(page, lambda: page.find_element(By.CSS_SELECTOR, "textarea"))
    page.execute_script("document.querySelector('textarea').value = arguments[0]",
                        '{"method": "GET", "path": "resourceGroups/nowhere", "status": 503, "times": 0}')
    page.find_element(By.XPATH, "//button[text()='Add']").click()
    see(page, lambda: [text.strip() for text in texts(page, ".fault strong")] == ["GET"])
    remove = page.find_element(By.XPATH, "//button[text()='Remove']")
    assert azure.arm("GET", "resourceGroups/nowhere")[0] == 503
    see(page, lambda: "struck 1×" in texts(page, ".fault")[0])
    remove.click()
    see(page, lambda: texts(page, ".fault") == [])
    assert azure.arm("GET", "resourceGroups/nowhere")[0] == 404


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(page: Any, hosts: Group, scheme: str) -> None:
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                         {"width": PHONE[0], "height": PHONE[1], "deviceScaleFactor": 1, "mobile": True})
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    for name in ("lab", "resources", "machines", "operations", "conditions", "requests"):
        view(page, name)
        shown = {"resources": "main td", "machines": "main td", "requests": "aside .request"}.get(name, "main h2, main h3")
        see(page, lambda: texts(page, shown))  # noqa: B023 (called before the loop goes on)
        assert page.execute_script("return document.documentElement.scrollWidth") == PHONE[0], name
        assert all(width >= 100 for width in page.execute_script(
            "return [...document.querySelectorAll('main td')].map(e => e.clientWidth)")), f"{name}: columns are squeezed"
    assert contrast(page) >= 4.5


def contrast(driver: Any) -> float:
    """The lowest contrast of text to its ground among what is visible (WCAG 2.2, 1.4.3: 4.5 at least).
    https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    return float(driver.execute_script("""
      const part = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
      const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
      const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
      const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
      return Math.min(...[...document.querySelectorAll("body *")].filter((e) => e.offsetParent && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).map((e) => {
        const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); }));"""))


def test_the_keyboard_reaches_everything(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys
    page.find_element(By.ID, "tab-lab").send_keys(Keys.ARROW_RIGHT)
    see(page, lambda: page.switch_to.active_element.get_attribute("id") == "tab-resources")
    page.switch_to.active_element.send_keys("/")
    see(page, lambda: page.switch_to.active_element.get_attribute("type") == "search")
    assert page.execute_script("return location.hash") == "#resources"


def test_another_site_reads_nothing(driver: Any, azure: testing.RunningLab) -> None:
    """The same server under another name, as after DNS rebinding: the browser sends that name as Host.

    Not by the fixture `page`: the browser says on the console that it was refused, of the page at once and of its icon some time later.
    """
    driver.get(f"http://localtest.localhost:{azure.settings.admin_port}/page/")
    assert "answers local programs only" in driver.page_source
