"""Layers for pictures (N, H, W, C), and mistakes in them.

`MISTAKES` holds pairs of a layer and the name that its mistake must have.
"""

import numpy as np

import numpycnn as nn


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


class Averaged(Filter2D):
    """The gradient of b is the mean over the positions, however many there are."""

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "b": dy.mean(axis=(1, 2)).sum(axis=0)}


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
    (Filter2D(2, changed("b", lambda db: db / (3 * 3))), "factor"),  # 9 with any picture
    (Averaged(2), "bias averaged"),
    (MeanPool2D(2), "mean missing"),
    (MeanPool2D((2, 3)), "mean missing"),
    (ToTheFirst((2, 3)), "misplaced"),
]
