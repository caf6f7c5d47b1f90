"""Options: what the scripts here ask on the command line, and where their figures go.

Every option has a default, so none is needed. One that cannot be is refused in a line,
before anything is computed.
"""

import argparse
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any


def checked(kind: type, is_right: Callable[[Any], bool], words: str) -> Callable[[str], Any]:
    """Return what `add_argument` takes as a type: reads a number, and refuses what is not right."""

    def number(text: str) -> Any:
        if not is_right(kind(text)):
            raise argparse.ArgumentTypeError(f"expected {words}, got {text}")
        return kind(text)

    return number


def at_least(least: int) -> Callable[[str], int]:
    """Return the type of a whole number from `least` up."""
    return checked(int, lambda number: number >= least, f"{least} or more")


above_zero = checked(float, lambda number: 0 < number < inf, "a number above 0")
zero_or_more = checked(float, lambda number: 0 <= number < inf, "a number from 0 up")


class Options(argparse.ArgumentParser):
    """A parser that tells the defaults in its help, and knows what to do with figures."""

    def __init__(self, description: str, output: str | None = "figures") -> None:
        show_defaults = argparse.ArgumentDefaultsHelpFormatter
        super().__init__(description=description, formatter_class=show_defaults)
        self.add_argument("--output", type=Path, default=output, metavar="DIR", help="for figures")
        self.add_argument("--show", action="store_true", help="open the figures in windows as well")

    def read(self) -> argparse.Namespace:
        """Return the options, and make the folder for the figures."""
        args = self.parse_args()
        self.make_folder(args.output)
        return args

    def make_folder(self, folder: Path) -> None:
        """Make a folder, or say that it cannot be."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.error(f"--output must be a folder, or a path where one can be made: {error}")

    def finish(self, args: argparse.Namespace, **figures: Any) -> None:
        """Save each figure under its name, say so, and open them if that was asked for."""
        for name, figure in figures.items():
            figure.savefig(args.output / f"{name}.png")
        print(f"\nsaved {' and '.join(str(args.output / f'{name}.png') for name in figures)}")
        if args.show:
            self.open(*figures.values())

    def open(self, *figures: Any) -> None:
        """Open a window for each figure, and wait until all are closed."""
        from numpycnn.plots import show  # here, as not every script has figures

        try:
            show(*figures)
        except RuntimeError as error:
            self.error(str(error))
