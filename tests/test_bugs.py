"""Every planted bug is detected and named, in many shapes.

Some mistakes cannot show everywhere: windows that do not overlap cannot be overwritten, and a
batch of one has no mean to forget. The cases below say where each can, and with shapes
large enough that one mistake does not look like another.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from task import bugs_table

import numpycnn as nn
from numpycnn.checks import bugs, check_gradients
from numpycnn.checks.modes import check_modes
from numpycnn.checks.optimizer import check_adam
from numpycnn.checks.strategies import distinct, generators, sizes, with_random_params
from numpycnn.training.adam import Adam


@st.composite
def convolutions(draw, bug):
    """Traces, outputs, channels and filters from two, three taps or more: enough to tell."""
    overlap = bug.name == "conv_dx_overwritten"
    kernel_size = draw(sizes(3, 5))
    layer = bug.broken(
        draw(sizes(2, 3)),
        draw(sizes(2, 3)),
        kernel_size,
        stride=draw(sizes(1, kernel_size - 1 if overlap else kernel_size + 2)),
        dilation=1 if overlap else draw(sizes(1, 3)),
        # In the padding a window sees nothing, and what it does to the weights is nothing.
        padding="valid" if "window" in bug.name or overlap else draw(st.sampled_from(PADDINGS)),
    )
    span = layer.dilation * (kernel_size - 1) + 1
    length = draw(sizes(span + 2 * layer.stride, span + 2 * layer.stride + 8))
    x = draw(distinct((draw(sizes(2, 3)), length, layer.in_channels)))
    return draw(with_random_params(layer)), x


PADDINGS = ["valid", "same", "causal", 1, (0, 2)]


@st.composite
def pools(draw, bug):
    """Windows of which some are won by the first sample and some by another."""
    pool_size = draw(sizes(2, 4))
    strides = {"pool_to_all": (pool_size, 6), "pool_overwritten": (1, pool_size - 1)}
    layer = bug.broken(pool_size, stride=draw(sizes(*strides.get(bug.name, (1, 6)))))
    length = draw(sizes(pool_size + 2 * layer.stride, pool_size + 2 * layer.stride + 8))
    x = draw(distinct((draw(sizes(2, 3)), length, draw(sizes(2, 3)))))
    if bug.name == "pool_ties_take_all":
        x = np.round(x)  # few different numbers, many ties
    winner = nn.MaxPool1D(pool_size, stride=layer.stride).forward(x)[1].argmax
    assume(len(np.unique(winner)) > 1)
    if bug.name == "pool_overwritten":
        assume(sample_wins_twice(winner, layer.stride))
    return layer, x


def sample_wins_twice(winner, stride):
    places = winner + stride * np.arange(winner.shape[1])[:, None]
    return (np.diff(places.astype(int), axis=1) == 0).any()


@st.composite
def denses(draw, bug):
    width = draw(sizes(2, 4))
    layer = bug.broken(width, width)  # square, or a missing transpose would not fit
    return draw(with_random_params(layer)), draw(distinct((draw(sizes(2, 4)), width)))


@st.composite
def plain(draw, bug):
    """Layers without parameters; a dozen numbers, so that both signs occur in x and in dy."""
    shape = (draw(sizes(3, 4)), draw(sizes(4, 6)))
    if bug.part is nn.GlobalMaxPool1D:
        shape = (*shape, draw(sizes(2, 3)))
    return bug.broken(), draw(distinct(shape, 5000 if "overflow" in bug.name else 1))


@st.composite
def chains(draw, bug):
    width = draw(sizes(4, 6))
    model = bug.broken(nn.Dense(3, width), nn.ReLU(), nn.Dense(width, 2))
    return draw(with_random_params(model)), draw(distinct((draw(sizes(4, 6)), 3)))


@st.composite
def losses(draw, bug):
    n_rows, n_classes = draw(sizes(2, 5)), draw(sizes(2, 4))
    labels = draw(generators).integers(0, n_classes, n_rows)
    return lambda scores: bug.broken(scores, labels), draw(distinct((n_rows, n_classes)))


@st.composite
def two_modes(draw, bug):
    """The twin for training, and rows enough to tell its mean from its variance."""
    n_channels = draw(sizes(1, 3))
    layer = bug.broken(n_channels) if bug.part is nn.BatchNorm else bug.broken(0.5)
    x = draw(distinct((draw(sizes(2, 3)), draw(sizes(4, 6)), n_channels), 5))
    return draw(with_random_params(layer)).for_training(draw(generators)), x


CASES = {
    **dict.fromkeys(bugs.TWO_MODES, two_modes),
    nn.Conv1D: convolutions,
    nn.MaxPool1D: pools,
    nn.GlobalMaxPool1D: plain,
    nn.Dense: denses,
    nn.ReLU: plain,
    nn.Softmax: plain,
    nn.Sequential: chains,
    nn.softmax_cross_entropy: losses,
    **dict.fromkeys(bugs.GUESTS, plain),
}
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


SOME = settings(max_examples=min(15, settings.default.max_examples // 4))  # of each bug


def by_name(bugs):
    return pytest.mark.parametrize("bug", bugs, ids=lambda bug: bug.name)


@by_name(list(bugs.PLANTED_BUGS.values()))
def test_every_animal_is_named_in_its_typical_case(bug):
    report = bugs.run_checks(bug, rng=0)
    assert not report.ok
    assert report.mistakes[0].name == bug.called, str(report)


@by_name(WITH_GRADIENTS)
@SOME
@given(data=st.data())
def test_every_wrong_gradient_is_caught_and_named(bug, data):
    layer, x = data.draw(CASES[bug.part](bug))
    report = check_gradients(layer, x, rng=data.draw(generators))
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
    header, *rows = bugs_table().splitlines()
    assert header.split()[:2] == ["bug", "accuracy"]
    assert [row.split()[0] for row in rows] == list(bugs.PLANTED_BUGS)
    assert not [row for row in rows if "nothing" in row]
    accuracies = [float(row.split()[1].replace("refused", "nan")) for row in rows]
    assert sum(accuracy >= 0.97 for accuracy in accuracies) > len(rows) / 2
