"""`python -m numpycnn.puzzles`: see `runner`."""

from __future__ import annotations

import os
import signal
import sys

from numpycnn.puzzles import main

if __name__ == "__main__":
    # so that `finally` runs: it ends the process of an answer, and restores the terminal
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        code = main()
        if sys.stdout is not None:  # it may have been closed at the start
            sys.stdout.flush()
    except BrokenPipeError:  # the receiver of the output has closed the pipe, as in `list | head`
        code = 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
