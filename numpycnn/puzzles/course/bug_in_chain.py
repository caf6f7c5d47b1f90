"""Find the bug: a chain of layers

This chain trains and classifies nearly all traces correctly. If forward is run on other traces
between forward and backward, the gradients are incorrect. Why? Fix forward and backward.
"""

from numpycnn import Container


class Chain(Container):
    """Layers, one after the other."""

    def forward(self, x):
        self.caches = []
        for layer in self.layers:
            x, cache = layer.forward(x)
            self.caches.append(cache)
        return x, None

    def backward(self, dy, cache):
        grads = {}
        for place in reversed(range(len(self.layers))):
            dy, own = self.layers[place].backward(dy, self.caches[place])
            for name, grad in own.items():
                grads[f"{place}.{name}"] = grad
        return dy, grads


# ---- what follows is for the grader; the reader's file ends here ----

import numpycnn.puzzles.cases as given
from numpycnn import Dense, ReLU
from numpycnn.puzzles.trained import accuracy

SECTION = "The loop in ten lines"
GAP = """\
def forward(self, x):
    self.caches = []
    for layer in self.layers:
        x, cache = layer.forward(x)
        self.caches.append(cache)
    return x, None

def backward(self, dy, cache):
    grads = {}
    for place in reversed(range(len(self.layers))):
        dy, own = self.layers[place].backward(dy, self.caches[place])
"""
HINTS = (
    "Run forward twice, then backward. Of which forward are the caches that it uses?",
    "Return the caches as the second result of forward. Backward receives them as `cache`.",
)
SOLUTION = """\
def forward(self, x):
    caches = []
    for layer in self.layers:
        x, cache = layer.forward(x)
        caches.append(cache)
    return x, caches

def backward(self, dy, cache):
    grads = {}
    for place in reversed(range(len(self.layers))):
        dy, own = self.layers[place].backward(dy, cache[place])
"""
FORMS = (
    SOLUTION.replace("caches = []", "caches = ()").replace(
        "caches.append(cache)", "caches += (cache,)"
    ),
    SOLUTION.replace("caches = []", "caches = {}").replace(
        "caches.append(cache)", "caches[len(caches)] = cache"
    ),
)
_SHARED = "shared: backward uses the caches of a forward on other traces. Each forward must return a new list."
WRONG = {
    GAP.replace("return x, None", "return x, self.caches"): _SHARED,
    GAP.replace("return x, None", "return x, cache"): _SHARED,
    GAP.replace("self.caches = []", "self.caches = list()"): _SHARED,
    GAP.replace(
        "self.caches = []\n", "if not hasattr(self, 'caches'):\n        self.caches = []\n"
    ): ("shared"),
    GAP.replace("self.caches[place]", "self.caches.pop()"): "IndexError",
    SOLUTION.replace("cache[place]", "cache.pop()"): "IndexError",
    SOLUTION.replace(
        "cache[place]", "cache[0]"
    ): "one cache: every layer receives the cache of the first "
    "layer. Layer number `place` needs cache[place].",
    SOLUTION.replace(
        "cache[place]", "cache"
    ): "all caches: each layer receives the caches of all layers. "
    "Layer number `place` needs cache[place].",
    SOLUTION.replace(
        "cache[place]", "cache[-1 - place]"
    ): "order: the caches are in the order of forward, so layer number `place` needs cache[place].",
    SOLUTION.replace(
        "return x, caches", "return x, cache"
    ): "one cache: forward returns the cache of the last layer only. Return the list.",
    SOLUTION.replace("return x, caches", "return x"): "wrong type",
    SOLUTION.replace("    return x, caches\n", ""): "None",
    SOLUTION.replace(
        "reversed(range(len(self.layers)))", "range(len(self.layers))"
    ): "order: backward must go through the layers from the last to the first.",
    SOLUTION.replace(
        "caches.append(cache)", "caches.insert(0, cache)"
    ): "order: the caches are stored in reverse order, and read in the order of forward.",
}
LESSON = (
    "The caller keeps the caches, and the chain stores nothing. A similar bug was found in a Torch "
    "example: https://github.com/SeanNaren/QlearningExample.torch/issues/4"
)
N_CASES = 24


def opening():
    return (
        f"With this chain the trace classifier is correct on {accuracy(chain=Chain):.0%} of the test set. "
        "What goes wrong with another forward in between?"
    )


def case(draw):
    width = draw(1, 4)
    layers = {"0": Dense(2, width, rng=0), "1": ReLU(), "2": Dense(width, 2, rng=0)}
    n = draw(1, 3)
    return given.layer("Chain", layers, draw.array(n, 2), between=draw.array(n, 2))
