"""scikit-learn takes the network for one of its own: its checks and its searches."""

import re

import numpy as np
import pytest

import numpycnn as nn
from _shared.two_heads import network

pytest.importorskip("sklearn", reason="python -m pip install -e '.[interop]'")

from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator

from numpycnn.interop import TraceClassifier


@pytest.fixture(scope="module")
def traces():
    x, labels = nn.make_traces(60, rng=0, n_channels=2)
    return x, np.array(nn.CLASS_NAMES)[labels]


@pytest.mark.filterwarnings("ignore")  # checks of what is done with bad input
def test_it_passes_the_checks_of_estimators():
    checks = check_estimator(TraceClassifier(epochs=5), on_fail=None, on_skip=None)
    failed = {check["check_name"]: check["exception"] for check in checks if check["exception"]}
    assert len(checks) > 40
    # What wants another library is skipped.
    assert failed.keys() <= {"check_array_api_input", "check_classifier_data_not_an_array"}, failed
    assert not [check for check in checks if check["status"] == "failed"]


def heads(shape, n_classes, rng):
    return network("global", rng, 5, shape, n_classes)


def test_a_search_finds_the_better_options_and_networks(traces):
    search = GridSearchCV(
        TraceClassifier(random_state=0), {"network": [heads], "epochs": [1, 40]}, cv=2
    )
    search.fit(*traces)
    best = search.best_estimator_
    assert best.epochs == 40
    assert best.network is heads
    assert list(best.classes_) == sorted(nn.CLASS_NAMES)
    assert len(best.history_.loss) == 40
    x, _ = traces
    chances = best.predict_proba(x)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert (best.classes_[chances.argmax(axis=1)] == best.predict(x)).all()


@pytest.mark.parametrize(
    ("name", "bad", "value"),
    [
        ("X", np.zeros((6, 8, 2, 3)), "(6, 8, 2, 3)"),
        ("X", np.where(np.arange(48).reshape(6, 8) == 19, np.nan, 0.0), "nan at X[2, 3]"),
        ("X", np.ma.zeros((6, 8, 1)), "mask"),
        ("y", np.ma.zeros(6, int), "mask"),
        ("y", np.zeros(6, int), "one class, 0."),
        ("y", np.full(6, "noise", object), "one class, 'noise'."),
    ],
)
def test_what_cannot_be_learned_is_named(name, bad, value):
    arguments = {"X": np.zeros((6, 8, 1)), "y": [0, 1] * 3, name: bad}
    words = rf"^TraceClassifier\b(?=.*\b{name}\b).*{re.escape(value)}"
    with pytest.raises((TypeError, ValueError), match=words):
        TraceClassifier(epochs=1).fit(**arguments)
    if name == "X":
        model = TraceClassifier(epochs=1).fit(np.zeros((6, 8, 1)), [0, 1] * 3)
        with pytest.raises((TypeError, ValueError), match=words):
            model.predict(bad)
