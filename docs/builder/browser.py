"""Browser: Chromium, driven by Selenium, opens pages of the site and saves their figures.

`python -m docs.builder.browser` saves every interactive figure (`docs/living`) as the picture that
is shown without scripts.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from selenium import webdriver
from selenium.webdriver.common.by import By

from docs import living

ROOT = Path(__file__).parents[2]
DESK, TELEPHONE = 1280, 390  # pixels
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
    --disable-background-networking --disable-component-update --allow-file-access-from-files"""
ON_PAGE = {  # the page of each interactive figure
    "backpropagation_circuit": "docs/1-evening/5-backpropagation.html",
    "narrow_valley": "docs/1-evening/6-gradient-descent-and-adam.html",
    "drag_the_arrival": "docs/2-does-it-work/1-data-leaks.html",
    "hover_a_gradient": "docs/1-evening/2-convolution.html",
    "one_training_step": "docs/1-evening/7-training.html",
    "predict_then_reveal": "docs/1-evening/8-checking-gradients.html",
    "training_played_back": "docs/1-evening/7-training.html",
    "v_curve": "docs/1-evening/8-checking-gradients.html",
    "what_does_it_see": "docs/1-evening/3-relu-and-pooling.html",
}


def built(folder):
    """Build the site in this folder without a warning, or take the one in NUMPYCNN_SITE."""
    if ready := os.environ.get("NUMPYCNN_SITE"):  # built already
        return Path(ready).resolve()
    options = ["-q", "-W", "-n", "--keep-going", "-jauto", "-c", ROOT / "docs"]
    folders = ["-d", folder / "cache", ROOT, folder / "html"]
    subprocess.run([sys.executable, "-m", "sphinx", *options, *folders], check=True)
    return folder / "html"


def start_browser(profile):
    """Start Chromium without a window; it logs what it fetches and complains about."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options, service)
    driver.command_executor.client_config.timeout = 900  # seconds: a busy machine is slow
    driver.get("about:blank")  # in place of the start page of Chromium, which fetches files
    return driver


def requests(browser):
    """Return the addresses that pages fetched since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def complaints(browser):
    """Return what was written to the console since the last call."""
    return [entry["message"] for entry in browser.get_log("browser")]


def visit(browser, address, width, scheme="light"):
    """Open a page in a window of this width, with everything unfolded."""
    resize(browser, width, scheme)
    requests(browser), complaints(browser)  # what was logged before
    browser.get(address)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")


def resize(browser, width, scheme):
    """Set the width of the window and the light or dark theme."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


class Shown:
    """A figure on its page."""

    def __init__(self, browser, site, name, scheme="light"):
        self.browser = browser
        visit(browser, (site / ON_PAGE[name]).as_uri(), DESK, scheme)
        self.root = browser.find_element(By.CSS_SELECTOR, f"figure[data-living={name}]")

    def run(self, script, *given):
        """Run a script, in which `root` is the figure."""
        return self.browser.execute_script(
            f"const root = arguments[0]; {script}", self.root, *given
        )

    def set(self, slider, value):
        """Move the slider with this label, as an arrow key would."""
        self.run(
            "for (const label of root.querySelectorAll('label')) {"
            "  const input = label.querySelector('input[type=range], select');"
            "  if (input && label.firstChild.textContent === arguments[1]) {"
            "    input.value = arguments[2]; input.dispatchEvent(new Event('input')); return; } }"
            "throw new Error('no slider ' + arguments[1]);",
            slider,
            value,
        )

    def choose(self, option):
        """Click the option with this label."""
        labels = self.root.find_elements(By.CSS_SELECTOR, "fieldset label")
        (label,) = (label for label in labels if label.text == option)
        self.browser.execute_script("arguments[0].click()", label)

    @property
    def answer(self):
        """The sentence below the figure."""
        return self.root.find_element(By.CSS_SELECTOR, ".answer").text

    def heights(self, css, at=0):
        """The heights, downwards, of the line that this selector finds."""
        d = self.run(
            "return root.querySelectorAll(arguments[1])[arguments[2]].getAttribute('d')", css, at
        )
        return np.array([float(y) for _, y in re.findall(r"([-\d.]+) ([-\d.]+)", d)])

    def picture(self):
        """The figure as an SVG file."""
        svg = self.run("return new XMLSerializer().serializeToString(root.querySelector('svg'))")
        return living.standing(svg)


FRAME = """
.frame { visibility: hidden; animation: show SECONDSs steps(1) infinite }
@keyframes show { 0% { visibility: visible } SHARE% { visibility: hidden } }
@media (prefers-reduced-motion: reduce) { .frame { animation: none } .rest { visibility: visible } }
"""


def moving_arrival(figure, centers=range(-4, 69, 2), seconds=0.25):
    """Return a film as SVG: what stays the same once, and what moves for each center."""
    children = "return [...root.querySelector('svg').children].map(e => e.outerHTML)"
    frames = []
    for center in centers:
        figure.set("drag the arrival to sample", center)
        frames.append(figure.run(children))
    moves = [len(set(versions)) > 1 for versions in zip(*frames, strict=True)]
    still = "".join(e for e, moving in zip(frames[0], moves, strict=True) if not moving)
    film = ""
    for at, (center, elements) in enumerate(zip(centers, frames, strict=True)):
        moving = "".join(e for e, moves_here in zip(elements, moves, strict=True) if moves_here)
        kind = "frame rest" if center == 32 else "frame"
        film += f'<g class="{kind}" style="animation-delay:{at * seconds}s">{moving}</g>'
    rules = FRAME.replace("SECONDS", str(len(centers) * seconds))
    rules = rules.replace("SHARE", f"{100 / len(centers):.3f}")
    head, style, _ = figure.picture().partition("</style>")
    return f"{head}{rules}{style}{still}{film}</svg>\n"


def write_pictures():
    """Save a picture of every interactive figure."""
    with TemporaryDirectory() as folder:
        folder = Path(folder)
        site = built(folder)
        with start_browser(folder / "profile") as driver:
            for name in ON_PAGE:
                picture = Shown(driver, site, name).picture()
                (living.PICTURES / f"{name}.svg").write_text(picture, encoding="utf-8")
            film = moving_arrival(Shown(driver, site, "drag_the_arrival"))
            (living.PICTURES / "moving-arrival.svg").write_text(film, encoding="utf-8")


if __name__ == "__main__":
    write_pictures()
