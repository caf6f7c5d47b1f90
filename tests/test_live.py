"""The site computes: blocks, puzzles, the checker and the playground, in Chromium or Firefox.

Needs the extra `browser`, Debian's chromium and chromium-driver, and the runtime; without them the
tests are skipped, unless NUMPYCNN_BROWSER is "required". NUMPYCNN_SITE names a site that is built.
NUMPYCNN_FIREFOX=1 takes Firefox instead of Chromium.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import chromium
import pytest

ROOT = Path(__file__).parent.parent
REQUIRED = os.environ.get("NUMPYCNN_BROWSER") == "required"
IN_FIREFOX = bool(os.environ.get("NUMPYCNN_FIREFOX"))
chromium.unless_there(REQUIRED)

import axe_core_python  # noqa: E402
from selenium.webdriver import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.select import Select  # noqa: E402

from docs.builder import runtime  # noqa: E402
from docs.live import playground, puzzles  # noqa: E402
from numpycnn.puzzles.folder import Folder  # noqa: E402
from numpycnn.puzzles.grader import judge  # noqa: E402
from numpycnn.puzzles.puzzle import find  # noqa: E402

if IN_FIREFOX:
    from firefox import complaints, requests, start_browser
else:
    from docs.builder.browser import complaints, requests, start_browser

# A page, as a test drives it
# ---------------------------

HELP = """
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const node = n => document.querySelector(`[data-live="${n}"]`);
const finish = async box => {
    const begin = performance.now();
    while (["loading", "running"].includes(box.dataset.state)) await sleep(5);
    return performance.now() - begin;
};
const press = (box, name) => box.querySelector(`button[data-${name}]`).click();
const run = async n => { press(node(n), "run"); return finish(node(n)); };
const output = n => node(n).querySelector("[data-output]");
const type = (area, text) => { area.value = text; area.dispatchEvent(new Event("input")); };
const area = n => node(n).querySelector("textarea");
const edit = (n, text) => { press(node(n), "edit"); type(area(n), text); };
const block = n => live.blocks[n - 1];
const stop = async n => {
    press(node(n), "run");
    while (!output(n).textContent.includes("begun")) await sleep(5);
    press(node(n), "run");
    return finish(node(n));
};
"""


CALL = """
const [script, given, done] = arguments;
window.eval(script).apply(null, given).then(
    value => done({value}), error => done({error: `${error} ${error.stack}`}));
"""


class Page:
    """A page of the site in the browser."""

    def __init__(self, browser, address):
        self.browser, self.address = browser, address

    def open(self, page):
        self.browser.get(f"{self.address}/{page}")
        return self

    def reuse(self, page):
        """Open a page, or reset its blocks if it is open, because Python takes seconds to start."""
        is_open = self.browser.current_url.partition("#")[0] == f"{self.address}/{page}"
        if not is_open or self.do("return live.kernel.request !== null"):
            return self.open(page)
        self.do("for (const {node} of live.blocks) press(node, 'reset')")
        return self

    def do(self, script, *arguments):
        """Run JavaScript that may wait, and return what it returns."""
        # evaluated in the page, whose `live` Firefox does not show to a script from outside
        function = f"(async function () {{{HELP}{script}}})"
        answer = self.browser.execute_async_script(CALL, function, arguments)
        assert "error" not in answer, answer["error"]
        return answer.get("value")

    def text(self, number):
        return self.do("return output(arguments[0]).textContent", number)

    def state(self, number):
        return self.do("return node(arguments[0]).dataset.state", number)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if ready := os.environ.get("NUMPYCNN_SITE"):
        folder = Path(ready).resolve()
        if not (folder / "_static/live").exists() and not REQUIRED:
            pytest.skip("the site was built without the runtime")
        return folder
    try:
        runtime.runtime()
    except runtime.RuntimeMissingError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("site")
    options = ["-q", "-W", "-n", "--keep-going", "-jauto", "-c", ROOT / "docs"]
    folders = ["-d", folder / "cache", ROOT, folder / "html"]
    command = [sys.executable, "-m", "sphinx", *options, *folders]
    subprocess.run(command, check=True, env=os.environ | {"NUMPYCNN_LIVE": "required"})
    return folder / "html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with start_browser(tmp_path_factory.mktemp("profile")) as driver:
        driver.set_script_timeout(300)
        yield driver


@pytest.fixture(scope="module")
def address(site):
    with chromium.served(site) as address:
        yield address


@pytest.fixture
def page(browser, address):
    """A browser without edits; in the end, no foreign request and an empty console."""
    requests(browser), complaints(browser)
    yield Page(browser, address)
    browser.execute_script("localStorage.clear()")
    fetched = requests(browser)
    assert not [url for url in fetched if not url.startswith((address, "blob:", "data:"))]
    # the way to say stop is a blob that is revoked, which the browser notes as not found
    assert not [text for text in complaints(browser) if not text.startswith("blob:")]


CHAPTER = "docs/1-evening/7-training.html"

# All pages
# ---------

# Contrast is measured by a script of ours, because axe-core takes four times as long for it as for
# everything else.
AXE = """
const rules = {"color-contrast": {enabled: false}};
return (await axe.run(document, {resultTypes: ["violations"], rules})).violations.map(
    one => [one.id, one.nodes.slice(0, 3).map(node => node.target.join(" "))])
"""
PAGES = [
    CHAPTER,
    "playground.html",
    "check.html",
    "puzzles/index.html",
    "puzzles/average_pool.html",
]


@pytest.mark.skipif(IN_FIREFOX, reason="Chromium shows a page as a telephone does")
def test_on_a_telephone_everything_fits_and_axe_finds_nothing(page):
    def emulate(scheme):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    axe = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
    metrics = {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        for name in PAGES:
            page.open(name).do(chromium.AT_ONCE)
            page.do("document.querySelectorAll('details').forEach(d => { d.open = true; })")
            assert page.do("return document.documentElement.scrollWidth") <= 390, name
            low = page.do("""
                const buttons = [...document.querySelectorAll(".live-bar button:not([hidden])")];
                return buttons.filter(one => one.getBoundingClientRect().height < 44).length""")
            assert low == 0, name
            page.browser.execute_script(axe)
            assert page.do(AXE) == [], name
            for scheme in "light", "dark":
                emulate(scheme)
                ground, pale = page.do(chromium.CONTRAST)
                assert (int(re.search(r"\d+", ground)[0]) > 128) == (scheme == "light")
                assert pale == [], name
        for name in "playground.html", "index.html":
            page.open(name)
            sizes = page.do(
                f"const root = document.querySelector('[data-playground]'); {chromium.SIZES}"
            )
            assert sizes["letters"] >= 13
            assert sizes["targets"] >= 24
            assert sizes["outside"] == []
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


# Blocks
# ------


def test_nothing_of_python_is_fetched_before_the_first_run(page):
    page.open(CHAPTER)
    loaded = page.do(
        "return performance.getEntriesByType('resource').map(e => [e.name, e.decodedBodySize])"
    )
    assert not [name for name, _ in loaded if "live/python" in name or "package.zip" in name]
    html = page.do("return (await (await fetch(location)).text()).length")
    assert html + sum(size for _, size in loaded) < 600_000


def test_a_block_runs_after_those_above_and_prints_what_the_page_shows(page):
    page.reuse(CHAPTER)
    page.do("await run(3)")
    printed = page.do("""return [1, 2, 3].map(n => [
        node(n).dataset.state,
        output(n).querySelector("pre")?.textContent.trim(),
        block(n).results(false).map(shown => shown.textContent.trim())[0],
    ])""")
    assert [state for state, *_ in printed] == ["done"] * 3
    assert [text for _, text, _ in printed] == [shown for *_, shown in printed]
    assert page.do("return block(3).results(false).every(shown => shown.hidden)")


def test_a_figure_is_drawn_and_reset_brings_back_the_pages(page):
    page.reuse(CHAPTER)
    number = page.do("""
        document.querySelectorAll("article details").forEach(fold => { fold.open = true; });
        const draws = one => one.results(true).some(shown => shown.matches("figure"));
        const {number} = live.blocks.find(draws);
        await run(number);
        return number""")
    image = "output(arguments[0]).querySelector('img')"
    assert page.do(f"await {image}.decode(); return {image}.naturalWidth", number) > 100
    hidden = "return block(arguments[0]).results(true).map(shown => shown.hidden)"
    assert all(page.do(hidden, number))
    page.do("press(node(arguments[0]), 'reset')", number)
    assert page.state(number) == "idle"
    assert not any(page.do(hidden, number))
    assert page.do("return output(arguments[0]).hidden", number)


def test_an_edit_by_keyboard_runs_and_survives_a_reload(page):
    page.reuse(CHAPTER)
    button = page.browser.find_elements(By.CSS_SELECTOR, "[data-edit]")[1]
    page.browser.execute_script(
        "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button
    )
    button.click()
    area = page.browser.switch_to.active_element
    assert area.tag_name == "textarea"
    area.send_keys(Keys.CONTROL, Keys.END)
    area.send_keys(Keys.NULL, Keys.ENTER, "for i in range(2):", Keys.ENTER, "print(i, 'mine')")
    area.send_keys(Keys.CONTROL, Keys.ENTER)
    page.do("await finish(node(2))")
    assert "0 mine\n1 mine" in page.text(2)
    area.send_keys(Keys.NULL, Keys.ESCAPE)
    assert page.browser.switch_to.active_element.text == "Run"
    area.send_keys(Keys.TAB)
    assert page.browser.switch_to.active_element.tag_name == "button"  # Tab leaves the editor

    page.do("live.store.set('ran', null)")  # so that Python does not start on the next page
    page.browser.refresh()
    assert "mine" in page.do("return node(2).querySelector('textarea').value")
    page.do("press(node(2), 'reset')")
    page.browser.refresh()
    assert page.do("return node(2).querySelector('textarea')") is None


def test_a_link_carries_an_edit_and_does_not_run_it(page):
    text = "print('ü <&>')\n"
    page.reuse(CHAPTER)
    packed = page.do("return live.toAddress(arguments[0])", text)
    page.browser.get("about:blank")
    page.open(f"{CHAPTER}#edit=1:{packed}")
    assert page.do("return node(1).querySelector('textarea').value") == text
    assert page.state(1) == "idle"
    page.do("await run(1)")
    assert "ü <&>" in page.text(1)


def test_an_error_shows_the_readers_lines_only(page):
    page.reuse(CHAPTER)
    code = "import numpycnn as nn\n\ndef mine():\n    nn.Dense(2, 3).forward('text')\n\nmine()"
    page.do("edit(1, arguments[0]); await run(1)", code)
    text = page.text(1)
    assert page.state(1) == "error"
    assert "block 1, line 6: mine()" in text
    assert "block 1, line 4: nn.Dense(2, 3).forward('text')" in text
    assert "Dense: x" in text
    assert "desk.py" not in text


def test_stop_keeps_variables_and_ends_what_does_not_react(page):
    page.reuse(CHAPTER)
    begun = "print('begun', flush=True)"
    page.do("edit(1, arguments[0])", f"kept = 42\n{begun}\nwhile True:\n    pass")
    milliseconds = page.do("return stop(1)")
    assert page.state(1) == "error"
    assert "Variables are kept" in page.text(1), milliseconds
    page.do("type(area(1), 'print(kept)'); await run(1)")
    assert "42" in page.text(1)

    page.do("type(area(1), arguments[0]); await stop(1)", f"import time\n{begun}\ntime.sleep(60)")
    assert "variables are lost" in page.text(1)
    page.do("type(area(1), 'print(6 * 7)'); await run(1)")
    assert "42" in page.text(1)


# Puzzles
# -------

SOME = ("slope", "max_pool", "bug_in_dense", "early_stopping")
ANSWER = """
const box = document.querySelector("[data-puzzle]");
type(box.querySelector("textarea"), arguments[0]);
press(box, "check");
await finish(box);
return [box.dataset.state, box.querySelector("[data-result]").innerText];
"""


def code_of(puzzle, answer):
    """The text of the editor with an answer in the gap."""
    given = puzzles.given(puzzle)
    start = puzzle.stub.index(given)
    end = len(puzzle.stub) - start - len(given)
    return puzzle.answered(answer)[start:-end]


def test_a_puzzle_is_judged_and_the_progress_is_kept(page):
    puzzle = find("softmax")
    page.open("puzzles/softmax.html")
    state, text = page.do(ANSWER, puzzles.given(puzzle))
    assert state == "open"
    assert "line 14" in text
    wrong = next(iter(puzzle.module.WRONG))
    state, text = page.do(ANSWER, code_of(puzzle, wrong))
    assert state == "incorrect"
    words = judge(puzzle, puzzle.answered(wrong)).text.partition("\n")[0]
    assert words.replace("`", "") in text
    loop = code_of(puzzle, puzzle.module.SOLUTION) + "\nwhile True:\n    pass\n"
    assert page.do("return live.puzzle.limit") == 10
    state, text = page.do("live.puzzle.limit = 2;" + ANSWER, loop)
    assert state == "incorrect"
    assert "2 seconds" in text
    state, text = page.do(ANSWER, code_of(puzzle, puzzle.module.SOLUTION))
    assert state == "correct"
    assert "Next:" in text
    assert puzzle.module.SOLUTION.splitlines()[0] in text

    # on the same page, since each page starts its own Python
    ask = "return live.kernel.ask('puzzles.judge', {name: arguments[0], code: arguments[1]})"
    for name in SOME:
        other = find(name)
        for answer, expected in (
            (other.module.SOLUTION, "correct"),
            (next(iter(other.module.WRONG)), "incorrect"),
        ):
            assert page.do(ask, name, code_of(other, answer))["status"] == expected

    page.open("puzzles/index.html")
    solved = page.do("""
        const links = [...document.querySelectorAll("li[data-state=correct] a")];
        return links.map(link => link.dataset.name)""")
    assert solved == ["softmax"]


def test_a_chapter_leads_to_the_page_of_its_first_puzzle(page):
    page.reuse(CHAPTER)
    link = page.browser.find_element(By.CSS_SELECTOR, "article p a[href*='puzzles/']")
    number = re.fullmatch(r"puzzles (\d+) and \d+", link.text)[1]
    assert link.get_attribute("href").endswith(f"/puzzles/{find(number).name}.html")


def test_the_progress_is_that_of_the_terminal(page, tmp_path):
    terminal = Folder(tmp_path / "puzzles")
    terminal.fill()
    terminal.note(find("tanh"), "correct")
    terminal.note(find("dense"), "incorrect")
    page.open("puzzles/index.html")
    file = page.browser.find_element(By.CSS_SELECTOR, "input[type=file]")
    file.send_keys(str(tmp_path / "puzzles" / "progress.json"))
    page.do("while (!document.querySelector('li[data-state=correct]')) await sleep(20)")
    progress = page.do("return live.progress.read()")
    assert (progress["correct"], progress["tried"]) == (["tanh"], ["dense", "tanh"])
    saved = page.do("""
        const blobs = [], make = URL.createObjectURL;
        URL.createObjectURL = blob => { blobs.push(blob); return make.call(URL, blob); };
        HTMLAnchorElement.prototype.click = () => {};
        document.querySelector("button[data-save]").click();
        return blobs[0].text()""")
    (tmp_path / "puzzles" / "progress.json").write_text(saved, encoding="utf-8")
    again = Folder(tmp_path / "puzzles")
    assert (again.correct, again.tried, again.bad) == ({"tanh"}, {"dense", "tanh"}, None)


# Check your own layer
# --------------------


def test_on_the_next_page_python_starts_before_the_first_run(page):
    page.open("puzzles/index.html").do("live.store.set('ran', true)")
    page.open("check.html")
    page.do("while (!live.kernel.ready) await sleep(20); await live.kernel.ready")


def test_an_own_layer_and_an_own_pair_are_checked(page):
    page.reuse("check.html")
    page.do("await run(2)")
    assert "Gradients of fwd: correct" in page.text(2)
    menu = Select(page.browser.find_element(By.TAG_NAME, "select"))
    menu.select_by_index(2)
    page.do("await run(1)")
    accuracy = float(re.search(r"accuracy on the test set: ([\d.]+)", page.text(1))[1])
    assert accuracy >= 0.97
    assert "INCORRECT" in page.text(1)
    mine = (
        "import numpy as np, numpycnn as nn\n"
        "class Double(nn.Layer):\n"
        "    def forward(self, x):\n        return 2 * x, None\n"
        "    def backward(self, dy, cache):\n        return dy, {}\n"
        "print(nn.check_gradients(Double(), np.arange(6.0).reshape(2, 3), rng=0))"
    )
    page.do("type(node(1).querySelector('textarea'), arguments[0]); await run(1)", mine)
    assert "Gradients of Double: INCORRECT" in page.text(1)
    assert "factor" in page.text(1)


# Playground
# ----------

TRAIN = """
const figure = document.querySelector("[data-playground]");
press(figure, "train");
while (figure.dataset.state !== "done") await sleep(20);
return figure.querySelector(".answer").textContent;
"""


def test_the_playground_trains_and_shows_what_the_network_makes_of_the_readers_traces(page):
    page.open("playground.html")
    drawn = "return document.querySelector('[data-playground] svg').innerHTML"
    before = page.do(drawn)
    told = page.do("document.querySelectorAll('[data-playground] summary')[0].click();" + TRAIN)
    assert "After 60 epochs" in told
    assert float(re.search(r"accuracy (\d+) %", told)[1]) >= 90
    assert page.do(drawn) != before

    far = """
        const {playground} = live;
        playground.position.value = arguments[0];
        playground.moved();
        while (playground.looking) await sleep(5);
        return playground.told.textContent"""
    assert "correct" in page.do(far, 32)
    assert "incorrect" in page.do(far, 2)

    page.do("document.querySelectorAll('[data-playground] input[type=radio]')[1].click()")
    svg = page.browser.find_element(By.CSS_SELECTOR, "[data-playground] svg")
    page.browser.execute_script(
        "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", svg
    )
    pen = ActionChains(page.browser).move_to_element_with_offset(svg, -200, -160)
    pen.click_and_hold().move_by_offset(60, -25).move_by_offset(60, 60).release().perform()
    page.do("while (live.playground.looking) await sleep(5)")
    assert "Your trace" in page.do("return live.playground.told.textContent")
    values = page.do("return live.playground.values")
    assert max(values) - min(values) > 0.3

    code = page.do("return live.blocks[0].code")
    assert code == playground.code_of(playground.SETTINGS)
    page.do("await run(1)")
    assert page.state(1) == "done"


# On the page of a source file
# --------------------------


def test_examples_of_docstrings_run_with_the_names_of_their_module(page):
    page.open("numpycnn/layers/conv1d.html")
    prompts = "return live.blocks.filter(one => one.prompts).map(one => one.number)"
    for number in page.do(prompts):
        page.do("await run(arguments[0])", number)
        shown = page.do("return block(arguments[0]).shown.textContent", number)
        assert page.state(number) == "done"
        printed = page.do("return output(arguments[0]).querySelector('pre').textContent", number)
        assert printed.strip() in shown


def test_a_changed_convolution_trains_and_is_checked(page):
    page.reuse("numpycnn/layers/conv1d.html")
    change = """
        const kernels = live.blocks.at(-1);
        kernels.editor.type(kernels.code.replace(arguments[0], arguments[1]));
        press(kernels.node, arguments[2]);
        await finish(kernels.node);
        return kernels.output.textContent"""
    swapped = ["dy @ w[k].T", "dy @ w[-1 - k].T"]
    text = page.do(change, *swapped, "check")
    assert "line that selects the fast kernels was removed" in text
    assert "INCORRECT" in text
    assert "reversed" in text
    text = page.do(change, *swapped[::-1], "check")
    assert "INCORRECT" not in text
    assert text.count("correct") >= 9
    text = page.do(change, "y += x", "y += oops", "run")
    assert "your code, line 6: y += oops" in text
    text = page.do(change, "y += oops", "y -= x", "run")
    assert "accuracy on the test set" in text
    page.do("press(live.blocks.at(-1).node, 'reset'); await run(1)")
    assert page.state(1) == "done"


# From a disk
# -----------


def test_from_a_disk_it_runs_as_well(browser, site):
    page = Page(browser, site.as_uri()).open(CHAPTER)
    page.do("await run(1)")
    assert page.state(1) == "done"
    draw = "from matplotlib.figure import Figure\nempty = Figure()"
    page.do("edit(1, arguments[0]); await run(1)", draw)
    assert page.do("return output(1).querySelectorAll('img').length") == 1
    page.do("localStorage.clear()")
    browser.get("about:blank")
