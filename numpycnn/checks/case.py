"""One case: a layer, an input, and a random upstream gradient.

This module computes the gradients that backward returns and the derivatives of forward, at the
given arrays or at others. Copies of the layer run in float64, so the layer does not change.

Rounding is measured in one way: it is the range of a quantity over several cases in which every
value is changed in its last digits.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.exceptions import ComplexWarning

from numpycnn._types import Array, Params
from numpycnn.checks.arguments import (
    HasGradients,
    Names,
    as_layer,
    numbers,
    parameters,
    run_backward,
    run_forward,
    selected,
)
from numpycnn.checks.arrays import (
    changed,
    in_a_row,
    increased,
    largest,
    moved_by_little,
    signed,
    stretched,
    unit,
)
from numpycnn.checks.binding import Copies, tied_arrays
from numpycnn.checks.derivatives import (
    DERIVATIVES,
    STEPS,
    Method,
    OneSided,
    is_single,
    one_complex_step,
)
from numpycnn.layers.layer import Layer

EPS = float(np.finfo(np.float64).eps)
EPS_SINGLE = float(np.finfo(np.float32).eps)
HUGE = 1e100
"""Of such outputs backward may overflow although forward does not."""
SAFETY = 16
"""By how much rounding may exceed what a few trials show of it."""
N_PAIRS = 3
"""Of these trials. One pair shows almost no rounding in some of a thousand outputs, by chance."""


@dataclass(frozen=True)
class Case:
    """A layer with an input, its parameters, and a random upstream gradient dy."""

    subject: str
    layer: HasGradients
    arrays: Params  # the input and the parameters
    dy: Array
    names: tuple[str, ...]  # the arrays whose gradients are compared
    copies: Copies  # of the layer
    is_in_place: bool = False  # whether only the layer's own arrays have an effect on forward

    @classmethod
    def of(
        cls,
        layer: Any,
        x: Array,
        rng: np.random.Generator,
        only: Names | None = None,
        skip: Names = (),
    ) -> Case:
        """Convert to float64 and draw dy.

        Ids stay integers, and no gradient with respect to them is compared. Here only the array of
        the layer itself has an effect, as `forward` reads it from a closure:

        >>> from types import SimpleNamespace
        >>> params, rng = {"w": np.array([-1.0])}, np.random.default_rng(0)
        >>> layer = SimpleNamespace(
        ...     forward=lambda ids: (params["w"][ids], ids), backward=None, params=params
        ... )
        >>> case = Case.of(layer, np.array([0, 0]), rng, skip="input")
        >>> case.names, case.output.tolist(), case.dy.shape, case.is_in_place
        (('w',), [-1.0, -1.0], (2,), True)
        >>> Case.of(layer, np.array([0, 0]), rng)
        Traceback (most recent call last):
        TypeError: check_gradients: x must be of type float for a gradient with respect to x, ...
        """
        subject, layer = as_layer(layer)
        params = parameters(layer)
        names = selected("check_gradients", ["input", *params], only, skip)
        values = numbers("check_gradients", x, keep_integers="input" not in names)
        arrays = {"input": values, **params}
        case = cls(subject, layer, arrays, np.zeros(()), names, Copies(layer))
        with np.errstate(all="ignore"):
            try:
                y = case.output
            except Exception as error:
                if np.asarray(x).dtype.kind not in "iu" or "input" not in names:
                    if hasattr(error, "add_note") and "check_gradients" not in str(error):
                        error.add_note(
                            f"check_gradients: {subject}.forward raised this for x of shape "
                            f"{values.shape}; x and the parameters are copies in float64"
                        )
                    raise
                raise TypeError(
                    f"check_gradients: x must be of type float for a gradient with respect to x, "
                    f"got {np.asarray(x).dtype}, and {subject}.forward raises for floats. If x "
                    "holds ids or labels, pass skip='input', and x stays as it is"
                ) from error
            is_shared = case.copies.share_arrays()
            if is_shared or any(case._has_effect_in_place_only(name) for name in params):
                if case.copies.is_tied:
                    raise tied_arrays(params)
                case = replace(case, is_in_place=True)
        return replace(case, dy=rng.standard_normal(y.shape))

    def at(self, arrays: Params, rng: np.random.Generator | None = None) -> Case | None:
        """The case with other arrays; None if forward is not defined there.

        With `rng`, dy is drawn anew, for an output of another shape.

        >>> from numpycnn import ReLU
        >>> rng = np.random.default_rng(0)
        >>> case = Case.of(ReLU(), np.array([1.0]), rng)
        >>> [case.at({"input": np.array([x])}) is None for x in (9e99, 1e100, np.nan)]
        [False, True, True]
        >>> longer = {"input": np.ones(2)}
        >>> case.at(longer) is None, case.at(longer, rng).dy.shape
        (True, (2,))
        """
        other = replace(self, arrays=arrays)
        try:
            y = other.output
        except Exception:  # whatever a layer raises for values outside its domain
            return None
        if not (np.abs(y, dtype=float) < HUGE).all() or (rng is None and y.shape != self.dy.shape):
            return None
        return other if rng is None else replace(other, dy=rng.standard_normal(y.shape))

    @contextmanager
    def holding(self, arrays: Params) -> Iterator[HasGradients]:
        """A copy of the layer with the parameters in `arrays`, or the layer itself for a while.

        >>> from types import SimpleNamespace
        >>> w = np.array([2.0])
        >>> layer = SimpleNamespace(forward=lambda x: (w * x, x), backward=None, params={"w": w})
        >>> case = Case.of(layer, np.array([5.0]), np.random.default_rng(0))
        >>> with case.holding({"w": np.array([3.0])}) as held:
        ...     held is layer, w.tolist(), held.forward(5.0)[0].tolist()
        (True, [3.0], [15.0])
        >>> w.tolist()
        [2.0]
        """
        if not self.is_in_place:
            yield self.copies.with_params(arrays)
            return
        own = self.layer.params
        before = {name: array.copy() for name, array in own.items()}
        try:
            for name, array in own.items():
                array[...] = arrays[name]
            yield self.layer
        finally:
            for name, array in own.items():
                array[...] = before[name]

    def _has_effect_in_place_only(self, name: str) -> bool:
        """Whether forward reads a parameter where no copy holds it, such as from a closure.

        >>> class Scale:
        ...     def __init__(self):
        ...         self.params = {"w": np.ones(1)}
        ...
        ...     def forward(self, x):
        ...         return self.params["w"] * x, x
        ...
        ...     backward = None
        >>> def of(layer):
        ...     case = Case.of(layer, np.array([2.0]), np.random.default_rng(0))
        ...     return replace(case, is_in_place=False)._has_effect_in_place_only("w")

        >>> of(Scale())
        False
        >>> layer = Scale()
        >>> layer.forward = lambda x: (layer.params["w"] * x, x)
        >>> of(layer)
        True
        """
        moved = {**self.arrays, name: increased(self.arrays[name])}
        if isinstance(self.layer, Layer) or self._has_effect(moved):
            return False
        return replace(self, is_in_place=True)._has_effect(moved)

    def _has_effect(self, moved: Params) -> bool:
        """Whether the output changes with the arrays; forward may be undefined for others.

        >>> from types import SimpleNamespace
        >>> layer = SimpleNamespace(
        ...     forward=lambda x: (np.where(x < 0, np.nan, np.reshape(x, 2)), x),
        ...     backward=None,
        ...     params={},
        ... )
        >>> case = Case.of(layer, np.array([-1.0, 3.0]), np.random.default_rng(0))
        >>> [case._has_effect({"input": np.array(x)}) for x in ([-2, 3], [-2, 4], [1, 2, 3])]
        [False, True, True]
        """
        try:
            return not np.array_equal(self.output, replace(self, arrays=moved).output, True)
        except Exception:  # whatever a layer raises outside its domain
            return True

    @cached_property
    def output(self) -> Array:
        """The output of forward."""
        with self.holding(self.arrays) as layer:
            y, _ = run_forward(layer, self.arrays["input"].copy())
            return np.array(y)

    @cached_property
    def gradients(self) -> Params:
        """The gradients that backward returns, by name.

        >>> from numpycnn import Dense
        >>> x, rng = np.array([[2.0, 3.0]]), np.random.default_rng(0)
        >>> case = Case.of(Dense(2, 1), x, rng, skip="input")
        >>> case.dy[:] = 10
        >>> {name: gradient.tolist() for name, gradient in case.gradients.items()}
        {'w': [[20.0], [30.0]], 'b': [10.0]}
        """
        with self.holding(self.arrays) as layer:
            _, cache = run_forward(layer, self.arrays["input"].copy())
            dx, grads = run_backward(layer, self.dy.copy(), cache)
            found = {**grads, "input": dx}
            return {name: np.array(found[name]) for name in self.names}

    # Derivatives
    # -----------

    def evaluate(self, arrays: Params) -> Array:
        """Return the output with these arrays; NaN where forward raises, as it is undefined there.

        Raises `TypeError` if an array is complex and the layer does not accept complex numbers.

        >>> from types import SimpleNamespace
        >>> def of(forward):
        ...     layer = SimpleNamespace(forward=forward, backward=None, params={})
        ...     case = Case.of(layer, np.ones(2), np.random.default_rng(0))
        ...     return lambda *x: case.evaluate({"input": np.array(x)}).tolist()

        >>> of(lambda x: (np.linalg.inv(np.diag(x)).sum(axis=0), x))(4.0, 0.0)
        [nan, nan]
        >>> of(lambda x: (x * x, x.astype(float)))(2, 1j)  # a cast of what goes to backward
        [(4+0j), (-1+0j)]
        >>> with warnings.catch_warnings():  # the given arrays raise the same warning
        ...     warnings.simplefilter("ignore", ComplexWarning)
        ...     of(lambda x: (np.fft.fft(x).astype(float), x))(8, 4)
        [12.0, 4.0]
        >>> of(lambda x: (np.cbrt(x), x))(2, 1j)
        Traceback (most recent call last):
        TypeError: the layer does not accept complex numbers: TypeError: ufunc 'cbrt' ...
        """
        is_complex = any(map(np.iscomplexobj, arrays.values()))
        tries: list[tuple[Params, Literal["error", "ignore"]]] = [(arrays, "ignore")]
        if is_complex:
            # A buffer of the type of x holds complex numbers if x is complex, too. A cast of what
            # goes to backward does not matter, and one of what goes to y is seen by the choice of
            # a method.
            all_complex = changed(arrays, lambda array: array.astype(complex))
            tries = [(arrays, "error"), (all_complex, "ignore")]
        for trial, action in tries:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", ComplexWarning)
                    with self.holding(trial) as layer:
                        warnings.simplefilter(action, ComplexWarning)
                        return np.asarray(layer.forward(trial["input"])[0])
            except Exception as error:  # whatever a layer raises for values it does not accept
                last = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        if is_complex:
            raise TypeError(f"the layer does not accept complex numbers: {last}")
        return np.full(self.dy.shape, np.nan)

    def along(self, directions: Params, t: complex) -> Array:
        """Return the output with every array moved by t times its direction.

        >>> from numpycnn import ReLU
        >>> case = Case.of(ReLU(), np.array([3.0, 1.0]), np.random.default_rng(0))
        >>> case.along({"input": np.array([1.0, 0.0])}, 2).tolist()
        [5.0, 1.0]
        """
        moved = {name: self.arrays[name] + t * v for name, v in directions.items()}
        return self.evaluate({**self.arrays, **moved})

    def derivative(self, method: Method, directions: Params) -> OneSided:
        """How each output changes as arrays move along their directions.

        Raises `TypeError` if the method is the complex step and the layer cannot do it.

        >>> from numpycnn import Dense
        >>> case = Case.of(Dense(2, 2), np.array([[5.0, 7.0]]), np.random.default_rng(0))
        >>> along = {"w": np.array([[1.0, 0.0], [0.0, 2.0]]), "b": np.array([0.0, 100.0])}
        >>> case.derivative("complex", along).middle.tolist()
        [[5.0, 114.0]]
        """
        return DERIVATIVES[method](*self._function(directions))

    def slopes(self, method: Method, directions: Params) -> OneSided:
        """As `derivative`, by differences where the layer does not accept complex numbers.

        >>> from types import SimpleNamespace
        >>> layer = SimpleNamespace(
        ...     forward=lambda x: (3 * np.real(x), x), backward=None, params={}
        ... )
        >>> case = Case.of(layer, np.ones(1), np.random.default_rng(0))
        >>> round(float(case.slopes("complex", {"input": np.ones(1)}).middle[0]), 6)
        3.0
        """
        try:
            return self.derivative(method, directions)
        except TypeError:
            return self.derivative("central", directions)

    def _function(self, directions: Params) -> tuple[Callable[[Array], Array], Array, Array]:
        """The output as a function of one array, all that move in a row, and the direction."""
        at, along = (in_a_row(arrays, [*directions]) for arrays in (self.arrays, directions))

        def output(moved: Array) -> Array:
            arrays, start = dict(self.arrays), 0
            for name, v in directions.items():
                arrays[name] = moved[start : start + v.size].reshape(v.shape)
                start += v.size
            return self.evaluate(arrays)

        return output, at, along

    def columns(self, method: Method, name: str, places: list[tuple[int, ...]]) -> OneSided:
        """How each output changes with each of these entries of the array `name`.

        >>> from numpycnn import Dense, ReLU
        >>> layer, rng = Dense(2, 2), np.random.default_rng(0)
        >>> layer.params["w"][:] = [[1, 2], [3, 4]]
        >>> case = Case.of(layer, np.ones((1, 2)), rng)
        >>> case.columns("complex", "input", [(0, 0), (0, 1)]).right.tolist()
        [[[1.0, 2.0]], [[3.0, 4.0]]]
        >>> case.columns("central", "w", [(0, 1)]).middle.round(6).tolist()
        [[[0.0, 1.0]]]

        At a kink the two sides differ:

        >>> columns = Case.of(ReLU(), np.zeros(2), rng).columns("complex", "input", [(1,)])
        >>> columns.right.tolist(), abs(columns.left).tolist()
        ([[0.0, 1.0]], [[0.0, 0.0]])
        """
        array = self.arrays[name]
        if method == "complex":
            return self._complex_columns(name, places)
        found = [self.derivative(method, {name: unit(array, place)}) for place in places]
        return OneSided(
            np.stack([slopes.right for slopes in found]),
            np.stack([slopes.left for slopes in found]),
            np.stack([np.broadcast_to(slopes.noise, self.dy.shape) for slopes in found]),
        )

    def _complex_columns(self, name: str, places: list[tuple[int, ...]]) -> OneSided:
        """Without kinks, the slope to the left for all entries at once is that to the right.

        One forward pass then shows it. At a kink, here at zero, each entry needs another one:

        >>> from types import SimpleNamespace
        >>> calls, c = [], np.array([0.0, 1.0, 4.0, 3.0, -1.0])
        >>> def forward(x):
        ...     calls.append(1)
        ...     return np.array([np.maximum(x / 3, 0) @ c, 5.0]), x
        >>> layer = SimpleNamespace(forward=forward, backward=None, params={})
        >>> def n_passes(x, *places):
        ...     case = Case.of(layer, np.array(x), np.random.default_rng(0))
        ...     calls.clear()
        ...     _ = case.columns("complex", "input", [(i,) for i in places])
        ...     return len(calls)
        >>> n_passes(np.ones(5), 0, 1, 2, 3), n_passes([1.0, 0, 1, 1, 1], 0, 1, 2, 3)
        (5, 9)
        >>> n_passes(np.zeros(5), 1, 4), n_passes(np.zeros(5), 2, 4)  # of opposite signs
        (5, 5)
        """
        array = self.arrays[name]

        def slope(direction: Array, step: float) -> Array:
            return one_complex_step(*self._function({name: direction}), step)

        right = np.stack([slope(unit(array, place), STEPS[0]) for place in places])
        weights = 2 ** (np.arange(len(places)) / len(places))  # kinks must not cancel
        mixed = np.zeros(array.shape)
        for place, weight in zip(places, weights, strict=True):
            mixed[place] += weight
        off = np.abs(slope(mixed, STEPS[1]) - np.tensordot(weights, right, 1))
        if (off <= 1e-12 * np.tensordot(weights, np.abs(right), 1)).all():
            left = right
        else:
            left = np.stack([slope(unit(array, place), STEPS[1]) for place in places])
        return OneSided(right, left, np.zeros(right.shape))

    # Rounding
    # --------

    def rounding(self, quantity: Callable[[Case], Array], rng: np.random.Generator) -> Array:
        """By how much each entry of `quantity(case)` may be off by rounding, measured.

        This is the range of the quantity over several cases in which every value is changed in the
        last digits that forward computes with, times `SAFETY`. The given values are not among them:
        code may be incorrect at one exact value.

        >>> from numpycnn import ReLU
        >>> rng = np.random.default_rng(0)
        >>> case = Case.of(ReLU(), np.full(99, 2.0), rng)
        >>> (case.rounding(lambda near: np.array([2.0, -4.0]), rng) / EPS).tolist()
        [32.0, 64.0]
        >>> digits = case.rounding(lambda near: near.output, rng) / (SAFETY * 2 * EPS)
        >>> bool((digits >= 5).all()), bool((digits <= 9).all())
        (True, True)

        Where forward is defined at the given values only, they show no range:

        >>> from types import SimpleNamespace
        >>> layer = SimpleNamespace(
        ...     forward=lambda x: (np.where(x == 1, x, np.inf), x), backward=None, params={}
        ... )
        >>> case = Case.of(layer, np.ones(1), rng)
        >>> (case.rounding(lambda near: near.output, rng) / EPS).tolist()
        [16.0]
        """
        values = []
        for _ in range(N_PAIRS):
            for near in self.shaken(rng):
                with suppress(Exception):  # outside the domain of the layer
                    if np.isfinite(near.output).all():
                        values.append(quantity(near))
        values = values or [quantity(self)]
        size = np.max(np.abs(values), axis=0)
        return np.asarray(SAFETY * (np.ptp(values, axis=0) + self.digit * size))

    @cached_property
    def digit(self) -> float:
        """The last digit that forward computes with: that of float64, or of float32.

        >>> from types import SimpleNamespace
        >>> def of(forward):
        ...     layer = SimpleNamespace(forward=forward, backward=None, params={})
        ...     return Case.of(layer, np.arange(301.0) / 1e12, np.random.default_rng(0)).digit
        >>> of(lambda x: (x, x)) == 2**-52
        True
        >>> [of(lambda x: (np.float64(np.float32(x + y)), x)) == 2**-23 for y in (0, 1)]
        [True, True]
        """
        for case in (self, self.of_size_one()):  # values of 1e-12 may not move the output
            if case is not None:
                moved = case.evaluate(changed(case.arrays, moved_by_little))
                if not np.array_equal(moved, case.output):
                    return EPS_SINGLE if is_single(case.output, moved) else EPS
        return EPS

    def shaken(self, rng: np.random.Generator) -> Iterator[Case]:
        """The case with every value, dy too, changed by two to four of its last digits, both ways.

        Two opposite changes differ in every value; two random ones may be equal.

        >>> from numpycnn import ReLU
        >>> rng = np.random.default_rng(0)
        >>> case = Case.of(ReLU(), np.full(99, 2.0), rng)
        >>> digits = [(a.arrays["input"] - 2) / (2 * EPS) for a in case.shaken(rng)]
        >>> [(float(abs(d).min()), float(abs(d).max())) for d in digits]
        [(2.0, 4.0), (2.0, 4.0)]
        >>> bool((digits[0] * digits[1] < 0).all()), float(digits[0].min()), float(digits[0].max())
        (True, -4.0, 4.0)
        >>> digits = [abs(a.dy / case.dy - 1) / EPS for a in case.shaken(rng)]
        >>> [bool(((d >= 1) & (d <= 5)).all()) for d in digits]
        [True, True]
        """

        def draw(array: Array) -> Array:  # not less than two digits: a 1 must not stay a 1
            return signed(self.digit * rng.uniform(2, 4, array.shape), rng)

        digits, digits_of_dy = {n: draw(a) for n, a in self.arrays.items()}, draw(self.dy)
        for sign in (1, -1):
            arrays = {n: stretched(a, sign * digits[n]) for n, a in self.arrays.items()}
            yield replace(self, arrays=arrays, dy=stretched(self.dy, sign * digits_of_dy))

    # The same case with other values
    # -------------------------------

    def aside(self, rng: np.random.Generator, share: float) -> Case:
        """With every value moved by at most this share of the largest magnitude in its array.

        No value moves by less than half of that, and some move up, others down:

        >>> from numpycnn import ReLU
        >>> rng, x = np.random.default_rng(0), np.linspace(0, 4, 99)
        >>> d = Case.of(ReLU(), x, rng).aside(rng, 0.5).arrays["input"] - x
        >>> [round(float(limit), 1) for limit in (min(abs(d)), max(abs(d)), min(d), max(d))]
        [1.0, 2.0, -2.0, 2.0]
        """

        def move(array: Array) -> Array:  # a zero must not stay near zero: there may be a kink
            sizes = signed(rng.uniform(0.5, 1, array.shape), rng)
            return np.asarray(array + share * largest(array) * sizes)

        return replace(self, arrays=changed(self.arrays, move))

    def without_constants(self, rng: np.random.Generator) -> Case:
        """With dy zero for large outputs that nothing moves, if backward ignores them, too.

        The last digit of a mask of -1e20 is a large number, and as rounding it would hide errors.

        >>> from types import SimpleNamespace
        >>> def shares(*constants, backward=lambda dy, cache: (dy[1:], {}), x=(0.5, -0.25)):
        ...     layer = SimpleNamespace(
        ...         forward=lambda x: (np.array([*constants, *x]), x), backward=backward, params={}
        ...     )
        ...     rng = np.random.default_rng(0)
        ...     case = Case.of(layer, np.array(x), rng)
        ...     other = case.without_constants(rng)
        ...     return other is case or (other.dy / case.dy).tolist()

        >>> shares(-500.0), shares(-500.2)
        (True, [0.0, 1.0, 1.0])
        >>> shares(1e20, backward=lambda dy, cache: (dy[:2], {}))
        True
        >>> shares(1e20, backward=lambda dy, cache: (dy[1:] * [1e3, 1] + [0, 1e-14 * dy[0]], {}))
        [0.0, 1.0, 1.0]
        """
        moved = self.evaluate(self.aside(rng, 1).arrays)
        is_constant = moved == self.output
        size = largest(np.where(is_constant, 0, self.output))
        is_large = is_constant & (np.abs(self.output) > 1e3 * size)
        if is_constant.all() or not is_large.any():
            return self
        other = replace(self, dy=np.where(is_large, 0, self.dy))
        is_ignored = all(
            np.max(np.abs(other.gradients[name] - array)) <= EPS * largest(array)
            for name, array in self.gradients.items()
        )
        return other if is_ignored else self

    def neighbors(self, rng: np.random.Generator) -> Iterator[Case]:
        """The case a small step aside, above and below, in random directions and in the domain.

        In the second every value moves up, in the third every value moves down:

        >>> from numpycnn import ReLU
        >>> case = Case.of(ReLU(), np.full(20, 2.0), np.random.default_rng(0))
        >>> steps = [near.arrays["input"] - 2 for near in case.neighbors(np.random.default_rng(0))]
        >>> ["".join(sorted({"+" if d > 0 else "-" for d in step})) for step in steps]
        ['+-', '+', '-', '+-', '+-', '+-', '+-', '+-']
        >>> all(((abs(step) > 0.9e-6) & (abs(step) < 2.1e-6)).all() for step in steps)
        True
        """
        for sign in (0, 1, -1, *(0,) * 5):
            moved = self.aside(rng, 1e-6).arrays
            if sign:
                moved = {n: a + sign * np.abs(moved[n] - a) for n, a in self.arrays.items()}
            if (case := self.at(moved)) is not None:
                yield case

    def of_size_one(self) -> Case | None:
        """With the largest magnitude of every array scaled to one; None if forward fails there.

        >>> from numpycnn import ReLU
        >>> case = Case.of(ReLU(), np.array([4.0, -8.0]), np.random.default_rng(0))
        >>> case.of_size_one().arrays["input"].tolist()
        [0.5, -1.0]
        """
        return self.at(changed(self.arrays, lambda array: array / largest(array)))

    def is_far_from_one(self) -> bool:
        """Whether the largest number of some array is below a tenth, or above ten.

        >>> from numpycnn import ReLU
        >>> rng, values = np.random.default_rng(0), [0.09, 0.1, 1.0, 10.0, 10.1]
        >>> cases = [Case.of(ReLU(), np.array([x]), rng) for x in values]
        >>> [case.is_far_from_one() for case in cases]
        [True, False, False, False, True]
        """
        return any(not 0.1 <= largest(array) <= 10 for array in self.arrays.values())
