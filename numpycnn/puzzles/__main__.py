"""`python -m numpycnn.puzzles`: see `runner`."""

from __future__ import annotations

import os
import sys

from numpycnn.puzzles import main

if __name__ == "__main__":
    try:
        code = main()
        if sys.stdout is not None:  # it may have been closed at the start
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has closed it, as in `list | head`
        code = 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
