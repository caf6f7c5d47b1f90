# Puzzle 33, after docs/08-is-it-right.md
"""Find the bug: ReLU

Two lines do something, and one of them is wrong. Which is it? Find it, and mend it.
"""

import numpy as np

from numpycnn import Layer


class ReLU(Layer):
    def forward(self, x):
        y = np.maximum(x, 0)
        return y, y

    def backward(self, dy, cache):
        y = cache
        dx = np.where(y > 0, dy, 0)
        return dx, {}


if __name__ == "__main__":
    import numpycnn.puzzles

    numpycnn.puzzles.check_file(__file__)
