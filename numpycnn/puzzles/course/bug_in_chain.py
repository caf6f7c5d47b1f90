"""Find the bug: the chain of layers

It trains, and it is right on nearly all traces. Then somebody put a look at other traces between
forward and backward, and the gradients were nonsense. Why? Mend forward and backward.
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

from numpycnn import Dense, ReLU
from numpycnn.puzzles.grading import accuracy, check_layers

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
    "Two forwards, then a backward. Whose caches does it use?",
    "Return the caches as the second result of forward. Backward is given them as `cache`.",
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
WRONG = {
    GAP.replace("return x, None", "return x, self.caches"): "cache overwritten",
    GAP.replace("self.caches[place]", "self.caches.pop()"): "cache changed",
    GAP.replace("return x, None", "return x, cache"): "cache overwritten",
    SOLUTION.replace("cache[place]", "cache[0]"): "stopped",
}
LESSON = (
    "The caller keeps the caches, and the chain remembers nothing. Somebody made it, or one like it: "
    "https://github.com/SeanNaren/QlearningExample.torch/issues/4"
)


def opening():
    return (
        f"With this chain the trace classifier is right on {accuracy(chain=Chain):.0%} of the traces "
        "that it has not seen. What goes wrong with a forward in between?"
    )


def case(part, draw):
    width = draw(2, 4)
    chain = part.Chain(Dense(3, width, rng=0), ReLU(), Dense(width, 2, rng=0))
    return chain, draw.array(draw(2, 4), 3)


def check(answer, right):
    check_layers(answer, right, case, n_cases=4)
