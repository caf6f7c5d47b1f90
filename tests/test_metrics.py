"""The confusion matrix: who was taken for whom."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from refusals import refused

from numpycnn import confusion_matrix


@st.composite
def labels_and_predictions(draw):
    n_classes = draw(st.integers(1, 5))
    pairs = draw(
        st.lists(
            st.tuples(st.integers(0, n_classes - 1), st.integers(0, n_classes - 1)), min_size=1
        )
    )
    labels, predicted = np.array(pairs).T
    return labels, predicted, n_classes


@given(labels_and_predictions())
def test_every_entry_counts_the_traces_of_one_class_called_another(case):
    labels, predicted, n_classes = case
    counts = confusion_matrix(labels, predicted, n_classes)
    assert counts.shape == (n_classes, n_classes)
    assert counts.dtype == int
    for true in range(n_classes):
        for called in range(n_classes):
            pairs = zip(labels, predicted, strict=True)
            assert counts[true, called] == sum(pair == (true, called) for pair in pairs)


@given(labels_and_predictions())
def test_the_diagonal_holds_the_right_answers_and_the_rows_the_classes(case):
    labels, predicted, n_classes = case
    counts = confusion_matrix(labels, predicted, n_classes)
    assert counts.trace() == (labels == predicted).sum()
    assert_array_equal(counts.sum(axis=1), np.bincount(labels, minlength=n_classes))
    assert_array_equal(counts.sum(axis=0), np.bincount(predicted, minlength=n_classes))
    assert_array_equal(confusion_matrix(predicted, labels, n_classes), counts.T)


def test_classes_nobody_is_in_have_rows_of_zeros():
    assert_array_equal(confusion_matrix([0, 2], [0, 2], 4), np.diag([1, 0, 1, 0]))
    nobody = np.zeros(0, int)
    for n_classes, n_rows in ((None, 1), (3, 3)):
        assert_array_equal(confusion_matrix(nobody, nobody, n_classes), np.zeros((n_rows, n_rows)))


def test_a_label_for_every_sample_counts_every_sample():
    labels = np.array([[0, 0, 1], [1, 1, 0]])
    assert_array_equal(confusion_matrix(labels, np.zeros_like(labels), 2), [[3, 0], [3, 0]])


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int64])
def test_integers_of_any_size_count(kind):
    assert_array_equal(
        confusion_matrix(np.array([0, 1], kind), np.array([1, 1], np.int64), 2), [[0, 1], [0, 1]]
    )


def test_arguments_are_not_changed():
    labels = np.array([0, 1, 1])
    labels.flags.writeable = False
    confusion_matrix(labels, labels[::-1], 2)


@given(labels_and_predictions())
def test_without_a_number_there_are_as_many_classes_as_the_largest_label_needs(case):
    labels, predicted, _ = case
    n_classes = 1 + max(*labels, *predicted)
    counts = confusion_matrix(labels.tolist(), predicted.tolist())
    assert_array_equal(counts, confusion_matrix(labels, predicted, n_classes))


def test_labels_as_large_as_their_type_allows_are_counted_and_answered():
    labels = np.array([0, 255], np.uint8)
    assert confusion_matrix(labels, labels).shape == (256, 256)
    with refused(ValueError, "confusion_matrix", "y_true", 255, "y_true[1]", 256):
        confusion_matrix(labels, labels, 2)


def test_the_arguments_have_the_names_of_scikit_learn():
    assert_array_equal(confusion_matrix(y_pred=[1, 1], y_true=[0, 1]), [[0, 1], [0, 1]])


@pytest.mark.parametrize(
    ("y_true", "y_pred", "kind", "parts"),
    [
        ([0, 1], [0], ValueError, ["y_pred", (2,), (1,)]),
        ([0, 1], [[0], [1]], ValueError, ["y_pred", (2,), (2, 1)]),
        ([0, 2], [0, 1], ValueError, ["y_true", 2, "y_true[1]"]),
        ([0, 1], [0, -1], ValueError, ["y_pred", -1, "y_pred[1]"]),
        ([0.0, 1.0], [0, 1], TypeError, ["y_true", "float64"]),
        ([0, 1], ["a", "b"], TypeError, ["y_pred", "<U1", "np.unique"]),
        ([True, False], [0, 1], TypeError, ["y_true", "bool"]),
        (np.ma.masked_array([0, 1]), [0, 1], TypeError, ["y_true", "masked"]),
    ],
)
def test_labels_that_do_not_fit_are_refused(y_true, y_pred, kind, parts):
    with refused(kind, "confusion_matrix", *parts):
        confusion_matrix(y_true, y_pred, 2)
