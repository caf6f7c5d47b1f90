"""Running: the code of every page is run, and compared with the page.

The scripts of `examples/` are run piece by piece, and the output and the figures of each piece
are shown below it. The chapters contain the output of their code, so that they can be read on a
code host. Every text fence after a block, and every number that a comment `<!-- says: … -->`
computes, is compared with the result of the code. `numbers` reports all other numbers. Each
difference is a `Fault`, with its file and its line.

This command prints the output of each block of a chapter, then the faults, and saves the figures in
the folder, if one is given:

    python -m docs.builder.running docs/1-evening/2-convolution.md /tmp/figures

Sphinx is not needed for any of this. `source_pages` explains how pages are made of it.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib.util
import io
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from docs.builder import no_screen
from docs.builder.numbers import unbound
from docs.builder.pieces import Claim, Fence, Piece, cut, cut_chapter

Namespace = dict[str, Any]
ROOT = Path(__file__).parents[2]


class Fault(NamedTuple):
    """Something on a page that is not as it says."""

    line: int
    message: str


class Outcome(NamedTuple):
    """What running a piece of code came to."""

    printed: str
    figures: dict[str, Figure]  # by the name of their variable
    error: BaseException | None


# A desk for each page
# --------------------
# One namespace for a whole page, as in a script. Modules are found as in a Python that was
# started in the checkout, or given a script there: the package, and the files
# next to the page. Nothing that a page does to the process is left over for the next: the working
# folder is a scratch folder, and options of NumPy and matplotlib go back to what they
# were. Warnings are errors here as in the tests.


@contextlib.contextmanager
def desk(path: Path) -> Iterator[Namespace]:
    """Lend out a namespace in which the code of one page can run as the main program."""
    module = ModuleType("__main__")
    module.__file__ = str(path)
    saved = sys.argv, sys.path, sys.modules["__main__"], Path.cwd(), matplotlib.get_backend()
    matplotlib.rcdefaults()
    matplotlib.use(f"module://{no_screen.__name__}")
    with contextlib.ExitStack() as on_leaving:
        scratch = on_leaving.enter_context(TemporaryDirectory())
        on_leaving.enter_context(np.printoptions())
        on_leaving.enter_context(np.errstate())
        on_leaving.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")
        on_leaving.callback(_put_back, *saved)
        sys.argv, sys.modules["__main__"] = [str(path)], module
        sys.path = [str(path.absolute().parent), str(ROOT), str(ROOT / "examples"), *sys.path]
        os.chdir(scratch)
        yield module.__dict__


def _put_back(
    options: list[str], path: list[str], program: ModuleType, folder: Path, backend: str
) -> None:
    sys.argv, sys.path, sys.modules["__main__"] = options, path, program
    os.chdir(folder)
    matplotlib.rcdefaults()
    matplotlib.use(backend)


def run(code: str, line: int, namespace: Namespace) -> Outcome:
    """Run code that begins at this line of the page; return what it printed and drew.

    A figure counts as drawn by the piece that first binds it to a top-level variable.
    """
    known = _figures(namespace).values()
    printed, error = io.StringIO(), None
    lines_above = "\n" * (line - 1)  # so that tracebacks and inspect find the right line
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(lines_above + code, namespace["__file__"], "exec"), namespace)
    except (Exception, SystemExit) as raised:
        error = raised
    drawn = {
        name: figure
        for name, figure in _figures(namespace).items()
        if not any(figure is other for other in known)
    }
    return Outcome(printed.getvalue(), drawn, error)


def _figures(namespace: Namespace) -> dict[str, Figure]:
    return {name: value for name, value in namespace.items() if isinstance(value, Figure)}


def _fault_of(error: BaseException, path: Path, line: int) -> Fault:
    """Tell what was raised, and at which line of the page."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line = error.lineno or line
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == str(path):
            line = frame.lineno or line
    return Fault(line, f"the code raised {_last_line(error)}")


def _last_line(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip()


# Scripts
# -------


def run_script(path: Path) -> tuple[list[tuple[Piece, Outcome | None]], list[Fault]]:
    """Run a script piece by piece, up to the first piece that raises.

    Returns its pieces, each with its outcome if it is code and was run, and the faults.
    """
    pieces = cut(path.read_text(encoding="utf-8"), whole_statements=True)
    done: list[tuple[Piece, Outcome | None]] = []
    faults: list[Fault] = []
    with desk(path) as namespace:
        for piece in pieces:
            outcome = None
            if piece.kind == "code" and not faults:
                outcome = run(piece.text, piece.line, namespace)
                if outcome.error:
                    faults.append(_fault_of(outcome.error, path, piece.line))
            done.append((piece, outcome))
    return done, faults


# Chapters
# --------
# What may stand after ```` ```python ````:
#
# - `alt="…"` says in words what the figure shows; wanted where there is one, and only there;
# - `fold="…"` shows these words on the site, and the code once they are clicked;
# - `needs="torch"` runs the block only where that module can be imported;
# - `raises` marks a block that shall raise, and ends with what Python says last;
# - `varies` marks a block that prints times: its words are compared, and its numbers are not.

LANGUAGES = ("python", "text", "sh", "console", "julia")
WORD = re.compile(r'\s+(?:(alt|fold|needs)="([^"]*)"|(raises|varies))')


def words_of(info: str) -> dict[str, str]:
    """Return the words after the language: `{"fold": "Draw it", "raises": ""}`.

    Raises `ValueError` for words that are not known.
    """
    language, _, rest = info.partition(" ")
    if language not in LANGUAGES:
        raise ValueError(f"expected a fence of {', '.join(LANGUAGES)}, got {language!r}")
    rest = f" {rest}" if rest.strip() else ""
    if WORD.sub("", rest).strip() or (rest and language != "python"):
        raise ValueError(
            'expected after ```python only alt="…", fold="…", needs="…", raises and varies, and '
            f"nothing after other languages, got {info!r}"
        )
    return {name or flag: value for name, value, flag in WORD.findall(rest)}


def run_chapter(path: Path) -> tuple[dict[int, Outcome], list[Fault]]:
    """Run the blocks of a chapter and compare what they do with what it says.

    Returns the outcome of each block that was run, by the line of its opening backticks,
    and the faults. After a block that raised nothing more is run.
    """
    text = path.read_text(encoding="utf-8")
    parts = cut_chapter(text)
    outcomes: dict[int, Outcome] = {}
    faults: list[Fault] = []
    computed: list[str] = []
    with desk(path) as namespace:
        for part in parts:
            if isinstance(part, Claim):
                values, wrong = _check_claim(part, namespace)
                computed += values
                faults += wrong
                continue
            try:
                words = _words_of_fence(part)
            except ValueError as error:
                faults.append(Fault(part.line, str(error)))
                continue
            if part.info.startswith("python") and _is_there(words.get("needs")):
                outcome = run(part.text, part.line + 1, namespace)
                outcomes[part.line] = outcome
                if outcome.error and "raises" not in words:
                    faults.append(_fault_of(outcome.error, path, part.line))
                    break
                faults += _check_block(part, words, outcome)
        else:
            if re.fullmatch(r"\d.*|how-to", path.parent.name):
                faults += [
                    Fault(
                        line, f"no block computes {found}; bind it with says: or name its source:"
                    )
                    for line, found in unbound(text, computed)
                ]
    return outcomes, faults


def _words_of_fence(fence: Fence) -> dict[str, str]:
    if fence.indent:
        raise ValueError("expected the backticks at the margin, got them indented")
    return words_of(fence.info)


def _is_there(module: str | None) -> bool:
    return module is None or importlib.util.find_spec(module) is not None


def _check_block(fence: Fence, words: dict[str, str], outcome: Outcome) -> list[Fault]:
    """Compare a block's figure with its alt text, and its print with the text fence."""
    faults = []
    figures = ", ".join(outcome.figures) or "no figure"
    if len(outcome.figures) > 1:
        faults.append(Fault(fence.line, f"expected one figure in a block, got {figures}"))
    elif len(outcome.figures) != ("alt" in words):
        alt = "an" if "alt" in words else "no"
        faults.append(
            Fault(fence.line, f'expected a figure and alt="…" together, got {figures}, {alt} alt')
        )
    if "raises" in words and not outcome.error:
        faults.append(Fault(fence.line, "expected the block to raise, and it did not"))
    shown = _lines(fence.shown or "")
    printed = _lines(output(outcome))
    if "varies" in words:
        shown, printed = _without_numbers(shown), _without_numbers(printed)
    if shown != printed:
        diff = difflib.unified_diff(shown, printed, "the page", "the code", lineterm="")
        message = "the block prints something else than the text fence shows:\n"
        faults.append(Fault(fence.line, message + "\n".join(diff)))
    return faults


def output(outcome: Outcome) -> str:
    """Return what was printed, and after it what was raised."""
    return outcome.printed + (_last_line(outcome.error) if outcome.error else "")


def _lines(text: str) -> list[str]:
    """Return the lines without blanks at their ends, which editors strip."""
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def _without_numbers(lines: list[str]) -> list[str]:
    """Put a sign in place of each number and the blanks before it.

    >>> _without_numbers(["loops    142,000 µs", "phases      8.8e-06 s"])
    ['loops # µs', 'phases # s']
    """
    return [re.sub(r" *\b\d[\d,.]*(e[-+]\d+)?", " #", line) for line in lines]


# Numbers in prose
# ----------------


def _check_claim(claim: Claim, namespace: Namespace) -> tuple[list[str], list[Fault]]:
    """Compute each expression, and look for its value in the paragraph before the comment."""
    paragraph = _plain(claim.paragraph)
    values: list[str] = []
    faults: list[Fault] = []
    for expression in claim.expressions:
        try:
            value = _plain(str(eval(expression, namespace)))
        except Exception as error:
            faults.append(Fault(claim.line, f"says: {expression} raised {_last_line(error)}"))
            continue
        values.append(value)
        if not _stands_in(value, paragraph):
            faults.append(
                Fault(claim.line, f"says: {expression} is {value}, which is not in: {paragraph}")
            )
    return values, faults


def _plain(text: str) -> str:
    """Return the text on one line, with a hyphen for the minus sign of typesetters."""
    return " ".join(text.replace("\N{MINUS SIGN}", "-").split())


def _stands_in(value: str, paragraph: str) -> bool:
    """Return True if the text contains the whole value: 42 is neither in 4,211.42 nor in 42.5."""
    before = r"(?<![\w.-])(?<!\d,)" if value[:1].isdigit() else r"(?<!\w)"
    return bool(re.search(before + re.escape(value) + r"(?!\w|[.,]\d)", paragraph))


def main(path: Path, folder: Path | None = None) -> int:
    """Print what the blocks of a chapter print, and its faults; return how many these are."""
    outcomes, faults = run_chapter(path)
    for line, outcome in outcomes.items():
        for name, figure in outcome.figures.items():
            print(f"--- {path}:{line} draws {name}")
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
                figure.savefig(folder / f"{path.stem}-{line}-{name}.png")
        if output(outcome):
            print(f"--- {path}:{line} prints")
            print(output(outcome).rstrip("\n"))
    for line, message in faults:
        print(f"*** {path}:{line}: {message}")
    print(f"*** {len(outcomes)} blocks run, {len(faults)} faults")
    return len(faults)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(min(1, main(*(Path(argument) for argument in sys.argv[1:]))))
