"""Progress: a line with the progress of a long training, and a table of its epochs.

The line appears in a terminal and in a notebook. Where the output goes to a file or a pipe, there
is none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from time import monotonic

AFTER, EVERY = 3.0, 0.2  # seconds: before the first line, and between two lines
ROWS = 10  # epochs in a table, at most


def progress(name: str, n_steps: int, losses: Sequence[float] = ()) -> Iterator[int]:
    """Count steps from 1, and show the progress in a terminal or a notebook after 3 seconds.

    Parameters
    ----------
    name : str
        Name of a step: "epoch".
    n_steps : int
        Number of steps.
    losses : sequence of float
        The line shows the last one, if there is one, and the time left.

    Yields
    ------
    int
        The number of the step, from 1.

    Notes
    -----
    The line goes to stderr, overwrites itself, and is cleared at the end, also after an exception.
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
    """Write to stderr if it is a terminal or the output of a notebook's cell."""
    stderr = sys.stderr  # None in a program without a console
    try:
        if stderr.isatty() or type(stderr).__module__.startswith("ipykernel."):
            stderr.write(text)
            stderr.flush()
    except Exception:  # closed, without isatty, on a full disk: no reason to stop a training
        pass


def table_by_epoch(columns: Mapping[str, Sequence[float]]) -> str:
    """Return a table of values by epoch: the first, the last, and some between them.

    Parameters
    ----------
    columns : mapping of str to sequence of float
        For each name a value for every epoch. An empty column is left out.

    Returns
    -------
    str

    Examples
    --------
    >>> print(table_by_epoch({"loss": [1.1, 0.25], "accuracy": [0.5, 1.0], "val_loss": []}))
    epoch      loss  accuracy
        1       1.1       0.5
        2      0.25         1
    """
    columns = {name: values for name, values in columns.items() if values}
    n_epochs = max(map(len, columns.values()), default=0)
    step = max(1, -(-(n_epochs - 1) // (ROWS - 1)))
    shown = [*range(0, n_epochs - 1, step), n_epochs - 1] if n_epochs else []
    widths = {name: max(10, len(name) + 2) for name in columns}
    lines = ["epoch" + "".join(f"{name:>{width}}" for name, width in widths.items())]
    for n in shown:
        cells = [
            f"{values[n]:{widths[name]}.4g}" if n < len(values) else " " * widths[name]
            for name, values in columns.items()
        ]
        lines.append(f"{n + 1:5}" + "".join(cells))
    return "\n".join(lines) if shown else "no epochs"
