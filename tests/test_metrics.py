"""The confusion matrix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from refusals import refused

from numpycnn import confusion_matrix

classes = st.integers(1, 5)
pairs = classes.flatmap(
    lambda n: st.tuples(st.lists(st.tuples(*2 * [st.integers(0, n - 1)]), min_size=1), st.just(n))
)


@given(pairs, st.sampled_from([np.uint8, np.int8, np.int64]))
def test_every_entry_counts_the_traces_of_one_class_predicted_as_another(case, dtype):
    couples, n_classes = case
    y_true, y_pred = np.array(couples, dtype).T
    y_true.flags.writeable = False
    counts = confusion_matrix(y_true, y_pred, n_classes)
    assert counts.shape == (n_classes, n_classes)
    assert counts.dtype == int
    for true, predicted in np.ndindex(counts.shape):
        assert counts[true, predicted] == couples.count((true, predicted))
    # Without n_classes, the largest label decides.
    fewest = 1 + max(map(max, couples))
    for same in (
        confusion_matrix(y_true.tolist(), y_pred.tolist()),
        confusion_matrix(y_pred=y_pred, y_true=y_true),
    ):
        assert_array_equal(same, counts[:fewest, :fewest])


def test_labels_for_every_sample_are_counted_for_every_sample():
    labels = np.array([[0, 0, 1], [1, 1, 0]])
    assert_array_equal(confusion_matrix(labels, np.zeros_like(labels), 2), [[3, 0], [3, 0]])


@pytest.mark.parametrize(
    ("y_true", "y_pred", "n_classes", "parts"),
    [
        ([0, 1], [0], 2, ["y_pred", (1,)]),
        ([0, 2], [0, 1], 2, ["y_true", 2, "y_true[1]"]),
        ([0, 1], [0, -1], 2, ["y_pred", -1, "y_pred[1]"]),
        ([0.0, 1.0], [0, 1], 2, ["y_true", "float64"]),
        ([True, False], [0, 1], 2, ["y_true", "bool"]),
        (np.ma.masked_array([0, 1]), [0, 1], 2, ["y_true", "masked"]),
        ([0], [0], "3", ["n_classes", "'3'"]),
    ],
)
def test_bad_labels_are_refused(y_true, y_pred, n_classes, parts):
    with refused((TypeError, ValueError), "confusion_matrix", *parts):
        confusion_matrix(y_true, y_pred, n_classes)
