"""Carry the weights over from PyTorch

A convolution there has its weights as (F, C, K), here as (K, C, F). A dense layer there has
(E, D), here (D, E). And behind a Flatten the D = C L numbers of a trace come channel by channel
there, c L + l; here sample by sample, l C + c.
"""


def from_pytorch(conv, dense, n_samples):
    """Weights (F, C, K), and (E, C·L) behind a Flatten of L = n_samples, in this package's order."""
    n_out, n_in = dense.shape
    n_channels = n_in // n_samples
    conv_here, dense_here = ...  # (K, C, F) and (L·C, E)
    return conv_here, dense_here


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_function

HINTS = (
    "The convolution: name the axes in the order in which you want them, conv.transpose(…).",
    "The dense one: reshape to (E, C, L). Which axis comes first here, which second, which last?",
    "(L, C, E) is the transpose of (E, C, L), all axes in reverse; then reshape to (L C, E).",
)
SOLUTION = "conv.T, dense.reshape(n_out, n_channels, n_samples).T.reshape(n_in, n_out)"
WRONG = {
    "conv.transpose(2, 1, 0), dense.T": "it should be",
    "conv.reshape(conv.shape[::-1]), dense.reshape(n_out, n_channels, n_samples).T.reshape(n_in, n_out)": (
        "it should be"
    ),
    "conv.T, dense.reshape(n_out, n_samples, n_channels).transpose(2, 1, 0).reshape(n_in, n_out)": (
        "it should be"
    ),
    "conv[:, :, ::-1].T, dense.reshape(n_out, n_channels, n_samples).T.reshape(n_in, n_out)": (
        "it should be"
    ),
    "conv, dense": "shape",
}
LESSON = "No error is raised by a wrong order: the shapes fit. Compare outputs, not shapes."


def check(answer, right):
    def arguments(draw):
        filters, channels, samples = draw(2, 3), draw(2, 3), draw(2, 4)
        dense = draw.array(draw(2, 3), channels * samples)
        return draw.array(filters, channels, draw(2, 3)), dense, samples

    check_function(answer.from_pytorch, right.from_pytorch, arguments)
