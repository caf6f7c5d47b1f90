"""The puzzles teach: stubs ask, correct answers pass, incorrect ones fail for a true reason."""

# ruff: noqa: E501

import ast
import builtins
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from puzzle_answers import CORRECT, INCORRECT

import numpycnn
from numpycnn import assert_gradients, diagnose, evaluate, fit
from numpycnn.puzzles import check
from numpycnn.puzzles.cases import Draw, decoded, encoded, observe, plain
from numpycnn.puzzles.compare import differences
from numpycnn.puzzles.grader import judge, prepared
from numpycnn.puzzles.puzzle import END, PUZZLES, find, gaps_in

BUGS = [puzzle.name for puzzle in PUZZLES if puzzle.name.startswith("bug_")]
LAYERS = [p.name for p in PUZZLES if prepared(p)[0][0].kind == "layer"]
GRADIENTS = [*LAYERS, "cross_entropy", "bug_in_loss", "adam", "bug_in_adam"]

every_puzzle = pytest.mark.parametrize("puzzle", PUZZLES, ids=lambda puzzle: puzzle.name)


@cache
def judged(name, answer):
    return judge(find(name), find(name).answered(answer))


# Every puzzle
# ------------


def test_the_course_has_what_the_ladder_has():
    assert len(PUZZLES) == len({puzzle.name for puzzle in PUZZLES}) == 49
    assert len(LAYERS) >= 18
    assert len(BUGS) >= 10
    assert sum(puzzle.name.startswith("prove_") for puzzle in PUZZLES) >= 3


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


@pytest.mark.parametrize("name", BUGS)
def test_after_a_bug_is_found_the_reader_learns_where_it_occurred(name):
    assert "https://github.com/" in find(name).module.LESSON


def test_no_two_stubs_require_the_same():
    asks = [judge(puzzle, puzzle.stub).text for puzzle in PUZZLES if puzzle.name not in BUGS]
    assert len(set(asks)) == len(asks)


@every_puzzle
def test_correct_answers_of_different_kinds_pass(puzzle):
    answers = [puzzle.module.SOLUTION, *puzzle.module.FORMS, *CORRECT[puzzle.name]]
    assert len(set(answers)) >= 4
    for answer in answers:
        result = judge(puzzle, puzzle.answered(answer))
        assert result.status == "correct", f"{answer}\n{result}"
        assert result.text == puzzle.module.LESSON
        assert result.printed == ""


@every_puzzle
def test_listed_incorrect_answers_fail_and_get_their_reason(puzzle):
    assert len(puzzle.module.WRONG) >= 8
    for answer, words in puzzle.module.WRONG.items():
        result = judged(puzzle.name, answer)
        name = words.partition(": ")[0]
        same_name = [
            w.partition(": ")[2] for w in puzzle.module.WRONG.values() if w.startswith(name)
        ]
        assert result.status == "incorrect", answer
        assert name in result.mistakes, f"{answer}\n{result}"
        assert any(sentence in result.text for sentence in same_name)


@pytest.mark.parametrize("name", INCORRECT)
def test_incorrect_answers_that_are_not_listed_fail(name):
    for answer in INCORRECT[name]:
        result = judged(name, answer)
        assert answer not in find(name).module.WRONG
        assert result.status == "incorrect", answer
        assert result.text


def test_most_mistakes_in_gradients_and_adam_are_named():
    listed = [word for name in GRADIENTS for word in find(name).module.WRONG.values()]
    assert sum(word != "unknown" for word in listed) / len(listed) >= 0.9
    unlisted = [judged(name, a).mistakes for name in GRADIENTS for a in INCORRECT.get(name, ())]
    named = sum("unknown" not in mistakes for mistakes in unlisted)
    assert named / len(unlisted) >= 0.5


@every_puzzle
def test_hints_lead_on_and_are_not_the_solution(puzzle):
    hints = puzzle.module.HINTS
    assert 2 <= len(hints) <= 3
    assert len({hint.strip() for hint in hints}) == len(hints)
    for hint in hints:
        assert len(hint) > 10
        assert "".join(hint.split()).strip("`.") != "".join(puzzle.module.SOLUTION.split())


@every_puzzle
def test_a_puzzle_can_be_read_alone(puzzle):
    source = puzzle.stub
    assert END.strip() not in source
    assert max(map(len, source.splitlines())) <= 108
    assert puzzle.task.partition("\n")[2].strip()
    ast.parse(source)


@pytest.mark.long
@pytest.mark.parametrize("name", LAYERS)
def test_solutions_agree_with_the_gradient_checker(name):
    puzzle = find(name)
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


def test_a_forgotten_return_is_called_that():
    for name, answer in {
        "softmax_of_rows": "p = np.exp(x)",
        "loss_is_nan": "x.max()",
        "early_stopping": "return",
    }.items():
        result = judged(name, answer)
        assert result.mistakes == ("None",), result
        assert "return" in result.text


def test_print_in_place_of_return_is_called_that():
    result = judged("softmax_of_rows", "print(np.exp(x))")
    assert result.mistakes == ("printed",)
    assert "print" in result.text


@pytest.mark.parametrize("name", ["bias", "leaky_relu", "residual", "scale_and_shift", "dense"])
def test_none_for_a_gradient_is_none_and_not_a_shape(name):
    given_none = {"dense": "None, None, None", "scale_and_shift": "None, None, None"}
    result = judged(name, given_none.get(name, "np.zeros(2).fill(0)"))
    assert result.mistakes == ("None",)
    assert "is None" in result.text


@every_puzzle
def test_a_value_none_is_never_a_shape(puzzle):
    if puzzle.gap == "..." and not puzzle.name.startswith("prove_"):
        result = judge(puzzle, puzzle.answered("None"))
        assert result.status == "incorrect"
        assert "shape ()" not in result.text


def test_text_in_place_of_a_number_is_called_that():
    result = judged("slope", "'3'")
    assert result.mistakes == ("wrong type",)
    assert "'3'" in result.text


def test_a_wrong_shape_is_reported_with_the_expected_one():
    result = judged("bias", "dy.sum(axis=0)")
    assert result.mistakes == ("wrong shape",)
    assert "db must have shape (1,)" in result.text


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("softmax_of_rows", "x -= x.max(axis=1, keepdims=True)\nreturn np.exp(x) / np.exp(x).sum(1, keepdims=True)"),
        ("loss_is_nan", "x -= x.max()\nreturn np.log(np.exp(x).sum()) - x[t]"),
        ("does_not_learn", "(counts.__isub__(2_000_000)) / 100_000"),
        ("tanh", "np.multiply(dy, 1 - y**2, out=dy)"),
        ("residual", "np.add(dy, through, out=dy)"),
        ("bug_in_relu", "dx = np.multiply(dy, y > 0, out=dy)"),
    ],
)  # fmt: skip
def test_an_answer_that_changes_its_argument_is_told_so(name, answer):
    result = judged(name, answer)
    assert result.mistakes == ("changes its argument",), result


def test_a_dict_entry_that_is_replaced_leaves_the_network_as_it_is():
    answer = find("adam").module.SOLUTION.replace("w -= ", "self.params[name] = w - ")
    result = judged("adam", answer)
    assert result.mistakes == ("replaced",)


def test_a_factor_is_a_size_only_if_it_is_in_all_cases():
    half = "0.5 * sum(dy[:, j :: self.factor] for j in range(self.factor))"
    assert judged("upsample", half).mistakes == ("factor",)
    result = judged("cross_entropy", "(p - y) / n / 3")
    assert result.mistakes == ("factor",)
    assert "0.3333" in result.text


def test_no_reason_speaks_of_the_loss_where_there_is_none():
    for name, answer in {
        "upsample": "dy.reshape(n, length, self.factor, channels).mean(axis=2)",
        "stacked_rows": "dx[:, a : a + n_rows] += dy[..., a * c : (a + 1) * c] / self.taps",
        "residual": "(dy + through) / 2",
        "max_pool": "dx[n, m * self.stride + winner[:, m], c] += dy[:, m] / 2",
        "cross_entropy": "(p - y) / y.size",
    }.items():
        result = judged(name, answer)
        assert "divided twice" not in result.text
        assert result.mistakes != ("unknown",)


def test_an_error_names_the_line_of_the_reader_and_shows_the_case():
    result = judged("tanh", "dy * (1 - z**2)")
    assert "dx = dy * (1 - z**2)" in result.text
    assert "NameError: name 'z' is not defined" in result.text
    assert "dy" in result.case


def test_a_syntax_error_names_its_line_and_ends_with_one_stop():
    result = judged("tanh", "dy * (1 - ")
    assert result.mistakes == ("syntax",)
    assert "line 2" in result.text
    assert "?." not in judged("dense", "dy @ w.T x.T @ dy, dy").text


def test_a_name_that_is_gone_is_missed():
    puzzle = find("slope")
    result = judge(puzzle, puzzle.answered("3").replace("slope =", "sloop ="))
    assert result.mistakes == ("missing",)
    assert "`slope`" in result.text


def test_nan_is_called_by_its_name():
    assert "NaN" in judged("tanh", "dy * np.nan").text
    assert "NaN" in judged("slope", "float('nan')").text
    assert "NaN" in judged("largest_sample", "np.full(len(x), np.nan)").text


def test_a_forward_that_was_changed_does_not_make_an_incorrect_backward_correct():
    puzzle = find("tanh")
    flat = puzzle.answered("0 * dy").replace("y = np.tanh(x)", "y = 0 * x")
    result = judge(puzzle, flat)
    assert result.status == "incorrect"
    assert "your y" in result.case


def test_forward_must_return_two_things():
    puzzle = find("tanh")
    result = judge(puzzle, puzzle.answered("dy").replace("return y, y", "return y"))
    assert "y and cache" in result.text


# The failing case
# ----------------


def test_the_smallest_failing_case_is_shown_with_both_results():
    result = judged("average_pool", "dx[:, window] = dy[:, m : m + 1] / self.pool_size")
    assert result.mistakes == ("overwritten",)
    assert "AveragePool(pool_size=2, stride=1)" in result.case
    rows = {line.split("  ")[0]: line for line in result.case.splitlines() if line}
    assert {"x", "dy", "your dx", "expected dx"} <= rows.keys()
    assert "*" in rows["your dx"]
    assert "*" not in rows["expected dx"]


@every_puzzle
def test_the_case_that_is_shown_is_small_and_its_stars_are_where_it_differs(puzzle):
    for answer in list(puzzle.module.WRONG)[:4]:
        result = judged(puzzle.name, answer)
        assert len(result.case.splitlines()) <= 40
        assert max(map(len, result.case.splitlines()), default=0) <= 100
        if "your " in result.case and "wrong shape" not in result.mistakes:
            assert "*" in result.case


def test_arrays_that_differ_never_look_equal():
    result = judged("tanh", "dy * (1 - y**2) * 1.0003")
    yours = next(line for line in result.case.splitlines() if line.startswith("your dx"))
    expected = next(line for line in result.case.splitlines() if line.startswith("expected dx"))
    assert yours.replace("*", "").split()[2:] != expected.split()[2:]


def test_what_is_printed_belongs_to_the_case_that_is_shown():
    puzzle = find("early_stopping")
    result = judged(puzzle.name, "print('epoch', epoch)\nkept = epoch")
    length = next(len(line.split()) - 2 for line in result.case.splitlines() if "losses" in line)
    assert result.printed.splitlines() == [f"epoch {i}" for i in range(length)]
    many = judged("tanh", "print('much ' * 10**4) or dy")
    assert len(many.printed) <= 2000


def test_standard_error_is_kept_like_standard_output():
    result = judged("tanh", "__import__('sys').stderr.write('hm') and dy")
    assert "hm" in result.printed


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


def test_judging_works_where_modules_of_the_system_are_missing():
    missing = "termios", "tty", "resource", "msvcrt", "curses"
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({missing!r}))\n"
        "import numpycnn.puzzles\n"
        "print(numpycnn.puzzles.check('tanh', 'dy * (1 - y)').mistakes)"
    )
    root = Path(__file__).parent.parent
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("('square missing',)\n", "")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["bias", "tanh", "scale_and_shift", "leaky_relu", "softmax"])
def test_an_answer_may_be_float32(name, dtype):
    solution = find(name).module.SOLUTION
    parts = solution if name == "scale_and_shift" else f"({solution},)"
    answer = f"[np.asarray(a, np.{dtype}) for a in ({parts})]"
    assert judged(name, answer if name == "scale_and_shift" else f"{answer}[0]").status == "correct"


def test_labels_are_arrays():
    for name in "cross_entropy", "bug_in_loss":
        for case in prepared(find(name))[0]:
            assert case.arguments["labels"].shape == case.arguments["x"].shape[:1]


@pytest.mark.parametrize(
    "counter",
    ["n += 1", "n = n + 1 if loss > lowest else n", "n += loss >= lowest"],
)
def test_early_stopping_without_a_reset_of_the_counter_is_incorrect(counter):
    answer = f"if epoch == 0:\n    n = 0\nif loss < lowest:\n    lowest, kept = loss, epoch\nelse:\n    {counter}\n    if n >= patience:\n        return kept"
    assert judged("early_stopping", answer).status == "incorrect"


def test_a_loop_is_found_wherever_it_hides():
    for answer in (
        "x[np.arange(len(x)), [int(p) for p in place]]",
        "np.fromiter((row[p] for row, p in zip(x, place)), float)",
        "np.concatenate([row[p : p + 1] for row, p in zip(x, place)])",
        "np.vectorize(lambda n: x[n, place[n]])(np.arange(len(x)))",
        "np.apply_along_axis(lambda row: row[np.abs(row).argmax()], 1, x)",
        "np.array(list(map(lambda n: x[n, place[n]], range(len(x)))))",
    ):
        result = judged("largest_sample", answer)
        assert result.mistakes[0] in ("loop", "forbidden"), answer
    for answer in (
        "y += sum(x[:, k : k + n_outputs, c : c + 1] * w[k, c] for c in range(x.shape[2]))",
        "for f in range(n_filters):\n    y[..., f] += x[:, k : k + n_outputs] @ w[k, :, f]",
    ):
        assert judged("convolve_by_taps", answer).mistakes == ("loop",)


def test_a_receptive_field_with_holes_is_too_small():
    holes = "*[Conv1D(8, 8, 5, padding='same', dilation=d) for d in (25, 25)]"
    assert judged("picker", holes).mistakes == ("receptive field",)


@pytest.mark.parametrize("names", ["AveragePool1D, Upsample1D", "MaxPool1D, Upsample1D"])
def test_a_picker_may_pool_and_upsample(names):
    pool, up = names.split(", ")
    answer = (
        f"{pool}(8),\nConv1D(8, 8, 9, padding='same'),\nReLU(),\n"
        f"Conv1D(8, 8, 17, padding='same'),\nReLU(),\n{up}(8)"
    )
    puzzle = find("picker")
    source = puzzle.answered(answer).replace(
        "from numpycnn import", f"from numpycnn import {names},"
    )
    result = judge(puzzle, source)
    assert result.status == "correct", result


def test_the_network_that_does_not_learn_does_not_learn():
    given_ = find("does_not_learn").module
    model = given_.network()
    fit(model, given_.counts[:144], given_.labels[:144], epochs=60)
    assert evaluate(model, given_.counts[144:], given_.labels[144:])[1] < 0.5
    assert not diagnose(given_.network(), given_.counts, given_.labels).ok


def test_a_gap_that_is_left_next_to_a_change_is_still_open():
    puzzle = find("tanh")
    result = judge(puzzle, puzzle.stub.replace("y = cache\n", "y = 1 * cache\n"))
    assert result.status == "open"
    assert "`...`" in result.text


def test_a_comment_is_no_attempt():
    assert judge(find("tanh"), find("tanh").stub + "\n# how?\n").status == "open"


def test_sys_exit_does_not_end_the_grader():
    assert "SystemExit" in judged("tanh", "__import__('sys').exit(0)").text


# The package's own layer
# -----------------------


@pytest.mark.parametrize(
    "line",
    [
        "from numpycnn import Softmax",
        "from numpycnn import *",
        "import numpycnn",
        "import numpycnn.puzzles",
        "import numpycnn.layers as layers",
        "from numpycnn.layers.softmax import Softmax",
        "from numpycnn.puzzles.course.softmax import SOLUTION",
        "import importlib; layers = importlib.import_module('numpycnn.layers')",
        "layers = __import__('numpycnn')",
        "import sys; layers = sys.modules['numpycnn']",
    ],
)
def test_the_packages_own_layer_is_no_answer(line):
    puzzle = find("softmax")
    source = puzzle.answered(puzzle.module.SOLUTION)
    result = judge(puzzle, source.replace("import numpy as np", f"import numpy as np\n{line}", 1))
    assert result.mistakes == ("imported",)


def test_the_name_of_the_package_in_a_text_is_not_an_import():
    puzzle = find("shape_of_a_batch")
    source = puzzle.answered(puzzle.module.SOLUTION) + '\nproject = "numpycnn"\nprint("numpycnn")\n'
    assert judge(puzzle, source).status == "correct"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("phases", "y = np.convolve(x, w[::-1], 'valid')"),
        ("pool_without_loops", "np.array(np.split(x[:, : n_windows * size], n_windows, 1)).swapaxes(0, 1)"),
    ],
)  # fmt: skip
def test_what_a_text_forbids_is_refused_and_said_in_the_text(name, answer):
    result = judged(name, answer)
    assert result.mistakes == ("forbidden",)
    assert any(f"np.{word}" in find(name).task for word in find(name).module.FORBIDDEN)


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


def test_what_cannot_be_checked_is_an_error_that_says_what_can():
    with pytest.raises(ValueError, match="nowhere"):
        check("nowhere", 3)
    with pytest.raises(TypeError, match=r"dense.*int"):
        check("dense", 3)


# As data
# -------


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**40), 2**40)
        | st.floats()
        | st.text(max_size=5),
        lambda inside: st.lists(inside, max_size=3) | st.tuples(inside, inside),
        max_leaves=6,
    ),
    st.sampled_from(["float32", "float64", "int64", "bool"]),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_results_survive_as_data(value, dtype, shape):
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    for result in plain(value), plain({"a": [array, value]}):
        assert repr(decoded(encoded(result))) == repr(result)
    again = decoded(encoded(plain(array)))
    assert again.dtype == array.dtype
    assert again.shape == array.shape


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
