"""The course as a reader meets it: commands, files, processes, and a session at a terminal."""

# ruff: noqa: E501

import csv
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from numpycnn.puzzles import check_file, main
from numpycnn.puzzles.course import COURSE
from numpycnn.puzzles.folder import Folder, folder_here
from numpycnn.puzzles.grader import judge
from numpycnn.puzzles.process import Stopped, judge_file
from numpycnn.puzzles.puzzle import PUZZLES, find

FIRST, SECOND = PUZZLES[:2]
ROOT = Path(__file__).parent.parent
GONE = '{"now": "gone", "correct": ["gone"], "tried": [], "hints": {}}'
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a matter of POSIX systems")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder that the course is started in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "puzzles"


@pytest.fixture
def in_process(monkeypatch):
    """Judge without a process of its own, which takes half a second each time."""

    def judge_here(puzzle, path, **_):
        return judge(puzzle, path.read_text(encoding="utf-8"))

    monkeypatch.setattr("numpycnn.puzzles.runner.judge_file", judge_here)


def answer(folder, puzzle, text=None):
    text = puzzle.module.SOLUTION if text is None else text
    (folder / puzzle.filename).write_text(puzzle.answered(text), encoding="utf-8")


def written(tmp_path, name, text):
    path = tmp_path / find(name).filename
    path.write_text(find(name).answered(text), encoding="utf-8")
    return find(name), path


# A process of its own
# --------------------


@pytest.mark.parametrize("name", ["slope", "average_pool", "adam", "phases", "prove_by_transpose"])
def test_a_process_of_its_own_gives_the_same_result(tmp_path, name):
    puzzle = find(name)
    for text in (puzzle.module.SOLUTION, next(iter(puzzle.module.WRONG))):
        _, path = written(tmp_path, name, text)
        assert judge_file(puzzle, path) == judge(puzzle, path.read_text())


def test_an_endless_loop_is_stopped_by_the_clock(tmp_path):
    for loop in ("while True:\n    pass", "sum(range(10**15))", "__import__('time').sleep(999)"):
        puzzle, path = written(tmp_path, "phases", loop)
        begin = time.monotonic()
        result = judge_file(puzzle, path, time_limit=0.5)
        assert result.mistakes == ("endless",)
        assert "0.5 seconds" in result.text
        assert time.monotonic() - begin < 50


def test_the_reader_need_not_wait(tmp_path):
    puzzle, path = written(tmp_path, "phases", "while True:\n    pass")
    with pytest.raises(Stopped):
        judge_file(puzzle, path, keep_going=lambda: False)


@ON_POSIX
def test_memory_and_output_are_limited(tmp_path):
    puzzle, path = written(tmp_path, "phases", "y = np.ones(10**9)")
    if sys.platform == "linux":
        assert judge_file(puzzle, path).mistakes == ("MemoryError",)
    endless = "import os\nwhile True:\n    os.write(2, b'x' * 10**6)\n    print('x' * 10**6)"
    puzzle, path = written(tmp_path, "phases", endless)
    result = judge_file(puzzle, path, time_limit=2)
    assert result.status == "incorrect"
    assert len(result.printed) <= 2000


def test_a_process_that_dies_is_no_result(tmp_path):
    puzzle, path = written(tmp_path, "slope", "__import__('os')._exit(3)")
    result = judge_file(puzzle, path)
    assert result.mistakes == ("ended",)
    assert "code 3" in result.text
    assert "runpy" not in str(result)


def test_a_forged_result_is_not_taken(tmp_path):
    forged = json.dumps([{"dict": {"slope": 3}}, None, [], ""])
    text = f"7\nimport os, sys\nfor line in ('ready', {forged!r}):\n"
    text += "    print(line, file=sys.__stdout__, flush=True)\n    os.write(1, line.encode())"
    puzzle, path = written(tmp_path, "slope", text)
    assert judge_file(puzzle, path).status == "incorrect"


def test_the_process_of_an_answer_holds_no_solution(tmp_path):
    look = (
        "3\nimport sys, gc\nprint([m for m in sys.modules if m.startswith('numpycnn.puzzles.course.')])\n"
        "try:\n    __import__('numpycnn.puzzles.' + 'course.slope')\nexcept ImportError:\n    print('refused')"
    )
    puzzle, path = written(tmp_path, "slope", look)
    result = judge_file(puzzle, path)
    assert result.status == "correct"
    assert result.printed == "[]\nrefused\n"


def test_a_file_in_any_encoding_that_python_reads(tmp_path):
    puzzle, path = written(tmp_path, "slope", "3  # Größe")
    text = path.read_text(encoding="utf-8")
    for data in (
        text.encode("utf-8-sig"),
        ("# coding: latin-1\n" + text).encode("latin-1", "replace"),
    ):
        path.write_bytes(data)
        assert judge_file(puzzle, path).status == "correct"
    path.write_bytes(text.encode("latin-1", "replace"))
    result = judge_file(puzzle, path)
    assert result.mistakes == ("encoding",)
    assert "UTF-8" in result.text


def test_a_file_that_is_gone_or_a_folder_is_said_to_be(tmp_path):
    result = judge_file(FIRST, tmp_path / "gone.py")
    assert result.status == "open"
    assert "no file" in result.text
    (tmp_path / "folder.py").mkdir()
    assert "is a folder" in judge_file(FIRST, tmp_path / "folder.py").text


def test_a_readers_file_alone_gives_the_same_result(here, in_process, capsys):
    main(["hint"])  # which makes the folder
    answer(here, FIRST, "(40, 2, 1500)")
    assert main(["check", "1"]) == 1
    said = "Incorrect. Not (40, 2, 1500): the channels are the last axis."
    assert said in capsys.readouterr().out
    ran = subprocess.run(
        [sys.executable, here / FIRST.filename], capture_output=True, text=True, env=ENV, check=True
    )
    assert said in ran.stdout
    assert ran.stderr == ""


# Commands
# --------


def test_list_writes_nothing(here, capsys):
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert f"0 of {len(PUZZLES)} done" in printed
    for puzzle in PUZZLES:
        assert f"{puzzle.number:3}  {puzzle.title}" in printed
        assert puzzle.chapter in printed
    assert not here.exists()


def test_the_course_begins_with_the_first_puzzle_and_goes_on(here, in_process, capsys):
    assert main(["--once"]) == 1
    printed = capsys.readouterr().out
    assert " ".join(FIRST.task.partition("\n")[2].split()) in " ".join(printed.split())
    assert FIRST.section in printed
    assert {path.name for path in here.iterdir()} == {
        "progress.json",
        *(puzzle.filename for puzzle in PUZZLES),
    }
    answer(here, FIRST)
    assert main(["--once"]) == 0
    printed = capsys.readouterr().out
    assert "Correct." in printed
    assert f"Next: 2. {SECOND.title}" in printed
    assert f"1 of {len(PUZZLES)} done" in printed  # the bar counts what was just done
    assert main(["--once"]) == 1
    assert f"2. {SECOND.title}" in capsys.readouterr().out


def test_after_the_last_one_there_is_no_next(here, in_process, capsys):
    main(["--once"])
    Folder(here).save(correct={puzzle.name for puzzle in PUZZLES[1:]})
    answer(here, FIRST)
    capsys.readouterr()
    assert main(["--once"]) == 0
    printed = capsys.readouterr().out
    assert "all are done" in printed
    assert "Next" not in printed


def test_results_for_programs(here, in_process, capsys):
    main(["--once"])
    answer(here, FIRST)
    answer(here, SECOND, "x[:, place]")
    capsys.readouterr()
    assert main(["check", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["status"] == "correct"
    assert main(["check", "2", "--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert row["number"] == 2
    assert row["status"] == "incorrect"
    assert row["mistakes"] == ["each with each", "wrong shape"]
    assert main(["list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["status"] for row in rows[:3]] == ["correct", "incorrect", "open"]


def test_one_can_go_to_any_puzzle(here, in_process, capsys):
    last = PUZZLES[-1]
    assert main([str(last.number), "--once"]) == 1
    assert last.title in capsys.readouterr().out
    assert Folder(here).now is last
    with pytest.raises(SystemExit):
        main(["nowhere"])
    assert f"1 to {len(PUZZLES)}" in capsys.readouterr().err


def test_a_mistyped_command_is_answered_with_the_right_one(here, capsys):
    with pytest.raises(SystemExit):
        main(["hnt", "3"])
    message = capsys.readouterr().err
    assert "'hnt'" in message
    assert "'hint'" in message


@pytest.mark.long
def test_all_at_once(here, capsys):
    main(["--once"])
    for puzzle in PUZZLES:
        answer(here, puzzle)
    assert main(["check"]) == 0
    assert "Incorrect" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["hint", "--json"], ["list", "--once"], ["12", "13"], ["check", "1", "2"], ["--yes"]]
)
def test_what_would_have_no_effect_is_an_error(here, words, capsys):
    with pytest.raises(SystemExit):
        main(words)
    assert words[-1] in capsys.readouterr().err
    assert not here.exists()


def test_hints_come_one_after_the_other(here, capsys):
    hints = find("max_pool").module.HINTS
    for n_shown in range(1, len(hints) + 1):
        main(["hint", "max_pool"])
        printed = " ".join(capsys.readouterr().out.split())
        assert [hint in printed for hint in hints] == [i < n_shown for i in range(len(hints))]
    main(["hint", "max_pool"])
    assert "the last" in capsys.readouterr().out


def test_the_solution_is_shown_after_an_attempt_and_other_forms_after_success(
    here, in_process, capsys
):
    puzzle = find("tanh")
    main(["check", "tanh"])  # nothing changed yet: no attempt
    capsys.readouterr()
    main(["solution", "tanh"])
    printed = capsys.readouterr().out
    assert "after an attempt" in printed
    assert puzzle.module.SOLUTION not in printed
    answer(here, puzzle, "dy")
    main(["check", "tanh"])
    main(["solution", "tanh"])
    printed = capsys.readouterr().out
    assert puzzle.module.SOLUTION in printed
    assert puzzle.module.FORMS[0] not in printed
    answer(here, puzzle)
    main(["check", "tanh"])
    main(["solution", "tanh"])
    assert puzzle.module.FORMS[0] in capsys.readouterr().out


def test_hints_and_messages_are_wrapped_at_the_width_of_the_terminal(here, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "50")
    main(["hint", "prove_the_cases"])
    for _ in range(3):
        main(["hint", "prove_the_cases"])
    assert max(map(len, capsys.readouterr().out.splitlines())) < 50


def test_a_reset_keeps_what_was_typed_and_the_puzzle_is_open_again(here, in_process, capsys):
    main(["--once"])
    answer(here, FIRST)
    main(["check", "1"])
    assert Folder(here).correct == {FIRST.name}
    file = here / FIRST.filename
    assert main(["reset", "1"]) == 1  # nobody confirmed it
    assert file.read_text() != FIRST.stub
    assert "--yes" in capsys.readouterr().out
    for text in "mine", "mine too":
        file.write_text(text)
        assert main(["reset", "1", "--yes"]) == 0
        assert file.read_text() == FIRST.stub
    main(["reset", "1", "--yes"])
    assert [path.read_text() for path in sorted(here.glob("*.old*"))] == ["mine", "mine too"]
    assert "old2" in capsys.readouterr().out
    assert Folder(here).correct == set()


def test_reset_all(here, in_process, capsys):
    main(["--once"])
    answer(here, FIRST)
    answer(here, SECOND)
    main(["check", "1"])
    assert main(["reset", "all"]) == 1
    assert main(["reset", "all", "--yes"]) == 0
    assert (here / SECOND.filename).read_text() == SECOND.stub
    assert len(list(here.glob("*.old*"))) == 2
    assert Folder(here).correct == Folder(here).tried == set()


def test_a_folder_in_place_of_a_file_is_put_aside_by_a_reset(here, in_process, capsys):
    main(["--once"])
    (here / FIRST.filename).unlink()
    (here / FIRST.filename).mkdir()
    assert "is a folder" in judge_file(FIRST, here / FIRST.filename).text
    assert main(["reset", "1", "--yes"]) == 0
    assert (here / FIRST.filename).read_text() == FIRST.stub


def test_a_changed_file_is_never_written_over_and_a_deleted_one_comes_back(here, in_process):
    main(["--once"])
    (here / SECOND.filename).write_text("mine")
    (here / FIRST.filename).unlink()
    main(["--once"])
    assert (here / SECOND.filename).read_text() == "mine"
    assert (here / FIRST.filename).read_text() == FIRST.stub


def test_a_file_keeps_its_name_when_the_course_gets_another_order(here, in_process, capsys):
    main(["--once"])
    (here / FIRST.filename).rename(here / f"09_{FIRST.name}.py")
    (here / f"09_{FIRST.name}.py").write_text(FIRST.answered(FIRST.module.SOLUTION))
    assert main(["check", "1"]) == 0
    assert not (here / FIRST.filename).exists()


def test_started_inside_the_folder_the_course_goes_on_there(here, in_process, monkeypatch):
    main(["2", "--once"])
    monkeypatch.chdir(here)
    assert folder_here().now is SECOND
    main(["--once"])
    assert not (here / "puzzles").exists()


def test_a_folder_of_something_else_is_left_alone(here, capsys):
    here.mkdir()
    (here / "crossword.txt").write_text("1 across")
    assert main(["--once"]) == 2
    assert "other files" in capsys.readouterr().out
    assert [path.name for path in here.iterdir()] == ["crossword.txt"]


def test_a_number_that_there_is_not(here, capsys):
    with pytest.raises(SystemExit):
        main(["check", "99"])
    assert "99" in capsys.readouterr().err


# Progress
# --------


def test_what_0_1_0_wrote_is_found_again(here, capsys):
    here.mkdir()
    files = json.loads((ROOT / "tests" / "puzzles_0_1_0.json").read_text(encoding="utf-8"))
    for name, text in files.items():
        (here / name).write_text(text, encoding="utf-8")
    folder = Folder(here)
    assert folder.correct == {"shape_of_a_batch", "tanh", "bug_in_relu", "adam"}
    assert folder.tried == folder.correct | {"average_pool"}
    assert folder.now.name == "average_pool"
    assert folder.hints == {"average_pool": 2}
    status = {"tanh": "correct", "bug_in_relu": "correct", "bug_in_pool": "open", "dense": "open"}
    for name, expected in {**status, "average_pool": "incorrect", "adam": "open"}.items():
        assert judge(find(name), folder.file(find(name)).read_text()).status == expected, name
    folder.note(find("dense"), "incorrect")
    again = json.loads((here / "progress.json").read_text())
    assert again["correct"] == ["adam", "bug_in_relu", "shape_of_a_batch", "tanh"]
    assert (here / "27_adam.old1").exists()


def test_a_file_and_progress_under_the_old_name_of_a_puzzle_are_found(here):
    here.mkdir()
    puzzle = find("bug_in_skip_concat")
    old = here / "40_bug_in_beside.py"
    old.write_text(puzzle.answered(puzzle.module.SOLUTION).replace("SkipConcat", "Beside"), "utf-8")
    progress = {"now": "bug_in_beside", "right": ["bug_in_beside"], "tried": [], "hints": {}}
    (here / "progress.json").write_text(json.dumps(progress))
    folder = Folder(here)
    assert (folder.now, folder.status(puzzle)) == (puzzle, "correct")
    assert folder.file(puzzle) == old
    assert folder_here(here).path == here
    assert judge(puzzle, old.read_text("utf-8")).status == "correct"


@pytest.mark.parametrize("damaged", ["", "{", "[1]", '{"correct": 5}', '{"correct": []'])
def test_a_damaged_progress_file_is_kept(here, in_process, damaged, capsys):
    main(["--once"])
    (here / "progress.json").write_text(damaged)
    main(["check", "1"])
    assert (here / "progress.json.bad").read_text() == damaged
    assert "progress.json.bad" in capsys.readouterr().out
    assert Folder(here).now is FIRST
    (here / "progress.json").write_text("again")
    Folder(here)
    assert (here / "progress.json.bad1").read_text() == "again"


def test_unknown_puzzles_in_the_progress_do_no_harm(here, in_process):
    main(["--once"])
    (here / "progress.json").write_text(GONE)
    folder = Folder(here)
    assert folder.now is FIRST
    assert folder.correct == set()
    assert not list(here.glob("*.bad"))


def test_the_progress_file_of_another_program_is_left_alone(here, monkeypatch, capsys):
    (here.parent / "progress.json").write_text("not ours")
    main(["list"])
    assert (here.parent / "progress.json").read_text() == "not ours"
    assert len(list(here.parent.iterdir())) == 1


def test_what_is_correct_is_recorded_when_the_file_is_run_alone(here, in_process, capsys):
    main(["--once"])
    answer(here, FIRST)
    check_file(str(here / FIRST.filename))
    assert Folder(here).correct == {FIRST.name}


def test_what_another_process_recorded_is_not_lost(here, in_process):
    main(["--once"])
    watching, other = Folder(here), Folder(here)
    other.note(SECOND, "correct")
    watching.note(FIRST, "correct")
    watching.save(now=SECOND)
    assert Folder(here).correct == {FIRST.name, SECOND.name}
    other.reset(SECOND)
    watching.note(FIRST, "correct")
    assert Folder(here).correct == {FIRST.name}


def test_progress_is_written_whole_or_not_at_all(here, in_process, monkeypatch):
    main(["--once"])
    folder = Folder(here)
    folder.note(FIRST, "correct")
    before = (here / "progress.json").read_text()

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        folder.note(SECOND, "correct")
    assert (here / "progress.json").read_text() == before
    assert {p.name for p in here.iterdir() if p.name.startswith(".")} == set()


def test_many_processes_at_once_lose_nothing(tmp_path):
    Folder(tmp_path).fill()
    line = (
        "import sys; from pathlib import Path; from numpycnn.puzzles.folder import Folder; "
        "from numpycnn.puzzles.puzzle import PUZZLES; "
        "f = Folder(Path(sys.argv[1])); i = int(sys.argv[2]); "
        "[f.note(p, 'correct') for p in PUZZLES[i::3]]"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", line, tmp_path, str(i)], env=ENV) for i in range(3)
    ]
    assert [run.wait(120) for run in runs] == [0, 0, 0]
    assert len(Folder(tmp_path).correct) == len(PUZZLES)


# Classes
# -------


def test_a_class_is_graded_into_one_table(tmp_path, capsys):
    for pupil, text in {"anna": "3", "ben": "7", "=cmd": "..."}.items():
        folder = tmp_path / "class" / pupil / "puzzles"
        folder.mkdir(parents=True)
        written(folder, "slope", text)
    before = sorted(tmp_path.rglob("*"))
    target = tmp_path / "out.csv"
    assert main(["grade", str(tmp_path / "class"), "--csv", str(target)]) == 0
    assert "strangers" in capsys.readouterr().err
    rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert {row["pupil"]: row["status"] for row in rows} == {
        "anna": "correct",
        "ben": "incorrect",
        "'=cmd": "open",
    }
    assert next(row for row in rows if row["pupil"] == "ben")["mistakes"] == "value"
    assert sorted(tmp_path.rglob("*")) == [*sorted([*before, target])]
    assert main(["grade", str(tmp_path / "class" / "anna")]) == 0
    assert "anna,12,slope,correct" in capsys.readouterr().out


def test_a_class_without_answers_is_an_error(tmp_path, capsys):
    assert main(["grade", str(tmp_path)]) == 2
    assert main(["grade", str(tmp_path / "gone")]) == 2
    assert "gone" in capsys.readouterr().err


# Without a terminal, and at one
# ------------------------------


def test_lines_are_typed_where_there_is_no_terminal(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "numpycnn.puzzles"],
        input="hint\nlist\nwhat\nsolution\n2\nreset\nn\nquit\n",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env=ENV,
        check=True,
    )
    assert f"Hint 1: {FIRST.module.HINTS[0]}" in ran.stdout
    assert PUZZLES[-1].title in ran.stdout
    assert "after an attempt" in ran.stdout
    assert f"2. {SECOND.title}" in ran.stdout
    assert "Nothing was changed" in ran.stdout
    assert "\x1b" not in ran.stdout
    assert ran.stderr == ""


@ON_POSIX
def test_a_list_that_nobody_reads_to_the_end_is_no_error(tmp_path):
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-m", "numpycnn.puzzles", "list"],
        cwd=tmp_path,
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=60,
        env=ENV,
        check=False,
    )
    os.close(write)
    assert (ran.returncode, ran.stderr) == (0, b"")


class Terminal:
    """A terminal with the course running in it, and somebody who types."""

    def __init__(self, folder, **env):
        import pty

        self.ours, theirs = pty.openpty()
        self.seen = self.all = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "numpycnn.puzzles"],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**ENV, "TERM": "xterm", **env},
            start_new_session=True,
        )
        os.close(theirs)

    def wait_for(self, text):
        """Read until this text has come; what comes after it is for the next one."""
        end = time.monotonic() + 120
        while text not in self.seen:
            assert time.monotonic() < end, f"no {text!r} in {self.seen!r}"
            if not select.select([self.ours], [], [], 1)[0]:
                continue
            try:
                self.seen += os.read(self.ours, 4096).decode(errors="replace").replace("\r", "")
            except OSError:
                pytest.fail(f"ended without {text!r}: {self.seen!r}")
        self.seen = self.seen.partition(text)[2]

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def end(self):
        while True:
            try:
                if not os.read(self.ours, 4096):
                    break
            except OSError:
                break
        code = self.process.wait(timeout=60)
        os.close(self.ours)
        return code


KEYS_SHOWN = "q quit"


@ON_POSIX
def test_a_session_solve_break_reset_and_quit(tmp_path):
    folder = tmp_path / "puzzles"
    terminal = Terminal(tmp_path)
    terminal.wait_for("Your turn.")
    terminal.wait_for(KEYS_SHOWN)

    answer(folder, FIRST, "(40, 2, 1500)")
    terminal.wait_for("the channels are the last axis")
    terminal.wait_for(KEYS_SHOWN)
    terminal.press("h")
    terminal.wait_for(FIRST.module.HINTS[0])

    answer(folder, FIRST)
    terminal.wait_for(f"1 of {len(PUZZLES)} done")  # the bar above counts it, too
    terminal.wait_for("Correct.")
    terminal.wait_for("Next: ")
    terminal.wait_for(SECOND.title)
    terminal.wait_for(KEYS_SHOWN)
    terminal.press("s")
    terminal.wait_for("Also correct")
    terminal.press("l")
    terminal.wait_for(PUZZLES[-1].title)

    terminal.press("n")
    terminal.wait_for(SECOND.title)
    terminal.wait_for(KEYS_SHOWN)
    (folder / SECOND.filename).write_text("x = (", encoding="utf-8")  # broken
    terminal.wait_for("Python cannot read")
    terminal.wait_for(KEYS_SHOWN)
    terminal.press("r")
    terminal.wait_for("Press y")
    terminal.press("n")
    terminal.wait_for("Nothing was changed")
    assert (folder / SECOND.filename).read_text() == "x = ("
    terminal.press("ry")
    terminal.wait_for("02_largest_sample.old1")
    assert (folder / SECOND.filename).read_text() == SECOND.stub

    terminal.press("p")
    terminal.wait_for(FIRST.title)
    terminal.wait_for(KEYS_SHOWN)
    terminal.press("49\n")
    terminal.wait_for(PUZZLES[-1].title)
    terminal.wait_for(KEYS_SHOWN)
    terminal.press("q")
    terminal.wait_for("1 of ")
    assert terminal.end() == 0
    assert Folder(folder).now is PUZZLES[-1]

    again = Terminal(tmp_path)
    again.wait_for(PUZZLES[-1].title)
    again.wait_for(KEYS_SHOWN)
    again.process.send_signal(signal.SIGINT)  # Ctrl-C
    again.wait_for("Everything is saved")
    assert again.end() == 130


@ON_POSIX
def test_one_may_quit_while_it_computes_and_save_again(tmp_path):
    folder = tmp_path / "puzzles"
    terminal = Terminal(tmp_path)
    terminal.wait_for(KEYS_SHOWN)
    answer(folder, FIRST, "sum(range(10**15))")
    terminal.wait_for("Running your file")
    answer(folder, FIRST, "(40, 1500)")  # saved again: the old run is stopped
    terminal.wait_for("there is always a channel axis")
    terminal.wait_for(KEYS_SHOWN)
    answer(folder, FIRST, "sum(range(10**13))")
    terminal.wait_for("Running your file")
    terminal.press("\x03")  # Ctrl-C ends the answer, not the course
    terminal.wait_for("was stopped")
    terminal.wait_for(KEYS_SHOWN)
    answer(folder, FIRST, "sum(range(10**14))")
    terminal.wait_for("Running your file")
    terminal.press("q")
    terminal.wait_for("The same command continues here.")
    assert terminal.end() == 0


@ON_POSIX
def test_two_sessions_at_once_and_a_file_run_alone_lose_nothing(tmp_path):
    folder = tmp_path / "puzzles"
    one = Terminal(tmp_path)
    one.wait_for(KEYS_SHOWN)
    two = Terminal(tmp_path)
    two.wait_for(KEYS_SHOWN)
    two.press("2\n")
    two.wait_for(SECOND.title)
    two.wait_for(KEYS_SHOWN)
    answer(folder, FIRST)
    one.wait_for("Correct.")
    answer(folder, SECOND)
    two.wait_for("Correct.")
    answer(folder, find("slope"))
    subprocess.run(
        [sys.executable, folder / find("slope").filename], env=ENV, check=True, capture_output=True
    )
    for terminal in one, two:
        terminal.wait_for(KEYS_SHOWN)
        terminal.press("q")
        assert terminal.end() == 0
    assert Folder(folder).correct == {FIRST.name, SECOND.name, "slope"}


@ON_POSIX
def test_the_editor_gets_the_terminal_and_gives_it_back(tmp_path):
    editor = tmp_path / "editor.py"
    editor.write_text(
        f"import sys; print('editing', sys.stdin.readline()); "
        f"open(sys.argv[1], 'w').write({FIRST.answered('(40, 1500, 2)')!r})"
    )
    terminal = Terminal(tmp_path, EDITOR=f"{sys.executable} {editor}", VISUAL="")
    terminal.wait_for(KEYS_SHOWN)
    terminal.press("e")
    time.sleep(0.5)
    terminal.press("typed\n")
    terminal.wait_for("editing typed")
    terminal.wait_for("Correct.")
    terminal.wait_for(KEYS_SHOWN)
    terminal.press("q")
    assert terminal.end() == 0


@ON_POSIX
def test_the_path_is_a_link_at_a_terminal(tmp_path):
    terminal = Terminal(tmp_path)
    terminal.wait_for("\x1b]8;;file://")
    terminal.wait_for(FIRST.filename)
    terminal.wait_for(KEYS_SHOWN)
    terminal.press("q")
    assert terminal.end() == 0


@pytest.mark.parametrize("has_rich", [True, False])
def test_code_is_highlighted_if_rich_is_installed_and_the_same_without(monkeypatch, has_rich):
    from numpycnn.puzzles import screen

    monkeypatch.setattr(screen, "is_terminal", lambda: True)
    if has_rich:
        pytest.importorskip("rich")
    else:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    text = "for m in range(3):\n    y[m] = x[m] @ w"
    shown = screen.code(text)
    assert ("\x1b[" in shown) == has_rich
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert [line.rstrip()[4:] for line in plain.splitlines()] == text.splitlines()


# What is said about it elsewhere
# -------------------------------


def test_the_picture_in_the_readme_is_what_the_course_prints():
    from docs.builder.about_puzzles import PICTURE, picture

    assert picture() == PICTURE.read_text(encoding="utf-8")


@pytest.mark.parametrize("chapter", COURSE)
def test_the_exercises_of_each_chapter_end_with_its_puzzles(chapter):
    from docs.builder.about_puzzles import last_line

    text = (ROOT / "docs" / f"{chapter}.md").read_text(encoding="utf-8")
    exercises = text.partition("\n## Exercises\n")[2].partition("\n## ")[0]
    assert exercises.strip().splitlines()[-1] == last_line(chapter)


def test_each_puzzle_links_to_the_section_that_explains_it():
    page = (ROOT / "docs" / "puzzles.md").read_text(encoding="utf-8")
    for puzzle in PUZZLES:
        chapter = (ROOT / "docs" / f"{puzzle.chapter}.md").read_text(encoding="utf-8")
        assert f"## {puzzle.section}\n" in chapter, puzzle.name
        assert f"]({puzzle.anchor})" in page


def test_the_course_goes_through_the_chapters_in_order():
    assert list(COURSE) == sorted(COURSE)
    assert all((ROOT / "docs" / f"{chapter}.md").exists() for chapter in COURSE)


def test_what_the_docs_say_about_files_is_so():
    words = re.findall(r"`puzzles/(\w+)\.py`", (ROOT / "docs" / "files.md").read_text("utf-8"))
    there = {path.stem for path in (ROOT / "numpycnn" / "puzzles").glob("[a-z]*.py")}
    assert set(words) == there
