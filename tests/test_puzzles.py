"""The puzzles teach: stubs ask, solutions pass, wrong answers are refused and told why."""

import ast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpycnn import assert_gradients, diagnose, evaluate, fit
from numpycnn.puzzles.grading import Draw, Wrong, check_iterations, check_test, check_value
from numpycnn.puzzles.puzzle import END, PUZZLES, find, gaps_in
from numpycnn.puzzles.verdict import judge, taken_from_the_package

BACKWARD = [
    "cross_entropy",
    "scale_and_shift",
    "leaky_relu",
    "tanh",
    "bias",
    "dense",
    "softmax",
    "average_pool",
    "max_pool",
    "convolution",
    "residual",
    "upsample",
    "stacked_rows",
    "batch_norm",
]
BUGS = [puzzle.name for puzzle in PUZZLES if puzzle.name.startswith("bug_")]

every_puzzle = pytest.mark.parametrize("puzzle", PUZZLES, ids=lambda puzzle: puzzle.name)
wrong_answers = [
    (puzzle, place, answer, word)
    for puzzle in PUZZLES
    for place, (answer, word) in enumerate(puzzle.module.WRONG.items())
]


# Every puzzle
# ------------


def test_the_course_has_what_the_ladder_has():
    assert len(PUZZLES) == len({puzzle.name for puzzle in PUZZLES})
    assert len(BACKWARD) >= 12
    assert len(BUGS) >= 10
    assert sum(puzzle.title.startswith("Prove it") for puzzle in PUZZLES) >= 3


@every_puzzle
def test_a_stub_asks_for_what_belongs_into_its_gap(puzzle):
    verdict = judge(puzzle, puzzle.stub)
    assert verdict.verdict == "open"
    if puzzle.name in BUGS:
        percent = int(verdict.text.partition("%")[0].split()[-1])
        assert percent >= 90  # training hides the bug
        assert verdict.text.endswith("?")
    elif puzzle.gap == "...":
        (gap,) = gaps_in(puzzle.stub)
        assert f"Line {gap.line} " in verdict.text
        assert len(verdict.text.partition("What belongs there: ")[2]) > 10


@pytest.mark.parametrize("name", BUGS)
def test_whoever_found_a_bug_is_told_where_it_was_seen(name):
    assert "https://github.com/" in find(name).module.LESSON


def test_no_two_stubs_say_the_same():
    asks = [judge(puzzle, puzzle.stub).text for puzzle in PUZZLES if puzzle.name not in BUGS]
    assert len({text.partition("there: ")[2] or text for text in asks}) == len(asks)


@every_puzzle
def test_the_solution_is_right_and_says_what_was_learned(puzzle):
    verdict = judge(puzzle, puzzle.answered(puzzle.module.SOLUTION))
    assert verdict.verdict == "right", verdict.text
    assert len(verdict.text) > 40
    assert verdict.printed == ""


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("shape_of_a_batch", "[40, 30 * 50, 2]"),
        ("largest_sample", "np.take_along_axis(x, place[:, None], axis=1)[:, 0]"),
        ("zeros_of_same", "max((n_outputs - 1) * stride + taps, length) - length"),
        ("convolve_by_taps", "y += np.einsum('nmc,cf->nmf', x[:, k : k + n_outputs], w[k])"),
        ("loss_is_nan", "return np.logaddexp.reduce(x - x[t])"),
        ("cross_entropy", "p / n - y / n"),
        ("leaky_relu", "dy * np.where(x > 0, 1, 0.1)"),
        ("tanh", "dy - dy * y * y"),
        ("dense", "np.einsum('nj,ij->ni', dy, w), np.einsum('ni,nj->ij', x, dy), dy.sum(0)"),
        ("max_pool", "np.add.at(dx, (n, m * self.stride + winner[:, m], c), dy[:, m])"),
        (
            "max_pool",
            "window = slice(m * self.stride, m * self.stride + self.pool_size)\n"
            "won = x[:, window] == x[:, window].max(axis=1, keepdims=True)  # equal ones share\n"
            "dx[:, window] += dy[:, m : m + 1] * won / won.sum(axis=1, keepdims=True)",
        ),
        (
            "average_pool",
            "for i in range(self.pool_size):\n"
            "    dx[:, m * self.stride + i] += dy[:, m] / self.pool_size",
        ),
        ("does_not_learn", "(counts - 2_000_000) / 100_000"),
        ("bug_in_relu", "dx = dy * (y > 0)"),
        ("saliency", "np.eye(scores.shape[1])[[k] * len(x)]"),
        ("upsample", "sum(dy[:, j :: self.factor] for j in range(self.factor))"),
    ],
)
def test_the_same_in_another_form_is_right_as_well(name, answer):
    assert judged(answer, name).verdict == "right"


def test_numbers_in_an_array_are_numbers():
    check_value(np.array([0, 3, 0]), (0, 3, 0))


@every_puzzle
def test_hints_lead_on_and_are_not_the_solution(puzzle):
    hints = puzzle.module.HINTS
    assert 2 <= len(hints) <= 3
    assert len({hint.strip() for hint in hints}) == len(hints)
    for hint in hints:
        assert len(hint) > 10
        assert _code(hint) != _code(puzzle.module.SOLUTION)


def _code(text):
    return "".join(text.split()).strip("`.")


@every_puzzle
def test_a_puzzle_can_be_read_alone(puzzle):
    source = puzzle.stub
    assert END.strip() not in source
    assert max(map(len, source.splitlines())) <= 108
    assert puzzle.task.partition("\n")[2].strip()
    ast.parse(source)


@pytest.mark.parametrize(
    ("puzzle", "answer", "word"),
    [
        pytest.param(
            puzzle,
            answer,
            word,
            id=f"{puzzle.name}-{place}",
            marks=[pytest.mark.long] * (place > 2),
        )
        for puzzle, place, answer, word in wrong_answers
    ],
)
def test_a_plausible_wrong_answer_is_refused_and_told_why(puzzle, answer, word):
    verdict = judge(puzzle, puzzle.answered(answer))
    assert verdict.verdict == "wrong"
    assert word in verdict.text or word in verdict.mistakes


def test_there_are_enough_wrong_answers_and_most_of_the_backward_ones_are_named():
    for puzzle in PUZZLES:
        assert len(puzzle.module.WRONG) >= 3
    words = [word for puzzle, _, _, word in wrong_answers if puzzle.name in BACKWARD]
    named = sum(word != "unknown" for word in words)
    assert named / len(words) >= 0.7  # 66 of 89


@pytest.mark.long
@pytest.mark.parametrize("name", BACKWARD)
def test_solutions_hold_for_whatever_hypothesis_draws(name):
    puzzle = find(name)
    right = puzzle.right()

    @settings(max_examples=50, deadline=None)
    @given(st.data())
    def test(data):
        class FromHypothesis(Draw):
            def __call__(self, at_least, at_most):
                return data.draw(st.integers(at_least, at_most))

        layer, x = puzzle.module.case(right, FromHypothesis(data.draw(st.integers(0, 999))))
        assert_gradients(layer, x, rng=0)

    test()


# Files that are no answer
# ------------------------


def judged(answer, name="tanh"):
    return judge(find(name), find(name).answered(answer))


def test_a_syntax_error_names_its_line():
    verdict = judged("dy * (1 - ")
    assert verdict.verdict == "wrong"
    assert "cannot read line 2" in verdict.text
    assert verdict.mistakes == ("syntax",)


def test_an_error_names_the_line_of_the_reader():
    verdict = judged("dy * (1 - z**2)")
    assert "dx = dy * (1 - z**2)" in verdict.text
    assert "NameError: name 'z' is not defined" in verdict.text


def test_a_name_that_is_gone_is_missed():
    puzzle = find("slope")
    assert (
        "define 'slope'" in judge(puzzle, puzzle.answered("3").replace("slope =", "sloop =")).text
    )


def test_a_gap_that_is_left_beside_something_typed_is_still_open():
    puzzle = find("tanh")
    verdict = judge(puzzle, puzzle.stub.replace("y = cache\n", "y = 1 * cache\n"))
    assert verdict.verdict == "open"
    assert "still a `...` in line" in verdict.text


def test_a_comment_is_no_attempt():
    assert judge(find("tanh"), find("tanh").stub + "\n# how?\n").verdict == "open"


def test_nan_is_called_by_its_name():
    assert "NaN" in judged("dy * np.nan").text
    assert "nan" in judged("float('nan')", "slope").text
    assert "not a number" in judged("np.full(len(x), np.nan)", "largest_sample").text


def test_what_the_code_prints_is_kept_and_does_not_fill_the_memory():
    verdict = judged("print('hello', np.ones(2)) or dy * (1 - y**2)")
    assert verdict.verdict == "right"
    assert verdict.printed.startswith("hello [1. 1.]\n")
    assert len(judged("print('much ' * 10**4) or dy").printed) <= 2000


def test_sys_exit_does_not_end_the_grader():
    assert "SystemExit" in judged("__import__('sys').exit(0)").text


def test_a_forward_that_was_changed_does_not_make_a_wrong_backward_right():
    puzzle = find("tanh")
    flat = puzzle.answered("0 * dy").replace("y = np.tanh(x)", "y = 0 * x")
    assert "it should be" in judge(puzzle, flat).text


def test_something_else_than_two_results_is_not_taken_for_them():
    puzzle = find("tanh")
    verdict = judge(puzzle, puzzle.answered("dy").replace("return y, y", "return y"))
    assert "forward returns y, cache" in verdict.text


# The package's own layer
# -----------------------


@pytest.mark.parametrize(
    "line",
    [
        "from numpycnn import Softmax",
        "import numpycnn",
        "import numpycnn.layers as layers",
        "from numpycnn.layers.softmax import Softmax",
        "import importlib; layers = importlib.import_module('numpycnn.layers')",
        "layers = __import__('numpycnn')",
    ],
)
def test_the_packages_own_layer_is_no_answer(line):
    puzzle = find("softmax")
    source = puzzle.answered(puzzle.module.SOLUTION)
    verdict = judge(puzzle, source.replace("import numpy as np", f"import numpy as np\n{line}", 1))
    assert verdict.verdict == "wrong"
    assert verdict.mistakes == ("imported",)
    assert "come back" in verdict.text


@every_puzzle
def test_what_a_file_was_given_may_be_imported(puzzle):
    given_ = ast.parse(puzzle.stub)
    assert taken_from_the_package(ast.parse(puzzle.answered(puzzle.module.SOLUTION)), given_) == ""


# The grader
# ----------


def test_the_smallest_case_is_shown_and_the_mistake_is_that_of_a_larger_one():
    text = judged("dx[:, window] = dy[:, m : m + 1] / self.pool_size", "average_pool").text
    assert "overwritten" in text
    assert "AveragePool(" in text
    assert "x of shape (1, " in text


def test_a_wrong_value_is_shown_with_the_names_of_what_was_given():
    text = judged("max(0, taps - stride)", "zeros_of_same").text
    assert "length = " in text
    assert "stride = " in text
    many = judged("y = x[:, k : k + n_outputs] @ w[k]", "convolve_by_taps").text
    assert "it should be" in many


def test_the_network_that_does_not_learn_does_not_learn():
    given_ = find("does_not_learn").module
    model = given_.network()
    fit(model, given_.counts[:144], given_.labels[:144], epochs=60)
    assert evaluate(model, given_.counts[144:], given_.labels[144:])[1] < 0.5
    assert not diagnose(given_.network(), given_.counts, given_.labels).ok


def test_loops_are_found_wherever_they_hide():
    def by_map(x):
        return list(map(lambda value: 2 * value, x))  # noqa: C417

    def by_generator(x):
        return sum(2 * value for value in x)

    def by_numpy(x):
        return 2 * x

    small, large = (range(3),), (range(30),)
    for loop in by_map, by_generator:
        with pytest.raises(Wrong, match="goes round"):
            check_iterations(loop, small, large, "samples")
    check_iterations(by_numpy, (1,), (2,), "samples")


def test_a_test_has_to_tell_right_from_wrong():
    def strict(part):
        assert part == 1

    check_test(strict, {"one": 1}, {"two": 2, "three": 3})
    with pytest.raises(Wrong, match="accuses two"):
        check_test(strict, {"two": 2}, {"three": 3})
    with pytest.raises(Wrong, match="lets pass: another one"):
        check_test(strict, {"one": 1}, {"two": 2, "another one": 1})
    with pytest.raises(Wrong, match="cannot fail"):
        check_test(lambda part: None, {"one": 1}, {"two": 2, "three": 3})


def test_a_list_is_as_good_as_a_tuple():
    check_value([1, 2], (1, 2))
    with pytest.raises(Wrong, match="it is not"):
        check_value({"a": 1}, (1, 2), {(1, 3): "no"})


def test_the_course_is_searched_by_number_name_and_file():
    last = PUZZLES[-1]
    assert find(str(last.number)) is find(last.name) is find(f"puzzles/{last.filename}") is last
    assert find("01") is PUZZLES[0]
    with pytest.raises(ValueError, match=f"1 to {len(PUZZLES)}"):
        find("nothing")
