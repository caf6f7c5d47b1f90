"""The course as a reader meets it: commands, files, processes, and a session at a terminal."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from numpycnn.puzzles import check_file, main
from numpycnn.puzzles.course import COURSE
from numpycnn.puzzles.folder import Folder
from numpycnn.puzzles.puzzle import PUZZLES, find
from numpycnn.puzzles.verdict import Verdict, judge_file

FIRST, SECOND = PUZZLES[:2]
GONE = '{"now": "gone", "right": ["gone"], "tried": [], "hints": {}}'


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder that the course is started in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "puzzles"


@pytest.fixture
def in_process(monkeypatch):
    """Judge without a process of its own, which takes half a second each time."""

    def judge_here(puzzle, path):
        from numpycnn.puzzles.verdict import judge

        return judge(puzzle, path.read_text(encoding="utf-8"))

    monkeypatch.setattr("numpycnn.puzzles.runner.judge_file", judge_here)


def answer(folder, puzzle, text=None):
    text = puzzle.module.SOLUTION if text is None else text
    (folder / puzzle.filename).write_text(puzzle.answered(text), encoding="utf-8")


# A process of its own
# --------------------


def test_the_file_is_judged_in_a_process_of_its_own(tmp_path):
    puzzle = find("slope")
    path = tmp_path / "slope.py"
    path.write_text(puzzle.answered("print('hm') or 7"))
    verdict = judge_file(puzzle, path)
    assert verdict == Verdict("wrong", verdict.text, (), "hm\n")
    assert "value of y" in verdict.text


def test_an_endless_loop_is_stopped(tmp_path):
    puzzle = find("phases")
    path = tmp_path / "phases.py"
    path.write_text(puzzle.answered("while True:\n    pass"))
    verdict = judge_file(puzzle, path, time_limit=0.5)
    assert verdict.mistakes == ("endless",)
    assert "never ends" in verdict.text


def test_a_process_that_dies_is_no_verdict(tmp_path):
    puzzle = find("slope")
    path = tmp_path / "slope.py"
    path.write_text(puzzle.answered("__import__('os')._exit(3)"))
    assert "code 3 before there was a verdict" in judge_file(puzzle, path).text


def test_a_file_that_is_gone_is_said_to_be(tmp_path):
    verdict = judge_file(FIRST, tmp_path / "gone.py")
    assert verdict.verdict == "open"
    assert "no file" in verdict.text
    assert "reset" in verdict.text


def test_a_readers_file_by_itself_gives_the_same_verdict(here, in_process, capsys):
    main(["list"])
    main(["hint"])  # which makes the folder
    answer(here, FIRST, "(40, 2, 1500)")
    assert main(["check", "1"]) == 1
    said = capsys.readouterr().out
    ran = subprocess.run(
        [sys.executable, here / FIRST.filename], capture_output=True, text=True, check=True
    )
    assert "Not yet. (40, 2, 1500) it is not. Channels go last." in said
    assert "Not yet. (40, 2, 1500) it is not. Channels go last." in ran.stdout
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
    assert FIRST.task in printed.replace(f"{FIRST.number}. ", "").replace(
        f"   after docs/{FIRST.chapter}.md\npuzzles/{FIRST.filename}\n", "\n"
    ).replace("\n\n\n", "\n\n")
    assert {path.name for path in here.iterdir()} == {
        "progress.json",
        *(puzzle.filename for puzzle in PUZZLES),
    }
    answer(here, FIRST)
    assert main(["--once"]) == 0
    printed = capsys.readouterr().out
    assert "Right." in printed
    assert f"Next: 2. {SECOND.title}" in printed
    assert main(["--once"]) == 1
    assert f"2. {SECOND.title}" in capsys.readouterr().out


def test_a_class_is_marked_by_a_script(here, in_process, capsys):
    main(["--once"])
    answer(here, FIRST)
    answer(here, SECOND, "x[:, place]")
    capsys.readouterr()
    assert main(["check", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["verdict"] == "right"
    assert main(["check", "2", "--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert row["number"] == 2
    assert row["verdict"] == "wrong"
    assert row["mistakes"] == ["wrong shape"]
    assert main(["list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["right"] for row in rows] == [True] + [False] * (len(PUZZLES) - 1)


def test_one_can_go_to_any_puzzle(here, in_process, capsys):
    last = PUZZLES[-1]
    assert main([str(last.number), "--once"]) == 1
    assert last.title in capsys.readouterr().out
    assert Folder(here).now is last
    with pytest.raises(SystemExit):
        main(["nowhere"])
    assert f"1 to {len(PUZZLES)}" in capsys.readouterr().err


@pytest.mark.long
def test_all_at_once(here, capsys):
    main(["--once"])
    for puzzle in PUZZLES:
        answer(here, puzzle)
    assert main(["check"]) == 0
    assert "Not yet" not in capsys.readouterr().out


def test_hints_come_one_after_the_other(here, capsys):
    hints = find("max_pool").module.HINTS
    for n_shown in range(1, len(hints) + 1):
        main(["hint", "max_pool"])
        printed = capsys.readouterr().out
        assert [hint in printed for hint in hints] == [i < n_shown for i in range(len(hints))]
    main(["hint", "max_pool"])
    assert "the last" in capsys.readouterr().out


def test_the_solution_is_shown_after_an_attempt(here, in_process, capsys):
    main(["check", "tanh"])  # nothing typed yet: no attempt
    capsys.readouterr()
    main(["solution", "tanh"])
    printed = capsys.readouterr().out
    assert "after an attempt" in printed
    assert find("tanh").module.SOLUTION not in printed
    answer(here, find("tanh"), "dy")
    main(["check", "tanh"])
    main(["solution", "tanh"])
    assert find("tanh").module.SOLUTION in capsys.readouterr().out


def test_a_reset_keeps_what_was_typed(here, in_process, capsys):
    main(["--once"])
    file = here / FIRST.filename
    for text in "mine", "mine too":
        file.write_text(text)
        main(["reset", "1"])
        assert file.read_text() == FIRST.stub
    main(["reset", "1"])
    assert [path.read_text() for path in sorted(here.glob("*.old*"))] == ["mine", "mine too"]
    assert "old2" in capsys.readouterr().out


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


@pytest.mark.parametrize("spoilt", ["", "{", "[1]", '{"right": 5}', GONE])
def test_spoilt_progress_is_a_new_beginning(here, in_process, spoilt):
    main(["--once"])
    (here / "progress.json").write_text(spoilt)
    folder = Folder(here)
    assert folder.now is FIRST
    assert folder.right == set()


def test_a_folder_of_something_else_is_left_alone(here, capsys):
    here.mkdir()
    (here / "crossword.txt").write_text("1 across")
    assert main(["--once"]) == 2
    assert "something else" in capsys.readouterr().out
    assert [path.name for path in here.iterdir()] == ["crossword.txt"]


def test_a_number_that_there_is_not(here, capsys):
    with pytest.raises(SystemExit):
        main(["check", "99"])
    assert "99" in capsys.readouterr().err


def test_what_is_right_is_noted_when_the_file_is_run_alone(here, in_process, capsys):
    main(["--once"])
    answer(here, FIRST)
    check_file(str(here / FIRST.filename))
    assert Folder(here).right == {FIRST.name}


def test_lines_are_typed_where_there_is_no_terminal(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "numpycnn.puzzles"],
        input="hint\nlist\nwhat\nsolution\n",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert f"Hint 1: {FIRST.module.HINTS[0]}" in ran.stdout
    assert PUZZLES[-1].title in ran.stdout
    assert "after an attempt" in ran.stdout
    assert "\x1b" not in ran.stdout
    assert ran.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="a closed pipe is another error there")
def test_nobody_is_bothered_if_the_reader_of_a_list_has_read_enough(tmp_path):
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-m", "numpycnn.puzzles", "list"],
        cwd=tmp_path,
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(write)
    assert (ran.returncode, ran.stderr) == (0, b"")


# At a terminal
# -------------


class Terminal:
    """A terminal with the course running in it, and somebody who types."""

    def __init__(self, folder: Path) -> None:
        import pty

        self.ours, theirs = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "numpycnn.puzzles"],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm"},
            start_new_session=True,
        )
        os.close(theirs)

    def wait_for(self, text: str) -> None:
        """Read until this text has come; what comes after it is for the next one."""
        while text not in self.seen:
            assert select.select([self.ours], [], [], 60)[0], f"no {text!r} in {self.seen!r}"
            try:
                self.seen += os.read(self.ours, 4096).decode(errors="replace")
            except OSError:
                pytest.fail(f"ended without {text!r}: {self.seen!r}")
        self.seen = self.seen.partition(text)[2]

    def press(self, key: str) -> None:
        os.write(self.ours, key.encode())

    def end(self) -> int:
        code = self.process.wait(timeout=60)
        os.close(self.ours)
        return code


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
def test_a_session(tmp_path):
    keys = "q quit"
    terminal = Terminal(tmp_path)
    terminal.wait_for("Your turn.")
    terminal.wait_for(keys)

    answer(tmp_path / "puzzles", FIRST, "(40, 2, 1500)")
    terminal.wait_for("Channels go last.")
    terminal.wait_for(keys)
    terminal.press("h")
    terminal.wait_for(FIRST.module.HINTS[0])

    answer(tmp_path / "puzzles", FIRST)
    terminal.wait_for("Right.")
    terminal.wait_for(keys)
    terminal.press("l")
    terminal.wait_for(PUZZLES[-1].title)
    terminal.press("n")
    terminal.wait_for(SECOND.title)
    terminal.wait_for(keys)
    (tmp_path / "puzzles" / SECOND.filename).unlink()
    terminal.wait_for("There is no file")
    terminal.wait_for(keys)
    terminal.press("r")
    terminal.wait_for("Your turn.")
    terminal.wait_for(keys)
    terminal.press("q")
    terminal.wait_for("1 of ")
    assert terminal.end() == 0

    again = Terminal(tmp_path)
    again.wait_for(SECOND.title)
    again.wait_for(keys)
    again.process.send_signal(signal.SIGINT)  # Ctrl-C
    again.wait_for("All is kept")
    assert again.end() == 130
    assert Folder(tmp_path / "puzzles").now is SECOND


# What is said about it elsewhere
# -------------------------------

ROOT = Path(__file__).parent.parent


def test_the_picture_in_the_readme_is_what_the_course_prints():
    from about_puzzles import PICTURE, picture

    drawn = PICTURE.read_text(encoding="utf-8")
    digits = re.compile(r"-?\d\.\d+(e[+-]\d+)?")  # rounding may change the last ones elsewhere
    assert digits.sub("#", picture()) == digits.sub("#", drawn)


@pytest.mark.parametrize("chapter", COURSE)
def test_the_exercises_of_each_chapter_end_with_its_puzzles(chapter):
    from about_puzzles import last_line

    text = (ROOT / "docs" / f"{chapter}.md").read_text(encoding="utf-8")
    exercises = text.partition("\n## Exercises\n")[2].partition("\n## ")[0]
    assert exercises.strip().splitlines()[-1] == last_line(chapter)


def test_the_course_goes_through_the_chapters_in_order():
    assert list(COURSE) == sorted(COURSE)
    assert all((ROOT / "docs" / f"{chapter}.md").exists() for chapter in COURSE)
