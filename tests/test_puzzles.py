"""The puzzles teach: stubs ask, correct answers pass, incorrect ones fail for a true reason."""

import ast
import builtins
import subprocess
import threading
from functools import cache

import numpy as np
import pytest
from corpora.puzzle_answers import CORRECT, INCORRECT, REASONS
from hypothesis import given, settings
from hypothesis import strategies as st

import numpycnn
from numpycnn import assert_gradients
from numpycnn.puzzles import check
from numpycnn.puzzles.cases import Draw
from numpycnn.puzzles.compare import differences
from numpycnn.puzzles.grader import judge
from numpycnn.puzzles.observe import observe
from numpycnn.puzzles.prepared import prepared
from numpycnn.puzzles.puzzle import END, PUZZLES, find, gaps_in

BUGS = [puzzle.name for puzzle in PUZZLES if puzzle.name.startswith("bug_")]
some_or_all = pytest.mark.parametrize(
    "step", [pytest.param(10, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)]
)
every_puzzle = pytest.mark.parametrize("puzzle", PUZZLES, ids=lambda puzzle: puzzle.name)


@cache
def judged(name, answer):
    return judge(find(name), find(name).answered(answer))


# Every puzzle
# ------------


@every_puzzle
def test_a_stub_is_open_and_says_what_is_required(puzzle):
    result = judge(puzzle, puzzle.stub)
    assert result.status == "open"
    if puzzle.name in BUGS:
        percent = int(result.text.partition("%")[0].split()[-1])
        assert percent >= 90  # training hides the bug
        assert result.text.endswith("?")
    elif puzzle.gap == "...":
        (gap,) = gaps_in(puzzle.stub)
        assert f"line {gap.line}" in result.text
        assert len(result.text.partition("Required: ")[2]) > 10


@some_or_all
@every_puzzle
def test_correct_answers_of_different_kinds_pass(puzzle, step):
    answers = [puzzle.module.SOLUTION, *puzzle.module.FORMS, *CORRECT[puzzle.name]]
    assert len(set(answers)) >= 4
    for answer in answers[::step]:
        result = judge(puzzle, puzzle.answered(answer))
        assert result.status == "correct", f"{answer}\n{result}"
        assert result.text == puzzle.module.LESSON
        assert result.printed == ""


@some_or_all
@every_puzzle
def test_listed_incorrect_answers_fail_and_get_their_reason(puzzle, step):
    listed = puzzle.module.WRONG
    assert len(listed) >= 8
    for answer in list(listed)[::step]:
        result = judged(puzzle.name, answer)
        name = listed[answer].partition(": ")[0]
        same_name = [w.partition(": ")[2] for w in listed.values() if w.startswith(name)]
        assert result.status == "incorrect", answer
        assert name in result.mistakes, f"{answer}\n{result}"
        assert any(sentence in result.text for sentence in same_name)
        # The case that is shown is small, and marks where it differs.
        assert len(result.case.splitlines()) <= 40
        assert max(map(len, result.case.splitlines()), default=0) <= 100
        assert "*" in result.case or "your " not in result.case or "wrong shape" in result.mistakes


@some_or_all
@pytest.mark.parametrize("name", INCORRECT)
def test_incorrect_answers_that_are_not_listed_fail(name, step):
    assert not set(INCORRECT[name]) & set(find(name).module.WRONG)
    for answer in list(INCORRECT[name])[::step]:
        result = judged(name, answer)
        assert result.status == "incorrect", answer
        assert result.text


@every_puzzle
def test_a_puzzle_can_be_read_alone(puzzle):
    source = puzzle.stub
    assert END.strip() not in source
    assert max(map(len, source.splitlines())) <= 108
    assert puzzle.task.partition("\n")[2].strip()
    ast.parse(source)


@pytest.mark.long
@every_puzzle
def test_solutions_agree_with_the_gradient_checker(puzzle):
    if prepared(puzzle)[0][0].kind != "layer":
        pytest.skip("not a layer")
    right = puzzle.right()

    @settings(max_examples=30, deadline=None)
    @given(st.data())
    def test(data):
        class FromHypothesis(Draw):
            def __call__(self, at_least, at_most):
                return data.draw(st.integers(at_least, at_most))

        case = puzzle.module.case(FromHypothesis(data.draw(st.integers(0, 999))))
        layer = getattr(right, case.name)(*case.arguments.values())
        if layer.params:
            layer = layer.astype(np.float64)
            for array in layer.params.values():
                array[...] = np.random.default_rng(0).standard_normal(array.shape)
        assert_gradients(layer, case.more["x"].astype(np.float64), rng=0)

    test()


# Reasons
# -------


@pytest.mark.parametrize(("name", "answer", "mistake", "words"), REASONS)
def test_a_mistake_is_named(name, answer, mistake, words):
    result = judged(name, answer)
    assert result.status == "incorrect"
    assert mistake is None or result.mistakes[0] in mistake.split(" or ")
    assert words in f"{result.text}\n{result.case}"


@every_puzzle
def test_a_value_none_is_never_a_shape(puzzle):
    if puzzle.gap == "..." and not puzzle.name.startswith("prove_"):
        result = judge(puzzle, puzzle.answered("None"))
        assert result.status == "incorrect"
        assert "shape ()" not in result.text


# Judging
# -------


def test_judging_needs_no_process_no_thread_and_no_file(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("not in a browser")

    puzzles = [find(name) for name in ("average_pool", "adam", "slope", "picker", "phases")]
    for puzzle in puzzles:
        assert puzzle.stub  # imported
    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(builtins, "open", refuse)
    for puzzle in puzzles:
        del puzzle.stub
        assert judge(puzzle, puzzle.answered(puzzle.module.SOLUTION)).status == "correct"
        answer = next(iter(puzzle.module.WRONG))
        assert judge(puzzle, puzzle.answered(answer)).status == "incorrect"


# The package's own layer
# -----------------------


@pytest.mark.parametrize(
    "line",
    [
        "from numpycnn import Softmax",
        "import numpycnn.puzzles",
        "from numpycnn.layers.softmax import Softmax",
        "from numpycnn.puzzles.course.softmax import SOLUTION",
        "import importlib; layers = importlib.import_module('numpycnn.layers')",
        "import sys; layers = sys.modules['numpycnn']",
    ],
)
def test_the_packages_own_layer_is_no_answer(line):
    puzzle = find("softmax")
    source = puzzle.answered(puzzle.module.SOLUTION)
    result = judge(puzzle, source.replace("import numpy as np", f"import numpy as np\n{line}", 1))
    assert result.mistakes == ("imported",)


# In a notebook
# -------------


def test_a_function_a_class_a_value_and_a_text_can_be_checked():
    class Dense(numpycnn.Layer):
        def __init__(self, d_in, d_out):
            super().__init__(w=np.zeros((d_in, d_out)), b=np.zeros(d_out))
            self.d_in, self.d_out = d_in, d_out

        def forward(self, x):
            return x @ self.params["w"] + self.params["b"], x

        def backward(self, dy, cache):
            return dy @ self.params["w"].T, {"w": cache.T @ dy, "b": dy.mean(axis=0)}

    result = check("dense", Dense)
    assert result.status == "incorrect"
    assert result.mistakes == ("bias averaged",)
    assert "Incorrect. bias averaged" in str(result)
    assert "expected db" in str(result)
    assert check("slope", 3).status == check(12, "3").status == "correct"
    assert check("tanh", "dy * (1 - y**2)").status == "correct"
    assert check("tanh", find("tanh").answered("dy")).mistakes == ("derivative missing",)
    assert check("largest_sample", lambda x: x[:, 0]).status == "incorrect"


# As data
# -------


@every_puzzle
def test_cases_are_the_same_each_time_and_the_solution_agrees_with_itself(puzzle):
    cases, expected = prepared(puzzle)
    right = puzzle.right()
    for case, outcome in list(zip(cases, expected, strict=True))[:12]:
        if case.kind != "lines":
            assert not differences(case, observe(right, case), outcome)


def test_the_course_is_searched_by_number_name_and_file():
    last = PUZZLES[-1]
    assert find(str(last.number)) is find(last.name) is find(f"puzzles/{last.filename}") is last
    assert find("01") is PUZZLES[0]
    with pytest.raises(ValueError, match=rf"1 to {len(PUZZLES)}.*nothing"):
        find("nothing")
