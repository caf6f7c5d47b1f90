"""Print paragraphs, code and colors at the width of the terminal.

With the package rich installed, code is highlighted; without it the text is the same.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from io import TextIOWrapper
from pathlib import Path
from textwrap import fill, indent
from typing import TextIO

from numpycnn.puzzles.grader import Result
from numpycnn.puzzles.puzzle import Puzzle

GREEN, RED, GRAY, BOLD = "32", "31", "90", "1"


def is_interactive(stream: TextIO | None) -> bool:
    """Return True if a stream is a terminal; one that was closed at the start is None."""
    return stream is not None and not stream.closed and stream.isatty()


def take_every_letter() -> None:
    """Let streams print "?" for a letter that their encoding does not have."""
    for stream in sys.stdout, sys.stderr:
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def is_terminal() -> bool:
    """Return True if the output goes to a terminal that shows colors."""
    has_colors = "WT_SESSION" in os.environ if os.name == "nt" else os.environ.get("TERM") != "dumb"
    return is_interactive(sys.stdout) and has_colors


def width() -> int:
    """Return the number of columns for prose: those of the terminal, at most 100."""
    return max(20, min(100, shutil.get_terminal_size((96, 24)).columns - 1))


def paint(text: str, color: str) -> str:
    """Return the text in color, on a terminal."""
    is_colored = is_terminal() and not os.environ.get("NO_COLOR")
    return f"\x1b[{color}m{text}\x1b[0m" if is_colored else text


def link(path: Path, text: str) -> str:
    """Return the text as a link to a file, on a terminal."""
    if not is_terminal():
        return text
    return f"\x1b]8;;{path.resolve().as_uri()}\x1b\\{text}\x1b]8;;\x1b\\"


def clear() -> None:
    """Begin a new screen, on a terminal."""
    print("\x1b[2J\x1b[H" if is_terminal() else "", end="")


def wrapped(text: str) -> str:
    """Wrap prose at the width of the terminal; leave indented lines, code and tables unchanged."""
    lines = []
    for line in text.splitlines():
        is_prose = len(line) > width() and not line.startswith("  ")
        lines.append(fill(line, width(), break_long_words=False) if is_prose else line)
    return "\n".join(lines)


def prose(text: str) -> str:
    r"""Fill paragraphs to the width of the terminal; leave those with indented lines unchanged.

    >>> print(prose("One\nparagraph.\n\n    y = x\n"))
    One paragraph.
    <BLANKLINE>
        y = x
    """
    paragraphs = text.strip("\n").split("\n\n")
    return "\n\n".join(
        p
        if any(line.startswith(" ") for line in p.splitlines())
        else fill(" ".join(p.split()), width())
        for p in paragraphs
    )


def code(text: str) -> str:
    """Return Python code, indented, and highlighted if rich is installed and this is a terminal."""
    if is_terminal() and not os.environ.get("NO_COLOR"):
        try:
            from rich.console import Console
            from rich.syntax import Syntax
        except ImportError:
            pass
        else:
            console = Console(
                width=max(20, width() - 4), color_system="standard", force_terminal=True
            )
            with console.capture() as kept:
                console.print(Syntax(text, "python", theme="ansi_dark", background_color="default"))
            text = "\n".join(line.rstrip() for line in kept.get().rstrip().splitlines())
    return indent(text, "    ")


def harmless(text: str) -> str:
    """Return text that an answer printed, without characters that control the terminal."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")


def edit(file: Path) -> None:
    """Open a file in the reader's editor."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        print("\nSet the environment variable EDITOR to use this key.", flush=True)
        return
    try:
        subprocess.run([*shlex.split(editor), str(file)], check=False)
    except OSError as error:
        print(f"\nThe editor {editor!r} cannot be started: {error}", flush=True)


# Puzzles and results
# -------------------


def heading(puzzle: Puzzle) -> str:
    """Return the number and the title."""
    return paint(f"{puzzle.number}. {puzzle.title}", BOLD)


SAID = {
    "correct": ("Correct.", GREEN),
    "incorrect": ("Incorrect.", RED),
    "open": ("Your turn.", BOLD),
}


def in_words(result: Result) -> str:
    """Return the result as paragraphs, with the failing case and the printed text."""
    said, color = SAID[result.status]
    parts = [wrapped(f"{said} {result.text}").replace(said, paint(said, color), 1)]
    if result.case:
        parts.append(indent(_narrow(result.case), "    "))
    if result.printed.strip():
        where = " in this case" if result.case else ""
        text = harmless(result.printed).rstrip()
        parts.append(f"Your code printed{where}:\n\n{indent(text, '    ')}")
    return "\n\n".join(parts)


def _narrow(table: str) -> str:
    """Cut a table at the width of the terminal."""
    room = width() - 4
    return "\n".join(s if len(s) <= room else s[: room - 1] + "…" for s in table.splitlines())
