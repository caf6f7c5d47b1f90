"""Handle the command line, the figures and the errors of the scripts.

Every option has a default. An invalid option, or an output that cannot be written, is refused with
a one-line message before any computation.

A script imports this module first. From then on, an error that the user can fix ends the script
with a one-line message and an exit status: 2 for an option, 1 for a full disk, a missing package or
too little memory, 130 for Ctrl-C, 141 if the receiver of a pipe has closed it. Errors in a script
itself still print a traceback.
"""

import argparse
import atexit
import io
import os
import sys
import tempfile
from math import inf
from pathlib import Path

# How a script ends
# -----------------

PACKAGES = {"distributed": "'dask[distributed]'", "cloudpickle": "'dask[distributed]'"}
"""Names of packages that differ from the names of their modules."""


def end_in_one_line(kind, error, traceback):
    """Report an error that the user can fix in one line; print the traceback of others.

    This is a `sys.excepthook`.
    """
    words, status = None, 1
    if issubclass(kind, KeyboardInterrupt):
        words, status = "interrupted.", 130
    elif issubclass(kind, BrokenPipeError):
        leave_stdout()
        sys.exit(141)
    elif issubclass(kind, ModuleNotFoundError):
        package = PACKAGES.get(error.name, error.name)
        words = f"the package {error.name} is not installed. python -m pip install {package}"
    elif issubclass(kind, ImportError | OSError):
        words = str(error)
    elif issubclass(kind, MemoryError):
        words = f"not enough memory. {error}".rstrip(". ") + ". Use fewer or shorter traces."
    if words is None:
        sys.__excepthook__(kind, error, traceback)
        return
    print(f"{script_name()}: {words}", file=sys.stderr)
    sys.exit(status)


def script_name():
    """Return the name of the script that runs."""
    return Path(sys.argv[0]).name


def leave_stdout():
    """Discard the rest of the output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def flush_stdout():
    """Write the rest of the output at exit, or report in one line why it cannot be written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        leave_stdout()
    except OSError as error:
        leave_stdout()
        print(f"{script_name()}: the output cannot be written: {error}", file=sys.stderr)
        os._exit(1)
    except ValueError:  # the script has closed it
        pass


sys.excepthook = end_in_one_line
atexit.register(flush_stdout)
for stream in sys.stdout, sys.stderr:  # None if it was closed
    if isinstance(stream, io.TextIOWrapper):  # letters outside the encoding become "?"
        stream.reconfigure(errors="replace")

# The command line
# ----------------

MOST = 10**9  # largest number of traces, epochs, …


def at_least(least, kind=int):
    """Return a `type` for `add_argument` that reads a number of at least `least`."""

    def number(text):
        try:
            value = kind(text)
        except ValueError:
            what = "an integer" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"expected {what}, got {text!r}") from None
        if not least <= value < inf:
            raise argparse.ArgumentTypeError(f"expected {least} or more, got {text}")
        if kind is int and value > MOST:
            raise argparse.ArgumentTypeError(f"expected at most {MOST}, got {text}")
        return value

    return number


def folder(text):
    """Return the path of a folder given by an option; refuse an empty name."""
    if not text:
        raise argparse.ArgumentTypeError("expected the name of a folder, got ''")
    return Path(text)


def end(problems):
    """List the files and records that were left out, with the reasons; exit with status 1."""
    if problems:
        print("\nleft out:", *problems, sep="\n  ", file=sys.stderr)
        sys.exit(1)


class Parser(argparse.ArgumentParser):
    """A parser that requires the full names of options."""

    def __init__(self, description, **options):
        super().__init__(description=description, allow_abbrev=False, **options)


class Options(Parser):
    """The parser of a script with figures: it shows the defaults, and saves the figures.

    Parameters
    ----------
    description : str
        The purpose of the script.
    files : sequence of str
        The names of the files that it writes into the folder `--output`. A script without files
        does not have this option.
    output : str or None
        The default of `--output`. With `None` the figures are shown, unless the option is given.
    """

    def __init__(self, description, files=(), output="figures"):
        super().__init__(description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        self.files = files
        if files:
            self.add_argument(
                "--output", type=folder, default=output, metavar="DIR", help="for figures"
            )
        if files and output:
            self.add_argument("--show", action="store_true", help="open windows for them as well")

    def read(self):
        """Return the options, after `try_output`."""
        args = self.parse_args()
        self.try_output(args)
        return args

    def try_output(self, args):
        """Make the folder for the files and try to write into it, or exit with status 2.

        Matplotlib is loaded as well, if it will be needed, and set to the style of the figures.
        """
        if not self.files:
            return
        if any(name.endswith(".png") for name in self.files):
            self.load_matplotlib()
        if args.output is None:
            return
        try:
            args.output.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=args.output) as file:
                file.write(bytes(100_000))
            for name in self.files:
                if (args.output / name).is_dir():
                    raise IsADirectoryError(f"{args.output / name} is a folder")
        except OSError as error:
            self.error(f"--output must be a folder in which files can be written: {error}")

    def load_matplotlib(self):
        """Load Matplotlib, or exit with status 2."""
        try:
            import matplotlib

            from numpycnn.plots.figure import STYLE
        except ImportError as error:
            self.error(str(error))
        matplotlib.rcParams.update(STYLE)

    def finish(self, args, **figures):
        """Save each figure under its name, print the names, and open windows with --show."""
        for name, figure in figures.items():
            file = io.BytesIO()
            figure.savefig(file, format="png")
            write_whole(args.output / f"{name}.png", file.getvalue())
        print(f"\nsaved {' and '.join(str(args.output / f'{name}.png') for name in figures)}")
        if getattr(args, "show", False):
            self.open(*figures.values())

    def open(self, *figures):
        """Open a window for each figure, and wait until all are closed."""
        from numpycnn.plots import show  # imported here, because not every script has figures

        try:
            show(*figures)
        except RuntimeError as error:
            self.error(str(error))


# Files
# -----


def write_whole(path, content):
    """Write bytes to a file completely or not at all; an old file is replaced at the end."""
    # Imported here, because this module is imported before NumPy.
    from numpycnn.system.files import replacing

    path = Path(os.path.realpath(path))  # a link is followed, not replaced
    with replacing(path) as file:
        file.write(content)


def require_writable(option, path):
    """Raise `ValueError` unless a file can be written at this path."""
    path = Path(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder")
        with tempfile.TemporaryFile(dir=path.absolute().parent) as file:
            file.write(bytes(10_000))
    except OSError as error:
        raise ValueError(
            f"{option} must be a file that can be written, got {path}: {error}"
        ) from error
