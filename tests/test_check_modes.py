"""What check_modes says of layers whose two modes belong together, nearly, or not at all."""

import numpy as np
import pytest
from corpora.spoils import TwoFaces

from numpycnn import BatchNorm, ReLU
from numpycnn.checks.modes import N_STEPS, check_modes

X = np.random.default_rng(0).normal(3, 2, (4, 9, 2))
N_ROWS = 36


def names(layer, x=X):
    return [mistake.name for mistake in check_modes(layer, x, rng=0).mistakes]


def test_a_report_that_is_right_has_one_line():
    report = check_modes(ReLU(), X, rng=0)
    assert report.ok
    assert str(report) == "Modes of ReLU: correct"
    assert (report.check, report.mistakes) == ("check_modes", [])
    assert check_modes(ReLU(), -abs(X), rng=0).ok  # nothing but zeros comes out


DRAWS = np.random.default_rng(0)


@pytest.mark.parametrize(
    "act", [lambda x: x - x.mean(axis=(0, 1)) / 1000, lambda x: x + DRAWS.standard_normal(x.shape)]
)
def test_an_output_that_depends_on_other_traces_or_on_chance_is_training_at_inference(act):
    assert names(TwoFaces(act, lambda x, step: act(x))) == ["training at inference"]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_company_may_change_the_rounding_but_no_more(scale):
    # An answer of zero has neighbors of size `scale`, and is rounded as they are.
    x = scale * np.array([[1.0, 0.0], [1.0, 0.5]])
    for error, wanted in (
        (1e-7, []),
        (1e-4, ["training at inference"]),
        (0.1, ["training at inference"]),
    ):

        def rounded(x, error=error):
            return x + (error * scale if len(x) > 1 else 0)

        assert names(TwoFaces(rounded, lambda x, step, rounded=rounded: rounded(x)), x) == wanted


@pytest.mark.parametrize("x", [X, -X, 1e4 * X, X.reshape(-1, 2)])
def test_two_answers_may_be_one_part_in_the_number_of_rows_apart(x):
    for parts, wanted in ((0.9, []), (1.1, ["modes apart"])):
        assert names(TwoFaces(lambda x, p=parts: x * (1 + p / N_ROWS), keep), x) == wanted
        assert names(TwoFaces(lambda x, p=parts: x * (1 - p / N_ROWS), keep), x) == wanted


def keep(x, step):
    return x


def test_an_average_may_be_six_standard_errors_off_by_chance():
    # To and fro from step to step: the mean is 0 and the standard deviation 1.
    def to_and_fro(x, step):
        return 0 * x + (-1) ** step

    for errors, wanted in ((-5.9, []), (5.9, []), (6.1, ["modes apart"]), (-6.1, ["modes apart"])):
        offset = errors / np.sqrt(N_STEPS)
        assert names(TwoFaces(lambda x, offset=offset: 0 * x + offset, to_and_fro)) == wanted


class Forgets(BatchNorm):
    def for_training(self, rng=None):
        train_model = super().for_training(rng)
        train_model.update_state = lambda cache: None
        return train_model


class RemembersTheMeanOnly(BatchNorm):
    def for_training(self, rng=None):
        train_model = super().for_training(rng)
        remember = train_model.update_state

        def without_var(cache):
            before = self.state["var"].copy()
            remember(cache)
            self.state["var"][...] = before

        train_model.update_state = without_var
        return train_model


def test_a_state_that_nothing_moves_was_never_remembered():
    assert names(Forgets(2)) == ["state not updated"]
    assert names(RemembersTheMeanOnly(2)) == ["modes apart"]
    assert names(BatchNorm(2)) == []


def test_the_layer_and_x_are_left_as_they_are():
    layer, x = BatchNorm(2), X.copy()
    check_modes(layer, x, rng=0)
    assert not layer.state["mean"].any()
    assert (layer.state["var"] == 1).all()
    assert (x == X).all()
