"""Four axes in place of three: what is checked, trained and said of pictures (N, H, W, C)."""

import numpy as np
import pytest
from corpora.pictures import MISTAKES, Filter2D, MeanPool2D, normal

import numpycnn as nn
from examples.two_dimensions import Conv2D, MaxPool2D, Upsample2D


@pytest.mark.parametrize(("layer", "called"), MISTAKES)
def test_a_mistake_on_pictures_is_called_by_its_name(layer, called):
    shape = (2, 4, 6, 1) if isinstance(layer, MeanPool2D) else (2, 4, 4, 2)
    report = nn.check_gradients(layer, normal(*shape), rng=0)
    assert report.status == "incorrect"
    assert called in [mistake.name for mistake in report.mistakes], str(report)


@pytest.mark.parametrize("size", [2, (2, 3)])
def test_the_same_without_a_mistake_is_right(size):
    nn.assert_gradients(Filter2D(size), normal(2, 4, 5, 2), rng=0)


# Training
# --------


def striped(n, rng):
    """Pictures (N, H, W, 1) of noise with a bright column, and where it is (N, H, W)."""
    x, marks = rng.standard_normal((n, 6, 8, 1)).astype(np.float32), np.zeros((n, 6, 8), int)
    for picture, mark, column in zip(x, marks, rng.integers(0, 8, n), strict=True):
        picture[:, column] += 6
        mark[:, column] = 1
    return x / 4, marks


def marker(rng):
    inside = nn.SkipConcat(MaxPool2D(2), Conv2D(4, 4, 3, rng=rng), nn.ReLU(), Upsample2D(2))
    return nn.Sequential(Conv2D(1, 4, 3, rng=rng), nn.ReLU(), inside, nn.Dense(8, 2, rng=rng))


def test_fit_and_evaluate_take_a_label_for_every_sample_of_a_picture():
    rng = np.random.default_rng(0)
    x, marks = striped(40, rng)
    x_test, marks_test = striped(20, rng)
    model = marker(rng)
    settings = {
        "epochs": 10,
        "lr": 0.02,
        "batch_size": 4,
        "validation": (x_test, marks_test),
        "rng": rng,
    }
    history = nn.fit(model, x, marks, **settings)
    assert history.loss[-1] < 0.1 < history.loss[0]
    assert nn.evaluate(model, x_test, marks_test)[1] == pytest.approx(history.val_accuracy[-1])
    assert history.val_accuracy[-1] > 0.97
    assert model.classify(x_test, batch_size=8).shape == marks_test.shape
    counts = nn.confusion_matrix(marks_test, model.classify(x_test))
    assert counts.sum() == marks_test.size


@pytest.mark.parametrize("as_targets", [lambda y: y, lambda y: nn.one_hot(y, 3)])
def test_samples_of_pictures_are_learned_as_if_each_stood_alone(as_targets):
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((4, 3, 5, 2)), rng.integers(0, 3, (4, 3, 5))
    models = [nn.Dense(2, 3, rng=1).astype(np.float64) for _ in range(2)]
    whole = nn.fit(models[0], x, as_targets(labels), epochs=5)
    alone = nn.fit(models[1], x.reshape(-1, 2), as_targets(labels.ravel()), epochs=5)
    np.testing.assert_allclose(whole.loss, alone.loss)
    np.testing.assert_allclose(whole.accuracy, alone.accuracy)
    np.testing.assert_allclose(models[0].params["w"], models[1].params["w"])


def test_diagnose_looks_at_pictures():
    rng = np.random.default_rng(0)
    x, marks = striped(20, rng)
    model = marker(rng)
    model.params["3.w"][:] = 0  # so that it begins at a guess
    diagnosis = nn.diagnose(model, x, marks)
    assert diagnosis.ok, str(diagnosis)
    # A second channel with nothing on it:
    dark = np.concatenate([x, 0 * x], axis=-1)
    model = nn.Sequential(Conv2D(2, 4, 3, rng=rng), nn.Dense(4, 2, rng=rng))
    findings = {finding.name: finding for finding in nn.diagnose(model, dark, marks).findings}
    assert "in channel 1" in findings["scale of the traces"].found
