"""Options: what the scripts here ask on the command line, and where their figures go.

Every option has a default, so none is needed. One that cannot be is refused in a line,
before anything is computed.
"""

import argparse
import sys
from math import inf
from pathlib import Path


def at_least(least, kind=int):
    """Return what `add_argument` takes as a type: reads a number from `least` up."""

    def number(text):
        if not least <= kind(text) < inf:
            raise argparse.ArgumentTypeError(f"expected {least} or more, got {text}")
        return kind(text)

    return number


def end(problems):
    """List the files and records that were left out, and why; then the exit status is 1."""
    if problems:
        print("\nleft out:", *problems, sep="\n  ", file=sys.stderr)
        sys.exit(1)


class Options(argparse.ArgumentParser):
    """A parser that tells the defaults in its help, and knows what to do with figures."""

    def __init__(self, description, output="figures"):
        super().__init__(description=description)
        self.formatter_class = argparse.ArgumentDefaultsHelpFormatter
        self.add_argument("--output", type=Path, default=output, metavar="DIR", help="for figures")
        if output:
            self.add_argument("--show", action="store_true", help="open windows for them as well")
        else:
            self.set_defaults(show=False)

    def read(self):
        """Return the options, and make the folder for the figures."""
        args = self.parse_args()
        if args.output:
            self.make_folder(args.output)
        return args

    def make_folder(self, folder):
        """Make a folder, or say that it cannot be."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.error(f"--output must be a folder, or a path where one can be made: {error}")

    def finish(self, args, **figures):
        """Save each figure under its name, say so, and open them if that was asked for."""
        for name, figure in figures.items():
            figure.savefig(args.output / f"{name}.png")
        print(f"\nsaved {' and '.join(str(args.output / f'{name}.png') for name in figures)}")
        if args.show:
            self.open(*figures.values())

    def open(self, *figures):
        """Open a window for each figure, and wait until all are closed."""
        from numpycnn.plots import show  # here, as not every script has figures

        try:
            show(*figures)
        except RuntimeError as error:
            self.error(str(error))
