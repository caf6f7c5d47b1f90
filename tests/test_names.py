"""A name in code links to its definition, and a name with another meaning does not."""

from pathlib import Path

import pytest

from docs.builder import names
from docs.builder.names import Library, anchor, definitions

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix()
    for folder in ("numpycnn", "examples")
    for path in (ROOT / folder).rglob("*.py")
    if "course" not in path.parts and path.stem != "__main__"
)


@pytest.fixture(scope="module")
def library():
    return Library(ROOT)


@pytest.mark.parametrize("page", MODULES)
def test_every_link_is_around_its_name_and_every_definition_has_its_anchor(library, page):
    code = (ROOT / f"{page}.py").read_text(encoding="utf-8")
    lines = code.split("\n")
    places = library.places(code, {}, library.module_of(page))
    for place in places:
        word = lines[place.line - 1][place.column : place.column + place.length]
        assert word.replace(".", "_").isidentifier()
        assert library.address(place.dotted)[0] in MODULES
    anchors = {library.address(one.dotted)[1] for one in places if one.defines}
    assert len(anchors) == sum(one.defines for one in places)
    assert {anchor(name) for _, name in definitions(names.ast.parse(code))} <= anchors


@pytest.mark.parametrize(
    "code",
    [
        "def f(fit):\n    return fit",
        "def f():\n    fit = 1\n    return fit",
        "g = lambda fit: fit",
        "fit = 3\nprint(fit)",
        "x.fit",
        "np.fit",
    ],
)
def test_a_name_with_another_meaning_is_not_a_link(library, code):
    assert not [*library.places(code, {"fit": "numpycnn.training.fit.fit", "np": "numpy"})]
