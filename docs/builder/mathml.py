"""MathML: formulas are drawn by the browser itself, from the page itself.

The usual way is a JavaScript library that the reader's browser fetches and runs. Browsers
have known MathML, the markup for formulas, for some years now; so each formula is
translated once, while the site is built, by `math-core`. A command it does not know fails
the build. The font for it, which has stretchy brackets, comes with the site: see
`_static/site.css`.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)
converter = LatexToMathML(fancy_error=False)


def inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula that stands in a line."""
    translator.body.append(_mathml(node, displaystyle=False))
    raise nodes.SkipNode


def block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula that stands on lines of its own; a wide one scrolls in its own box."""
    translator.body.append(f'<div class="math">{_mathml(node, displaystyle=True)}</div>\n')
    raise nodes.SkipNode


def _mathml(node: nodes.Element, *, displaystyle: bool) -> str:
    tex = node.astext()
    try:
        return converter.convert_with_local_state(tex, displaystyle=displaystyle)
    except LatexError as error:
        logger.warning("bad formula %s: %s", tex, error, location=_with_a_line(node))
        return ""


def _with_a_line(node: nodes.Element) -> nodes.Node:
    """Return the node or the nearest one around it of which the line is known."""
    around: nodes.Node | None = node
    while around is not None and around.line is None:
        around = around.parent
    return around or node


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
