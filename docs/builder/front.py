"""Front: a Sphinx extension for what the front page shows besides the figure.

The cards lead to six pages, each with a picture of that page. The code is `LINES`, which a test
runs.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LINES = """\
import numpycnn as nn

x, labels = nn.make_traces(180, rng=0)
x_train, x_test, y_train, y_test = nn.train_test_split(x, labels, rng=0)
model = nn.Sequential(
    nn.Conv1D(1, 8, 5, padding="same", rng=0), nn.ReLU(), nn.MaxPool1D(2),
    nn.Flatten(), nn.Dense(256, 16, rng=1), nn.ReLU(), nn.Dense(16, 3, rng=2),
)
nn.fit(model, x_train, y_train, epochs=60)
loss, accuracy = nn.evaluate(model, x_test, y_test)
print(f"accuracy on new traces: {accuracy:.2f}")
print(nn.check_gradients(model, x_test[:4]))
"""
INSTALL = "python -m pip install -e '.[plots]'\n"

CARDS = [  # page, picture, title, text
    (
        "docs/1-evening/2-convolution",
        "2-convolution-steps.svg",
        "Move a filter",
        "along a trace, and read off each product and sum.",
    ),
    (
        "docs/1-evening/5-backpropagation",
        "backpropagation_circuit.svg",
        "Derive backpropagation",
        "on a circuit whose inputs you can change.",
    ),
    (
        "docs/1-evening/8-checking-gradients",
        "8-checking-gradients-sweep.svg",
        "Find planted bugs",
        "that training does not show, and a check does.",
    ),
    (
        "docs/2-does-it-work/1-data-leaks",
        "1-data-leaks-where.svg",
        "Question a perfect score",
        "which hid that the network fails outside samples 12 to 52.",
    ),
    (
        "docs/4-engineering/2-landmark-networks",
        "2-landmark-networks-unet.svg",
        "Build a U-Net",
        "that marks every sample, and picks arrivals in records of a day.",
    ),
    (
        "docs/reference/puzzles",
        "puzzles.svg",
        "Write it yourself",
        "in 49 puzzles that are checked as you solve them.",
    ),
]


def add_front(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Give the front page its links, cards and code."""
    if template != "front.html":
        return
    highlight = app.builder.highlighter.highlight_block  # type: ignore[attr-defined]
    puzzles = "docs/reference/puzzles"
    pages = {puzzles: "puzzles/index"} if app.config.live_runtime else {}
    context["front"] = {
        "start": next(iter(app.config.reading_order.values()))[0],
        "puzzles": pages.get(puzzles, puzzles),
        "code": "docs/reference/files",
        "cards": [
            (pages.get(page, page), *rest) for page, *rest in CARDS if page in app.env.found_docs
        ],
        "host": app.config.code_host.partition("/blob/")[0],
        "lines": f'<div class="highlight-python">{highlight(LINES, "python")}</div>',
        "install": f'<div class="highlight-sh">{highlight(INSTALL, "sh")}</div>',
    }
    if not app.config.live_runtime:
        app.add_css_file("living/living.css")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_config_value("code_host", "", "html")
    app.connect("html-page-context", add_front)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
