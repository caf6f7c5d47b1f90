"""`python -m numpycnn.puzzles`: see `runner`."""

import sys

from numpycnn.puzzles import main

if __name__ == "__main__":
    sys.exit(main())
