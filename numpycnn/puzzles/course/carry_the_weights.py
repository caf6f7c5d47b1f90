"""Carry the weights over from PyTorch

In PyTorch the weights of a convolution have the shape (F, C, K), here (K, C, F). Those of a dense
layer have the shape (E, D) there, (D, E) here. After a Flatten the D = C L values of a trace are
ordered channel by channel there, at c L + l; here sample by sample, at l C + c.
"""

import numpy as np


def from_pytorch(conv, dense, n_samples):
    """Reorder weights (F, C, K), and (E, C·L) after a Flatten of L = n_samples, for this package."""
    n_out, n_in = dense.shape
    n_channels = n_in // n_samples
    conv_here, dense_here = ...  # two arrays, of shapes (K, C, F) and (L·C, E)
    return conv_here, dense_here


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import function

SECTION = "Copying the weights"
HINTS = (
    "The convolution: list the axes in the order you need, conv.transpose(…).",
    "The dense layer: reshape to (E, C, L). Which axis is first here, which second, which last?",
    "(L, C, E) is the transpose of (E, C, L), all axes in reverse; then reshape to (L C, E).",
)
SOLUTION = "conv.T, dense.reshape(n_out, n_channels, n_samples).T.reshape(n_in, n_out)"
FORMS = (
    "conv.transpose(2, 1, 0), dense.T.reshape(n_channels, n_samples, n_out).swapaxes(0, 1).reshape(n_in, n_out)",
    "conv.swapaxes(0, 2), dense[:, np.arange(n_in).reshape(n_channels, n_samples).T.ravel()].T",
)
_CONV, _DENSE = SOLUTION.split(", ", 1)
WRONG = {
    f"{_CONV}, dense.T": "order of Flatten: the dense weights are only transposed; their rows are still "
    "ordered channel by channel.",
    f"conv.reshape(conv.shape[::-1]), {_DENSE}": "reshape: the convolution is reshaped, which does not move "
    "the axes. Use transpose.",
    f"conv.transpose(2, 0, 1), {_DENSE}": "axis order: the convolution has the axes (K, F, C); it must be "
    "(K, C, F).",
    f"conv.transpose(1, 2, 0), {_DENSE}": "axis order: the convolution has the axes (C, K, F); it must be "
    "(K, C, F).",
    f"conv.swapaxes(1, 2), {_DENSE}": "axis order: the convolution has the axes (F, K, C); it must be "
    "(K, C, F).",
    f"conv[:, :, ::-1].T, {_DENSE}": "taps reversed: the taps are reversed. PyTorch does not flip them, "
    "either.",
    f"conv[:, ::-1].T, {_DENSE}": "channels reversed: the channels of the convolution are reversed.",
    f"{_CONV}, dense.reshape(n_out, n_samples, n_channels).transpose(2, 1, 0).reshape(n_in, n_out)": (
        "axes exchanged: the dense weights are read as (E, L, C); in PyTorch they are (E, C, L)."
    ),
    f"{_CONV}, dense.reshape(n_in, n_out)": "reshape: the dense weights are reshaped, which does not "
    "transpose them.",
    f"{_CONV}, dense.reshape(n_out, n_channels, n_samples).swapaxes(1, 2).reshape(n_in, n_out)": "order: "
    "the dense weights have the axes (E, L, C) before the last reshape; it must be (L, C, E).",
    f"{_CONV}, dense.reshape(n_out, n_channels, n_samples).swapaxes(1, 2).reshape(n_out, n_in)": "not "
    "transposed: the dense weights have the correct order but the shape (E, D); transpose them.",
    "conv, dense": "wrong shape",
    f"{_DENSE}, {_CONV}": "exchanged: the two results are exchanged.",
    f"({_CONV},)": "ValueError",
}
LESSON = "An incorrect order raises no error: the shapes fit. Compare outputs, not shapes."


def case(draw):
    filters, channels, samples = draw(1, 3), draw(1, 3), draw(1, 4)
    conv, dense = (
        draw.array(filters, channels, draw(1, 3)),
        draw.array(draw(1, 3), channels * samples),
    )
    arguments = {"conv": conv, "dense": dense, "n_samples": samples}
    return function("from_pytorch", arguments, "conv_here", "dense_here")
