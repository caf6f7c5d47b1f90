"""How the site is built: `sphinx-build -W -n -c docs . docs/_build`, from the root.

The source folder is the root of the repository, so that a link between two files is right
on a code host and on the site alike. Pages are made of the files as they are; `source_pages`
explains how.
"""

import os
import re
import sys
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

# Before NumPy is imported: the matrices of the chapters are small, and on a busy machine threads
# that wait for each other take many times as long as one. `-j auto` gives each processor pages.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

project = "numpycnn"
extensions = [
    "docs.builder.source_pages",
    "docs.builder.glossary_links",
    "docs.builder.mathml",
    "docs.living",
    "docs.builder.network_map",
    "docs.builder.navigation",
    "docs.builder.moved_pages",
    "docs.builder.search",
    "docs.builder.live",
    "docs.builder.live_pages",
    "docs.builder.notebooks",
    "docs.builder.front",
    "docs.builder.previews",
    "sphinx_copybutton",
    "notfound.extension",
]
root_doc = "README"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/*/*.md",
    "numpycnn/**.py",
    "examples/**.py",
]
exclude_patterns = [  # solutions of puzzles are not shown
    "numpycnn/puzzles/course/**",
    "numpycnn/**/__main__.py",
    "examples/_shared/__init__.py",
]
scripts_not_run = {
    "examples/benchmark": "not run for this page: it takes minutes and requires an idle machine",
    "examples/find_the_fault": "not run for this page: it trains for ten seconds or more",
    "examples/landmarks": "not run for this page: it trains five networks",
    "examples/pick_arrivals": "not run for this page: it trains for half a minute",
    "examples/many_records": "not run for this page: it requires a saved model and Dask",
    "examples/to_onnx": "not run for this page: it requires a saved model and onnx",
}

# Pages with names of one module.
names_without_owner = {"docs/reference/planted-bugs": "numpycnn.checks.bugs"}

# The reading order
# -----------------
# Chapters are in the order of their numbers, source files in the order of the table in files.md,
# with the `__init__` of a package before the first of its modules.

PARTS = {
    "Part I: an evening": "1-evening",
    "Part II: does it work?": "2-does-it-work",
    "Part III: derivatives": "3-derivatives",
    "Part IV: engineering": "4-engineering",
    "How-to": "how-to",
}


def _with_packages(modules: list[str]) -> list[str]:
    pages: list[str] = []
    for module in modules:
        folders = list(PurePosixPath(module).parents)[-2::-1]  # without "."
        packages = [f"{folder}/__init__" for folder in folders]
        pages += [package for package in packages if package not in pages]
        pages.append(module)
    return pages


_files = (HERE / "reference" / "files.md").read_text(encoding="utf-8")
_table = re.findall(r"^\| \[`.*?`\]\(\.\./\.\./(.*?)\.py\)", _files, re.MULTILINE)
reading_order = {
    part: sorted(f"docs/{folder}/{path.stem}" for path in HERE.glob(f"{folder}/*.md"))
    for part, folder in PARTS.items()
} | {
    "Reference": [
        "docs/reference/puzzles",
        "docs/reference/planted-bugs",
        "docs/reference/notation",
        "docs/reference/glossary",
        "docs/reference/questions",
        "docs/reference/files",
        "CHANGELOG",
        "CONTRIBUTING",
    ],
    "Source": _with_packages([page for page in _table if page.startswith("numpycnn/")]),
    "Examples": [page for page in _table if page.startswith("examples/")],
}

# Addresses of chapters and other pages in earlier versions, and the page that each leads to now.

moved_pages = {
    "docs/01-question": "docs/1-evening/1-the-problem",
    "docs/02-convolution": "docs/1-evening/2-convolution",
    "docs/03-relu-and-pooling": "docs/1-evening/3-relu-and-pooling",
    "docs/04-scores-and-loss": "docs/1-evening/4-softmax-and-cross-entropy",
    "docs/05-backwards": "docs/1-evening/5-backpropagation",
    "docs/05b-transpose": "docs/3-derivatives/1-transpose",
    "docs/06-adam": "docs/1-evening/6-gradient-descent-and-adam",
    "docs/07-training": "docs/1-evening/7-training",
    "docs/07b-choosing": "docs/2-does-it-work/4-model-selection",
    "docs/08-is-it-right": "docs/1-evening/8-checking-gradients",
    "docs/09-what-did-it-learn": "docs/2-does-it-work/1-data-leaks",
    "docs/10-fast": "docs/4-engineering/1-fast-convolution",
    "docs/11-architectures": "docs/4-engineering/2-landmark-networks",
    "docs/12-moving-on": "docs/4-engineering/4-other-libraries",
    "docs/13-two-dimensions": "docs/4-engineering/3-two-dimensions",
    "docs/14-training-and-use": "docs/2-does-it-work/5-batch-norm-and-dropout",
    "docs/files": "docs/reference/files",
    "docs/glossary": "docs/reference/glossary",
    "docs/notation": "docs/reference/notation",
    "docs/puzzles": "docs/reference/puzzles",
    "docs/questions": "docs/reference/questions",
    "docs/zoo": "docs/reference/planted-bugs",
}

# Figures of the chapters that are also shown on source pages, below a heading or the introduction:
# the picture, and a separate caption, because the text of the chapter is missing there.
figures_of_source = {
    "numpycnn/layers/conv1d": {
        "": ("2-convolution-steps", "A filter of three taps at its three positions."),
        "The backward pass": (
            "hover_a_gradient",
            "Point at an output to see its window, or at a gradient to see the dy that it sums. "
            "Change stride, dilation and padding.",
        ),
    },
    "numpycnn/layers/_conv1d_kernels": {
        "Windows back to back": (
            "1-fast-convolution-phases",
            "Two traces of six samples in one row, and the three phases of a filter of three taps. "
            "Gray windows overlap both traces; their results are discarded.",
        ),
    },
    "numpycnn/layers/max_pool1d": {
        "": ("3-relu-and-pooling-windows", "The largest value of each window remains."),
    },
    "numpycnn/layers/receptive_field": {
        "": ("what_does_it_see", "The samples on which an output of several layers depends."),
    },
    "numpycnn/layers/sequential": {
        "": ("network-map", "The layers turn a trace into three probabilities."),
    },
    "numpycnn/layers/skip": {
        "": (
            "2-landmark-networks-unet",
            "U-Net: skip connections carry the fine maps around the coarse ones.",
        ),
    },
    "numpycnn/training/losses": {
        "": (
            "4-softmax-and-cross-entropy-surprise",
            "The surprise: -log p, for four probabilities.",
        ),
        "Softmax and cross-entropy in one function": (
            "4-softmax-and-cross-entropy-gradients",
            "The probabilities for a trace of the second class, and the gradient of its scores: "
            "negative for the true class, positive for the others.",
        ),
    },
    "numpycnn/training/adam": {
        "": (
            "6-gradient-descent-and-adam-paths",
            "Gradient descent, momentum and Adam in a long narrow valley.",
        ),
    },
    "numpycnn/training/fit": {
        "": ("one_training_step", "One step, number by number: use the arrow keys."),
        "The training step": ("training_played_back", "Sixty epochs of the trace classifier."),
    },
    "numpycnn/training/metrics": {
        "": ("7-training-confusion", "The confusion matrix of an overfitted network."),
    },
    "numpycnn/checks/derivatives": {
        "Central differences": (
            "v_curve",
            "Large steps have an error of the formula, small steps have rounding errors. "
            "Move the step; choose a function and the precision.",
        ),
    },
    "numpycnn/checks/matrix": {
        "": ("1-transpose-matrices", "The matrix of a convolution, and its transpose."),
    },
    "numpycnn/checks/bugs": {
        "": ("predict_then_reveal", "Ten planted bugs: predict the accuracy with each."),
    },
    "numpycnn/traces": {
        "": ("1-the-problem-first-three", "A trace of each class: quiet, positive and negative."),
    },
}

# Markdown and code
# -----------------

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_update_mathjax = False  # there is none
highlight_language = "none"  # an indented block in prose is a drawing or an equation

# The look
# --------
# Everything the browser needs is in the folder: no request goes to another host, and the
# site works when it is opened from a disk.

html_theme = "furo"
html_title = "numpycnn"
pygments_dark_style = "a11y-dark"  # the theme's own underlines the names of modules
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("site.js", "search.js")]
html_favicon = "_static/favicon.svg"
templates_path = ["_templates"]
html_additional_pages = {"index": "front.html", "search": "search.html"}
living_pages = {"index": ["training_played_back"]}  # where no Python runs in the page
html_math_renderer = "mathml"
html_use_index = False
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False
html_show_copyright = False
copybutton_selector = ".highlight-python pre, .highlight-sh pre"

# Where the project is
# --------------------
# Both are addresses that end in "/", or "" while there is none:
# "https://NAME.github.io/numpycnn/" and "https://github.com/NAME/numpycnn/blob/main/". Previews of
# links and the page for a missing address require the first; the second gives each page a link
# to its file.

site_address = ""
code_host = ""

html_baseurl = ogp_site_url = site_address
ogp_image = "_static/preview.png"
ogp_image_alt = "A trace, eight filters, and the feature maps they make of the trace"
ogp_enable_meta_description = True
notfound_urls_prefix = urlsplit(site_address).path or "/"
notfound_template = "404.html"
html_theme_options = {
    "top_of_page_buttons": ["view"] if code_host else [],
    "navigation_with_keys": True,
}
if code_host:
    html_theme_options["source_view_link"] = code_host + "{filename}"
