"""The screen: paragraphs, code and colors, at the width of the terminal.

With the package rich installed, code is highlighted; without it the text is the same.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from textwrap import fill, indent

GREEN, RED, GRAY, BOLD = "32", "31", "90", "1"


def is_terminal() -> bool:
    """Whether output goes to a terminal that knows colors."""
    knows = "WT_SESSION" in os.environ if os.name == "nt" else os.environ.get("TERM") != "dumb"
    return sys.stdout.isatty() and knows


def width() -> int:
    """Columns to write in: those of the terminal, at most 100 for prose."""
    return max(20, min(100, shutil.get_terminal_size((96, 24)).columns - 1))


def paint(text: str, color: str) -> str:
    """The text in color, on a terminal."""
    return f"\x1b[{color}m{text}\x1b[0m" if is_terminal() else text


def link(path: Path, text: str) -> str:
    """The text as a link to a file, on a terminal."""
    if not is_terminal():
        return text
    return f"\x1b]8;;{path.resolve().as_uri()}\x1b\\{text}\x1b]8;;\x1b\\"


def clear() -> None:
    """Begin a new screen, on a terminal."""
    print("\x1b[2J\x1b[H" if is_terminal() else "", end="")


def wrapped(text: str) -> str:
    """Prose at the width of the terminal; indented lines, code and tables, stay as they are."""
    lines = []
    for line in text.splitlines():
        is_prose = len(line) > width() and not line.startswith("  ")
        lines.append(fill(line, width(), break_long_words=False) if is_prose else line)
    return "\n".join(lines)


def prose(text: str) -> str:
    """Paragraphs filled to the width of the terminal; those with indented lines stay as they are.

    >>> print(prose("One\\nparagraph.\\n\\n    y = x\\n"))
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
    """Python code, indented; highlighted if rich is installed and this is a terminal."""
    if is_terminal():
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
    """Text that somebody's code printed, without characters that control the terminal."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")
