"""The pictures of the chapters are files, are shown below their blocks, and are never stale."""

import doctest
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the site needs Sphinx: python -m pip install -e '.[docs]'")

from docs.builder import network_map, pictures
from docs.builder.pictures import is_stale

IMAGES = Path(__file__).parent.parent / "docs" / "images"
CHAPTER = """\
# A page

```python alt="A line." fold="Draw the line"
from matplotlib.figure import Figure
figure = Figure()
_ = figure.subplots().plot([1, 2, 4])
print(3)
```

```text
3
```

The end.
"""


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "IMAGES", tmp_path)
    path = tmp_path / "01-page.md"
    path.write_text(CHAPTER, encoding="utf-8")
    return path


def test_a_picture_is_written_and_shown_once_below_its_block(chapter, tmp_path):
    assert pictures.update(chapter) == ["01-page-figure"]
    line = '![A line.](../images/01-page-figure.svg "The line.")'
    assert f"```text\n3\n```\n\n{line}\n\nThe end." in chapter.read_text()
    assert ET.parse(tmp_path / "01-page-figure.svg").getroot().tag.endswith("svg")
    assert pictures.update(chapter) == []
    assert chapter.read_text().count(line) == 1


def test_a_picture_that_changed_is_stale_until_it_is_written_anew(chapter, tmp_path):
    pictures.update(chapter)
    kept = tmp_path / "01-page-figure.svg"
    before = kept.read_text()
    chapter.write_text(chapter.read_text().replace("2, 4]", "3, 4]"))
    assert pictures.update(chapter) == ["01-page-figure"]
    assert is_stale(before, kept)
    assert not is_stale(kept.read_text(), kept)
    assert is_stale(before, tmp_path / "missing.svg")


@pytest.mark.parametrize("name", network_map.PICTURES)
def test_the_pictures_of_the_network_show_its_values(name):
    assert not is_stale(network_map.PICTURES[name](), IMAGES / f"{name}.svg")


def test_the_examples_in_the_docstrings():
    failed, tried = doctest.testmod(pictures)
    assert tried > 0
    assert failed == 0
