"""The optimizer: the steps of Adam compared with its algorithm, value by value.

An optimizer has no gradient to check, but its steps follow from the published algorithm. An
incorrect Adam trains, too. The first few steps show the mistake, and each common mistake changes
them differently. So the path of every parameter is compared with that of the algorithm and, if they
differ, with those of common misreadings of the algorithm.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from numpycnn._types import Rng
from numpycnn._validation import generator
from numpycnn.checks.report import Mistake, Report

LR, BETA1, BETA2, EPS = 0.01, 0.8, 0.95, 1e-2
"""Far from the defaults, so that a setting that is ignored shows."""

SHAPES = {"a": (3,), "b": (2, 2)}
N_STEPS = 6
TOLERANCE = 1e-10
"""The largest difference of correct steps, relative to `LR`; it is their rounding."""


class Reading(NamedTuple):
    """A reading of Algorithm 1; the defaults are the correct one."""

    corrects_bias: bool = True
    eps_under_the_root: bool = False
    eps_before_correction: bool = False
    squares: bool = True
    swaps_betas: bool = False
    time: str = "runs"  # or "runs for every parameter", or "is constant"


MISREADINGS = {
    "bias correction missing": (
        Reading(corrects_bias=False),
        "m and v are not divided by 1 - beta^t, so the first steps have the wrong length",
    ),
    "step counter constant": (
        Reading(time="is constant"),
        "t does not grow, so the correction of the first step is made at every step",
    ),
    "step counter per parameter": (
        Reading(time="runs for every parameter"),
        "t grows with every parameter and not once a step",
    ),
    "eps under the root": (
        Reading(eps_under_the_root=True),
        "sqrt(v + eps) in place of sqrt(v) + eps, which makes eps 1e-8 act like 1e-4",
    ),
    "eps before the bias correction": (
        Reading(eps_before_correction=True),
        "eps is added to sqrt(v) and not to sqrt(v_hat): the form at the end of section 2 of the "
        "paper (eps hat), in which eps counts more at the first steps",
    ),
    "square missing": (
        Reading(squares=False),
        "v is computed from the magnitude of the gradient and not from its square",
    ),
    "betas swapped": (Reading(swaps_betas=True), "each average has the beta of the other"),
}


def adam_path(w: float, gradients: list[float], place: int, reading: Reading) -> list[float]:
    """Return a weight after each step: Algorithm 1 of Kingma and Ba, line by line.

    Parameters
    ----------
    w : float
        The initial weight.
    gradients : list of float
        The gradient at each step.
    place : {0, 1}
        The index of its parameter, which makes a difference in one misreading only.
    reading : Reading
        The reading of the algorithm.

    Returns
    -------
    list of float
        The weight after each step.

    Examples
    --------
    >>> [round(w, 4) for w in adam_path(1.0, [3.0, 3.0], 0, Reading())]
    [0.99, 0.9801]
    >>> for name, (reading, _) in MISREADINGS.items():
    ...     path = adam_path(1.0, [0.02, -0.03], 1, reading)
    ...     print(f"{name}: {path[0]:.5f}, {path[1]:.5f}")
    bias correction missing: 0.99724, 0.99879
    step counter constant: 0.99333, 0.99639
    step counter per parameter: 0.99543, 0.99709
    eps under the root: 0.99804, 0.99879
    eps before the bias correction: 0.99691, 0.99826
    square missing: 0.99868, 0.99914
    betas swapped: 0.99333, 0.99490
    """
    beta1, beta2 = (BETA2, BETA1) if reading.swaps_betas else (BETA1, BETA2)
    m = v = 0.0
    path = []
    for step, g in enumerate(gradients, start=1):
        t = {"runs": step, "is constant": 1}.get(reading.time, 2 * step - 1 + place)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * (g**2 if reading.squares else abs(g))
        m_hat = m / (1 - beta1**t) if reading.corrects_bias else m
        v_hat = v / (1 - beta2**t) if reading.corrects_bias else v
        root = sqrt(v_hat + EPS) if reading.eps_under_the_root else sqrt(v_hat) + EPS
        if reading.eps_before_correction:
            root = (sqrt(v) + EPS) / sqrt(1 - beta2**t)
        w -= LR * m_hat / root
        path.append(w)
    return path


def check_adam(adam: Any, rng: Rng = None) -> Report:
    """Compare the steps of an Adam with those of Algorithm 1, and name a known mistake.

    Parameters
    ----------
    adam : callable
        A class or function that is called like `numpycnn.Adam` and returns an object whose
        `step(grads)` changes the parameters in place.
    rng : numpy.random.Generator or int, optional
        Draws the parameters and the gradients.

    Returns
    -------
    Report
        With the mistake, if there is one.

    Examples
    --------
    >>> from numpycnn import Adam
    >>> def with_lr_times(factor):
    ...     return lambda params, lr, betas, eps: Adam(params, factor * lr, betas, eps)
    >>> [check_adam(with_lr_times(factor), rng=0).ok for factor in (1, 1 + 1e-12, 1 + 1e-9)]
    [True, True, False]
    >>> def swapped(params, lr, betas, eps):
    ...     return Adam(params, lr, betas[::-1], eps)
    >>> [check_adam(adam, rng=0).mistakes[0].name for adam in (swapped, with_lr_times(2))]
    ['betas swapped', 'unknown']
    """
    rng = generator("check_adam", rng)
    start = {name: rng.standard_normal(shape) for name, shape in SHAPES.items()}
    steps = [
        {name: rng.standard_normal(shape) for name, shape in SHAPES.items()} for _ in range(N_STEPS)
    ]
    params = {name: array.copy() for name, array in start.items()}
    optimizer = adam(params, lr=LR, betas=(BETA1, BETA2), eps=EPS)
    walked = []
    for grads in steps:
        optimizer.step({name: grad.copy() for name, grad in grads.items()})
        walked.append(np.concatenate([array.ravel() for array in params.values()]))

    def distance(reading: Reading) -> float:
        paths = [
            adam_path(float(start[name][i]), [float(g[name][i]) for g in steps], place, reading)
            for place, (name, shape) in enumerate(SHAPES.items())
            for i in np.ndindex(*shape)
        ]
        off = np.abs(np.array(walked) - np.array(paths).T).max() / LR
        return float(np.nan_to_num(off, nan=np.inf))

    error = distance(Reading())
    mistakes = []
    if np.isinf(error):
        mistakes = [Mistake("not finite", "a step that is infinite or no number at all")]
    elif error > TOLERANCE:
        mistakes = [
            Mistake(name, sentence)
            for name, (reading, sentence) in MISREADINGS.items()
            if distance(reading) <= TOLERANCE
        ] or [Mistake("unknown", "no known misreading of the algorithm gives these steps")]
    subject = f"Steps of {getattr(adam, '__name__', 'the optimizer')}"
    return Report("check_adam", subject, mistakes, f"off by up to {error:.1e} of a step")
