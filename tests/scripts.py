"""The examples, run in this process, because each start of Python takes a second."""

import runpy
import signal
import sys
from pathlib import Path

import matplotlib as mpl
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def accept_interrupts():
    """As `preexec_fn`: let Ctrl-C reach a process, which a shell in the background ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_example(name, folder, *options):
    """Run examples/NAME.py in this folder as its users start it; return all its names."""
    script = str(EXAMPLES / f"{name}.py")
    with pytest.MonkeyPatch.context() as patch, mpl.rc_context():
        patch.chdir(folder)
        patch.syspath_prepend(EXAMPLES)  # as Python does
        patch.setattr(sys, "argv", [script, *map(str, options)])
        return runpy.run_path(script, run_name="__main__")


def complaint(name, folder, capsys, *options):
    """The line with which it refuses these options."""
    with pytest.raises(SystemExit) as stop:
        run_example(name, folder, *options)
    assert stop.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]
