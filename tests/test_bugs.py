"""Every planted bug is detected and named, with random parameters and inputs.

`test_wrong_and_right.py` does the same with other incorrect layers, of random shapes.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import numpycnn as nn
from numpycnn.checks import bugs, check_gradients
from numpycnn.checks.modes import check_modes
from numpycnn.checks.optimizer import check_adam
from numpycnn.checks.strategies import generators
from numpycnn.training.adam import Adam

OF_TWO_MODES = [
    "norm_wrong_axes",
    "norm_never_updated",
    "dropout_not_scaled",
    "dropout_at_inference",
]
WITH_GRADIENTS = [
    bug
    for bug in bugs.PLANTED_BUGS.values()
    if bug.part is not Adam and bug.name not in OF_TWO_MODES
]
OPTIMIZERS = [bug for bug in bugs.PLANTED_BUGS.values() if bug.part is Adam]


SOME = settings(max_examples=min(15, settings.default.max_examples // 12))  # of each bug


def by_name(bugs):
    return pytest.mark.parametrize("bug", bugs, ids=lambda bug: bug.name)


@by_name(WITH_GRADIENTS)
@SOME
@given(rng=generators)
def test_every_wrong_gradient_is_caught_and_named(bug, rng):
    layer, x = bugs.typical_case(bug, rng)
    if bug.part in bugs.TWO_MODES:
        layer = layer.for_training(rng)
    report = check_gradients(layer, x, rng=rng)
    assert not report.ok
    assert report.mistakes[0].name == bug.called, str(report)


@by_name([bugs.PLANTED_BUGS[name] for name in OF_TWO_MODES])
@SOME
@given(rng=generators)
def test_modes_that_do_not_belong_together_are_caught_although_their_gradients_are_right(bug, rng):
    layer, x = bugs.typical_case(bug, rng)
    for mode in (layer, layer.for_training(rng)):
        nn.assert_gradients(mode, x, rng=rng)
    report = check_modes(layer, x, rng)
    assert report.mistakes[0].name == bug.called, str(report)


@SOME
@given(
    generators,
    st.sampled_from([nn.BatchNorm(2), nn.Dropout(0.5), nn.Dropout(0.1), nn.Dropout(0), nn.ReLU()]),
)
def test_modes_that_belong_together_are_not_accused(rng, layer):
    report = check_modes(layer, rng.normal(3, 2, (4, 9, 2)), rng)
    assert report.ok, str(report)
    assert not layer.state.get("mean", np.zeros(2)).any()


@by_name(OPTIMIZERS)
@SOME
@given(rng=generators)
def test_every_wrong_step_is_caught_and_named(bug, rng):
    report = check_adam(bug.broken, rng)
    assert not report.ok
    assert report.mistakes[0].name == bug.called, str(report)


@given(generators)
def test_the_right_adam_is_not_accused(rng):
    assert check_adam(Adam, rng).ok


def test_the_other_form_of_eps_in_the_paper_is_named():
    """`alpha_t m / (sqrt(v) + eps hat)`, at the end of its section 2."""

    class EpsHat:
        def __init__(self, params, lr, betas, eps):
            self.params, self.lr, self.betas, self.eps, self.t = params, lr, betas, eps, 0
            self.m, self.v = ({n: 0 * a for n, a in params.items()} for _ in betas)

        def step(self, grads):
            self.t += 1
            beta1, beta2 = self.betas
            lr = self.lr * np.sqrt(1 - beta2**self.t) / (1 - beta1**self.t)
            for n, g in grads.items():
                self.m[n] = beta1 * self.m[n] + (1 - beta1) * g
                self.v[n] = beta2 * self.v[n] + (1 - beta2) * g**2
                self.params[n] -= lr * self.m[n] / (np.sqrt(self.v[n]) + self.eps)

    (mistake,) = check_adam(EpsHat, rng=0).mistakes
    assert mistake.name == "eps before the bias correction"


def test_steps_that_are_no_numbers_are_named():
    class Endless(Adam):
        def step(self, grads):
            super().step(grads)
            for array in self.params.values():
                array += np.nan

    report = check_adam(Endless, rng=0)
    assert [mistake.name for mistake in report.mistakes] == ["not finite"]
    assert "off by up to inf of a step" in str(report)


@pytest.mark.long
def test_the_table_shows_every_bug_caught_and_most_with_an_accuracy_that_looks_perfect():
    _, *rows = bugs.table(seeds=[0, 1]).splitlines()
    assert [row.split()[0] for row in rows] == list(bugs.PLANTED_BUGS)
    assert not [row for row in rows if "nothing" in row]
    accuracies = [float(row.split()[1].replace("refused", "nan")) for row in rows]
    assert sum(accuracy >= 0.97 for accuracy in accuracies) > len(rows) / 2
