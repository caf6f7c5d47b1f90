"""MathML: write formulas in the markup that browsers display.

The alternative is a JavaScript library that the reader's browser loads and runs. Current browsers
display MathML, so `math-core` translates each formula once, when the site is built. An unknown
command fails the build. The site contains the font, which has stretchable brackets: see
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
    """Write an inline formula."""
    translator.body.append(_mathml(node, displaystyle=False))
    raise nodes.SkipNode


def block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula; a wide one scrolls in a box."""
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
