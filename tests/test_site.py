"""The site: a small one built with the real machinery, and every fault in it that fails a build."""

import re
import runpy
import shutil
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytest.importorskip(
    "furo", reason="the site needs Sphinx and more: python -m pip install -e '.[docs]'"
)
from sphinx.cmd.build import main as sphinx_build

import numpycnn  # noqa: F401  (the package, before conf.py finds the small project's)
from docs.builder import front, search

# What Sphinx and MyST have to say to each other is not for us to mend.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

ROOT = Path(__file__).parent.parent
ADDRESS = "https://site.example/project/"
README = """\
# A small project

A sentence, and [a chapter](docs/1-evening/1-question.md#what-is-it).

[Contributing](CONTRIBUTING.md), [license](LICENSE).
"""
TABLE = """\
# The files

| file | what |
| --- | --- |
| [`module.py`](../../numpycnn/module.py) | a module |
| [`script.py`](../../examples/script.py) | a script |
"""
CHAPTER = """\
# Question

## What is it?

See [why](../../numpycnn/module.py#the-reason), and $\\frac{1}{2}$.

$$
\\sum_{k=0}^{K-1} \\left( \\frac{a_k}{b} \\right)
$$

```python fold="Draw it" alt="A blank & empty page."
from matplotlib.figure import Figure
figure = Figure(figsize=(4, 3))
n = 42
print(n)
```

```text
42
```

There are 42 of them.
<!-- says: n -->

<details>
<summary>Solution</summary>

It *is* so.

</details>
"""
MODULE = '''\
"""Module: what it is about.

An introduction of a whole, with

    a drawing [i, j] ->

in it, and of the whole once more.
"""

import math


class Half:
    """Half of it."""

    n = 1

    # The reason
    # ----------
    # Because of $x^2$, see [the script](../examples/script.py).

    @property
    def half(self):
        """Return y[n] = x[n] / 2, for `Half` alone.

        Args:
            whole: what is *halved*,
                or not.

        dy[n] = dx[n] / 2

        >>> Half().half
        0.5
        """
        return math.sqrt(self.n) / 2
'''
SCRIPT = """\
'''Script: a thing to run.'''

from matplotlib.figure import Figure

# %%
# To draw
# -------
# It is `so`.

learning_curve = Figure(figsize=(4, 3))
_ = learning_curve.subplots().set(xlabel="epoch", ylabel="loss")
print("a < b")


def quarter(x):
    '''Take `x` twice in half.'''
    return x / 4


print(quarter(8))
"""
FILES = {
    "README.md": README,
    "CHANGELOG.md": "# Changelog\n",
    "CONTRIBUTING.md": "# Contributing\n",
    "LICENSE": "Free.\n",
    "docs/1-evening/1-question.md": CHAPTER,
    "docs/reference/puzzles.md": "# Puzzles\n",
    "docs/reference/files.md": TABLE,
    "docs/reference/notation.md": "# Notation\n",
    "docs/reference/glossary.md": (
        "# Glossary\n\n**Whole, entirety.** *All* of it. [Files](files.md).\n"
    ),
    "docs/reference/questions.md": "# Questions\n",
    "docs/reference/planted-bugs.md": "# Planted bugs\n",
    "numpycnn/__init__.py": '"""A package: of one module."""\n',
    "numpycnn/module.py": MODULE,
    "examples/script.py": SCRIPT,
}


def write_project(root):
    """Write the small project, with the machinery of this one."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for folder in "_static", "_templates":
        shutil.copytree(ROOT / "docs" / folder, root / "docs" / folder)
    conf = (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
    assert conf.count('\nsite_address = ""\n') == 1
    conf = conf.replace('site_address = ""', f'site_address = "{ADDRESS}"')
    (root / "docs" / "conf.py").write_text(conf, encoding="utf-8")


def build(root, capsys=None):
    """Build as in CONTRIBUTING.md; return the exit code and the warnings."""
    options = ["-q", "-W", "-n", "--keep-going", "--no-color"]
    code = sphinx_build([*options, "-c", f"{root}/docs", str(root), f"{root}/docs/_build"])
    return code, capsys.readouterr().err if capsys else ""


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of a site that was built without a warning."""
    root = tmp_path_factory.mktemp("project")
    write_project(root)
    assert build(root) == (0, "")
    return root / "docs" / "_build"


def page(site, name):
    return (site / f"{name}.html").read_text(encoding="utf-8").replace("<span></span>", "")


def text_of(html):
    return " ".join(re.sub(r"<[^>]*>", "", html).split())


# What a page shows
# -----------------


def test_a_source_page_shows_prose_as_prose_and_code_under_its_line_numbers(site):
    html = page(site, "numpycnn/module")
    assert "<h1>Module: what it is about<a" in html
    assert "numpycnn/module.py</span></code>, explained in <a" in html
    assert re.search(r'href="../docs/1-evening/1-question.html">.*?Question', html)
    assert "a drawing [i, j] -&gt;\n" in html
    assert '<section id="the-reason">' in html
    assert 'href="../examples/script.html"' in html
    blocks = [text_of(block) for block in re.findall(r"<pre>(.*?)</pre>", html, re.DOTALL)]
    imports, opening, constant, half, example, inside = blocks[1:]
    assert imports == "10import math"
    assert opening == "13class Half:"
    assert constant == "16 n = 1"
    assert half == "22 @property 23 def half(self):"
    assert example == "32&gt;&gt;&gt; Half().half 330.5"
    assert inside == "35 return math.sqrt(self.n) / 2"
    assert '<span class="err">' not in html


def test_a_script_shows_what_it_prints_and_draws(site):
    html = page(site, "examples/script")
    assert "%%" not in html
    assert re.search(r'<div class="output .*?<pre>a &lt; b\n2.0\n</pre>', html, re.DOTALL)
    said, after = html.split('<div class="docstring')[1].split("</div>", 1)
    assert text_of(said).endswith("Take x twice in half.")
    assert html.index("15</span>") < html.index(said) < html.index("17</span>")
    assert after.index("print") < after.index('<div class="output')
    (tag,) = re.findall(r'<img [^>]*class="drawing"[^>]*>', html)
    assert 'alt="learning curve: loss against epoch"' in tag
    assert 'width="400"' in tag
    svg = site / "examples" / re.search(r'src="(.*?)"', tag)[1]
    assert ET.parse(svg).getroot().tag.endswith("svg")


def test_an_old_address_leads_to_the_new_page(site, monkeypatch):
    html = page(site, "docs/glossary")
    (address,) = re.findall(r'content="0; url=(.*?)"', html)
    assert f'<a href="{address}">' in html
    assert (site / "docs" / address).is_file()
    monkeypatch.syspath_prepend(ROOT)
    conf = runpy.run_path(str(ROOT / "docs" / "conf.py"))
    pages = {page for part in conf["reading_order"].values() for page in part}
    for old, new in conf["moved_pages"].items():
        assert old not in pages
        assert new in pages
        assert (ROOT / f"{new}.md").is_file()


def test_every_page_has_one_viewport_and_a_description(site):
    for path in site.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        if "http-equiv" in html:  # an address of earlier times
            continue
        assert html.count('name="viewport"') == 1, path
        (about,) = re.findall(r'<meta name="description" content="([^"]*)"', html)
        assert len(about) > 5
        assert html.count('property="og:title"') == 1


def test_previews_have_a_picture_and_the_page_for_what_is_missing_its_style(site):
    html = page(site, "docs/1-evening/1-question")
    assert f'<meta property="og:image" content="{ADDRESS}_static/preview.png"' in html
    assert f'<meta property="og:url" content="{ADDRESS}docs/1-evening/1-question.html"' in html
    picture = (site / "_static" / "preview.png").read_bytes()
    assert struct.unpack(">II", picture[16:24]) == (1200, 630)
    assert 'href="/project/_static/site.css' in page(site, "404")
    assert 'href="/project/index.html"' in page(site, "404")


# What fails the build
# --------------------

C, M, S = "docs/1-evening/1-question.md", "numpycnn/module.py", "examples/script.py"
ROW, ALT = (
    "| [`module.py`](../../numpycnn/module.py) | a module |\n",
    ' alt="A blank & empty page."',
)
FAULTS = {  # a file, what is replaced in it and by what, and the place and name in the warning
    "a bad formula in a chapter": (C, "\\frac{1}", "\\fraction{1}", r"question.md:5: .*fraction"),
    "a bad formula in a source file": (M, "$x^2$", "$\\nonsense$", r"module.py:20: .*nonsense"),
    "a dead link": (C, "module.py#the-reason", "modul.py", r"question.md:5: .*modul.py"),
    "a dead link in a source file": (M, "script.py)", "skript.py)", r"module.py:20: .*skript.py"),
    "a dead anchor": (C, "#the-reason", "#the-treason", r"question.md:5: .*the-treason"),
    "a script that raises": (S, 'print("a < b")', "1 / 0", r"script.py:12: .*ZeroDivisionError"),
    "a module that is not in the order": (
        "docs/reference/files.md",
        ROW,
        "",
        r"module.py: .*toctree",
    ),
    "a number that changed in the code": (
        C,
        "n = 42",
        "n = 43",
        r"question.md:11: (.*\n)+-42\n\+43",
    ),
    "a number that changed in the text": (C, "are 42", "are 41", r"question.md:23: .*n is 42"),
    "a figure without an alt text": (C, ALT, "", r"question.md:11: .*alt="),
}


# A build takes a second or two. So faults that are not in each other's way share one.
SECOND = "a dead anchor", "a dead link in a source file", "a module that is not in the order"
SECOND += "a number that changed in the text", "a figure without an alt text"
TOGETHER = [[fault for fault in FAULTS if fault not in SECOND], SECOND]


@pytest.mark.parametrize("faults", TOGETHER, ids=["first", "second"])
def test_a_fault_fails_the_build_and_is_named(faults, tmp_path, capsys):
    write_project(tmp_path)
    for name, right, wrong, _ in map(FAULTS.get, faults):
        path = tmp_path / name
        text = path.read_text(encoding="utf-8")
        assert text.count(right) == 1
        path.write_text(text.replace(right, wrong), encoding="utf-8")
    code, warnings = build(tmp_path, capsys)
    assert code == 1
    for *_, warning in map(FAULTS.get, faults):
        assert re.search(warning, warnings)


# This project's own site
# -----------------------


def test_a_library_with_another_hash_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")  # without npm
    kept = tmp_path / "numpycnn" / search.PACKAGE.replace("@", "-")
    kept.mkdir(parents=True)
    for name in search.PLACES.values():
        (kept / name).write_text("changed = true;\n", encoding="utf-8")
    assert len(search.differing(kept)) == 2
    search.place_library(tmp_path)
    assert (tmp_path / "minisearch.js").read_text(encoding="utf-8") == ""


def test_every_card_of_the_front_page_shows_a_picture_of_its_page():
    assert len(front.CARDS) == 6
    for name, picture, *_ in front.CARDS:
        assert f"/images/{picture}" in (ROOT / f"{name}.md").read_text(encoding="utf-8")


def test_every_module_and_script_is_a_page_in_the_reading_order(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    order = runpy.run_path(str(ROOT / "docs" / "conf.py"))["reading_order"]
    for part, folder in ("Source", "numpycnn"), ("Examples", "examples"):
        files = (ROOT / folder).rglob("*.py")
        pages = {path.relative_to(ROOT).with_suffix("").as_posix() for path in files}
        solved = {page for page in pages if page.startswith("numpycnn/puzzles/course/")}
        started = {page for page in pages if page.endswith("/__main__")}
        assert set(order[part]) == pages - solved - started - {"examples/_shared/__init__"}
    files = (ROOT / "docs").glob("**/*.md")
    pages = {path.relative_to(ROOT).with_suffix("").as_posix() for path in files}
    assert pages <= {page for part in order.values() for page in part}
