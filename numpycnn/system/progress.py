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
    began = shown = monotonic()
    width = 0
    try:
        for step in range(1, n_steps + 1):
            yield step
            now = monotonic()
            if now - began > AFTER and now - shown > EVERY:
                left = (now - began) / step * (n_steps - step)
                loss = f", loss {losses[-1]:.4g}" if losses else ""
                line = f"\r{name} {step} of {n_steps}{loss}, {left:.0f} s left".ljust(width)
                shown, width = now, len(line)
                _show(line)
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
    columns = {f"{name:>{max(10, len(name) + 2)}}": data for name, data in columns.items() if data}
    n_epochs = min(map(len, columns.values()), default=0)
    if n_epochs == 0:
        return "no epochs"
    lines, every = ["epoch" + "".join(columns)], max(1, -(-(n_epochs - 1) // (ROWS - 1)))
    for n in (*range(0, n_epochs - 1, every), n_epochs - 1):
        cells = [f"{values[n]:{len(heading)}.4g}" for heading, values in columns.items()]
        lines.append(f"{n + 1:5}" + "".join(cells))
    return "\n".join(lines)
