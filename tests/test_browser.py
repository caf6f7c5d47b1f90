"""The site in a real browser: every page at a desk and on a telephone, by day and by night.

Needs the extra `browser` and Debian's chromium and chromium-driver, or others of these names;
without them the tests are skipped, unless NUMPYCNN_BROWSER is "required".
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

ROOT = Path(__file__).parent.parent
REQUIRED = os.environ.get("NUMPYCNN_BROWSER") == "required"
DESK, TELEPHONE = 1280, 390  # pixels
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
    --disable-background-networking --disable-component-update --allow-file-access-from-files"""
PAGES = sorted(
    path.relative_to(ROOT).with_suffix(".html").as_posix()
    for pattern in ("*.md", "docs/*.md", "numpycnn/**/*.py", "examples/*.py")
    for path in ROOT.glob(pattern)
)

try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support import expected_conditions
    from selenium.webdriver.support.wait import WebDriverWait
except ModuleNotFoundError as error:
    if REQUIRED:
        raise
    pytest.skip(
        f"no {error.name}: python -m pip install -e '.[browser]'",
        allow_module_level=True,
    )
if not (shutil.which("chromium") and shutil.which("chromedriver")):
    message = "no browser: install chromium and chromedriver, on Debian chromium-driver"
    if REQUIRED:
        raise RuntimeError(message)
    pytest.skip(message, allow_module_level=True)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of this project's own site, built without a warning."""
    folder = tmp_path_factory.mktemp("site")
    options = ["-q", "-W", "-n", "--keep-going", "-c", ROOT / "docs", "-d", folder / "cache"]
    subprocess.run([sys.executable, "-m", "sphinx", *options, ROOT, folder / "html"], check=True)
    return folder / "html"


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium without a window, which keeps a list of what it fetches and complains of."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with webdriver.Chrome(options, service) as driver:
        yield driver


def visit(browser, address, width, scheme="light"):
    """Open a page in a window of this width, with everything unfolded."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    for kind in ("browser", "performance"):
        browser.get_log(kind)  # what was logged before
    browser.get(address)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")


def fetched(browser):
    """The addresses of everything the page asked for."""
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


# What is true of every page
# --------------------------

LOOK = """
const text = document.querySelector('article').cloneNode(true);
text.querySelectorAll('pre, code, math').forEach(e => e.remove());
return {
    width: document.documentElement.scrollWidth,
    formulas: [...document.querySelectorAll('article math')].filter(
        m => m.getBoundingClientRect().height < 5).map(m => m.textContent),
    images: [...document.images].filter(i => !i.naturalWidth).map(i => i.src),
    mute: [...document.images].filter(i => !i.alt.trim()).map(i => i.src),
    tex: text.textContent.match(/\\\\[a-zA-Z]+|\\${1,2}[^ \\d]/g) || [],
    heading: document.querySelectorAll('h1').length,
    unreachable: [...document.querySelectorAll('a[href]')].filter(
        a => a.tabIndex < 0 || a.closest('[inert]')).map(a => a.href),
}
"""


@pytest.mark.parametrize("width", [DESK, TELEPHONE])
@pytest.mark.parametrize("page", PAGES)
def test_a_page(browser, site, page, width):
    visit(browser, (site / page).as_uri(), width)
    seen = browser.execute_script(LOOK)
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    assert {urlsplit(address).scheme for address in fetched(browser)} <= {"file", "data"}
    assert seen["width"] <= width
    assert seen["formulas"] == []
    assert seen["images"] == []
    assert seen["mute"] == []
    assert seen["tex"] == []
    assert seen["heading"] == 1
    assert seen["unreachable"] == []


# Contrast, as the Web Content Accessibility Guidelines 2.1 define it (1.4.3): the ratio of
# the brighter to the darker of letter and ground, at least 4.5, or 3 for large letters.

CONTRAST = """
const channels = c => c.match(/[\\d.]+/g).map(Number);
const linear = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = c => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
function ground(e) {
    for (; e; e = e.parentElement) {
        const c = channels(getComputedStyle(e).backgroundColor);
        if (c.length < 4 || c[3] > 0.99) return c;
    }
    return [255, 255, 255];
}
const pale = new Set();
const walker = document.createTreeWalker(document.querySelector('.content'), NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, style = getComputedStyle(e);
    const hidden = !e.getClientRects().length || style.opacity < 0.1
        || style.visibility === 'hidden' || e.closest('svg, .headerlink');
    if (hidden || !walker.currentNode.textContent.trim()) continue;
    const [a, b] = [light(channels(style.color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5))
        pale.add(`${e.className || e.tagName} ${style.color} ${ratio.toFixed(1)}`);
}
return [getComputedStyle(document.body).backgroundColor, [...pale]];
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_the_letters_stand_out(browser, site, page, scheme):
    visit(browser, (site / page).as_uri(), DESK, scheme)
    ground, pale = browser.execute_script(CONTRAST)
    brightness = int(re.search(r"\d+", ground)[0])
    assert brightness > 200 if scheme == "light" else brightness < 60
    assert pale == []


# Links
# -----


def test_every_link_leads_somewhere(browser, site):
    links = "return [...document.querySelectorAll('a[href]')].map(a => a.href)"
    anchors = "return [...document.querySelectorAll('[id]')].map(e => e.id)"
    pages, targets = {}, {}
    for path in sorted(site.rglob("*.html")):
        if path.name != "index.html":  # which leads to README.html at once
            visit(browser, path.as_uri(), DESK)
            targets[path] = {link for link in browser.execute_script(links) if "file:" in link}
            pages[path] = set(browser.execute_script(anchors))
    dead = []
    for path, found in targets.items():
        for link in found:
            address, anchor = urldefrag(link)
            file = Path(unquote(urlsplit(address).path))
            if not file.is_file() or (anchor and unquote(anchor) not in pages.get(file, {anchor})):
                dead.append((path.name, link))
    assert len(pages) >= len(PAGES)
    assert dead == []


def test_the_first_page_is_the_readme(browser, site):
    visit(browser, (site / "index.html").as_uri(), DESK)
    # The browser goes on to that page by itself, and is not always there at once.
    WebDriverWait(browser, 20).until(lambda browser: browser.current_url.endswith("README.html"))
    WebDriverWait(browser, 20).until(lambda browser: browser.find_elements(By.TAG_NAME, "h1"))
    assert "numpycnn" in browser.find_element(By.TAG_NAME, "h1").text


@pytest.mark.parametrize("page", ["README.html", "docs/02-convolution.html"])
def test_the_tab_key_reaches_every_link(browser, site, page):
    visit(browser, (site / page).as_uri(), DESK)
    links = browser.execute_script(
        "return [...document.querySelectorAll('a[href]')]"
        ".filter(a => a.checkVisibility({checkVisibilityCSS: true})).map(a => a.href)"
    )
    body = browser.find_element(By.TAG_NAME, "body")
    browser.execute_script(
        "window.reached = new Set();"
        "document.addEventListener('focusin', e => window.reached.add(e.target.href))"
    )
    body.send_keys(Keys.TAB * (3 * len(links)))
    reached = set(browser.execute_script("return [...window.reached]"))
    assert len(links) > 30
    assert set(links) - reached == set()


def test_the_search_finds_a_layer(browser, site):
    visit(browser, (site / "search.html").as_uri() + "?q=maxpool", DESK)
    result = (By.CSS_SELECTOR, "#search-results a[href$='layers/maxpool1d.html']")
    assert WebDriverWait(browser, timeout=10).until(
        expected_conditions.presence_of_element_located(result)
    )
