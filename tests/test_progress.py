"""The line that says how far a long training is, and when there is none."""

import io
import re

import numpy as np
import pytest

from numpycnn import Dense, fit
from numpycnn.training import progress


class Terminal(io.StringIO):
    """It shows what was flushed."""

    shown = ""

    def isatty(self):
        return True

    def flush(self):
        self.shown = self.getvalue()


@pytest.fixture
def told(monkeypatch):
    """Run so many steps of so many seconds by a clock of our own; return what was written."""

    def run(n_steps, seconds, stderr, stop_at=None, name="epoch"):
        clock = [100.0]
        monkeypatch.setattr(progress, "monotonic", lambda: clock[0])
        monkeypatch.setattr("sys.stderr", stderr)
        losses = []
        for step in progress.progress(name, n_steps, losses):
            clock[0] += seconds
            if name == "epoch":
                losses.append(1 / step)
            if step == stop_at:
                break
        assert step == (stop_at or n_steps)
        return stderr.getvalue()

    return run


def screen(written):
    """What stands in the line of a terminal after this."""
    line = []
    place = 0
    for letter in written:
        assert letter != "\n"
        if letter == "\r":
            place = 0
        else:
            line[place : place + 1] = letter
            place += 1
    return "".join(line).rstrip()


def test_a_long_training_tells_the_epoch_the_loss_and_the_time_left(told):
    lines = told(10, 1.0, Terminal()).split("\r")
    assert lines[1] == "epoch 4 of 10, loss 0.25, 6 s left"
    assert [re.match(r"epoch (\d+)", line)[1] for line in lines[1:8]] == [*"456789", "10"]
    assert lines[7].startswith("epoch 10 of 10, loss 0.1, 0 s left")


def test_other_steps_have_another_name_and_no_loss(told):
    lines = told(24, 2.0, Terminal(), name="hour").split("\r")
    assert lines[1] == "hour 2 of 24, 44 s left"


def test_in_the_end_the_line_is_empty_however_it_ends(told):
    assert screen(told(10, 1.0, Terminal())) == ""
    assert screen(told(10, 1.0, Terminal(), stop_at=6)) == ""
    assert screen(told(10, 1.0, Terminal()) + "next") == "next"
    assert screen("\rabc\r   \rx") == "x"


def test_each_line_is_shown_at_once_and_so_is_the_empty_one(monkeypatch):
    terminal, clock = Terminal(), iter(range(100))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("sys.stderr", terminal)
    shown = [screen(terminal.shown)[:7] for _ in progress.progress("epoch", 7, [1.0])]
    assert shown == [*4 * [""], "epoch 4", "epoch 5", "epoch 6"]
    assert screen(terminal.shown) == ""


def test_a_training_of_a_few_seconds_says_nothing(told):
    assert told(100, 0.02, Terminal()) == ""


def test_where_there_is_no_terminal_nothing_is_said(told):
    assert told(10, 5.0, io.StringIO()) == ""


def test_fast_epochs_are_not_all_told(told):
    lines = told(1000, 0.01, Terminal()).split("\r")
    assert 25 < len(lines) < 40


def test_fit_tells_how_its_loss_goes(monkeypatch):
    terminal, clock = Terminal(), iter(range(100))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("sys.stderr", terminal)
    history = fit(Dense(1, 2, rng=0), np.array([[0.0], [1.0]]), [0, 1], epochs=5)
    assert f"epoch 5 of 5, loss {history.loss[-1]:.4g}, 0 s left" in terminal.getvalue()


# A terminal that is none, or breaks
# ----------------------------------


def closed():
    stream = Terminal()
    stream.close()
    return stream


def raising(method, error):
    """A terminal of which one method raises."""

    def fails(self, *args):
        raise error

    return type("Broken", (Terminal,), {method: fails})()


BROKEN = {
    "none": lambda: None,
    "closed": closed,
    "without isatty": object,
    "isatty is no function": lambda: type("Odd", (), {"isatty": True})(),
    **{
        f"{method} raises {type(error).__name__}": lambda method=method, error=error: raising(
            method, error
        )
        for method in ("isatty", "write", "flush")
        for error in (
            OSError(28, "No space left on device"),
            BrokenPipeError(32, "Broken pipe"),
            ValueError("I/O operation on closed file"),
            RuntimeError("a console of its own"),
        )
    },
}


@pytest.mark.parametrize("stream", BROKEN)
def test_a_training_does_not_stop_for_a_terminal_that_does_not_work(stream, monkeypatch):
    x, labels = np.array([[0.0], [1.0]]), [0, 1]
    expected = fit(Dense(1, 2, rng=0), x, labels, epochs=9)
    clock = iter(range(1000))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("sys.stderr", BROKEN[stream]())
    assert fit(Dense(1, 2, rng=0), x, labels, epochs=9) == expected


def test_a_terminal_that_goes_away_while_it_is_trained_is_no_matter(monkeypatch):
    terminal, clock = Terminal(), iter(range(1000))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("sys.stderr", terminal)

    def leave(epoch, history):
        if epoch == 6:
            assert "epoch 5" in terminal.getvalue()
            terminal.close()

    history = fit(Dense(1, 2, rng=0), np.eye(1), [0], epochs=9, on_epoch=leave)
    assert len(history.loss) == 9


# A training that is stopped
# --------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("no more"), SystemExit(1)])
def test_the_line_is_empty_before_the_traceback_is_printed(error, monkeypatch):
    terminal, clock = Terminal(), iter(range(1000))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("sys.stderr", terminal)

    def stop(epoch, history):
        if epoch == 7:
            terminal.write("^C")  # as a terminal shows it
            raise error

    with pytest.raises(type(error)):
        fit(Dense(1, 2, rng=0), np.eye(1), [0], epochs=100, on_epoch=stop)
    assert "epoch 6" in terminal.shown
    assert screen(terminal.shown) == ""


def test_an_interrupt_while_the_line_is_written_leaves_no_line(monkeypatch):
    class Interrupted(Terminal):
        def flush(self):
            super().flush()
            if "epoch 6" in self.getvalue():
                monkeypatch.setattr(Interrupted, "flush", Terminal.flush)
                raise KeyboardInterrupt

    terminal, clock = Interrupted(), iter(range(1000))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("sys.stderr", terminal)
    with pytest.raises(KeyboardInterrupt):
        fit(Dense(1, 2, rng=0), np.eye(1), [0], epochs=100)
    assert screen(terminal.shown) == ""
