"""Progress of a long computation, as one line on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from time import monotonic

AFTER, EVERY = 3.0, 0.2  # seconds before the first line, and between two lines


def progress(name: str, n_steps: int, losses: Sequence[float] = ()) -> Iterator[int]:
    """Count steps from 1 and show the count on a terminal if the computation takes long.

    Parameters
    ----------
    name : str
        The kind of step, such as "epoch".
    n_steps : int
        Number of steps.
    losses : sequence of float
        The last loss is shown, if there is one.

    Yields
    ------
    int
        The number of the next step, from 1.

    Notes
    -----
    The line is written to stderr, overwritten after each step and erased at the end, also after
    an error. Nothing is written if stderr is not a terminal or cannot be written to.
    """
    began = shown = monotonic()
    width = 0
    try:
        for step in range(1, n_steps + 1):
            yield step
            now = monotonic()
            if now - began > AFTER and now - shown > EVERY:
                left = (now - began) / step * (n_steps - step)
                loss = f", loss {losses[-1]:.4g}" if losses else ""
                line = f"{name} {step} of {n_steps}{loss}, {left:.0f} s left"
                _show(f"\r{line:<{width}}")
                shown, width = now, len(line)
    finally:
        if width:
            _show("\r" + " " * (width + len("^C")) + "\r")  # how a terminal shows an interrupt


def _show(text: str) -> None:
    """Write to stderr if it is a terminal."""
    terminal = sys.stderr  # None in a program without a console
    try:
        if terminal.isatty():
            terminal.write(text)
            terminal.flush()
    except Exception:  # closed, without isatty, on a full disk: training continues
        pass
