"""The site in a real browser: every page at a desk and on a telephone, by day and by night.

Needs the extra `browser` and Debian's chromium and chromium-driver, or others of these names;
without them the tests are skipped, unless NUMPYCNN_BROWSER is "required".
"""

# ruff: noqa: E402  (modules are imported after the question whether they are there)

import importlib
import os
import re
import time
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urlsplit

import chromium
import numpy as np
import pytest
from corpora.queries import MISSPELLED, QUERIES

import numpycnn as nn
from numpycnn.checks import bugs
from numpycnn.checks.matrix import as_matrix
from numpycnn.inspection.explain import receptive_fields

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path.relative_to(ROOT).with_suffix(".html").as_posix()
    for pattern in ("*.md", "docs/*/*.md", "numpycnn/**/*.py", "examples/*.py")
    for path in ROOT.glob(pattern)
    if "course" not in path.parts and path.stem != "__main__"  # which are no pages
)
PAGES = ["index.html", *PAGES, "search.html"]

chromium.unless_there(os.environ.get("NUMPYCNN_BROWSER") == "required")

import axe_core_python
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from docs import living
from docs.builder import front
from docs.builder.browser import (
    DESK,
    ON_PAGE,
    TELEPHONE,
    Shown,
    built,
    complaints,
    requests,
    resize,
    start_browser,
    visit,
)
from docs.living import (
    backpropagation_circuit,
    drag_the_arrival,
    hover_a_gradient,
    narrow_valley,
    one_training_step,
    predict_then_reveal,
    v_curve,
    what_does_it_see,
)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of this project's own site, built without a warning."""
    return built(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium without a window, which keeps a list of what it fetches and complains of."""
    with start_browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


# What is true of every page
# --------------------------
# To open pages is what takes the time here. So each is opened once, at a desk by day; then
# evening comes, and the window becomes that of a telephone. What was seen is kept for all tests.


class Seen(NamedTuple):
    """A page as a reader sees it."""

    looks: dict  # by the width of the window
    letters: dict  # by day and by night
    links: set
    anchors: set
    weight: int  # of the page and all that it fetches, in bytes, when it was scrolled to its end
    schemes: set
    complaints: list


LOOK = """
const text = document.querySelector('article').cloneNode(true);
text.querySelectorAll('pre, code, math').forEach(e => e.remove());
return {
    window: innerWidth,
    width: document.documentElement.scrollWidth,
    formulas: [...document.querySelectorAll('article math')].filter(
        m => m.getBoundingClientRect().height < 5).map(m => m.textContent),
    images: [...document.images].filter(i => !i.naturalWidth).map(i => i.src),
    mute: [...document.images].filter(i => !i.alt.trim()
        && !i.closest('a')?.textContent.trim()).map(i => i.src),
    tex: text.textContent.match(/\\\\[a-zA-Z]+|\\${1,2}[^ \\d]/g) || [],
    heading: document.querySelectorAll('h1').length,
    unreachable: [...document.querySelectorAll('a[href]')].filter(
        a => a.tabIndex < 0 || a.closest('[inert]')).map(a => a.href),
}
"""
ALL_IMAGES = """
const done = arguments[0], images = [...document.images];
images.forEach(image => { image.loading = 'eager'; });
Promise.allSettled(images.map(image => image.decode())).then(() => done());
"""
LINKS = "return [...document.querySelectorAll('a[href]')].map(a => a.href)"
ANCHORS = "return [...document.querySelectorAll('[id]')].map(e => e.id)"


@pytest.fixture(scope="session")
def seen(browser, site):
    @cache
    def look_at(page):
        visit(browser, (site / page).as_uri(), DESK, "light")
        browser.execute_script(chromium.AT_ONCE)
        browser.execute_async_script(ALL_IMAGES)
        addresses = {urlsplit(address) for address in requests(browser)}
        paths = {Path(unquote(address.path)) for address in addresses}
        weight = sum(path.stat().st_size for path in paths if path.is_file())
        looks = {DESK: browser.execute_script(LOOK)}
        for width in 768, 1440:
            resize(browser, width, "light")
            looks[width] = browser.execute_script(LOOK)
        resize(browser, DESK, "light")
        letters = {"light": browser.execute_script(chromium.CONTRAST)}
        links, anchors = (set(browser.execute_script(script)) for script in (LINKS, ANCHORS))
        resize(browser, DESK, "dark")
        letters["dark"] = browser.execute_script(chromium.CONTRAST)
        resize(browser, TELEPHONE, "dark")
        looks[TELEPHONE] = browser.execute_script(LOOK)
        addresses |= {urlsplit(address) for address in requests(browser)}
        schemes = {address.scheme for address in addresses}
        return Seen(looks, letters, links, anchors, weight, schemes, complaints(browser))

    return look_at


FAULTS = "formulas", "images", "mute", "tex", "unreachable"


@pytest.mark.parametrize("page", PAGES)
def test_a_page(seen, page):
    """Complete, no wider than its window, without complaints or strangers, and legible."""
    found = seen(page)
    for width, look in found.looks.items():
        assert look["window"] == width >= look["width"]
        assert look["heading"] == 1
        assert [look[fault] for fault in FAULTS if look[fault]] == []
    assert found.complaints == []
    assert found.schemes <= {"file", "data"}
    assert found.weight < 600_000
    for scheme, (ground, pale) in found.letters.items():
        assert (int(re.search(r"\d+", ground)[0]) > 128) == (scheme == "light")
        assert pale == []


# Accessibility, as axe-core sees it: on ten pages of every kind, and on all with `-m long`.
# Contrast is measured above on all of them; axe-core takes four times as long for that as for
# everything else, so it does it only in the long run.

KINDS = [
    "index.html",
    "search.html",
    "README.html",
    "docs/1-evening/2-convolution.html",
    "docs/1-evening/3-relu-and-pooling.html",
    "docs/1-evening/7-training.html",
    "docs/1-evening/8-checking-gradients.html",
    "docs/reference/glossary.html",
    "numpycnn/training/adam.html",
    "examples/one_page.html",
]
AXE = """
const rules = {'color-contrast': {enabled: arguments[0]}}, done = arguments[1];
axe.run(document, {resultTypes: ['violations'], rules}).then(found => done(
    found.violations.map(v => [v.id, v.nodes.slice(0, 3).map(n => n.target.join(' '))])));
"""


def violations(browser, site, page, width, scheme, contrast):
    visit(browser, (site / page).as_uri(), width, scheme)
    browser.set_script_timeout(300)
    browser.execute_script((Path(axe_core_python.__file__).parent / "axe.min.js").read_text())
    return browser.execute_async_script(AXE, contrast)


@pytest.mark.parametrize("page", KINDS)
def test_axe_finds_nothing(browser, site, page):
    how = ((DESK, "light"), (TELEPHONE, "dark"))[KINDS.index(page) % 2]
    assert violations(browser, site, page, *how, contrast=False) == []


@pytest.mark.long
@pytest.mark.parametrize("width", [DESK, TELEPHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_on_any_page(browser, site, page, width, scheme):
    assert violations(browser, site, page, width, scheme, contrast=width == DESK) == []


# Links
# -----


def test_every_link_leads_somewhere(seen, site):
    paths = [
        path
        for path in site.rglob("*.html")  # the pages of the puzzles are all alike
        if path.parent != site / "puzzles" or path.stem in ("index", "average_pool")
    ]
    paths.remove(site / "404.html")  # a server shows it at any address: its links begin with /
    paths = [path for path in paths if 'http-equiv="refresh"' not in path.read_text("utf-8")]
    pages = {path: seen(path.relative_to(site).as_posix()) for path in paths}
    dead = []
    for path, page in pages.items():
        for link in (link for link in page.links if "file:" in link):
            address, anchor = urldefrag(link)
            file = Path(unquote(urlsplit(address).path))
            anchors = pages[file].anchors if file in pages else {anchor}
            if not file.is_file() or (anchor and unquote(anchor) not in anchors):
                dead.append((path.name, link))
    assert len(pages) >= len(PAGES)
    assert dead == []


def test_the_front_page_leads_on_in_three_ways_and_shows_six_pictures(browser, site):
    visit(browser, (site / "index.html").as_uri(), DESK)
    ways = browser.find_elements(By.CSS_SELECTOR, ".ways a")
    addresses = [way.get_attribute("href").removeprefix(site.as_uri() + "/") for way in ways]
    assert addresses[0] == "docs/1-evening/1-the-problem.html"
    assert all((site / address).is_file() for address in addresses)
    assert len(addresses) == 3
    button = browser.find_element(By.CSS_SELECTOR, "figure button")
    assert button.rect["y"] + button.rect["height"] < 700
    assert len(browser.find_elements(By.CSS_SELECTOR, ".cards img")) == len(front.CARDS) == 6
    assert nn.__version__ in browser.find_element(By.CSS_SELECTOR, ".colophon").text


def test_the_code_of_the_front_page_runs_and_learns(capsys):
    assert len(front.LINES.splitlines()) == 12
    exec(front.LINES, {})  # the lines are ours
    said = capsys.readouterr().out
    assert float(said.partition("traces: ")[2].split()[0]) > 0.9
    assert "INCORRECT" not in said


def test_the_tab_key_reaches_every_link(browser, site):
    visit(browser, (site / "docs/1-evening/2-convolution.html").as_uri(), DESK)
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


# Search
# ------


def first_three(browser, queries):
    """Return the addresses of the first three results of each query."""
    browser.set_script_timeout(300)
    return browser.execute_async_script(
        "const [queries, done] = arguments;"
        "search.load().then(() => done(queries.map(query => search.rank(query).slice(0, 3)"
        "  .map(entry => search.address(entry)))))",
        list(queries),
    )


@pytest.mark.parametrize("queries", [QUERIES, MISSPELLED], ids=["spelled", "misspelled"])
def test_the_search_finds_what_learners_look_for(browser, site, queries):
    visit(browser, (site / "search.html").as_uri(), DESK)
    if queries is MISSPELLED and not (site / "_static/minisearch.js").stat().st_size:
        pytest.skip("the site was built without MiniSearch, because npm was not available")
    found = dict(zip(queries, first_three(browser, queries), strict=True))
    wrong = {
        query: addresses
        for query, addresses in found.items()
        if not any(re.search(queries[query], address) for address in addresses)
    }
    assert wrong == {}
    assert len(QUERIES) + len(MISSPELLED) >= 60


def test_results_appear_while_the_reader_types_and_the_keys_go_through_them(browser, site):
    visit(browser, (site / "docs/1-evening/2-convolution.html").as_uri(), DESK)
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.CONTROL, "k")
    field = browser.switch_to.active_element
    field.send_keys("recep")
    results = wait_for(browser, "dialog.search .results a")
    assert any("eceptive" in mark.text for mark in browser.find_elements(By.TAG_NAME, "mark"))
    assert not re.search(r"\\[a-z]+|\$", browser.find_element(By.CSS_SELECTOR, ".results").text)
    target = results[1].get_attribute("href")
    field.send_keys(Keys.ARROW_DOWN, Keys.NULL)
    browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.current_url.partition("#")[0] == target.partition("#")[0]
    assert complaints(browser) == []


def test_the_search_page_answers_its_address_and_says_when_nothing_is_found(browser, site):
    visit(browser, (site / "search.html").as_uri() + "?q=saliency", DESK)
    assert wait_for(browser, ".results a")
    visit(browser, (site / "search.html").as_uri() + "?q=qqqxxzz", DESK)
    found = browser.find_element(By.ID, "found")
    for _ in range(100):
        if found.text:
            break
        time.sleep(0.1)
    assert found.text.startswith("Nothing was found")


def wait_for(browser, css):
    """Return the elements that this selector finds, as soon as there are any."""
    for _ in range(100):
        if elements := browser.find_elements(By.CSS_SELECTOR, css):
            return elements
        time.sleep(0.1)
    raise AssertionError(f"no {css}")


# Reading
# -------

LETTERS = """
// The letters of each full line: where the vertical position of a letter changes, a line ends.
const lines = [];
const long = p => !p.querySelector('math') && p.textContent.length > 250;
for (const p of [...document.querySelectorAll('article p')].filter(long).slice(0, 6)) {
  const walker = document.createTreeWalker(p, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  let bottom = null, count = 0;
  while (walker.nextNode()) for (let at = 0; at < walker.currentNode.length; at++) {
    range.setStart(walker.currentNode, at);
    range.setEnd(walker.currentNode, at + 1);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    if (bottom !== null && box.top > bottom - 4) { lines.push(count); count = 0; }
    bottom = box.bottom;
    count += 1;
  }
}
const all = css => [...document.querySelectorAll(css)];
const right = css => Math.max(...all(css).map(e => e.getBoundingClientRect().right));
return {lines, edges: [right('article p'), right('article .highlight')]};
"""


@pytest.mark.parametrize("width", [1280, 1440])
def test_lines_have_about_seventy_letters_and_code_ends_where_they_do(browser, site, width):
    visit(browser, (site / "docs/1-evening/1-the-problem.html").as_uri(), width)
    found = browser.execute_script(LETTERS)
    assert len(found["lines"]) > 8
    assert 64 <= np.mean(found["lines"]) <= 73
    assert found["edges"][0] == pytest.approx(found["edges"][1], abs=2)
    assert browser.find_element(By.CSS_SELECTOR, ".toc-tree").is_displayed()


def test_a_chapter_says_where_it_is_and_the_arrow_keys_turn_the_page(browser, site):
    address = (site / "docs/1-evening/2-convolution.html").as_uri()
    visit(browser, address, DESK)
    trail = browser.find_elements(By.CSS_SELECTOR, ".trail li")
    assert trail[0].text == "numpycnn"
    assert len(trail) == 3
    for place in ".trail", ".related-pages":
        links = browser.find_elements(By.CSS_SELECTOR, f"{place} a[href*='.html']")
        assert {"1-the-problem.html", "3-relu-and-pooling.html"} <= {
            link.get_attribute("href").rpartition("/")[2] for link in links
        }
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ARROW_RIGHT)
    assert browser.current_url.endswith("3-relu-and-pooling.html")
    wide = "[...document.querySelectorAll('pre')].find(p => p.tabIndex === 0)"
    visit(browser, address, TELEPHONE)
    browser.execute_script(f"{wide}.focus()")
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)  # which scrolls the code
    assert browser.current_url.endswith("2-convolution.html")


def test_on_a_telephone_code_can_be_copied_and_icons_do_not_touch(browser, site):
    visit(browser, (site / "docs/1-evening/2-convolution.html").as_uri(), TELEPHONE)
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "hover", "value": "none"}]}
    )
    button = browser.find_element(By.CSS_SELECTOR, ".highlight-python button.copybtn")
    assert float(button.value_of_css_property("opacity")) > 0 or not browser.execute_script(
        "return matchMedia('(hover: none)').matches"
    )
    assert min(button.size.values()) >= 24
    theme, contents = (
        browser.find_element(By.CSS_SELECTOR, f".header-right {css}").rect
        for css in (".theme-toggle", ".toc-header-icon")
    )
    assert contents["x"] - (theme["x"] + theme["width"]) >= 8


# On paper
# --------

PAPER = """
dispatchEvent(new Event('beforeprint'));
const wide = [...document.querySelectorAll('article pre')].filter(
    p => p.scrollWidth > p.clientWidth + 1).map(p => p.textContent.slice(0, 60));
const folded = document.querySelectorAll('article details:not([open])').length;
const shown = [...document.querySelectorAll('.skip-to-content, .copybtn, .controls, .trail')]
    .filter(e => e.checkVisibility()).map(e => e.className);
dispatchEvent(new Event('afterprint'));
return [wide, folded, shown, document.querySelectorAll('article details[open]').length];
"""


@pytest.mark.parametrize(
    "page", ["docs/1-evening/2-convolution.html", "numpycnn/layers/conv1d.html"]
)
def test_on_paper_all_is_unfolded_and_nothing_is_cut(browser, site, page):
    visit(browser, (site / page).as_uri(), 720)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = false)")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert browser.execute_script(PAPER) == [[], 0, [], 0]
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_a_dark_page_is_printed_with_dark_ink(browser, site):
    visit(browser, (site / ON_PAGE["v_curve"]).as_uri(), DESK)
    ink = (
        "return [getComputedStyle(document.querySelector('svg.living')).color,"
        " getComputedStyle(document.querySelector('img.drawing')).colorScheme]"
    )
    browser.execute_script("document.body.dataset.theme = 'dark'")
    dark = browser.execute_script(ink)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert dark == ["rgb(236, 236, 236)", "dark"]
        assert browser.execute_script(ink) == ["rgb(26, 26, 26)", "light"]
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


# Figures that answer
# -------------------
# What a figure shows is read from its page as a reader sees it, and compared with the arrays of
# the package.


@pytest.fixture
def shown(browser, site):
    return lambda name: Shown(browser, site, name)


def test_every_figure_is_tried():
    assert sorted(ON_PAGE) == living.NAMES


@pytest.mark.parametrize("name", ON_PAGE)
def test_the_picture_is_that_of_the_figure_and_the_arrow_keys_move_it(browser, shown, name):
    """If it is not: `python -m docs.builder.browser`."""
    kept = (living.PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    number = r"-?\d+\.?\d*"
    figure = shown(name)
    drawn = figure.picture()
    assert re.sub(number, "#", drawn) == re.sub(number, "#", kept)
    positions = [np.array(re.findall(number, text), float) for text in (drawn, kept)]
    # Training elsewhere may differ a little, and how the smallest steps are rounded by more.
    assert np.quantile(np.abs(positions[0] - positions[1]), 0.98) <= 2
    for slider in figure.root.find_elements(By.CSS_SELECTOR, "input[type=range]"):
        before = figure.picture(), slider.get_attribute("aria-valuetext")
        is_at_end = slider.get_property("value") == slider.get_attribute("max")
        slider.send_keys(*2 * [Keys.ARROW_LEFT if is_at_end else Keys.ARROW_RIGHT])
        assert (figure.picture(), slider.get_attribute("aria-valuetext")) != before
    assert complaints(browser) == []


@pytest.mark.parametrize("width", [DESK, TELEPHONE])
@pytest.mark.parametrize("name", ON_PAGE)
def test_the_words_of_a_figure_can_be_read_and_its_controls_be_hit(browser, shown, name, width):
    figure = shown(name)
    resize(browser, width, "light")
    found = figure.run(chromium.SIZES)
    assert found["letters"] >= 13
    assert found["targets"] >= 24
    assert found["outside"] == []


@pytest.mark.parametrize("name", ON_PAGE)
def test_a_figure_has_a_number_and_a_task_and_its_state_is_in_the_address(browser, shown, name):
    figure = shown(name)
    caption = figure.root.find_element(By.TAG_NAME, "figcaption").text
    assert re.match(r"Figure (\d+\.)?\d+\. ", caption)
    assert f"Task: {importlib.import_module(f'docs.living.{name}').TASK}" in caption
    assert name not in browser.current_url
    slider = figure.root.find_element(By.CSS_SELECTOR, "input[type=range]")
    slider.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    told, values = figure.answer, slider.get_attribute("value")
    for _ in range(50):
        if f"{name}=" in browser.current_url:
            break
        time.sleep(0.1)
    address = browser.current_url
    browser.get("about:blank")
    browser.get(address)  # which is what another reader opens
    again = browser.find_element(By.CSS_SELECTOR, f"figure[data-living={name}]")
    assert again.find_element(By.CSS_SELECTOR, "input[type=range]").get_attribute("value") == values
    assert again.find_element(By.CSS_SELECTOR, ".answer").text == told
    resize(browser, TELEPHONE, "light")
    assert again.find_element(By.CSS_SELECTOR, "input[type=range]").get_attribute("value") == values
    groups = again.find_elements(By.TAG_NAME, "fieldset")
    assert all(group.find_elements(By.CSS_SELECTOR, ":checked") for group in groups)


@pytest.mark.parametrize(
    ("name", "slider"),
    [("drag_the_arrival", "drag the arrival to sample"), ("narrow_valley", "start a")],
)
def test_what_is_dragged_follows_the_pointer_out_of_the_figure(browser, shown, name, slider):
    figure = shown(name)
    svg = figure.root.find_element(By.TAG_NAME, "svg")
    browser.execute_script(
        "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", svg
    )
    box = browser.execute_script("return arguments[0].getBoundingClientRect().toJSON()", svg)
    read = (
        "for (const label of root.querySelectorAll('label')) {"
        "  if (label.firstChild.textContent === arguments[1])"
        "    return +label.querySelector('input')[arguments[2]]; }"
    )
    mouse = {"button": "left", "buttons": 1, "clickCount": 1}
    middle = box["x"] + box["width"] / 3, box["y"] + 60
    found = []
    for kind, (x, y) in (
        ("mousePressed", middle),
        ("mouseMoved", (middle[0] - 60, middle[1])),
        ("mouseMoved", (box["x"] - 80, middle[1])),  # left of the figure
        ("mouseReleased", (box["x"] - 80, middle[1])),
    ):
        event = {"type": kind, "x": x, "y": y, **mouse}
        browser.execute_cdp_cmd("Input.dispatchMouseEvent", event)
        found.append(figure.run(read, slider, "value"))
    assert found[0] > found[1] > found[2]
    assert found[2] == figure.run(read, slider, "min")


def test_without_scripts_the_picture_stands(browser, site):
    name = "drag_the_arrival"
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get((site / ON_PAGE[name]).as_uri())
        picture = browser.find_element(By.CSS_SELECTOR, f"figure[data-living={name}] > img")
        assert picture.rect["width"] > 500
        assert not browser.find_elements(By.CSS_SELECTOR, "figure.living input")
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_an_arrival_is_dragged_through_what_the_networks_make_of_it(shown):
    figure = shown("drag_the_arrival")
    models = {head: drag_the_arrival.trained(head) for head in drag_the_arrival.HEADS}
    answers = set()
    for head, sign, center in (
        ("flatten", 1, 5),
        ("flatten", 2, 60),
        ("global", 2, 5),
        ("global", 1, 32),
    ):
        figure.choose(f"{head} head")
        figure.choose("positive" if sign == 1 else "negative")
        figure.set("drag the arrival to sample", center)
        x = drag_the_arrival.trace(center, sign)
        seen = drag_the_arrival.look(models[head], x)
        everywhere = np.concatenate(
            [drag_the_arrival.trace(c, s) for s in (1, 2) for c in drag_the_arrival.CENTERS]
        )
        loudest = float(np.abs(everywhere).max())
        scale = {
            name: float(np.abs(a).max())
            for name, a in drag_the_arrival.look(models[head], everywhere).items()
        }
        trace = (72 - figure.heights("path.curve")) / 0.36 / 127 * loudest
        assert trace == pytest.approx(x.ravel(), abs=0.01 * loudest)
        for at, values in enumerate(seen["maps"][0]):
            drawn = (
                (163 + at * 12.5 - figure.heights("path.filled", at)) / 0.12 / 127 * scale["maps"]
            )
            assert drawn[:64] == pytest.approx(values, abs=0.02 * scale["maps"])
        gradient = (302 - figure.heights("path.other")[:64]) / 0.2 / 127 * scale["saliency"]
        assert gradient == pytest.approx(seen["saliency"][0], abs=0.02 * scale["saliency"])
        chances = figure.run(
            "return [...root.querySelectorAll('svg .number')].map(e => +e.textContent)"
        )
        assert chances == pytest.approx(seen["chances"][0], abs=0.02)
        answers.add(figure.answer.rpartition(": ")[2])
    assert answers == {"correct.", "the opposite."}
    figure.set("drag the arrival to sample", -8)  # where nothing of it is in the trace
    assert "outside the trace" in figure.answer
    assert figure.answer.endswith("Quiet: correct.")


@pytest.mark.parametrize(
    ("taps", "stride", "dilation", "zeros"),
    [(3, 1, 1, 1), (5, 2, 1, 2), (2, 3, 3, 0), (1, 1, 1, 2)],
)
def test_a_gradient_is_that_of_the_layer(shown, taps, stride, dilation, zeros):
    figure = shown("hover_a_gradient")
    options = {"taps": taps, "stride": stride, "dilation": dilation, "zeros at each end": zeros}
    for slider, value in options.items():
        figure.set(slider, value)
    layer = nn.Conv1D(1, 1, taps, stride=stride, dilation=dilation, padding=zeros).astype(float)
    layer.params["w"][:, 0, 0] = hover_a_gradient.W[:taps]
    y, cache = layer.forward(np.array(hover_a_gradient.X, float)[None, :, None])
    dy = np.array(hover_a_gradient.DY[: y.size], float).reshape(y.shape)
    dx, grads = layer.backward(dy, cache)
    said = []
    for at in range(y.size + dx.size + taps):  # then the factors, which say where they are used
        figure.set("look at", at)
        said.append(figure.answer)
    arrays = {"y": y, "dx": dx, "dw": grads["w"]}
    expected = [(name, at, v) for name, a in arrays.items() for at, v in enumerate(a.ravel())]
    for (name, at, value), sentence in zip(expected, said, strict=True):
        assert sentence.startswith(f"{name}[{at}] = ")
        assert float(sentence.rpartition("= ")[2]) == value
    matrix = as_matrix(layer, (1, 8, 1))
    lit = figure.run("return root.querySelectorAll('svg .lit').length")
    assert lit >= np.count_nonzero(matrix) // taps


def test_a_training_step_shows_the_numbers_of_the_package(shown):
    figure = shown("one_training_step")
    visible = (
        "return [...root.querySelectorAll('svg text.number')]"
        ".filter(e => e.style.visibility !== 'hidden').map(e => e.textContent)"
    )
    numbers = one_training_step.numbers()
    for step, n_shown in (0, 5), (5, 10), (len(one_training_step.STEPS) - 1, len(numbers)):
        figure.set("step", step)
        rows = [[float(n) for n in row.split()] for row in figure.run(visible)]
        assert len(rows) == n_shown
        assert all(any(row == pytest.approx(a.ravel(), abs=6e-3) for a in numbers.values()
                       if a.size == len(row)) for row in rows)  # fmt: skip
    assert numbers["new loss"] < numbers["loss"]


def test_the_circuit_shows_the_values_and_gradients_of_the_chapter_and_of_other_inputs(shown):
    figure = shown("backpropagation_circuit")
    texts = "return [...root.querySelectorAll('svg .ahead, svg .back')].map(e => e.textContent)"
    for changed in {}, {"x1": 3.5, "b": 0.5}, {"w": -2}:
        inputs = backpropagation_circuit.START | changed
        for name, value in inputs.items():
            figure.set(name, value)
        pairs = [text.replace("\N{MINUS SIGN}", "-").split(" = ") for text in figure.run(texts)]
        found = {name: float(number) for name, number in pairs}
        values = backpropagation_circuit.values(inputs)
        assert {name: found[name] for name in values} == pytest.approx(values, abs=5e-4)
        for name, value in inputs.items():
            h = 1e-6
            more = backpropagation_circuit.values(inputs | {name: value + h})["loss"]
            less = backpropagation_circuit.values(inputs | {name: value - h})["loss"]
            assert found[f"d{name}"] == pytest.approx((more - less) / (2 * h), abs=2e-3)


@pytest.mark.parametrize("name", narrow_valley.OPTIMIZERS)
def test_the_path_through_the_valley_is_that_of_the_optimizer(shown, name):
    figure = shown("narrow_valley")
    figure.choose(name)
    for start in narrow_valley.START, (4.0, -0.5):
        for axis, value in zip("ab", start, strict=True):
            figure.set(f"start {axis}", value)
        u, v = narrow_valley.path(name, narrow_valley.OPTIMIZERS[name], start)[-1]
        said = [float(number) for number in re.findall(r"[ab] = (-?[\d.]+\d)", figure.answer)]
        assert said == pytest.approx([u, v], abs=6e-4)


def test_a_bug_is_revealed_with_its_report(shown):
    figure = shown("predict_then_reveal")
    report = figure.root.find_element(By.TAG_NAME, "pre")
    for at, (name, accuracy) in enumerate(predict_then_reveal.ACCURACIES.items()):
        figure.set("bug", at)
        assert not report.is_displayed()
        figure.run("root.querySelector('button').click()")
        assert report.is_displayed()
        assert bugs.PLANTED_BUGS[name].mistake in figure.root.find_element(By.TAG_NAME, "svg").text
        assert f"It reaches {accuracy:.3f}" in figure.answer
        assert f"of {at + 1}." in figure.answer  # the score
        assert "INCORRECT" in report.text
        wrong = predict_then_reveal.wrong(report.text)
        assert all(name in figure.answer.partition("you chose")[0] for name in wrong)
    assert any(one["wrong"] for one in predict_then_reveal.data())


@pytest.mark.long
@pytest.mark.parametrize("name", predict_then_reveal.ACCURACIES)
def test_a_bug_still_costs_what_is_said(name):
    with np.errstate(all="ignore"):
        found = [bugs.held_out_accuracy(bugs.PLANTED_BUGS[name], seed) for seed in bugs.SEEDS]
    assert np.mean(found) == pytest.approx(predict_then_reveal.ACCURACIES[name], abs=0.03)


def test_nothing_moves_by_itself_where_motion_is_unwelcome(browser, shown):
    assert shown("training_played_back").root.find_elements(By.TAG_NAME, "button")
    still = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": still})
    browser.refresh()
    assert not browser.find_elements(By.CSS_SELECTOR, "[data-living=training_played_back] button")


def test_the_v_is_that_of_the_package(shown):
    figure = shown("v_curve")
    for kind, function, step in ("float64", "exp(x)", 20), ("float32", "sin(30 x)", 7):
        figure.choose(kind)
        figure.choose(function)
        figure.choose("show")  # the complex step
        figure.set("step", step)
        errors = v_curve.errors(*v_curve.FUNCTIONS[function], v_curve.TYPES[kind])[:, step]
        words = re.findall(r"(without error|off by \S+?)[,.] ", figure.answer)
        said = [
            float(word.removeprefix("off by ").replace("without error", "1e-17")) for word in words
        ]
        assert said == pytest.approx(np.maximum(errors, 1e-17), rel=0.1)


@pytest.mark.parametrize("stack", [(2, 6, 1, 0), (1, 1, 1, 1), (3, 6, 4, 2), (5, 0, 0, 0)])
def test_what_an_output_sees_is_its_receptive_field(shown, stack):
    figure = shown("what_does_it_see")
    for at, choice in enumerate(stack):
        figure.set(f"layer {at + 1}", choice)
    kinds = list(what_does_it_see.LAYERS.values())
    model = nn.Sequential(*(deepcopy(kinds[choice]) for choice in stack if choice))
    window = receptive_fields(model, what_does_it_see.N_SAMPLES)[-1].receptive_field
    for m in 0, 3, window.n_outputs - 1:
        figure.set("output", m)
        first, last = window.span(m)
        shared = max(0, window.size - window.stride)
        assert (
            f"Output {m} (counted from 0) depends on samples {first} to {last}: "
            f"a receptive field of {window.size}," in figure.answer
        )
        assert f"shares {shared} with" in figure.answer
