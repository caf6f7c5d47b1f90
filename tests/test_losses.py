"""Cross-entropy in its two forms: values, gradients, and what is refused."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import refused

from numpycnn import (
    Softmax,
    assert_gradients,
    cross_entropy,
    one_hot,
    softmax_cross_entropy,
    weighted_cross_entropy,
)
from numpycnn.checks.strategies import generators
from numpycnn.training.targets import to_probabilities

LOSSES = [softmax_cross_entropy, cross_entropy]
both_losses = pytest.mark.parametrize("loss", LOSSES)


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
    return Softmax().forward(scores)[0]


# Values
# ------


def test_values_by_hand():
    scores = np.array([[0.0, log(3.0)], [2.0, 1.0]])  # probabilities 1/4, 3/4; 1/(1 + 1/e), …
    targets = np.array([0, 1])
    loss = (-log(1 / 4) - log(1 / (1 + exp(1)))) / 2
    assert_allclose(softmax_cross_entropy(scores, targets)[0], loss, rtol=1e-14)
    assert_allclose(cross_entropy(probabilities_of(scores), targets, 1e-300)[0], loss, rtol=1e-14)


def test_gradients_by_hand():
    scores = np.array([[0.0, log(3.0)]])
    assert_allclose(softmax_cross_entropy(scores, np.array([0]))[1], [[1 / 4 - 1, 3 / 4]])
    half = np.array([[0.5, 0.5]])
    assert_allclose(cross_entropy(half, np.array([1]), eps=0.25)[1], [[0, -1 / 0.75]])


def test_the_default_eps_is_that_of_the_task():
    loss, _ = cross_entropy(np.array([[1.0, 0.0]]), np.array([1]))
    assert_allclose(loss, -log(1e-7), rtol=1e-14)


@both_losses
@given(n_classes=st.integers(1, 10), n_traces=st.integers(1, 5), score=st.floats(-1e4, 1e4))
def test_not_knowing_costs_the_logarithm_of_the_number_of_classes(loss, n_classes, n_traces, score):
    scores = np.full((n_traces, n_classes), score)
    targets = np.arange(n_traces) % n_classes
    given_to_it = probabilities_of(scores) if loss is cross_entropy else scores
    assert_allclose(loss(given_to_it, targets)[0], log(n_classes), atol=1e-6)


@given(scores_and_targets())
def test_the_fused_loss_is_softmax_followed_by_cross_entropy(case):
    scores, targets = case
    softmax = Softmax()
    p, cache = softmax.forward(scores)
    loss, dp = cross_entropy(p, targets, eps=1e-300)
    dscores, _ = softmax.backward(dp, cache)

    fused_loss, fused_gradient = softmax_cross_entropy(scores, targets)
    assert_allclose(fused_loss, loss, rtol=1e-11, atol=1e-14)
    assert_allclose(fused_gradient, dscores, rtol=1e-9, atol=1e-13)


@both_losses
@given(case=scores_and_targets())
def test_the_loss_is_the_mean_over_all_axes_but_the_last(loss, case):
    scores, targets = case
    n_classes = scores.shape[-1]
    x = probabilities_of(scores)
    rows = x.reshape(-1, n_classes)
    row_targets = targets.reshape(-1, *targets.shape[scores.ndim - 1 :])
    one_by_one = [loss(row, target) for row, target in zip(rows, row_targets, strict=True)]

    value, gradient = loss(x, targets)
    assert gradient.shape == x.shape
    assert np.ndim(value) == 0
    assert_allclose(value, np.mean([value for value, _ in one_by_one]), rtol=1e-12, atol=1e-15)
    assert_allclose(
        gradient.reshape(rows.shape) * len(rows), [gradient for _, gradient in one_by_one]
    )


@both_losses
@pytest.mark.parametrize("dtype", [float, int, bool, np.uint8, np.float32])
def test_one_hot_rows_may_be_of_any_type(loss, dtype):
    x = probabilities_of(np.random.default_rng(0).standard_normal((4, 3)))
    by_row, by_label = loss(x, np.eye(3, dtype=dtype)[[0, 2, 1, 1]]), loss(x, [0, 2, 1, 1])
    assert by_row[0] == by_label[0]
    assert_array_equal(by_row[1], by_label[1])


@both_losses
@given(generators, st.integers(1, 4), st.integers(1, 5), st.integers(1, 4))
def test_labels_and_one_hot_rows_agree_for_traces_and_for_every_sample(loss, rng, n, length, d):
    for shape in ((n, d), (n, length, d)):
        x = probabilities_of(rng.standard_normal(shape))
        labels = rng.integers(d, size=shape[:-1])
        by_label, by_row = loss(x, labels), loss(x, np.eye(d)[labels])
        assert by_label[0] == by_row[0]
        assert_array_equal(by_label[1], by_row[1])
        for same in (labels.tolist(), labels[..., None] if d > 1 else labels):
            assert loss(x, same)[0] == by_label[0]


@both_losses
@given(case=scores_and_targets(), share=st.floats(0, 1))
def test_soft_targets_cost_what_their_classes_cost_on_average(loss, case, share):
    x = probabilities_of(case[0])
    d = x.shape[-1]
    rng = np.random.default_rng(0)
    one, other = (np.eye(d)[rng.integers(d, size=x.shape[:-1])] for _ in range(2))
    mixed_value, mixed_gradient = loss(x, share * one + (1 - share) * other)
    (value, gradient), (other_value, other_gradient) = loss(x, one), loss(x, other)
    assert_allclose(mixed_value, share * value + (1 - share) * other_value, atol=1e-12)
    assert_allclose(mixed_gradient, share * gradient + (1 - share) * other_gradient, atol=1e-12)


# Gradients
# ---------


@pytest.mark.parametrize("method", ["complex", "central"])
@given(case=scores_and_targets(min_classes=2), rng=generators)
def test_the_gradient_of_the_fused_loss_is_right(method, case, rng):
    scores, targets = case
    assert_gradients(lambda x: softmax_cross_entropy(x, targets), scores, method=method, rng=rng)


@pytest.mark.parametrize("method", ["complex", "central"])
@given(case=scores_and_targets(), rng=generators)
def test_the_gradient_of_cross_entropy_is_right(method, case, rng):
    scores, targets = case
    p = 0.9 * probabilities_of(scores) + 0.1 / scores.shape[-1]  # away from zero
    assert_gradients(lambda p: cross_entropy(p, targets), p, method=method, rng=rng)


@given(scores_and_targets())
def test_the_rows_of_the_fused_gradient_sum_to_zero(case):
    _, gradient = softmax_cross_entropy(*case)
    assert_allclose(gradient.sum(axis=-1), 0, atol=1e-14)


@given(scores_and_targets(), st.floats(-1e3, 1e3))
def test_adding_a_constant_to_all_scores_changes_nothing(case, constant):
    scores, targets = case
    value, gradient = softmax_cross_entropy(scores, targets)
    moved_value, moved_gradient = softmax_cross_entropy(scores + constant, targets)
    assert_allclose(moved_value, value, atol=1e-11)
    assert_allclose(moved_gradient, gradient, atol=1e-11)


# Precision
# ---------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_fused_loss_is_stable_for_scores_of_any_size(dtype):
    scores = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], dtype)
    right, gradient = softmax_cross_entropy(scores, np.array([0, 1]))
    assert_allclose(right, log(2) / 2, rtol=1e-6)
    assert_allclose(gradient, [[0, 0, 0], [0, -0.25, 0.25]])

    wrong, gradient = softmax_cross_entropy(scores, np.array([1, 0]))
    assert_allclose(wrong, (2e4 + 2e4 + log(2)) / 2, rtol=1e-6)
    assert_allclose(gradient, [[0.5, -0.5, 0], [-0.5, 0.25, 0.25]])

    far_apart = np.array([[1e4, 0.0, 0.0], [-1e4, -1e4, -1e4]], dtype)
    assert_allclose(softmax_cross_entropy(far_apart, np.array([0, 1]))[0], log(3) / 2, rtol=1e-6)


def test_cross_entropy_of_a_probability_rounded_to_zero_stays_finite():
    value, gradient = cross_entropy(np.array([[1.0, 0.0]], np.float32), np.array([1]))
    assert_allclose(value, -log(1e-7), rtol=1e-5)
    assert_allclose(gradient, [[0, -1e7]])


@both_losses
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_of_the_scores_is_the_type_of_the_results(loss, dtype):
    x = np.full((4, 2), 0.5, dtype)
    for targets in (
        np.zeros(4, int),
        np.eye(2)[[0, 1, 0, 1]],
        np.eye(2, dtype=np.float32)[[0] * 4],
    ):
        value, gradient = loss(x, targets)
        assert value.dtype == gradient.dtype == dtype


@both_losses
def test_arguments_are_read_and_never_written(loss):
    rng = np.random.default_rng(0)
    x = probabilities_of(rng.standard_normal((4, 6, 3)))
    labels = rng.integers(3, size=(4, 6))
    for targets in (labels, np.eye(3)[labels], np.eye(3, dtype=np.float32)[labels]):
        x_before, targets_before = x.copy(), targets.copy()
        x.flags.writeable = targets.flags.writeable = False
        _, gradient = loss(x, targets)
        assert_array_equal(x, x_before)
        assert_array_equal(targets, targets_before)
        assert not np.shares_memory(gradient, targets)

        backwards = loss(x[::-1, ::2], targets[::-1, ::2])
        copies = loss(x[::-1, ::2].copy(), targets[::-1, ::2].copy())
        assert_allclose(backwards[0], copies[0], rtol=1e-14)
        assert_allclose(backwards[1], copies[1], rtol=1e-14)


def test_rows_of_the_right_type_are_not_copied():
    rows = np.eye(3)[[0, 2]]
    assert to_probabilities("fit", rows, (2, 3), rows.dtype) is rows
    assert to_probabilities("fit", rows, (2, 3), np.float32).dtype == np.float32


# Bad targets
# -----------

NAN = float("nan")
SHAPES = "(2,)", "(2, 3)"
BAD_TARGETS = {
    "too large": ([0, 3], ValueError, 2, 3, "targets[1]", 4),
    "negative": ([-1, 0], ValueError, -1, "targets[0]"),
    "too many": ([0, 1, 2], ValueError, *SHAPES, "(3,)"),
    "too few": ([0], ValueError, *SHAPES, "(1,)"),
    "one for all": (1, ValueError, *SHAPES, "()"),
    "None": (None, ValueError, *SHAPES, "()"),
    "float labels": ([0.0, 1.0], TypeError, "float64", "np.asarray(targets).astype(int)"),
    "a column of floats": ([[0.0], [1.0]], TypeError, "float64"),
    "a column, negative": ([[0], [-1]], ValueError, -1, "targets[1]"),
    "strings": (["quiet", "arrival"], TypeError, "<U7", "np.unique(targets, return_inverse=True)"),
    "strings in objects": (np.array(["a", "b"], object), TypeError, "object", "np.unique(targets"),
    "bools": ([True, False], TypeError, "bool"),
    "rows of two": (np.eye(2), ValueError, *SHAPES, "(2, 2)"),
    "too many rows": (np.eye(3), ValueError, *SHAPES, "(3, 3)"),
    "integer rows of two": (np.eye(2, dtype=int), ValueError, *SHAPES, "(2, 2)"),
    "rows of text": ([list("100")] * 2, TypeError, "<U1"),
    "rows of objects": (np.eye(3)[:2].astype(object), TypeError, "object"),
    "rows that differ": ([[1, 0], [0]], ValueError, "list"),
    "sum above 1": ([[0.0, 1, 0], [1, 1, 0]], ValueError, 1, "[1. 1. 0.]", "targets[1]"),
    "sum below 1": ([[0.5, 0.4, 0], [0, 1, 0]], ValueError, 1, "[0.5 0.4 0. ]", "targets[0]"),
    "below zero": ([[2.0, -1, 0], [0, 1, 0]], ValueError, 0, "[ 2. -1.  0.]", "targets[0]"),
    "below zero behind": ([[0.0, 1, 0], [2, -1, 0]], ValueError, "[ 2. -1.  0.]", "targets[1]"),
    "scores, not rows": ([[5.0, -2, 1], [0.3, 1, 0]], ValueError, "[ 5. -2.  1.]", "targets[0]"),
    "two ones in a row": ([[1, 1, 0], [0, 1, 0]], ValueError, "[1 1 0]", "targets[0]"),
    "NaN rows": ([[NAN, 0.5, 0.5], [0, 1, 0]], ValueError, "[nan 0.5 0.5]", "targets[0]"),
    "infinite rows": ([[0, 1, 0], [np.inf, 0.5, 0.5]], ValueError, "[inf 0.5 0.5]", "targets[1]"),
    "a mask": (np.ma.masked_array([0, 1], [True, False]), TypeError, "masked", "targets.filled(0)"),
}


@both_losses
@pytest.mark.parametrize(
    ("targets", "kind", "parts"),
    [(targets, kind, parts) for targets, kind, *parts in BAD_TARGETS.values()],
    ids=BAD_TARGETS.keys(),
)
def test_bad_targets_are_refused(loss, targets, kind, parts):
    with refused(kind, loss.__name__, "targets", *parts):
        loss(np.full((2, 3), 1 / 3), targets)


def test_bad_rows_for_every_sample_are_named_with_their_place():
    rows = np.eye(3)[[[0, 1], [2, 0]]]
    rows[1, 0] = [2, -1, 0]
    with refused(ValueError, "softmax_cross_entropy", "targets", "[ 2. -1.  0.]", "targets[1, 0]"):
        softmax_cross_entropy(np.zeros((2, 2, 3)), rows)
    with refused(ValueError, "softmax_cross_entropy", "targets", "(2, 2)", "(2, 2, 3)", "(2, 3)"):
        softmax_cross_entropy(np.zeros((2, 2, 3)), rows[0])


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(5, 7))
def test_one_hot_makes_rows_with_a_single_one_and_argmax_undoes_it(labels, n_classes):
    rows = one_hot(labels, n_classes)
    assert rows.shape == (len(labels), n_classes)
    assert rows.dtype == np.float32
    assert_array_equal(rows.sum(axis=-1), 1)
    assert_array_equal(rows.argmax(axis=-1), labels)
    assert_array_equal(one_hot([labels, labels], n_classes, float), [rows, rows])


def test_one_hot_by_itself_speaks_for_itself():
    with refused(ValueError, "one_hot", "labels", 2, 3, "labels[1]"):
        one_hot([0, 3], 3)
    with refused(TypeError, "one_hot", "labels", "float64"):
        one_hot([0.5], 3)


def test_the_first_bad_label_of_many_is_named_with_its_place():
    labels = np.zeros((4, 6), int)
    labels[2, 5] = labels[3, 0] = 7
    with refused(ValueError, "softmax_cross_entropy", "targets", 7, "targets[2, 5]"):
        softmax_cross_entropy(np.zeros((4, 6, 3)), labels)


@both_losses
@pytest.mark.parametrize(
    ("x", "kind", "came"),
    [
        (np.zeros((0, 3)), ValueError, (0, 3)),
        (np.zeros((2, 0)), ValueError, (2, 0)),
        (np.zeros((2, 3), int), TypeError, "int64"),
        ([[0.0, 1.0]], TypeError, "list"),
        (np.array(1.0), ValueError, ()),
        (np.float64(1), TypeError, "float64"),
    ],
)
def test_bad_scores_are_refused(loss, x, kind, came):
    with refused(kind, loss.__name__, "probabilities" if loss is cross_entropy else "logits", came):
        loss(x, [0, 1])


# Classes that weigh differently
# ------------------------------


@given(scores_and_targets(), generators)
def test_weights_multiply_the_loss_of_each_trace(case, rng):
    scores, targets = case
    of_class = rng.uniform(0, 3, scores.shape[-1])
    loss = weighted_cross_entropy(of_class)
    value, gradient = loss(scores, targets)
    rows, total = scores.reshape(-1, scores.shape[-1]), 0.0
    y = targets if targets.shape == scores.shape else one_hot(targets, scores.shape[-1], float)
    for row, truth in zip(rows, y.reshape(rows.shape), strict=True):
        total += (of_class @ truth) * softmax_cross_entropy(row[None], truth[None])[0]
    assert_allclose(value, total / len(rows), rtol=1e-9, atol=1e-12)
    assert gradient.shape == scores.shape


@settings(max_examples=20)
@given(generators)
def test_the_gradient_of_the_weighted_loss_is_right(rng):
    labels, scores = rng.integers(3, size=(2, 4)), rng.standard_normal((2, 4, 3))
    loss = weighted_cross_entropy([1, 0.2, 7])
    assert_gradients(lambda scores: loss(scores, labels), scores, tolerance=1e-10, rng=rng)


def test_equal_weights_change_nothing():
    scores, labels = np.random.default_rng(0).standard_normal((5, 3)), [0, 2, 1, 1, 0]
    value, gradient = softmax_cross_entropy(scores, labels)
    weighted, weighted_gradient = weighted_cross_entropy(np.ones(3))(scores, labels)
    assert value == weighted
    assert_array_equal(gradient, weighted_gradient)
    single, _ = weighted_cross_entropy([1, 2, 3])(scores.astype(np.float32), labels)
    assert single.dtype == np.float32


@pytest.mark.parametrize(
    ("weights", "kind", "came"),
    [
        ([1, -1], ValueError, "weights[1]"),
        ([NAN, 1], ValueError, "weights[0]"),
        (3, ValueError, 3),
        ([[1, 2]], ValueError, "[[1, 2]]"),
        (["a", "b"], ValueError, "['a', 'b']"),
        (np.ma.masked_array([1, 2]), TypeError, "masked"),
    ],
)
def test_bad_weights_are_refused(weights, kind, came):
    with refused(kind, "weighted_cross_entropy", "weights", came):
        weighted_cross_entropy(weights)


def test_a_class_may_count_nothing():
    value, gradient = weighted_cross_entropy([0, 1])(np.array([[5.0, 9.0], [1.0, 1.0]]), [0, 1])
    assert_allclose(value, log(2) / 2)
    assert_allclose(gradient, [[0, 0], [0.25, -0.25]])


def test_bad_targets_of_a_weighted_loss_are_refused_by_its_name():
    with refused(ValueError, "weighted_cross_entropy", "targets", 2, 3, "targets[1]"):
        weighted_cross_entropy([1, 2, 3])(np.zeros((2, 3)), [0, 3])


def test_weights_for_another_number_of_classes_are_refused():
    with refused(ValueError, "weighted_cross_entropy", "logits", "D=2", (4, 3)):
        weighted_cross_entropy([1, 2])(np.zeros((4, 3)), [0, 1, 0, 1])
