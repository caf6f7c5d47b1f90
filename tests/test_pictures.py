"""Four axes in place of three: what is checked, trained and said of pictures (N, H, W, C)."""

import re

import numpy as np
import pytest

import numpycnn as nn
from examples.two_dimensions import Conv2D, MaxPool2D, Upsample2D


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape)


class Filter2D(nn.Layer):
    """A convolution (N, H, W, C) to (N, H_out, W_out, F) as a loop over windows, and its mistakes.

    `mistake` is a function of all that backward has: it returns dx and dw.
    """

    def __init__(self, kernel_size, mistake=None):
        k, j = np.broadcast_to(kernel_size, 2)
        super().__init__(w=normal(k, j, 2, 3), b=normal(3))
        self.kernel_size, self.mistake = kernel_size, mistake

    def windows(self, x):
        """Where each window lies: its number down and across, and its slices."""
        k, j = self.params["w"].shape[:2]
        for down in range(x.shape[1] - k + 1):
            for across in range(x.shape[2] - j + 1):
                yield (down, across), (slice(down, down + k), slice(across, across + j))

    def forward(self, x):
        k, j, _, n_filters = self.params["w"].shape
        shape = len(x), x.shape[1] - k + 1, x.shape[2] - j + 1, n_filters
        y = np.zeros(shape, np.result_type(x, self.params["w"], self.params["b"]))
        for (down, across), (rows, columns) in self.windows(x):
            y[:, down, across] = np.tensordot(x[:, rows, columns], self.params["w"], 3)
        return y + self.params["b"], x

    def backward(self, dy, cache, turned=False, overwrites=False):
        x, w = cache, self.params["w"]
        w = w[::-1, ::-1] if turned else w
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        for (down, across), (rows, columns) in self.windows(x):
            share = np.tensordot(dy[:, down, across], w, (1, 3))
            dx[:, rows, columns] = share if overwrites else dx[:, rows, columns] + share
            dw += np.tensordot(x[:, rows, columns], dy[:, down, across], (0, 0))
        grads = {"w": dw, "b": dy.sum(axis=(0, 1, 2))}
        return self.mistake(dx, grads) if self.mistake else (dx, grads)


class Turned(Filter2D):
    def backward(self, dy, cache):
        return super().backward(dy, cache, turned=True)


class Overwrites(Filter2D):
    def backward(self, dy, cache):
        return super().backward(dy, cache, overwrites=True)


class LeavesOut(Filter2D):
    """Backward's loop ends a row of windows early, or a column, or a picture."""

    def __init__(self, *place):
        super().__init__(2)
        self.place = place

    def backward(self, dy, cache):
        dy = dy.copy()
        dy[self.place] = 0
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "b": dy.sum(axis=(0, 1, 2))}


class MeanPool2D(nn.Layer):
    """The mean of squares, or of what is no square, and its gradient without the division."""

    def __init__(self, pool_size):
        super().__init__()
        self.pool_size = pool_size

    def forward(self, x):
        p, q = np.broadcast_to(self.pool_size, 2)
        n, height, width, c = x.shape
        return x.reshape(n, height // p, p, width // q, q, c).mean(axis=(2, 4)), (p, q)

    def backward(self, dy, cache):
        return dy.repeat(cache[0], axis=1).repeat(cache[1], axis=2), {}


class ToTheFirst(MeanPool2D):
    """The gradient of a mean goes to the first number of its window, all of it."""

    def backward(self, dy, cache):
        dx, _ = super().backward(dy, cache)
        rows, columns = (np.arange(dx.shape[axis]) % cache[axis - 1] == 0 for axis in (1, 2))
        return dx * rows[:, None, None] * columns[:, None], {}


def changed(name, change):
    """A mistake that changes the gradient of this name."""

    def mistake(dx, grads):
        dx, grads = (change(dx), grads) if name == "input" else (dx, grads)
        return dx, {key: change(grad) if key == name else grad for key, grad in grads.items()}

    return mistake


COLUMN = slice(None), slice(None), 0
MISTAKES = [
    (Turned(2), "reversed"),
    (Filter2D((2, 3), changed("w", lambda dw: dw[::-1, ::-1])), "reversed"),
    (Filter2D(2, changed("w", lambda dw: dw[::-1])), "reversed"),
    (Filter2D(2, changed("w", lambda dw: dw.swapaxes(0, 1))), "transposed"),
    (Filter2D(2, changed("input", lambda dx: np.roll(dx, 1, 2))), "shifted"),
    (Overwrites(2), "overwritten"),
    (LeavesOut(slice(None), -1), "share missing"),
    (LeavesOut(*COLUMN), "share missing"),
    (LeavesOut(0), "share missing"),
    (LeavesOut(..., 1), "share missing"),
    (Filter2D(2, changed("b", lambda db: db / (2 * 3 * 3))), "factor"),  # 18 with any batch
    (Filter2D(2, changed("b", lambda db: db / (3 * 3))), "bias averaged"),
    (MeanPool2D(2), "mean missing"),
    (MeanPool2D((2, 3)), "mean missing"),
    (ToTheFirst((2, 3)), "misplaced"),
]


@pytest.mark.parametrize(("layer", "called"), MISTAKES)
def test_a_mistake_on_pictures_is_called_by_its_name(layer, called):
    shape = (2, 4, 6, 1) if isinstance(layer, MeanPool2D) else (2, 4, 4, 2)
    report = nn.check_gradients(layer, normal(*shape), rng=0)
    assert report.status == "incorrect"
    assert called in [mistake.name for mistake in report.mistakes], str(report)


@pytest.mark.parametrize("size", [2, (2, 3)])
def test_the_same_without_a_mistake_is_right(size):
    nn.assert_gradients(Filter2D(size), normal(2, 4, 5, 2), rng=0)


# Messages
# --------


@pytest.mark.parametrize(
    ("layer", "came", "mend"),
    [
        (Conv2D(1, 2, 3), (7, 5, 6), "x[..., None]"),
        (Conv2D(3, 2, 3), (5, 6, 3), "x[None]"),
        (Conv2D(1, 2, 3), (5, 6), "x[None, :, :, None]"),
        (Conv2D(3, 2, 3), (7, 3, 5, 6), "x.transpose(0, 2, 3, 1)"),
        (MaxPool2D(2), (7, 5, 6), "x[..., None]"),
        (Conv2D(3, 2, 3), (7, 5, 6, 2), "got (7, 5, 6, 2)"),
        (Conv2D(3, 2, 3), (5,), "got (5,)"),
        (nn.Conv1D(1, 2, 3), (7, 5, 6, 1), "got (7, 5, 6, 1)"),
    ],
)
def test_a_wrong_shape_is_mended_with_as_many_axes(layer, came, mend):
    with pytest.raises(ValueError, match=re.escape(mend) + r"\.$"):
        layer(np.zeros(came, np.float32))


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


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (np.zeros((3, 4, 5), int), "(3, 4, 5)"),
        (np.zeros((2, 4), int), "(2, 4)"),
        (np.full((2, 4, 5), 3), "3 at targets[0, 0, 0]"),
    ],
)
def test_fit_says_which_labels_it_wants_for_pictures(targets, words):
    with pytest.raises(ValueError, match="^fit: targets .*" + re.escape(words)):
        nn.fit(nn.Dense(2, 3), normal(2, 4, 5, 2), targets, epochs=1)


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
