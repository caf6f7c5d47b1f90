"""numpycnn: a convolutional network for short traces, in NumPy, to read and to run.

One alphabet holds everywhere:

    N   traces in a batch          F   filters, or channels out
    L   samples in a trace         K   taps of a filter
    C   channels, or channels in   S   stride
    M   samples out                D   features (of a dense layer or a softmax)

A batch of traces is `(N, L, C)`, channels last. `x` goes in and `y` comes out, `w`
are weights and `b` biases; `dx`, `dy`, `dw` and `db` are the derivatives of the
loss by each of them.

README.md says in which order the files are to be read, each of them a chapter.
"""

from numpycnn.checks import GradientError, GradientReport, assert_gradients, check_gradients
from numpycnn.doctor import diagnose
from numpycnn.layers import (
    Beside,
    Container,
    Conv1D,
    Dense,
    Flatten,
    GlobalMaxPool1D,
    Layer,
    MaxPool1D,
    ReLU,
    Residual,
    Sequential,
    Softmax,
)
from numpycnn.long_records import predict_long
from numpycnn.traces import CLASS_NAMES, make_traces, standardise, train_test_split
from numpycnn.training import (
    Adam,
    History,
    confusion_matrix,
    cross_entropy,
    evaluate,
    fit,
    softmax_cross_entropy,
)

__version__ = "0.1.0"

__all__ = [
    "CLASS_NAMES",
    "Adam",
    "Beside",
    "Container",
    "Conv1D",
    "Dense",
    "Flatten",
    "GlobalMaxPool1D",
    "GradientError",
    "GradientReport",
    "History",
    "Layer",
    "MaxPool1D",
    "ReLU",
    "Residual",
    "Sequential",
    "Softmax",
    "assert_gradients",
    "check_gradients",
    "confusion_matrix",
    "cross_entropy",
    "diagnose",
    "evaluate",
    "fit",
    "make_traces",
    "predict_long",
    "softmax_cross_entropy",
    "standardise",
    "train_test_split",
]
