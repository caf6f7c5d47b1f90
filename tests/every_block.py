"""Run every block of every page of a built site in Chromium, and compare what it prints.

    python tests/every_block.py docs/_build [page …]

prints each difference, then the number of blocks that ran and of those that do not run in a
browser, with their reasons. It takes some minutes. The exit code is 1 if there is a
difference.
"""

import doctest
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `docs`

import chromium

from docs.builder.browser import start_browser

EXCEPTIONS = {
    # page and number of a block: why its text differs in a browser
    ("docs/1-evening/3-relu-and-pooling.html", 2): "np.maximum of 0.0 and -0.0 is -0.0",
    ("docs/4-engineering/2-landmark-networks.html", 2): "the history, the value of the last line",
    ("docs/4-engineering/4-other-libraries.html", 1): "the history, the value of the last line",
}

BLOCKS = """
const done = arguments[0];
live.kernel.limit = 3600; // on a busy machine each block takes many times as long
document.querySelectorAll("article details").forEach(fold => { fold.open = true; });
done({
    numbers: live.blocks.filter(block => block.task === "desk.run").map(block => block.number),
    notes: [...document.querySelectorAll(".live-note")].map(note => note.textContent),
});
"""
RUN = """
const [number, done] = arguments, block = live.blocks.find(one => one.number === number);
const text = block.shown.querySelector("pre").cloneNode(true);
text.querySelectorAll(".linenos").forEach(number => number.remove());
const shown = block.prompts ? text.textContent
    : block.results(false).map(result => result.textContent).join("");
const drawn = block.results(true).some(result => result.matches("figure, img"));
block.run().then(() => done({
    shown, drawn, prompts: block.prompts, raises: block.raises, state: block.state,
    varies: block.node.dataset.varies !== undefined, page: live.page,
    printed: [...block.output.querySelectorAll("pre")].map(text => text.textContent).join("\\n"),
    images: block.output.querySelectorAll("img").length,
}));
"""


def fault(ran):
    """Return how a run differs from the page, "" if it does not."""
    if ran["state"] != ("error" if ran["raises"] else "done"):
        return f"ended as {ran['state']}: {ran['printed'].strip()[-500:]}"
    shown, printed = ran["shown"].strip(), ran["printed"].strip()
    if ran["prompts"]:
        lines = shown.split("\n")
        shown = "\n".join(line for line in lines if not re.match(r"(>>>|\.\.\.)( |$)", line))
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        if ran["raises"]:
            shown = shown.strip()
        elif doctest.OutputChecker().check_output(shown + "\n", printed + "\n", flags):
            return ""
    if ran["raises"]:  # the page goes on after an error, a run does not
        lines = shown.split("\n")
        shown = next((line for line in lines if re.match(r"\w*Error: ", line)), lines[-1])
        printed = printed.split("\n")[-1]
    # integers have 32 bits in the browser
    shown, printed = (re.sub(r"(, dtype=)?int(32|64)\b", "", text) for text in (shown, printed))
    if ran["varies"]:
        shown, printed = (re.sub(r" *\b\d[\d,.]*(e[-+]\d+)?", " #", t) for t in (shown, printed))
    is_compared = ran["page"].startswith(("docs/", "numpycnn/"))  # others show no output
    if is_compared and shown.split() != printed.split():
        return f"the page shows\n{shown}\nthe browser printed\n{printed}"
    if ran["drawn"] and not ran["images"]:
        return "the page shows a figure, and the browser drew none"
    return ""


def main(site, pages):
    """Run the pages, and return the number of differences."""
    found = [path.relative_to(site).as_posix() for path in sorted(Path(site).rglob("*.html"))]
    live = [page for page in found if "data-live=" in (Path(site) / page).read_text("utf-8")]
    count, notes, faults = 0, Counter(), 0
    with (
        tempfile.TemporaryDirectory() as profile,
        start_browser(profile) as browser,
        chromium.served(site) as address,
    ):
        browser.set_script_timeout(3600)
        for page in pages or live:
            browser.get(f"{address}/{page}")
            blocks = browser.execute_async_script(BLOCKS)
            notes.update(note for note in blocks["notes"] if note.startswith("Does not run"))
            for number in blocks["numbers"]:
                ran = browser.execute_async_script(RUN, number)
                count += 1
                message = fault(ran)
                if message and (page, number) in EXCEPTIONS:
                    print(f"--- {page}, block {number}: {EXCEPTIONS[page, number]}")
                elif message:
                    faults += 1
                    print(f"*** {page}, block {number}: {message}", flush=True)
    for note, times in notes.items():
        print(f"--- {times} blocks: {note}")
    print(f"*** {count} blocks run, {faults} differ")
    return faults


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(min(1, main(sys.argv[1], sys.argv[2:])))
