"""Grading: what the check of a puzzle is made of.

An answer that fits one example proves nothing. So a puzzle says how a case is *drawn*, with
sizes, strides and ties at random; the answer is tried on a dozen cases, and if it is wrong the
smallest case that shows it is reported, because the smallest is the easiest to follow by hand.

    def case(part, draw):
        width = draw(1, 4)
        return part.Scale(width), draw.array(draw(1, 3), width)

    def check(answer, right):
        check_layers(answer, right, case)

`part` is the reader's file, or the same file with the solution in it.
"""

import sys
from collections.abc import Callable, Hashable, Mapping
from copy import deepcopy
from inspect import signature
from itertools import islice
from types import FrameType
from typing import Any

import numpy as np

from numpycnn.checks import check_gradients
from numpycnn.checks.bugs import trained_accuracy
from numpycnn.layers import Conv1D, Dense, Flatten, Layer, MaxPool1D, ReLU, Sequential
from numpycnn.training import Adam, softmax_cross_entropy
from numpycnn.types import Array

N_CASES = 12


class Wrong(Exception):  # noqa: N818  (an answer is wrong, not the program)
    """An answer that is not right; it says why, and what the checker calls the mistake."""

    def __init__(self, text: str, *mistakes: str) -> None:
        super().__init__(text)
        self.mistakes = mistakes


class Draw:
    """What a case is made of, at random: the same numbers each time for the same seed.

    >>> draw = Draw(0)
    >>> draw(1, 3), draw.array(2, 2).shape, set(draw.ties(50).tolist()) <= {-1.0, 0.0, 1.0, 2.0}
    (3, (2, 2), True)
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, at_least: int, at_most: int) -> int:
        """A whole number."""
        return int(self.rng.integers(at_least, at_most, endpoint=True))

    def array(self, *shape: int) -> Array:
        """Numbers around zero, no two of them equal."""
        return self.rng.standard_normal(shape)

    def ties(self, *shape: int) -> Array:
        """Small whole numbers, so that many are equal."""
        return self.rng.integers(-1, 2, shape, endpoint=True).astype(np.float64)


Part = Any  # the names that a reader's file defines
Case = Callable[[Part, Draw], tuple[Any, Any]]


# Numbers
# -------


def check_number(came: object, right: float, known: Mapping[float, str] | None = None) -> None:
    """Compare a predicted number with what it is; `known` has what to say of wrong ones."""
    number = _number(came)
    if abs(number - right) <= 1e-6 * abs(right):
        return
    for wrong, words in (known or {}).items():
        if abs(number - wrong) <= 1e-6 * abs(wrong):
            raise Wrong(f"{number:g} it is not. {words}")
    if number == -right:
        raise Wrong(f"{number:g} has the right size and the wrong sign.")
    if right and number and abs(number * right - 1) < 1e-6:
        raise Wrong(f"{number:g} is upside down: one over what it should be.")
    raise Wrong(f"{number:g} it is not; that is too {'large' if number > right else 'small'}.")


def check_value(came: object, right: object, known: Mapping[object, str] | None = None) -> None:
    """Compare what is not a number, such as a shape, with what it is."""
    if isinstance(came, list | np.ndarray):
        came = tuple(came)
    if came == right:
        return
    if isinstance(came, Hashable) and came in (known or {}):
        raise Wrong(f"{came} it is not. {(known or {})[came]}")
    raise Wrong(f"{_show(came)} it is not.")


def _number(came: object) -> float:
    try:
        number = float(np.asarray(came))
    except (TypeError, ValueError):
        raise Wrong(f"A number is wanted here, and it got {_show(came)}.") from None
    if not np.isfinite(number):
        raise Wrong(f"It is {number}, which is not a number that one can compare.")
    return number


# Layers and losses
# -----------------
# The forward pass is compared with that of the solution, because `check_gradients` would be
# content with any forward and its own derivative. If something is wrong, the largest case that
# shows it names the mistake, since in a few numbers many mistakes look alike; and the smallest
# case in which it has the same name is shown.


def check_layers(answer: Part, right: Part, case: Case, n_cases: int = N_CASES) -> None:
    """Check the layer, or the loss, that `case` makes of a part, forward and backward."""
    seeds = sorted(range(n_cases), key=lambda seed: _size(*_made(right, case, seed)))
    for seed in seeds:
        layer, x = _made(answer, case, seed)
        _compare(_forward(layer, x), _forward(_made(right, case, seed)[0], x), f"For {_show(x)}")
    name, named = "", (_named(answer, case, seed) for seed in reversed(seeds))
    for name in islice(filter(None, named), 3):
        if name != "unknown":
            break
    if name:
        seed = next(seed for seed in seeds if _named(answer, case, seed) == name)
        layer, x = _made(answer, case, seed)
        report = check_gradients(layer, x, rng=seed)
        raise Wrong(
            f"The smallest of {n_cases} cases that shows it: {_called(layer)}, x of shape "
            f"{x.shape}.\n\n{report}",
            *(mistake.name for mistake in report.mistakes),
        )


def _named(part: Part, case: Case, seed: int) -> str:
    """What the checker calls the first mistake in this case; nothing if there is none."""
    layer, x = _made(part, case, seed)
    report = check_gradients(layer, x, rng=seed)
    return "" if report.ok else report.mistakes[0].name if report.mistakes else report.status


def _called(layer: Any) -> str:
    """A layer with its options, on one line, or the name of a loss."""
    return " ".join(repr(layer).split()) if isinstance(layer, Layer) else str(layer.__name__)


def _size(layer: Any, x: Array) -> int:
    """How many numbers there are to look at."""
    return int(x.size + sum(array.size for array in getattr(layer, "params", {}).values()))


def _made(part: Part, case: Case, seed: int) -> tuple[Any, Array]:
    """A case, with parameters that are not special."""
    draw = Draw(seed)
    layer, x = case(part, draw)
    if isinstance(layer, Layer):
        layer = layer.astype(np.float64)
        for array in layer.params.values():
            array[...] = draw.array(*array.shape)
    return layer, x


def _forward(layer: Any, x: Array) -> Any:
    """What the layer, or the loss, gives for a copy of x."""
    result = layer.forward(x.copy()) if hasattr(layer, "forward") else layer(x.copy())
    if not (isinstance(result, tuple) and len(result) == 2):
        what = (
            "forward returns y, cache" if hasattr(layer, "forward") else "a loss and its gradient"
        )
        raise Wrong(f"Two things are wanted, {what}, and it returned {_show(result)}.")
    return result[0]


# Functions
# ---------


def check_function(
    answer: Callable[..., Any],
    right: Callable[..., Any],
    arguments: Callable[[Draw], tuple[Any, ...]],
) -> None:
    """Compare a function with the right one on drawn arguments, the smallest first."""
    drawn = sorted(
        (arguments(Draw(seed)) for seed in range(N_CASES)),
        key=lambda given: sum(np.size(one) for one in given),
    )
    names = signature(answer).parameters
    for given in drawn:
        words = "For " + ", ".join(f"{n} = {_show(v)}" for n, v in zip(names, given, strict=False))
        _compare(answer(*deepcopy(given)), right(*deepcopy(given)), words)


def _compare(came: Any, right: Any, words: str) -> None:
    """Raise unless two results, or two tuples of results, are the same numbers."""
    if not isinstance(right, tuple) or not any(map(np.ndim, right)):
        came, right = (came,), (np.asarray(right),)
    elif not (isinstance(came, tuple) and len(came) == len(right)):
        raise Wrong(f"{words} it gives {_show(came)}; it should be {_show(right)}.", "wrong value")
    for one, true in zip(came, right, strict=True):
        _compare_arrays(one, np.asarray(true), words)


def _compare_arrays(came: Any, right: Array, words: str) -> None:
    try:
        numbers = np.asarray(came, dtype=np.float64)
    except (TypeError, ValueError):
        raise Wrong(f"{words} it gives {_show(came)}; it should be {_show(right)}.") from None
    if numbers.shape != right.shape:
        raise Wrong(
            f"{words} it gives something of shape {numbers.shape}; it should be of shape "
            f"{right.shape}.",
            "wrong shape",
        )
    if np.isnan(numbers).any():
        raise Wrong(f"{words} it gives NaN, not a number; it should be {_show(right)}.", "NaN")
    off = ~np.isclose(numbers, right, rtol=1e-7, atol=1e-9)
    if off.any() and right.size <= MANY:
        raise Wrong(
            f"{words} it gives {_show(numbers)}; it should be {_show(right)}.", "wrong value"
        )
    if off.any():
        at = tuple(int(i) for i in np.argwhere(off)[0])
        raise Wrong(
            f"{words} {int(off.sum())} of {off.size} numbers are wrong. At {list(at)} it gives "
            f"{_show(numbers[at])}; it should be {_show(right[at])}.",
            "wrong value",
        )


MANY = 12  # numbers, more than which are not shown


def _show(value: Any) -> str:
    """A value in a sentence: small arrays whole, of others the shape."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_show, value))})"
    if isinstance(value, np.ndarray) and value.size > MANY:
        return f"an array of shape {value.shape}"
    if isinstance(value, np.ndarray) and value.ndim:
        text = np.array2string(value.round(3) + 0.0, separator=", ", threshold=20)
        return " ".join(text.split()).replace("[ ", "[").replace(" ]", "]").replace(" ,", ",")
    if isinstance(value, float | np.floating | np.ndarray):
        return f"{float(value):g}"
    return repr(value)[:80]


# Without loops
# -------------
# Whether there is a loop left cannot be read off the text: it may hide in a comprehension or in
# a function. But Python can report each line it comes by. A loop over samples comes by more
# of them when there are more samples.


def check_iterations(
    answer: Callable[..., Any], small: tuple[Any, ...], large: tuple[Any, ...], what: str
) -> None:
    """Raise if the function comes by more lines for the large arguments than for the small."""
    few, many = (_lines_of(answer, given) for given in (small, large))
    if many > few:
        raise Wrong(
            f"The numbers are right, and Python still goes round: {few} lines were run for a small "
            f"case, {many} for a larger one. Let one array operation do it for all {what}.",
            "loop",
        )


def _lines_of(function: Callable[..., Any], arguments: tuple[Any, ...]) -> int:
    """How many lines of the file in which `function` stands are run in one call of it."""
    home, n_lines = function.__code__.co_filename, 0

    def count(frame: FrameType, event: str, _: object) -> Any:
        nonlocal n_lines
        if frame.f_code.co_filename != home:
            return None
        n_lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return n_lines


# Tests of the reader's
# ---------------------
# A test proves something only if it can fail. So it is given a right part, which it has to pass,
# and wrong ones, which it may not.


def check_test(
    test: Callable[[Any], object], right: Mapping[str, Any], wrong: Mapping[str, Any]
) -> None:
    """Raise unless the reader's test passes what is right and fails what is wrong.

    Both are listed by what to say of them, if the test does not.
    """
    for name, part in right.items():
        try:
            test(part)
        except AssertionError as error:
            raise Wrong(
                f"The test accuses {name}, which is right. {error}", "false alarm"
            ) from None
    passed = [name for name, part in wrong.items() if not _fails(test, part)]
    if len(passed) == len(wrong):
        raise Wrong(f"All {len(wrong)} wrong ones pass: this test cannot fail.", "never fails")
    if passed:
        raise Wrong(
            f"It finds {len(wrong) - len(passed)} of {len(wrong)} wrong ones. One that it lets "
            f"pass: {passed[0]}.",
            "passes",
        )


def _fails(test: Callable[[Any], object], part: Any) -> bool:
    try:
        test(part)
    except Exception:
        return True
    return False


# Training with a bug in it
# -------------------------


def accuracy(
    *,
    conv: Any = Conv1D,
    relu: Any = ReLU,
    pool: Any = MaxPool1D,
    dense: Any = Dense,
    chain: Any = Sequential,
    loss: Any = softmax_cross_entropy,
    optimizer: Any = Adam,
    n_flat: int = 256,
    last: tuple[Layer, ...] = (),
) -> float:
    """The held-out accuracy of the trace classifier, trained with some parts of the reader's."""

    def build(rng: np.random.Generator) -> tuple[Any, Any]:
        layers = conv(1, 8, 5, padding="same", rng=rng), relu(), pool(2), Flatten()
        head = dense(n_flat, 16, rng=rng), relu(), dense(16, 3, rng=rng)
        return chain(*layers, *head, *last), loss

    return trained_accuracy(build, optimizer, seed=0)
