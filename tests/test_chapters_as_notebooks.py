"""The chapters as notebooks: what is in them, and that they run."""

import ast
import json
from pathlib import Path

import pytest

pytest.importorskip("jupytext", reason="python -m pip install -e '.[docs]'")
pytest.importorskip("sphinx")

from docs.builder.notebooks import notebook_of

CHAPTERS = sorted((Path(__file__).parent.parent / "docs").glob("[0-9]*/*.md"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_becomes_a_notebook_of_prose_and_code(chapter):
    notebook = json.loads(notebook_of(chapter))
    cells = [("".join(cell["source"]), cell) for cell in notebook["cells"]]
    code = [source for source, cell in cells if cell["cell_type"] == "code"]
    prose = "\n".join(source for source, cell in cells if cell["cell_type"] == "markdown")
    text = chapter.read_text(encoding="utf-8")
    assert len(code) == text.count("\n```python")
    for source in code:
        ast.parse(source)
    assert "images/" not in prose
    assert "<!-- says" not in prose
    assert ".md)" not in prose
    needing = text.count('needs="')
    tagged = [cell for _, cell in cells if "raises-exception" in cell["metadata"].get("tags", ())]
    assert len(tagged) == needing + text.count("\n```python raises")
    assert prose.count("The next block needs") == needing
    assert notebook_of(chapter) == json.dumps(notebook, indent=1, ensure_ascii=False)


@pytest.mark.long
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(chapter):
    import nbclient
    import nbformat

    notebook = nbformat.reads(notebook_of(chapter), as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3")
    client.execute(cwd=str(chapter.parent.parent))
