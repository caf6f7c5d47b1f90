"""numpycnn: a convolutional network for short traces, in NumPy, to read and to run.

One alphabet holds everywhere:

    N   traces in a batch          F   filters, or channels out
    L   samples in a trace         K   taps of a filter
    C   channels, or channels in   S   stride
    M   samples out                D   features (of a dense layer or a softmax)

A batch of traces is `(N, L, C)`, channels last. `x` goes in and `y` comes out, `w`
are weights and `b` biases; `dx`, `dy`, `dw` and `db` are the derivatives of the
loss with respect to each of them.

docs/files.md says in which order the files are to be read, each of them a chapter.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from numpycnn import architectures, baselines, explain, picking
from numpycnn.checks import (
    GradientError,
    GradientReport,
    assert_gradients,
    check_attributes,
    check_gradients,
    check_vjp,
)
from numpycnn.checks.optimizer import check_adam
from numpycnn.doctor import diagnose
from numpycnn.layers import (
    AveragePool1D,
    BatchNorm,
    Beside,
    Container,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    Layer,
    MaxPool1D,
    ReLU,
    Residual,
    Sequential,
    Softmax,
    Upsample1D,
    set_threads,
)
from numpycnn.long_records import predict_long
from numpycnn.records import make_records
from numpycnn.traces import CLASS_NAMES, make_traces, standardise, train_test_split
from numpycnn.training import (
    SGD,
    Adam,
    History,
    confusion_matrix,
    cross_entropy,
    evaluate,
    fit,
    one_hot,
    softmax_cross_entropy,
    weighted_cross_entropy,
)

# Importing Matplotlib takes a second, so `numpycnn.plots` is imported when it is first used.

__version__ = "0.1.0"

__all__ = [
    "CLASS_NAMES",
    "SGD",
    "Adam",
    "AveragePool1D",
    "BatchNorm",
    "Beside",
    "Container",
    "Conv1D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePool1D",
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
    "Upsample1D",
    "architectures",
    "assert_gradients",
    "baselines",
    "check_adam",
    "check_attributes",
    "check_gradients",
    "check_vjp",
    "confusion_matrix",
    "cross_entropy",
    "diagnose",
    "evaluate",
    "explain",
    "fit",
    "make_records",
    "make_traces",
    "one_hot",
    "picking",
    "predict_long",
    "set_threads",
    "softmax_cross_entropy",
    "standardise",
    "train_test_split",
    "weighted_cross_entropy",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import `numpycnn.plots` when it is first asked for: Matplotlib takes its time."""
        if name == "plots":
            return import_module("numpycnn.plots")
        raise AttributeError(f"module 'numpycnn' has no attribute {name!r}")
