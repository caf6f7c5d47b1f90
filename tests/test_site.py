"""The site: a small one built with the real machinery, and every fault in it that fails a build."""

import re
import runpy
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytest.importorskip(
    "furo", reason="the site needs Sphinx and more: python -m pip install -e '.[docs]'"
)
from sphinx.cmd.build import main as sphinx_build

from docs.builder import pieces

# What Sphinx and MyST have to say to each other is not for us to mend.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

ROOT = Path(__file__).parent.parent
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
    shutil.copy(ROOT / "docs" / "conf.py", root / "docs")


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
    assert "numpycnn/module.py</span></code>; in the tutorial: <a" in html
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


def test_a_docstring_is_prose_with_formulas_and_a_list(site):
    html = page(site, "numpycnn/module").partition("<article")[2]
    assert '"""' not in html
    of_class, of_property = re.findall(
        r'<div class="docstring .*?>\n(.*?)</div>\n<div class="highlight', html, re.DOTALL
    )
    assert of_class == "<p>Half of it.</p>\n"
    sentence, block = re.findall(r"<math.*?</math>", of_property)
    assert "<mi>y</mi><mi>n</mi>" in sentence
    assert "<mfrac>" in sentence
    assert 'display="block"' in block
    assert text_of(of_property).startswith("Return ")
    assert ", for Half alone. Args:" in text_of(of_property)
    assert '<a class="reference internal" href="#def-Half"><code' in of_property
    assert re.search(r"<li><p><code.*?whole.*?: what is <em>halved</em>,\nor not.</p>", of_property)
    assert '<a class="name" href="#def-Half">Half</a>' in html.partition("32</span>")[2]


def test_a_word_of_the_glossary_is_a_link_where_it_first_stands(site):
    html = page(site, "numpycnn/module").partition("<article")[2]
    links = re.findall(r'<a class="([^"]*)" href="([^"]*)" title="(.*?)">whole</a>', html)
    assert links == [
        ("term reference internal", "../docs/reference/glossary.html#term-whole", "All of it.")
    ]
    assert html.index(">whole</a>") < html.index("the whole once more")
    assert '<p id="term-whole">' in page(site, "docs/reference/glossary")


def test_a_chapter_names_its_source_pages_and_they_name_it(site):
    chapter = page(site, "docs/1-evening/1-question")
    behind = re.search(r"The source behind this chapter: (.*?)</p>", chapter, re.DOTALL)[1]
    assert re.findall(r'href="(.*?)"', behind) == ["../../numpycnn/module.html"]
    assert text_of(behind) == "module.py."
    assert "in the tutorial: " in page(site, "numpycnn/module")
    assert "in the tutorial: " not in page(site, "numpycnn/__init__")


def test_a_page_links_to_its_file_on_a_code_host_and_a_new_chapter_gets_its_place(
    site, tmp_path, capsys
):
    write_project(tmp_path)
    conf, host = tmp_path / "docs" / "conf.py", "https://host.example/blob/main/"
    text = conf.read_text(encoding="utf-8")
    assert text.count('\ncode_host = ""\n') == 1
    conf.write_text(text.replace('code_host = ""', f'code_host = "{host}"'), encoding="utf-8")
    assert build(tmp_path, capsys) == (0, "")
    (tmp_path / "docs" / "1-evening" / "2-more.md").write_text("# More\n")
    assert build(tmp_path, capsys) == (0, "")
    with_host = tmp_path / "docs" / "_build"
    for name in "numpycnn/module.py", "docs/1-evening/1-question.md", "README.md":
        html = page(with_host, name.partition(".")[0])
        assert f'href="{host}{name}"' in html
        assert ">More<" in html
        assert "host.example" not in page(site, name.partition(".")[0])


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


def test_a_chapter_shows_its_figure_its_folds_and_no_claims(site):
    html = page(site, "docs/1-evening/1-question").partition("<article")[2]
    assert 'alt="A blank &amp; empty page."' in html
    fold = html.index("<summary>Draw it</summary>")
    assert fold < html.index("</details>") < html.index("<img ") < html.index("<pre>42\n</pre>")
    assert html.count("<pre>42\n</pre>") == 1
    assert "It <em>is</em> so." in html
    assert "says:" not in html


def test_links_lead_to_pages_and_the_contents_follow_the_reading_order(site):
    html = page(site, "README")
    assert 'href="docs/1-evening/1-question.html#what-is-it"' in html
    assert re.search(r'href="_downloads/\w+/LICENSE"', html)
    pages = re.findall(r'class="toctree-l1.*?href="(.*?)\.html">\s*(.*?)</a>', html, re.DOTALL)
    assert [(page, text_of(words)) for page, words in pages] == [
        ("docs/1-evening/1-question", "Question"),
        ("docs/reference/puzzles", "Puzzles"),
        ("docs/reference/planted-bugs", "Planted bugs"),
        ("docs/reference/notation", "Notation"),
        ("docs/reference/glossary", "Glossary"),
        ("docs/reference/questions", "Questions"),
        ("docs/reference/files", "The files"),
        ("CHANGELOG", "Changelog"),
        ("CONTRIBUTING", "Contributing"),
        ("numpycnn/__init__", "__init__.py A package"),
        ("numpycnn/module", "module.py Module"),
        ("examples/script", "script.py Script"),
    ]


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


def test_a_figure_of_a_chapter_stands_on_a_source_page(tmp_path, capsys):
    write_project(tmp_path)
    (tmp_path / "docs" / "images").mkdir()
    shutil.copy(ROOT / "docs" / "images" / "puzzles.svg", tmp_path / "docs" / "images" / "half.svg")
    conf = tmp_path / "docs" / "conf.py"
    with conf.open("a", encoding="utf-8") as file:
        file.write(
            'figures_of_source["numpycnn/module"] = {"The reason": ("half", "A caption.")}\n'
        )
    assert build(tmp_path, capsys)[0] != 0  # for no chapter shows it
    with (tmp_path / "docs" / "1-evening" / "1-question.md").open("a", encoding="utf-8") as file:
        file.write('\n![A half.](../images/half.svg "In the chapter.")\n')
    assert build(tmp_path, capsys) == (0, "")
    html = page(tmp_path / "docs" / "_build", "numpycnn/module")
    keeps_its_place = r'<img loading="lazy" width="\d+" height="\d+" alt="A half." '
    shown = re.search(keeps_its_place + r'.*?src="(.*?)".*?</p>', html, re.DOTALL)
    assert html.index('id="the-reason"') < shown.start() < html.index("@property")
    assert (tmp_path / "docs" / "_build" / "numpycnn" / shown[1]).exists()
    assert "Figure 1. A caption." in html


# This project's own site
# -----------------------


def test_every_figure_of_a_source_page_has_its_place_and_its_chapter(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    figures = runpy.run_path(str(ROOT / "docs" / "conf.py"))["figures_of_source"]
    chapters = "".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("[0-9]*/*.md"))
    assert len(figures) > 10
    for page_name, below in figures.items():
        prose = "\n".join(
            piece.markdown
            for piece in pieces.cut((ROOT / f"{page_name}.py").read_text(encoding="utf-8"))
            if piece.kind == "prose"
        )
        for heading, (picture, caption) in below.items():
            assert not heading or re.search(rf"^{heading}\n-{{4,}}$", prose, re.MULTILINE)
            assert f"](../images/{picture}.svg" in chapters
            assert caption.endswith((".", "?"))


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


def test_the_font_comes_with_its_license():
    static = ROOT / "docs" / "_static"
    assert (static / "stix-two-math.woff2").read_bytes().startswith(b"wOF2")
    assert "SIL OPEN FONT LICENSE" in (static / "stix-two-math.OFL.txt").read_text()
