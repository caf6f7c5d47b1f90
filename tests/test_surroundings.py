"""Scripts and puzzles in unusual surroundings: a line and an exit status, and no half files.

Most of these start a process, because closed streams and signals belong to one. The scripts are
short ones that import `options` as the examples do.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import numpy as np
import pytest
from scripts import EXAMPLES, accept_interrupts, complaint

from _shared.options import write_whole
from numpycnn.puzzles import main as puzzles_main
from numpycnn.puzzles import screen
from numpycnn.puzzles.folder import Folder
from numpycnn.puzzles.puzzle import PUZZLES

SCRIPTS = {  # with figures, and what each of them writes
    "trace_classifier": ["traces.png", "learning_curves.png"],
    "how_hard_is_it": ["how_hard_is_it.png"],
    "where_does_it_work": ["where_does_it_work.png", "why.png"],
    "find_the_fault": ["find_the_fault.png"],
    "explore_trace": ["explore_trace.png"],
    "pick_arrivals": ["picks.png", "picker.npz"],
    "your_traces": ["learning_curves.png", "confusion.png", "model.npz"],
}
ROOT = EXAMPLES.parent


def start(code, *options, setup=None, streams=None, stdin=subprocess.DEVNULL, **environment):
    """Start `python script.py`, or `python -m module`, and return the process."""
    command = ["-m", code] if code.startswith("numpycnn") else ["-c", code]
    if isinstance(streams, str):  # closed by the shell
        command = ["sh", "-c", f'exec "$0" "$@" {streams}', sys.executable, *command, *options]
    else:
        command = [sys.executable, *command, *options]
    paths = os.pathsep.join([str(ROOT), str(EXAMPLES)])
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        preexec_fn=setup,
        env=os.environ | {"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"} | environment,
    )


def outcome(process):
    """Return the exit status, and the lines of both streams."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out.splitlines(), err.splitlines()


def no_file_can_be_written():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


# How a script ends
# -----------------


@pytest.mark.parametrize(
    ("statement", "status", "words"),
    [
        ("raise KeyboardInterrupt", 130, "interrupted"),
        ("raise MemoryError('Unable to allocate 7 PiB')", 1, "Unable to allocate 7 PiB"),
        ("open('/no/such/folder/x', 'w')", 1, "/no/such/folder/x"),
        ("import no_such_package", 1, "no_such_package"),
        ("import distributed_ as x", 1, "distributed_"),
        ("raise ImportError('numpycnn.plots requires matplotlib')", 1, "requires matplotlib"),
    ],
)
def test_what_a_user_can_fix_is_a_line_and_an_exit_status(statement, status, words):
    code, out, err = outcome(start(f"import _shared.options\nprint('before')\n{statement}"))
    assert (code, out, len(err)) == (status, ["before"], 1)
    assert words in err[0]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_an_output_on_a_full_disk_is_a_line():
    code, _, err = outcome(start("import _shared.options\nprint(1)", streams=">/dev/full"))
    assert code == 1
    assert len(err) == 1


@pytest.mark.parametrize("streams", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_to_stop(streams):
    code, _, err = outcome(
        start("import _shared.options\nprint(1)\nprint(2, flush=True)", streams=streams)
    )
    assert (code, err) == (0, [])


def test_ctrl_c_is_a_line():
    code = "import _shared.options, time\nprint(1, flush=True)\ntime.sleep(60)"
    process = start(code, setup=accept_interrupts)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    code, _, err = outcome(process)
    assert (code, len(err)) == (130, 1)


# Options
# -------


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_output_that_cannot_be_written_is_refused_before_the_training(name, tmp_path, capsys):
    last = tmp_path / "out" / SCRIPTS[name][-1]
    last.mkdir(parents=True)  # a folder that has the name of a file
    began = time.process_time()
    line = complaint(name, tmp_path, capsys, "--output", "out")
    assert time.process_time() - began < 2  # nothing was trained
    assert "--output" in line
    assert last.name in line


def test_a_full_disk_is_noticed_before_the_training(tmp_path):
    code = "from _shared.options import Options\nOptions('', ['a.npz']).read()\nprint('training')"
    process = start(code, "--output", str(tmp_path / "out"), setup=no_file_can_be_written)
    status, out, err = outcome(process)
    assert (status, out) == (2, [])
    assert "--output" in err[-1]
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_what_a_killed_process_left_is_removed_after_a_day(tmp_path):
    old, new, foreign = (
        tmp_path / name
        for name in (".a.npz.0123456789abcdef.part", f".a.npz.{'f' * 16}.part", ".a.npz.mine.part")
    )
    for file in (old, new, foreign):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    os.utime(foreign, (0, 0))
    write_whole(tmp_path / "a.npz", b"whole")
    assert {*tmp_path.iterdir()} == {new, foreign, tmp_path / "a.npz"}


def test_picking_makes_no_folder_for_figures(tmp_path, capsys):
    np.savez(tmp_path / "records.npz", x=np.zeros((1, 64, 3)))
    complaint("pick_arrivals", tmp_path, capsys, "--pick", "records.npz", "--model", "none.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["records.npz"]


# Puzzles
# -------


@pytest.fixture
def puzzles(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "puzzles"


def test_puzzles_run_without_docstrings_an_input_and_letters_beyond_ascii(puzzles):
    surroundings = {"PYTHONOPTIMIZE": "2", "PYTHONIOENCODING": "ascii"}
    code, out, err = outcome(start("numpycnn.puzzles", streams="<&-", **surroundings))
    assert (code, err) == (0, [])
    assert any(PUZZLES[0].title in line for line in out)


def test_puzzles_on_a_full_disk_are_a_line_and_no_part_of_a_file(puzzles):
    code, out, err = outcome(start("numpycnn.puzzles", "check", "1", setup=no_file_can_be_written))
    assert (code, len(out), err) == (2, 1, [])
    assert list(puzzles.iterdir()) == []


def test_a_progress_that_cannot_be_written_stays_as_it_was(puzzles, monkeypatch):
    folder = Folder(puzzles)
    folder.note(PUZZLES[0], "correct")

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        folder.note(PUZZLES[1], "correct")
    assert Folder(puzzles).correct == {PUZZLES[0].name}
    assert [path.name for path in puzzles.iterdir()] == ["progress.json"]


@pytest.mark.parametrize("kind", ["folder", "loop", "latin-1"])
def test_what_is_in_the_place_of_a_puzzle_is_named_and_can_be_reset(puzzles, kind, capsys):
    Folder(puzzles).fill()
    file = puzzles / PUZZLES[0].filename
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "loop":
        file.symlink_to(file.name)
    else:
        file.write_bytes(b"# \xe9\n")
    assert puzzles_main(["check", "1"]) == 1
    assert puzzles_main(["reset", "1", "--yes"]) == 0
    assert file.read_text(encoding="utf-8") == PUZZLES[0].stub


def test_the_folder_may_be_removed_while_it_is_watched(puzzles):
    process = start("numpycnn.puzzles", stdin=subprocess.PIPE)
    while "quit" not in process.stdout.readline():
        assert process.poll() is None
    shutil.rmtree(puzzles)
    process.stdin.write("h\nq\n")
    process.stdin.flush()
    code, out, err = outcome(process)
    assert (code, err) == (0, [])
    assert [line for line in out if line.startswith("Hint 1")]


def test_a_narrow_terminal_gets_short_lines_and_no_color_none(puzzles, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "30")
    assert puzzles_main(["hint", "1"]) == 0
    assert 0 < max(map(len, capsys.readouterr().out.splitlines())) <= 30
    monkeypatch.setattr(screen, "is_terminal", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert screen.paint("text", screen.GREEN) != "text"
    monkeypatch.setenv("NO_COLOR", "1")
    assert screen.paint("text", screen.GREEN) == "text"


def test_ctrl_z_leaves_the_terminal_to_the_shell_until_the_watcher_continues(puzzles):
    outer, terminal = os.openpty()

    def wait_until(condition):
        while not condition():
            assert process.poll() is None
            time.sleep(0.05)

    def echoes():
        return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)

    def is_stopped():
        return bool(os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT))

    with start("numpycnn.puzzles", stdin=terminal, setup=os.setpgrp) as process:
        wait_until(lambda: not echoes())
        process.send_signal(signal.SIGTSTP)
        wait_until(is_stopped)
        assert echoes()
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: not echoes())
        os.write(outer, b"q")
        assert process.wait(timeout=60) == 0
    os.close(terminal)
    os.close(outer)


WAITS = "open('pid', 'w').write(str(__import__('os').getpid())), __import__('time').sleep(600)"


JUDGE = """
import sys
from pathlib import Path
from numpycnn.puzzles.process import judge_file
from numpycnn.puzzles.puzzle import PUZZLES
judge_file(PUZZLES[0], Path(sys.argv[1]), time_limit=1)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the files of Linux")
@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGKILL])
def test_an_answer_ends_when_the_runner_is_ended(puzzles, kind):
    Folder(puzzles).fill()
    file = puzzles / PUZZLES[0].filename
    file.write_text(PUZZLES[0].answered(WAITS), encoding="utf-8")
    is_kind = kind == signal.SIGTERM
    command = ("numpycnn.puzzles", "check", "1") if is_kind else (JUDGE, str(file))
    with start(*command) as process:
        pid = puzzles.parent / "pid"
        while not (pid.exists() and pid.read_text(encoding="utf-8")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(kind)
        assert process.wait(timeout=60) == (143 if is_kind else -kind)
    while is_running(pid.read_text(encoding="utf-8")):  # not for longer than an answer may take
        time.sleep(0.05)


def is_running(pid):
    """Return True if there is a process with this number which has not ended."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
