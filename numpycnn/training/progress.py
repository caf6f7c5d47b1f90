"""Progress: how far something long is, for whoever waits in front of a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from time import monotonic

AFTER, EVERY = 3.0, 0.2  # seconds: what is short is over by then; the eye needs no more


def progress(name: str, n_steps: int, losses: Sequence[float] = ()) -> Iterator[int]:
    """Count steps from 1; on a terminal, once it takes long, say after each how far it is.

    The line has the last of the `losses`, if there are any, and the seconds left. It goes to
    stderr, is written over itself and wiped out in the end, however the steps end. Where stderr
    is not a terminal, or cannot be written to, nothing is said.
    """
    began = told = monotonic()
    width = 0
    try:
        for step in range(1, n_steps + 1):
            yield step
            now = monotonic()
            if now - began > AFTER and now - told > EVERY:
                left = (now - began) / step * (n_steps - step)
                loss = f", loss {losses[-1]:.4g}" if losses else ""
                line = f"{name} {step} of {n_steps}{loss}, {left:.0f} s left"
                told, width, old = now, len(line), width
                _show(f"\r{line:<{old}}")
    finally:
        if width:
            _show("\r" + " " * (width + len("^C")) + "\r")  # a terminal shows an interrupt so


def _show(text: str) -> None:
    """Write to stderr if it is a terminal."""
    terminal = sys.stderr  # None in a program without a console
    try:
        if terminal.isatty():
            terminal.write(text)
            terminal.flush()
    except Exception:  # closed, without isatty, on a full disk: no reason to stop a training
        pass
