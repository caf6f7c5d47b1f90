"""Cross-entropy in its two forms: values, gradients, weights of classes, bad arguments."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import refused, refused_value

import numpycnn as nn
from numpycnn.checks.strategies import generators

both_losses = pytest.mark.parametrize("loss", [nn.softmax_cross_entropy, nn.cross_entropy])
NAN = float("nan")


@st.composite
def scores_and_targets(draw, min_classes=1):
    """Scores (..., D) and targets: labels, one-hot rows or soft rows."""
    shape = *draw(st.lists(st.integers(1, 4), max_size=2)), draw(st.integers(min_classes, 5))
    rng = draw(generators)
    scores = 3 * rng.uniform(-1, 1, shape)  # beyond that, p - y has few digits left to compare
    labels = rng.integers(shape[-1], size=shape[:-1])
    soft = rng.dirichlet(np.ones(shape[-1]), shape[:-1])
    return scores, draw(st.sampled_from([labels, np.eye(shape[-1])[labels], soft]))


def probabilities_of(scores):
    return nn.Softmax().forward(scores)[0]


# Values
# ------


def test_values_and_gradients_by_hand():
    scores = np.array([[0.0, log(3.0)], [2.0, 1.0]])  # probabilities 1/4, 3/4; 1/(1 + 1/e), …
    loss = (-log(1 / 4) - log(1 / (1 + exp(1)))) / 2
    assert_allclose(nn.softmax_cross_entropy(scores, [0, 1])[0], loss, rtol=1e-14)
    assert_allclose(nn.cross_entropy(probabilities_of(scores), [0, 1], 1e-300)[0], loss, rtol=1e-14)
    assert_allclose(nn.softmax_cross_entropy(scores[:1], [0])[1], [[1 / 4 - 1, 3 / 4]])
    assert_allclose(nn.cross_entropy(np.array([[0.5, 0.5]]), [1], eps=0.25)[1], [[0, -1 / 0.75]])
    value, gradient = nn.cross_entropy(np.array([[1.0, 0.0]]), [1])  # eps is 1e-7
    assert_allclose(value, -log(1e-7), rtol=1e-14)
    assert_allclose(gradient, [[0, -1e7]])


@given(scores_and_targets())
def test_the_fused_loss_is_softmax_followed_by_cross_entropy(case):
    scores, targets = case
    softmax = nn.Softmax()
    p, cache = softmax.forward(scores)
    loss, dp = nn.cross_entropy(p, targets, eps=1e-300)
    dscores, _ = softmax.backward(dp, cache)
    fused_loss, fused_gradient = nn.softmax_cross_entropy(scores, targets)
    assert_allclose(fused_loss, loss, rtol=1e-11, atol=1e-14)
    assert_allclose(fused_gradient, dscores, rtol=1e-9, atol=1e-13)


@both_losses
@given(case=scores_and_targets())
def test_the_loss_is_the_mean_over_all_axes_but_the_last(loss, case):
    scores, targets = case
    x = probabilities_of(scores)
    rows = x.reshape(-1, scores.shape[-1])
    row_targets = targets.reshape(-1, *targets.shape[scores.ndim - 1 :])
    separate = [loss(row, target) for row, target in zip(rows, row_targets, strict=True)]
    value, gradient = loss(x, targets)
    assert gradient.shape == x.shape
    assert np.ndim(value) == 0
    assert_allclose(value, np.mean([value for value, _ in separate]), rtol=1e-12, atol=1e-15)
    assert_allclose(gradient.reshape(rows.shape) * len(rows), [one for _, one in separate])


@both_losses
@given(rng=generators, n=st.integers(1, 4), length=st.integers(1, 5), d=st.integers(1, 4))
@pytest.mark.parametrize("dtype", [float, int, bool, np.uint8, np.float32])
def test_labels_and_one_hot_rows_agree(loss, dtype, rng, n, length, d):
    for shape in ((n, d), (n, length, d)):
        x = probabilities_of(rng.standard_normal(shape))
        labels = rng.integers(d, size=shape[:-1])
        by_label, by_row = loss(x, labels), loss(x, np.eye(d, dtype=dtype)[labels])
        assert by_label[0] == by_row[0]
        assert_array_equal(by_label[1], by_row[1])
        for same in (labels.tolist(), labels[..., None] if d > 1 else labels):
            assert loss(x, same)[0] == by_label[0]


# Gradients
# ---------


@pytest.mark.parametrize("method", ["complex", "central"])
@settings(max_examples=settings.default.max_examples // 4)
@given(case=scores_and_targets(min_classes=2), rng=generators)
def test_the_gradients_are_correct(method, case, rng):
    scores, targets = case
    p = 0.9 * probabilities_of(scores) + 0.1 / scores.shape[-1]  # away from zero
    nn.assert_gradients(
        lambda x: nn.softmax_cross_entropy(x, targets), scores, method=method, rng=rng
    )
    nn.assert_gradients(lambda p: nn.cross_entropy(p, targets), p, method=method, rng=rng)
    assert_allclose(nn.softmax_cross_entropy(scores, targets)[1].sum(axis=-1), 0, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_fused_loss_is_stable_for_scores_of_any_magnitude(dtype):
    scores = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], dtype)
    value, gradient = nn.softmax_cross_entropy(scores, np.array([0, 1]))
    assert_allclose(value, log(2) / 2, rtol=1e-6)
    assert_allclose(gradient, [[0, 0, 0], [0, -0.25, 0.25]])
    value, gradient = nn.softmax_cross_entropy(scores, np.array([1, 0]))
    assert_allclose(value, (2e4 + 2e4 + log(2)) / 2, rtol=1e-6)
    assert_allclose(gradient, [[0.5, -0.5, 0], [-0.5, 0.25, 0.25]])


@both_losses
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_is_kept_and_arguments_are_never_written(loss, dtype):
    rng = np.random.default_rng(0)
    x = probabilities_of(rng.standard_normal((4, 6, 3))).astype(dtype)
    labels = rng.integers(3, size=(4, 6))
    for targets in (labels, np.eye(3)[labels], np.eye(3, dtype=np.float32)[labels]):
        x_before, targets_before = x.copy(), targets.copy()
        x.flags.writeable = targets.flags.writeable = False
        value, gradient = loss(x, targets)
        assert value.dtype == gradient.dtype == dtype
        assert_array_equal(x, x_before)
        assert_array_equal(targets, targets_before)
        assert not np.shares_memory(gradient, targets)
        view, copy = (
            loss(x[::-1, ::2], targets[::-1, ::2]),
            loss(x[::-1, ::2].copy(), targets[::-1, ::2]),
        )
        assert_allclose(view[1], copy[1], rtol=1e-6)


# Bad arguments
# -------------

BAD_TARGETS = {
    "too large": ([0, 3], 3, "targets[1]"),
    "negative": ([-1, 0], -1, "targets[0]"),
    "too many": ([0, 1, 2], "(3,)"),
    "float labels": ([0.0, 1.0], "float64"),
    "strings": (["quiet", "arrival"], "<U7"),
    "bools": ([True, False], "bool"),
    "rows of two": (np.eye(2), "(2, 2)"),
    "rows of text": ([list("100")] * 2, "<U1"),
    "sum above 1": ([[0.0, 1, 0], [1, 1, 0]], "[1. 1. 0.]", "targets[1]"),
    "below zero": ([[0.0, 1, 0], [2, -1, 0]], "[ 2. -1.  0.]", "targets[1]"),
    "NaN rows": ([[NAN, 0.5, 0.5], [0, 1, 0]], "[nan 0.5 0.5]", "targets[0]"),
    "a mask": (np.ma.masked_array([0, 1], [True, False]), "masked"),
}
LOSSES = {
    "softmax_cross_entropy": nn.softmax_cross_entropy,
    "cross_entropy": nn.cross_entropy,
    "weighted_cross_entropy": nn.weighted_cross_entropy([1, 2, 3]),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("case", BAD_TARGETS)
def test_bad_targets_are_refused(name, case):
    targets, *parts = BAD_TARGETS[case]
    with refused((TypeError, ValueError), name, "targets", *parts):
        LOSSES[name](np.full((2, 3), 1 / 3), targets)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(5, 7))
def test_argmax_is_the_inverse_of_one_hot(labels, n_classes):
    rows = nn.one_hot(labels, n_classes)
    assert rows.shape == (len(labels), n_classes)
    assert rows.dtype == np.float32
    assert_array_equal(rows.sum(axis=-1), 1)
    assert_array_equal(rows.argmax(axis=-1), labels)
    assert_array_equal(nn.one_hot([labels, labels], n_classes, float), [rows, rows])


def test_bad_labels_are_refused_by_one_hot():
    with refused(ValueError, "one_hot", "labels", 3, "labels[1]"):
        nn.one_hot([0, 3], 3)
    with refused(TypeError, "one_hot", "labels", "float64"):
        nn.one_hot([0.5], 3)
    with refused(TypeError, "one_hot", "n_classes", 3.0):
        nn.one_hot([0], n_classes=3.0)


@both_losses
@pytest.mark.parametrize(
    "x", [np.zeros((0, 3)), np.zeros((2, 0)), np.zeros((2, 3), int), [[0.0, 1.0]], np.array(1.0)]
)
def test_bad_scores_are_refused(loss, x):
    name = "probabilities" if loss is nn.cross_entropy else "logits"
    with refused_value(loss.__name__, name, x):
        loss(x, [0, 1])


@given(generators, st.sampled_from(["below", "sum"]), st.sampled_from("fd"))
def test_scores_are_refused_as_probabilities(rng, wrong, dtype):
    rows = rng.dirichlet(np.ones(3), 5).astype(dtype)
    nn.cross_entropy(rows, np.zeros(5, int))
    row = int(rng.integers(5))
    rows[row] = [-0.01, 0.5, 0.51] if wrong == "below" else rows[row] + 0.01
    with refused(ValueError, "cross_entropy", f"probabilities[{row}]", "softmax_cross_entropy"):
        nn.cross_entropy(rows, np.zeros(5, int))


# Weights of the classes
# ----------------------


@settings(max_examples=settings.default.max_examples // 4)
@given(scores_and_targets(min_classes=2), generators)
def test_weights_multiply_the_loss_of_each_trace(case, rng):
    scores, targets = case
    of_class = rng.uniform(0.1, 3, scores.shape[-1])
    loss = nn.weighted_cross_entropy(of_class)
    value, _ = loss(scores, targets)
    rows, total = scores.reshape(-1, scores.shape[-1]), 0.0
    y = targets if targets.shape == scores.shape else nn.one_hot(targets, scores.shape[-1], float)
    for row, truth in zip(rows, y.reshape(rows.shape), strict=True):
        total += (of_class @ truth) * nn.softmax_cross_entropy(row[None], truth[None])[0]
    assert_allclose(value, total / len(rows), rtol=1e-9, atol=1e-12)
    nn.assert_gradients(lambda x: loss(x, targets), scores, tolerance=1e-10, rng=rng)
    equal = nn.weighted_cross_entropy(np.ones(scores.shape[-1]))(scores, targets)
    assert_allclose(equal[0], nn.softmax_cross_entropy(scores, targets)[0], rtol=1e-12)
    assert loss(scores.astype(np.float32), targets)[1].dtype == np.float32


@pytest.mark.parametrize(
    ("weights", "value"),
    [
        ([1, -2], "weights[1]"),
        ([NAN, 1], "weights[0]"),
        ([1, np.inf], "weights[1]"),
        ([[1, 2]], "[[1, 2]]"),
        (np.ma.masked_array([1, 2]), "masked"),
    ],
)
def test_bad_weights_are_refused(weights, value):
    with refused((TypeError, ValueError), "weighted_cross_entropy", "weights", value):
        nn.weighted_cross_entropy(weights)
