"""Progress: how far a long training is, for whoever waits in front of a terminal."""

import sys
from collections.abc import Iterator
from time import monotonic

AFTER, EVERY = 3.0, 0.2  # seconds: a short training is over by then; the eye needs no more


def epochs_told(epochs: int, losses: list[float]) -> Iterator[int]:
    """Count the epochs from 1; on a terminal, once it takes long, say after each how it goes.

    The line has the last of the `losses` and the seconds left. It goes to stderr, is written
    over itself and wiped out in the end.
    """
    began = told = monotonic()
    width = 0
    try:
        for epoch in range(1, epochs + 1):
            yield epoch
            now = monotonic()
            if now - began > AFTER and now - told > EVERY and sys.stderr.isatty():
                left = (now - began) / epoch * (epochs - epoch)
                line = f"epoch {epoch} of {epochs}, loss {losses[-1]:.4g}, {left:.0f} s left"
                print(f"\r{line:<{width}}", end="", file=sys.stderr, flush=True)
                told, width = now, len(line)
    finally:
        if width:
            print("\r" + " " * width, end="\r", file=sys.stderr, flush=True)
