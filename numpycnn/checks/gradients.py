"""Is it right? A layer's gradients held against differences of its outputs.

A network with a wrong gradient does not crash. It trains, as a rule it trains
*well*, and nobody notices. But a gradient is a claim anyone can test: it says
by how much the output changes when the input changes by a little. So change
the input by a little and look.

To compare one number with one number, three things are needed.

*A scalar.* The output is an array; weigh it with random numbers `dy` and add up,
`phi = sum(dy * y)`. Then `dy` is also what backward is to be given, because
`d phi / d y = dy`. Random, not ones: a softmax that forgot its gradient and
returned zeros would pass with ones, since its outputs always sum to one.

*A direction.* Instead of one entry after another, move all entries of an array
together along a random direction `v`. If the gradient `g` is right, `phi` changes
at the rate `sum(g * v)`; if any entry is wrong, that fails with certainty but
for a coincidence. One evaluation then checks ten thousand weights. Only if it
fails are the entries tried one by one, to say which.

*A derivative* along `v` that owes nothing to backward: see the two methods below.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from numpycnn.layers.layer import Array, Layer, Params, Rng

Method = Literal["complex", "central"]
Function = Callable[[Array], Any]  # an array to a number

TOLERANCE: dict[Method, float] = {"complex": 1e-10, "central": 1e-6}
"""The largest relative error of a right gradient, in float64, by method."""


class HasGradients(Protocol):
    """What can be checked: anything that keeps the layer's contract, of whatever class."""

    @property
    def params(self) -> Params:
        """The arrays that can be learned, by name."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Return y and the cache."""

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Return dx and the gradients by name."""


# Two ways to a derivative
# ------------------------


def central_difference(f: Function, at: Array, direction: Array) -> float:
    """Return (f(at + h v) - f(at - h v)) / 2h, the classic.

    The error of the formula falls with h², but the two values agree in ever more
    digits as h shrinks, and the subtraction leaves only the ones that differ. The best
    step is near the cube root of the precision, 6e-6, and the best result has some
    ten digits. Within h of a corner, of a ReLU say, it is simply wrong.

    >>> central_difference(lambda x: x**3, np.float64(2.0), np.float64(1.0))   # 12
    12.000000000...
    """
    size = float(np.max(np.abs(at))) or 1.0
    h = np.finfo(np.float64).eps ** (1 / 3) * size / float(np.max(np.abs(direction)))
    return float((f(at + h * direction) - f(at - h * direction)) / (2 * h))


def complex_step(f: Function, at: Array, direction: Array) -> float:
    """Return imag f(at + i h v) / h with h = 1e-30.

    For a smooth f the Taylor series says f(a + i h v) = f(a) + i h f'(a) v + O(h²):
    the real part is the value, the imaginary part the derivative times h. Nothing
    is subtracted, so h can be as small as 1e-30, and the result is as exact
    as f itself. So small a step crosses no corner either: NumPy orders complex
    numbers by their real parts first, and `maximum` picks the branch it picked before.

    It asks of f that it takes complex numbers and has no `abs`, `.real` or `conj`.

    >>> complex_step(lambda x: x**3, np.float64(2.0), np.float64(1.0))
    12.0

    Source: W. Squire, G. Trapp, "Using complex variables to estimate derivatives of
    real functions", SIAM Review 40 (1998).
    """
    h = 1e-30
    return float(np.imag(f(at + 1j * h * direction)) / h)


DERIVATIVES: dict[Method, Callable[[Function, Array, Array], float]] = {
    "complex": complex_step,
    "central": central_difference,
}


# The report
# ----------


class GradientLine(NamedTuple):
    """The result for the input or one parameter."""

    name: str
    error: float  # largest difference found, relative to the size of the gradient
    worst: tuple[int, ...] | None  # the entry that is furthest off; None where all is well
    analytic: float  # what backward says: there, or along a random direction
    numeric: float  # what it is


class GradientReport(NamedTuple):
    """What `check_gradients` found, a line for the input and each parameter."""

    subject: str
    method: Method
    tolerance: float
    lines: list[GradientLine]

    @property
    def ok(self) -> bool:
        """Whether every gradient is right to within the tolerance."""
        return all(line.error <= self.tolerance for line in self.lines)

    def __str__(self) -> str:
        verdict = "right" if self.ok else "WRONG"
        text = [f"Gradients of {self.subject}: {verdict} ({self.method}, to {self.tolerance:g})"]
        for line in self.lines:
            right = line.error <= self.tolerance
            text.append(
                f"  {line.name:<8} {'ok   ' if right else 'WRONG'} relative error {line.error:.1e}"
            )
            if line.worst is not None:
                where = ", ".join(map(str, line.worst))
                text.append(
                    f"           worst at [{where}]: backward says {line.analytic:.6g}, "
                    f"it is {line.numeric:.6g}"
                )
        return "\n".join(text)


class GradientError(AssertionError):
    """Raised by `assert_gradients`; `report` is the `GradientReport`."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report


# The check
# ---------


def check_gradients(
    layer: HasGradients | Callable[[Array], tuple[Any, Array]],
    x: Array,
    *,
    method: Method = "complex",
    tolerance: float | None = None,
    rng: Rng = None,
) -> GradientReport:
    """Compare the gradients that `layer.backward` returns for `x` with what they should be.

    Args:
        layer: a layer, a whole `Sequential`, any object with their contract, or a loss:
            a function of `x` that returns its value and its gradient.
        x: an input. It and the parameters are converted to float64 first; the layer is
            not changed.
        method: `"complex"` step, exact to rounding, or `"central"` differences, for
            layers that cannot take complex numbers.
        tolerance: the largest relative error that passes; 1e-10 and 1e-6 by default.
        rng: draws the upstream gradient and the directions.

    >>> from numpycnn import Dense, softmax_cross_entropy
    >>> x = np.array([[1.0, 2.0], [3.0, -4.0]])
    >>> check_gradients(Dense(2, 3), x).ok
    True
    >>> check_gradients(lambda x: softmax_cross_entropy(x, np.array([1, 0])), x).ok
    True

    Raises `ValueError` if backward returns gradients of another shape than what they
    belong to, or under other names.
    """
    rng = np.random.default_rng(rng)
    subject = _Loss(layer) if callable(layer) else layer
    tolerance = TOLERANCE[method] if tolerance is None else tolerance
    arrays = {name: np.asarray(array, np.float64) for name, array in subject.params.items()}
    arrays = {"input": np.asarray(x, np.float64), **arrays}

    y, cache = _forward(subject, arrays)
    dy = rng.standard_normal(np.shape(y))
    dx, grads = _with_params(subject, arrays).backward(dy, cache)
    grads = {"input": dx, **grads}
    _check_shapes(grads, arrays)

    lines = []
    for name, array in arrays.items():

        def phi(moved: Array, name: str = name) -> Any:
            return (dy * _forward(subject, {**arrays, name: moved})[0]).sum()

        lines.append(_compare(name, phi, array, grads[name], method, tolerance, rng))
    return GradientReport(type(subject).__name__, method, tolerance, lines)


def assert_gradients(
    layer: HasGradients | Callable[[Array], tuple[Any, Array]],
    x: Array,
    *,
    method: Method = "complex",
    tolerance: float | None = None,
    rng: Rng = None,
) -> None:
    """Raise `GradientError` with the report unless `check_gradients` finds all in order."""
    report = check_gradients(layer, x, method=method, tolerance=tolerance, rng=rng)
    if not report.ok:
        raise GradientError(report)


def _compare(
    name: str,
    phi: Function,
    array: Array,
    gradient: Array,
    method: Method,
    tolerance: float,
    rng: np.random.Generator,
) -> GradientLine:
    """Compare along a random direction; if that fails, entry by entry."""
    derivative = DERIVATIVES[method]
    # No entry of the direction is near zero, or an error there would hardly show; and no two
    # are the same size, or two errors of opposite sign could cancel.
    direction = rng.uniform(1, 2, array.shape) * rng.choice([-1, 1], array.shape)
    analytic = float((gradient * direction).sum())
    numeric = derivative(phi, array, direction)
    # Many terms may cancel in the sum; its size is that of the terms, not of what is left.
    size = max(float(np.linalg.norm(gradient * direction)), abs(numeric))
    error = _relative(analytic - numeric, size)
    if error <= tolerance:
        return GradientLine(name, error, None, analytic, numeric)

    entries = np.zeros_like(array)
    for index in np.ndindex(*array.shape):
        unit = np.zeros_like(array)
        unit[index] = 1
        entries[index] = derivative(phi, array, unit)
    difference = np.nan_to_num(np.abs(gradient - entries), nan=np.inf)
    worst = tuple(int(i) for i in np.unravel_index(difference.argmax(), array.shape))
    size = max(float(np.max(np.abs(gradient))), float(np.max(np.abs(entries))))
    error = _relative(float(difference[worst]), size)
    return GradientLine(name, error, worst, float(gradient[worst]), float(entries[worst]))


def _relative(difference: float, size: float) -> float:
    """The difference as a share of the size; infinite if either is not a number."""
    if difference == 0:
        return 0.0
    share = abs(difference) / size
    return share if np.isfinite(share) else np.inf


def _forward(layer: HasGradients, arrays: Params) -> tuple[Array, Any]:
    """Run `layer` forward with the input and the parameters in `arrays`."""
    return _with_params(layer, arrays).forward(arrays["input"])


def _with_params(layer: HasGradients, arrays: Params) -> HasGradients:
    """A copy of `layer` that holds the parameters in `arrays`."""
    params = {name: arrays[name] for name in layer.params}
    if isinstance(layer, Layer):
        return layer.with_params(params)
    twin = deepcopy(layer)
    twin.params.update(params)
    return twin


def _check_shapes(grads: Params, arrays: Params) -> None:
    """Raise unless there is a gradient of the right shape for each array."""
    shapes = {name: array.shape for name, array in arrays.items()}
    came = {name: np.shape(grad) for name, grad in grads.items()}
    if came != shapes:
        raise ValueError(f"check_gradients expected gradients of the shapes {shapes}, got {came}")


class _Loss(Layer):
    """A loss in the form of a layer: its output is one number, its cache the gradient."""

    def __init__(self, loss: Callable[[Array], tuple[Any, Array]]) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, x: Array) -> tuple[Array, Array]:
        value, gradient = self.loss(x)
        return np.asarray(value), gradient

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        return dy * cache, {}
