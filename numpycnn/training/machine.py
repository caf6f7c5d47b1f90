"""The machine: keep its memory, and use its cores.

The loop of `fit` is the same on every machine. Two things beside it make it faster on
most: memory that is not handed back after every step, which `fit` asks for by itself, and a
batch shared out among the cores, which pays for large networks only and has to be asked for.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np

from numpycnn.layers.layer import Layer, Window, require_layer
from numpycnn.types import Array, Params, Rng
from numpycnn.validation import require_array, whole_number


def keep_freed_memory() -> None:
    """Make the C library keep memory that was freed, for the arrays of the next step.

    Every step makes and drops the same arrays. The usual C library on Linux gives what is
    freed back to the system when there is more of it than twice the largest block it
    ever saw freed, and then the system has to hand out every page again. Where that happened
    it took a quarter of the time of a step. One large block, freed untouched, raises that
    limit; elsewhere it does nothing. `fit` calls this; in a loop of your own, call it once before.
    """
    np.empty(30 << 20, np.uint8)


# Every core takes a part of the batch
# ------------------------------------
# The gradient of a sum over traces is a sum of gradients. So a batch can be cut into parts, each
# sent forward and backward by itself, at the same time as the others, and what the parts say of
# the weights is added up:
#
#     x = [x1, x2]     y = [f(x1), f(x2)]     dx = [dx1, dx2]     dw = dw1 + dw2
#
# NumPy lets other threads work while it computes. (Its matrix product has threads of its own, but
# they cut up one product at a time, and few are large enough; copies, ReLU and pooling stay
# on one core. With the batch cut they are not needed, and there would be more threads than cores.)
#
# The sum is made in the same order whichever part is ready first. So the same seed gives the
# same weights to the last bit, with as many threads.


@contextmanager
def in_threads(model: Layer, n: int | None = None) -> Iterator[Layer]:
    """Give a layer that does what `model` does, with the same arrays, on `n` threads at once.

    Without `n` there are as many as the machine has cores. It pays where a step takes tens of
    milliseconds; small layers wait for each other, and it makes them slower.

    >>> from numpycnn import Conv1D
    >>> conv, x = Conv1D(1, 8, 5, rng=0), np.ones((6, 64, 1), np.float32)
    >>> with in_threads(conv, 2) as parallel:  # or: fit(parallel, x, labels, epochs=10)
    ...     y = parallel(x)
    >>> np.allclose(y, conv(x)), parallel.params["w"] is conv.params["w"]
    (True, True)

    In the meantime every matrix product of this process keeps to one thread; threadpoolctl sees
    to that, and `ModuleNotFoundError` is raised without it. `BatchNorm` and `Dropout` are for use
    only: they look at a batch as a whole in training, and `training` raises `ValueError`.
    """
    require_layer("in_threads", model)
    n = whole_number("in_threads", "n", (os.cpu_count() or 1) if n is None else n)
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "in_threads expected threadpoolctl, which keeps each matrix product to one thread; "
            "python -m pip install threadpoolctl"
        ) from None
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(n) as pool:
        yield _InParts(model, n, pool)


class _InParts(Layer):
    """A layer whose batches are cut into so many parts."""

    def __init__(self, layer: Layer, n: int, pool: ThreadPoolExecutor) -> None:
        self.layer, self.n, self.pool = layer, n, pool

    @property
    def params(self) -> Params:
        return self.layer.params

    @property
    def state(self) -> dict[str, Array]:
        return self.layer.state

    def forward(self, x: Array) -> tuple[Array, list[Any]]:
        """Send each part of x through the layer; the cache is the list of their caches."""
        require_array("in_threads", "x", x, "N ...")
        parts = np.array_split(x, min(self.n, len(x)))
        ys, caches = zip(*self._at_once(self.layer.forward, parts), strict=True)
        return np.concatenate(ys), list(caches)

    def backward(self, dy: Array, cache: list[Any]) -> tuple[Array, Params]:
        """Send each part of dy back; add up the gradients, the first part's first."""
        require_array("in_threads", "dy", dy, "N ...")
        parts = np.array_split(dy, len(cache))
        dxs, grads = zip(*self._at_once(self.layer.backward, parts, cache), strict=True)
        return np.concatenate(dxs), {name: sum(part[name] for part in grads) for name in grads[0]}

    def _at_once(self, act: Callable[..., Any], *arguments: Iterable[Any]) -> Iterator[Any]:
        """Act on all parts at the same time, and give the results in their order, or raise."""
        handling = np.geterr()  # what to do about overflow, which each thread decides for itself

        def act_alike(*part: Any) -> Any:
            with np.errstate(**handling):
                return act(*part)

        return self.pool.map(act_alike, *arguments)

    def training(self, rng: Rng = None) -> Layer:
        """Return this itself, or raise if the layer has a twin, whose batch may not be cut."""
        if self.layer.training(rng) is not self.layer:
            raise ValueError(
                "in_threads expected layers that do the same in training and in use, got "
                f"{self.layer!r}; BatchNorm and Dropout look at a whole batch: train it as it is"
            )
        return self

    def with_params(self, params: Params) -> "_InParts":
        return _InParts(self.layer.with_params(params), self.n, self.pool)

    def __deepcopy__(self, memo: dict[int, Any]) -> "_InParts":
        return _InParts(deepcopy(self.layer, memo), self.n, self.pool)

    def window(self, length: int) -> Window:
        return self.layer.window(length)
