"""The course as a reader meets it: commands, files, processes, and a session at a terminal."""

# ruff: noqa: E501

import csv
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from scripts import accept_interrupts

from numpycnn.puzzles import check_file, main
from numpycnn.puzzles.course import COURSE
from numpycnn.puzzles.folder import Folder, folder_here
from numpycnn.puzzles.grader import judge
from numpycnn.puzzles.process import judge_file
from numpycnn.puzzles.puzzle import PUZZLES, find

FIRST, SECOND = PUZZLES[:2]
ROOT = Path(__file__).parent.parent
GONE = '{"now": "gone", "correct": ["gone"], "tried": [], "hints": {}}'
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")
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

    monkeypatch.setattr("numpycnn.puzzles.reading.judge_file", judge_here)


def answer(folder, puzzle, text=None):
    text = puzzle.module.SOLUTION if text is None else text
    (folder / puzzle.filename).write_text(puzzle.answered(text), encoding="utf-8")


def written(tmp_path, name, text):
    path = tmp_path / find(name).filename
    path.write_text(find(name).answered(text), encoding="utf-8")
    return find(name), path


# A process of its own
# --------------------


FORGED = json.dumps([{"dict": {"slope": 3}}, None, [], ""])
FLOOD = "import os\nwhile True:\n    os.write(2, b'x' * 10**6)\n    print('x' * 10**6)"
FORGERY = (
    f"7\nimport os, sys\nfor line in ('ready', {FORGED!r}):\n"
    "    print(line, file=sys.__stdout__, flush=True)\n    os.write(1, line.encode())"
)


@pytest.mark.parametrize(
    ("name", "text", "mistakes", "words"),
    [
        ("phases", "sum(range(10**15))", ("endless",), "1.5 seconds"),
        ("slope", "__import__('os')._exit(3)", ("ended",), "code 3"),
        ("slope", FORGERY, ("value",), ""),
        pytest.param("phases", FLOOD, ("ended", "endless"), "", marks=ON_POSIX),
        pytest.param("phases", "y = np.ones(10**9)", ("MemoryError",), "", marks=ON_LINUX),
    ],
)
def test_an_answer_cannot_harm_or_forge_its_grading(tmp_path, name, text, mistakes, words):
    puzzle, path = written(tmp_path, name, text)
    result = judge_file(puzzle, path, time_limit=1.5 if "endless" in mistakes else 30)
    assert result.status == "incorrect"
    assert result.mistakes[0] in mistakes
    assert words in result.text
    assert len(result.printed) <= 2000


def test_the_process_of_an_answer_holds_no_solution(tmp_path):
    look = (
        "3\nimport sys, gc\nprint([m for m in sys.modules if m.startswith('numpycnn.puzzles.course.')])\n"
        "try:\n    __import__('numpycnn.puzzles.' + 'course.slope')\nexcept ImportError:\n    print('refused')"
    )
    puzzle, path = written(tmp_path, "slope", look)
    result = judge_file(puzzle, path)
    assert result.status == "correct"
    assert result.printed == "[]\nrefused\n"


# Commands
# --------


def test_the_course_begins_with_the_first_puzzle_and_goes_on(here, in_process, capsys):
    assert main(["--once"]) == 1
    printed = capsys.readouterr().out
    assert " ".join(FIRST.task.partition("\n")[2].split()) in " ".join(printed.split())
    files = {"progress.json", *(puzzle.filename for puzzle in PUZZLES)}
    assert {path.name for path in here.iterdir()} == files
    answer(here, FIRST)
    assert main(["--once"]) == 0
    printed = capsys.readouterr().out
    assert f"Next: 2. {SECOND.title}" in printed
    assert f"1 of {len(PUZZLES)} done" in printed
    assert main(["--once"]) == 1
    assert f"2. {SECOND.title}" in capsys.readouterr().out
    Folder(here).save(correct={puzzle.name for puzzle in PUZZLES[1:]}, now=FIRST)
    assert main(["--once"]) == 0
    assert "Next" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["hint", "--json"], "--json"),
        (["12", "13"], "13"),
        (["--yes"], "--yes"),
        (["hnt", "3"], "'hint'"),  # the command that was meant
        (["nowhere"], f"1 to {len(PUZZLES)}"),
        (["check", "99"], "99"),
    ],
)
def test_a_command_without_effect_is_an_error(here, words, named, capsys):
    with pytest.raises(SystemExit):
        main(words)
    assert named in capsys.readouterr().err
    assert not here.exists()


def test_a_reset_keeps_what_was_typed_and_the_puzzle_is_open_again(here, in_process, capsys):
    main(["--once"])
    answer(here, FIRST)
    main(["check", "1"])
    assert Folder(here).correct == {FIRST.name}
    file = here / FIRST.filename
    assert main(["reset", "1"]) == 1  # not confirmed
    assert file.read_text() != FIRST.stub
    for text in "mine", "mine too":
        file.write_text(text)
        assert main(["reset", "1", "--yes"]) == 0
        assert file.read_text() == FIRST.stub
    main(["reset", "1", "--yes"])
    assert [path.read_text() for path in sorted(here.glob("*.old*"))] == ["mine", "mine too"]
    assert Folder(here).correct == set()
    file.unlink()
    file.mkdir()
    assert main(["reset", "1", "--yes"]) == 0
    assert file.read_text() == FIRST.stub


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


def test_files_are_kept_restored_and_renamed_with_the_order(here, in_process, monkeypatch):
    main(["2", "--once"])
    (here / SECOND.filename).write_text("mine")
    (here / FIRST.filename).unlink()
    main(["--once"])
    assert (here / SECOND.filename).read_text() == "mine"
    assert (here / FIRST.filename).read_text() == FIRST.stub
    answer(here, FIRST)
    (here / FIRST.filename).rename(here / f"09_{FIRST.name}.py")  # the course had another order
    assert main(["check", "1"]) == 0
    assert not (here / FIRST.filename).exists()
    monkeypatch.chdir(here)  # inside the folder, the course goes on there
    assert folder_here().now is SECOND
    main(["--once"])
    assert not (here / "puzzles").exists()


def test_a_folder_of_something_else_is_left_alone(here, capsys):
    here.mkdir()
    (here / "crossword.txt").write_text("1 across")
    assert main(["--once"]) == 2
    assert "other files" in capsys.readouterr().out
    assert [path.name for path in here.iterdir()] == ["crossword.txt"]


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


def test_foreign_progress_does_no_harm(here, in_process, capsys):
    (here.parent / "progress.json").write_text("not ours")
    main(["list"])
    assert (here.parent / "progress.json").read_text() == "not ours"
    assert len(list(here.parent.iterdir())) == 1
    main(["--once"])
    (here / "progress.json").write_text(GONE)
    folder = Folder(here)
    assert (folder.now, folder.correct) == (FIRST, set())
    assert not list(here.glob("*.bad"))


def test_many_processes_at_once_lose_nothing(tmp_path):
    Folder(tmp_path).fill()
    line = (
        "import sys; from pathlib import Path; from numpycnn.puzzles.folder import Folder; "
        "from numpycnn.puzzles.puzzle import PUZZLES; "
        "f = Folder(Path(sys.argv[1])); i = int(sys.argv[2]); "
        "[f.note(p, 'correct') for p in PUZZLES[i::2]]"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", line, tmp_path, str(i)], env=ENV) for i in range(2)
    ]
    assert [run.wait(120) for run in runs] == [0, 0]
    assert len(Folder(tmp_path).correct) == len(PUZZLES)


def test_results_of_other_processes_are_not_lost(here, in_process, capsys):
    main(["--once"])
    answer(here, FIRST)
    check_file(str(here / FIRST.filename))  # the file run alone
    assert Folder(here).correct == {FIRST.name}
    watching, other = Folder(here), Folder(here)
    other.note(SECOND, "correct")
    watching.note(FIRST, "correct")
    watching.save(now=SECOND)
    assert Folder(here).correct == {FIRST.name, SECOND.name}
    other.reset(SECOND)
    watching.note(FIRST, "correct")
    assert Folder(here).correct == {FIRST.name}


# Classes
# -------


def test_a_class_is_graded_into_one_table(tmp_path, capsys):
    for student, text in {"anna": "3", "ben": "7", "=cmd": "..."}.items():
        folder = tmp_path / "class" / student / "puzzles"
        folder.mkdir(parents=True)
        written(folder, "slope", text)
    before = sorted(tmp_path.rglob("*"))
    target = tmp_path / "out.csv"
    assert main(["grade", str(tmp_path / "class"), "--csv", str(target)]) == 0
    assert "Warning" in capsys.readouterr().err
    rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert {row["student"]: row["status"] for row in rows} == {
        "anna": "correct",
        "ben": "incorrect",
        "'=cmd": "open",
    }
    assert next(row for row in rows if row["student"] == "ben")["mistakes"] == "value"
    assert sorted(tmp_path.rglob("*")) == [*sorted([*before, target])]
    assert main(["grade", str(tmp_path / "class" / "anna")]) == 0
    assert "anna,12,slope,correct" in capsys.readouterr().out


# Without a terminal, and at one
# ------------------------------


COMMAND = [sys.executable, "-m", "numpycnn.puzzles"]


class Terminal:
    """A terminal with the course running in it, and a reader who types."""

    def __init__(self, folder, **env):
        import pty

        self.ours, theirs = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            COMMAND,
            cwd=folder,
            **dict.fromkeys(("stdin", "stdout", "stderr"), theirs),
            env={**ENV, "TERM": "xterm", **env},
            start_new_session=True,
            preexec_fn=accept_interrupts,
        )
        os.close(theirs)

    def wait_for(self, *texts):
        """Read until these texts have come, one after the other."""
        end = time.monotonic() + 120
        for text in texts:
            while text not in self.seen:
                assert time.monotonic() < end, f"no {text!r} in {self.seen!r}"
                if select.select([self.ours], [], [], 1)[0]:
                    try:
                        self.seen += os.read(self.ours, 4096).decode(errors="replace")
                    except OSError:
                        pytest.fail(f"ended without {text!r}: {self.seen!r}")
                    self.seen = self.seen.replace("\r", "")
            self.seen = self.seen.partition(text)[2]

    def press(self, keys, *texts):
        """Type these keys, and wait for these texts."""
        os.write(self.ours, keys.encode())
        self.wait_for(*texts)

    def end(self):
        with suppress(OSError):
            while os.read(self.ours, 4096):
                pass
        os.close(self.ours)
        return self.process.wait(timeout=60)


KEYS_SHOWN = "q quit"


@pytest.mark.long
@ON_POSIX
def test_a_session_solve_break_reset_and_quit(tmp_path):
    folder = tmp_path / "puzzles"
    terminal = Terminal(tmp_path)
    terminal.wait_for("\x1b]8;;file://", "Your turn.", KEYS_SHOWN)  # with a link to the file
    answer(folder, FIRST, "(40, 2, 1500)")
    terminal.wait_for("the channels are the last axis", KEYS_SHOWN)
    terminal.press("h", FIRST.module.HINTS[0])

    answer(folder, FIRST)
    terminal.wait_for(f"1 of {len(PUZZLES)} done", "Correct.", "Next: ", SECOND.title, KEYS_SHOWN)
    terminal.press("s", "Also correct")
    terminal.press("l", PUZZLES[-1].title)
    terminal.press("n", SECOND.title, KEYS_SHOWN)
    (folder / SECOND.filename).write_text("x = (", encoding="utf-8")  # broken
    terminal.wait_for("Python cannot read", KEYS_SHOWN)
    terminal.press("r", "Press y")
    terminal.press("n", "Nothing was changed")
    assert (folder / SECOND.filename).read_text() == "x = ("
    terminal.press("ry", "02_largest_sample.old1")
    assert (folder / SECOND.filename).read_text() == SECOND.stub

    terminal.press("p", FIRST.title, KEYS_SHOWN)
    terminal.press("49\n", PUZZLES[-1].title, KEYS_SHOWN)
    terminal.press("q", "1 of ")
    assert terminal.end() == 0
    assert Folder(folder).now is PUZZLES[-1]
    again = Terminal(tmp_path)
    again.wait_for(PUZZLES[-1].title, KEYS_SHOWN)
    again.process.send_signal(signal.SIGINT)  # Ctrl-C
    again.wait_for("Everything is saved")
    assert again.end() == 130


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
    page = (ROOT / "docs" / "reference" / "puzzles.md").read_text(encoding="utf-8")
    for puzzle in PUZZLES:
        chapter = (ROOT / "docs" / f"{puzzle.chapter}.md").read_text(encoding="utf-8")
        assert f"## {puzzle.section}\n" in chapter, puzzle.name
        assert f"](../{puzzle.anchor})" in page
