"""The progress line of a long training, and the cases without one."""

import io
import re

import numpy as np
import pytest

from numpycnn import Dense, fit
from numpycnn.system import progress


class Terminal(io.StringIO):
    """Shows only the text that was flushed."""

    shown = ""

    def isatty(self):
        return True

    def flush(self):
        self.shown = self.getvalue()


@pytest.fixture
def use(monkeypatch):
    """Replace stderr by a stream, and the clock by one that advances at every reading."""

    def use(stream, seconds=1.0):
        times = iter(range(100_000))
        monkeypatch.setattr(progress, "monotonic", lambda: seconds * next(times))
        monkeypatch.setattr("sys.stderr", stream)
        return stream

    return use


def run(n_steps, name="epoch", stop_at=None):
    losses = []
    for step in progress.progress(name, n_steps, losses):
        if name == "epoch":
            losses.append(1 / step)
        if step == stop_at:
            break


def screen(written):
    """The text in the line of a terminal after this output."""
    line, column = [], 0
    for letter in written:
        assert letter != "\n"
        if letter == "\r":
            column = 0
        else:
            line[column : column + 1] = letter
            column += 1
    return "".join(line).rstrip()


def test_a_long_training_shows_the_epoch_the_loss_and_the_time_left(use):
    terminal = use(Terminal())
    run(10)
    lines = terminal.getvalue().split("\r")
    assert lines[1] == "epoch 4 of 10, loss 0.25, 6 s left"
    assert [re.match(r"epoch (\d+)", line)[1] for line in lines[1:8]] == [*"456789", "10"]
    terminal = use(Terminal(), 2.0)
    run(24, "hour")
    assert terminal.getvalue().split("\r")[1] == "hour 2 of 24, 44 s left"


def test_the_line_is_shown_at_once_and_cleared_at_the_end(use):
    terminal = use(Terminal())
    shown = [screen(terminal.shown)[:7] for _ in progress.progress("epoch", 7, [1.0])]
    assert shown == [*4 * [""], "epoch 4", "epoch 5", "epoch 6"]
    assert screen(terminal.shown) == ""
    terminal = use(Terminal())
    run(10, stop_at=6)
    assert "epoch 5" in terminal.getvalue()
    assert screen(terminal.getvalue() + "next") == "next"


def raising(method, error):
    """A terminal with a method that raises."""

    def fails(self, *args):
        raise error

    return type("Broken", (Terminal,), {method: fails})()


BROKEN = {
    "none": lambda: None,
    "without isatty": object,
    "isatty is not a function": lambda: type("Odd", (), {"isatty": True})(),
    "isatty raises": lambda: raising("isatty", ValueError("closed")),
    "write raises": lambda: raising("write", OSError(28, "No space left on device")),
    "flush raises": lambda: raising("flush", RuntimeError("a custom console")),
}


def train(epochs=9, **options):
    x, labels = np.array([[0.0], [1.0]]), [0, 1]
    return fit(Dense(1, 2, rng=0), x, labels, epochs=epochs, **options)


@pytest.mark.parametrize("stream", BROKEN)
def test_a_training_does_not_stop_for_a_broken_terminal(stream, use):
    expected = train()
    use(BROKEN[stream]())
    assert train() == expected


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("no more"), SystemExit(1)])
def test_the_line_is_cleared_before_the_traceback_is_printed(error, use):
    terminal = use(Terminal())

    def stop(epoch, history):
        if epoch == 7:
            terminal.write("^C")  # as a terminal shows it
            raise error

    with pytest.raises(type(error)):
        train(epochs=100, on_epoch=stop)
    assert "epoch 6" in terminal.shown
    assert screen(terminal.shown) == ""
