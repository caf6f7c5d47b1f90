"""The gradient check: the gradients of a layer compared with derivatives of its forward.

A network with an incorrect gradient does not crash. It usually trains *well*, and the error goes
unnoticed. Every layer must therefore be checked: `backward` must return the derivative of
`forward`. The check uses three things.

*A scalar.* The output `y` is an array. The check draws random numbers `dy`, computes the scalar
`sum(dy * y)` and passes `dy` to `backward`. If `dy` were all ones, a softmax whose `backward`
returns zeros would pass the check, because the outputs of a softmax always sum to one.

*A direction.* The check does not change one entry at a time. It changes all entries of an array
together, along a random direction `v`. If the gradient `g` is correct, the derivative of the scalar
along `v` is `sum(g * v)`. If any entry of `g` is incorrect, the derivative differs from this sum,
except by coincidence. One evaluation can check ten thousand weights in this way.

*A derivative* along `v` that is computed without `backward`: see the module `derivatives`.

If the derivative differs from the sum, the entries are compared one by one to find the incorrect
ones. Then the error is compared with known mistakes to find the cause. If the two agree, they are
compared again at other points, because a gradient can be correct at one point only: see the module
`elsewhere`.

A check can fail in two ways: it reports a correct gradient as incorrect, or it misses a mistake.
The second is worse. A gradient is therefore not reported as correct after a test with only one
method or at only one point, or if rounding errors could hide a mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from numpycnn._types import Array, Rng
from numpycnn._validation import generator, number
from numpycnn.checks.arguments import HasGradients, Loss, Names, run_forward
from numpycnn.checks.case import Case
from numpycnn.checks.comparison import Comparison
from numpycnn.checks.contract import breach
from numpycnn.checks.derivatives import TOLERANCE, Method
from numpycnn.checks.elsewhere import Elsewhere
from numpycnn.checks.methods import choose
from numpycnn.checks.report import GradientError, GradientReport, Mistake
from numpycnn.checks.unlisted import unlisted
from numpycnn.layers.container import Container

# The check
# ---------


def check_gradients(
    layer: HasGradients | Loss,
    x: Array,
    *,
    method: Method | None = None,
    tolerance: float | None = None,
    only: Names | None = None,
    skip: Names = (),
    rng: Rng = None,
) -> GradientReport:
    """Compare the gradients that `layer.backward` returns with derivatives of `layer.forward`.

    Parameters
    ----------
    layer : object or callable
        A layer, a `Sequential`, any object with the same interface, or a loss: a function of `x`
        that returns its value and its gradient.
    x : array_like
        The input. The check uses float64 copies of the input and of the parameters; the layer is
        not changed.
    method : {"complex", "central"}, optional
        The complex step, which is exact to rounding, or central differences. By default the
        complex step, or central differences if the layer does not accept complex numbers.
    tolerance : float, optional
        The largest relative error of a correct gradient; 1e-10 and 1e-6 by default.
    only, skip : str or collection of str, optional
        Names of the arrays whose gradients are compared, and of those that are not: `"input"`
        and the names of the parameters. The gradient of a skipped array is ignored.
    rng : numpy.random.Generator or int, optional
        Draws the upstream gradient and the directions.

    Returns
    -------
    GradientReport
        `report.ok`, `report.status`, `report.results`, and a readable `str(report)`.

    Raises
    ------
    TypeError
        If `layer` is neither a layer nor a function.
    ValueError
        If `x` is not finite, or a name in `only` or `skip` is unknown.

    Examples
    --------
    >>> from numpycnn import Dense, softmax_cross_entropy
    >>> x = np.array([[1.0, 2.0], [3.0, -4.0]])
    >>> check_gradients(Dense(2, 3), x).ok
    True
    >>> check_gradients(lambda x: softmax_cross_entropy(x, np.array([1, 0])), x).ok
    True

    The report contains the entry with the largest error and the name of the mistake:

    >>> class Hasty(Dense):
    ...     def backward(self, dy, cache):
    ...         dx, grads = super().backward(dy, cache)
    ...         return dx, {"w": grads["w"], "b": dy.mean(axis=0)}
    >>> print(check_gradients(Hasty(2, 3), x, rng=0))
    Gradients of Hasty: INCORRECT
      input    correct   relative error ... by complex step
      w        correct   relative error ... by complex step
      b        INCORRECT relative error 5.0e-01 by complex step
          worst at [0]: backward returned 0.724784, expected 1.44957
          bias averaged: too small by the factor 2 = N: averaged instead of summed

    The arguments are checked first:

    >>> for wrong in ({"method": "exact"}, {"tolerance": 0}, {"tolerance": 1}):
    ...     try:
    ...         check_gradients(Dense(2, 3), x, **wrong)
    ...     except ValueError as error:
    ...         print(error)
    check_gradients: method must be 'complex' or 'central', got 'exact'. Omit it to ...
    check_gradients: tolerance must be between 0 and 1, got 0...
    check_gradients: tolerance must be between 0 and 1, got 1...
    """
    if method not in (None, *TOLERANCE):
        raise ValueError(
            f"check_gradients: method must be 'complex' or 'central', got {method!r}. Omit it to "
            "let the layer decide."
        )
    if tolerance is not None:
        number("check_gradients", "tolerance", tolerance, "between 0 and 1", lambda n: 0 < n < 1)
    stream = generator("check_gradients", rng)
    if stream is not rng:  # x may be drawn with this seed, and dy must not equal x
        (stream,) = stream.spawn(1)
    with np.errstate(all="ignore"):  # infinite values are reported
        case = Case.of(layer, x, stream, only, skip)
        report = _report(case, method, tolerance, stream)
        missed = unlisted(case.layer, case.layer.params.values(), case.arrays["input"])
    notes = (f"{name} is not in params, so its gradient was not checked" for name in missed)
    return report._replace(notes=tuple(notes))


def assert_gradients(
    layer: HasGradients | Loss,
    x: Array,
    *,
    method: Method | None = None,
    tolerance: float | None = None,
    only: Names | None = None,
    skip: Names = (),
    rng: Rng = None,
) -> None:
    """Raise `GradientError` with the report unless all gradients are correct.

    Parameters
    ----------
    layer : object or callable
        A layer or a loss. The parameters are the same as those of `check_gradients`.
    x : array_like
        The input.
    method : {"complex", "central"}, optional
        The complex step or central differences.
    tolerance : float, optional
        The largest relative error of a correct gradient.
    only, skip : str or collection of str, optional
        Names of the arrays whose gradients are compared, and of those that are not.
    rng : numpy.random.Generator or int, optional
        Draws the upstream gradient and the directions.

    Raises
    ------
    GradientError
        If a gradient is incorrect or undecided.

    Examples
    --------
    >>> from numpycnn import ReLU
    >>> assert_gradients(ReLU(), np.array([[1.0, -2.0]]))
    >>> assert_gradients(lambda x: (-x.sum(), np.ones_like(x)), np.array([1.0, 2.0]))
    Traceback (most recent call last):
    numpycnn.checks.report.GradientError: Gradients of <lambda>: INCORRECT
    ...
    """
    report = check_gradients(
        layer, x, method=method, tolerance=tolerance, only=only, skip=skip, rng=rng
    )
    if not report.ok:
        raise GradientError(report)


def _report(
    case: Case, method: Method | None, tolerance: float | None, rng: np.random.Generator
) -> GradientReport:
    """Compare every gradient of a case at its point and at other points.

    Where a layer of a network is incorrect, the mistake is the layer's, and the gradients of the
    network are without one:

    >>> from numpycnn import ReLU, Sequential
    >>> class Reversed(ReLU):
    ...     def backward(self, dy, cache):
    ...         return -super().backward(dy, cache)[0], {}
    >>> class Clipped(ReLU):
    ...     def backward(self, dy, cache):
    ...         return super().backward(dy.clip(-9, 9), cache)[0], {}
    >>> def report(layer, method=None):
    ...     rng = np.random.default_rng(0)
    ...     return _report(Case.of(layer, np.array([[1.0, -2.0]]), rng), method, None, rng)
    >>> wrong = Reversed(), Clipped()
    >>> for layer in (ReLU(), *wrong, *(Sequential(layer, ReLU()) for layer in wrong)):
    ...     found = report(layer)
    ...     found.status, [mistake.name for mistake in found.mistakes], found.results[0].mistake
    ('correct', [], None)
    ('incorrect', ['sign'], Mistake(name='sign', ...))
    ('incorrect', ['not linear'], Mistake(name='not linear', ...))
    ('incorrect', ['sign'], None)
    ('incorrect', ['not linear'], None)

    A gradient of another shape cannot be compared. A constant of -1e20, as in a mask, would hide
    the digits of the other outputs:

    >>> from itertools import permutations
    >>> class Transposed(ReLU):
    ...     def backward(self, dy, cache):
    ...         return super().backward(dy, cache)[0].T, {}
    >>> class Masked(Reversed):
    ...     def forward(self, x):
    ...         y, cache = super().forward(x)
    ...         return np.append(y, [[-1e20]], axis=1), cache
    ...     def backward(self, dy, cache):
    ...         return super().backward(dy[:, :2], cache)
    >>> [report(Sequential(*layers)).breach.name for layers in permutations([Transposed(), ReLU()])]
    ['wrong shape', 'wrong shape']
    >>> report(Masked(), "central").results[0].mistake.name
    'sign'
    """
    inside = partial(_layers, case, method, tolerance, rng)
    try:
        broken = breach(case, rng)
    except Exception:  # a layer may refuse what the layer after it returns
        if (broken := _first_breach(inside)) is None:
            raise
    if broken is not None:
        return GradientReport(case.subject, [], broken, layers=inside())
    case = case.without_constants(rng)
    methods = choose(case, case.names, method, rng)
    elsewhere = Elsewhere(case, methods, tolerance, rng)
    is_network = isinstance(case.layer, Container)
    layers = inside() if is_network and not elsewhere.agrees(case, [*case.names]) else {}
    results = [
        Comparison(case, name, methods[name], tolerance, rng, is_sampled=bool(layers)).result()
        for name in case.names
    ]
    results = elsewhere.results(results)
    if not layers and any(result.status == "incorrect" for result in results):
        layers = inside()
    if layers:  # an error in one layer causes errors in the layers before it
        results = [result._replace(mistake=None) for result in results]
    return GradientReport(case.subject, results, layers=layers)


def _first_breach(inside: Callable[[], dict[str, GradientReport]]) -> Mistake | None:
    """Return the first breach of the contract in the layers of a network, if they can be checked.

    >>> breaches = None, Mistake("wrong shape", ""), Mistake("state", "")
    >>> reports = {str(i): GradientReport("Dense", [], each) for i, each in enumerate(breaches)}
    >>> _first_breach(lambda: reports).name, _first_breach(dict)
    ('wrong shape', None)
    """
    with suppress(Exception):  # whatever a layer raises
        return next(each.breach for each in inside().values() if each.breach is not None)
    return None


def _layers(
    case: Case, method: Method | None, tolerance: float | None, rng: np.random.Generator
) -> dict[str, GradientReport]:
    """Return the reports of the layers in a container that are incorrect on their own input.

    >>> from numpycnn import ReLU, Sequential
    >>> class Reversed(ReLU):
    ...     def backward(self, dy, cache):
    ...         return -super().backward(dy, cache)[0], {}
    >>> class Infinite(ReLU):
    ...     def forward(self, x):
    ...         return x + np.inf, x
    >>> def layers(layer):
    ...     rng = np.random.default_rng(0)
    ...     case = Case.of(layer, np.array([[1.0, -2.0]]), rng)
    ...     return [*_layers(case, None, None, rng).items()]
    >>> for place, report in layers(Sequential(Reversed(), ReLU(), Infinite(), ReLU())):
    ...     place, report.status, report.mistakes[0].name
    ('0', 'incorrect', 'sign')
    ('2', 'incorrect', 'not finite')
    >>> layers(Reversed())
    []
    """
    if not isinstance(case.layer, Container):
        return {}
    inputs: dict[str, Array] = {}

    def record(place: str, forward: Callable[[Array], Any], x: Array) -> Any:
        inputs.setdefault(place, np.array(x))
        return forward(x)

    with case.holding({name: array.copy() for name, array in case.arrays.items()}) as model:
        assert isinstance(model, Container)
        for place, layer in model.children.items():
            vars(layer)["forward"] = partial(record, place, layer.forward)
        run_forward(model, case.arrays["input"].copy())
        for layer in model.children.values():
            del vars(layer)["forward"]
    reports = {}
    for place, x in inputs.items():
        if not np.isfinite(x).all():  # the output of a layer that is incorrect
            continue
        child = Case.of(model.children[place], x, rng)
        report = _report(child, method, tolerance, rng)
        if report.status == "incorrect":
            reports[place] = report
    return reports
