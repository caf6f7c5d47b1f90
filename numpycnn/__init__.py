"""A convolutional neural network for short traces, written in NumPy.

All files use the same letters:

    N   traces in a batch          F   filters, or channels out
    L   samples in a trace         K   taps of a filter
    C   channels, or channels in   S   stride
    M   samples out                D   features (of a dense layer or a softmax)

A batch of traces has the shape `(N, L, C)`, channels last. `x` is the input and `y`
the output of a layer, `w` its weights and `b` its biases. `dx`, `dy`, `dw` and `db`
are the gradients of the loss with respect to each of them.

Each file is a chapter to read. docs/reference/files.md lists them in reading order.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from numpycnn._targets import one_hot
from numpycnn.layers.average_pool1d import AveragePool1D, GlobalAveragePool1D
from numpycnn.layers.batch_norm import BatchNorm
from numpycnn.layers.container import Container
from numpycnn.layers.conv1d import Conv1D
from numpycnn.layers.dense import Dense
from numpycnn.layers.dropout import Dropout
from numpycnn.layers.flatten import Flatten
from numpycnn.layers.layer import Layer
from numpycnn.layers.max_pool1d import GlobalMaxPool1D, MaxPool1D
from numpycnn.layers.relu import ReLU
from numpycnn.layers.sequential import Sequential
from numpycnn.layers.skip import Residual, SkipConcat
from numpycnn.layers.softmax import Softmax
from numpycnn.layers.upsample1d import Upsample1D
from numpycnn.system.threads import set_threads
from numpycnn.traces import CLASS_NAMES, make_traces, standardize, train_test_split
from numpycnn.training.adam import Adam
from numpycnn.training.fit import History, fit
from numpycnn.training.losses import cross_entropy, softmax_cross_entropy, weighted_cross_entropy
from numpycnn.training.metrics import confusion_matrix, evaluate
from numpycnn.training.sgd import SGD

if TYPE_CHECKING:
    from numpycnn import architectures, inspection, interop, seismology
    from numpycnn import plots as plots
    from numpycnn import puzzles as puzzles
    from numpycnn.checks import (
        GradientError,
        GradientReport,
        assert_gradients,
        check_adam,
        check_attributes,
        check_gradients,
        check_vjp,
    )
    from numpycnn.inspection import baselines, diagnose, explain
    from numpycnn.seismology import make_records, picking, predict_long

__version__ = "0.2.0"

__all__ = [
    "CLASS_NAMES",
    "SGD",
    "Adam",
    "AveragePool1D",
    "BatchNorm",
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
    "SkipConcat",
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
    "inspection",
    "interop",
    "make_records",
    "make_traces",
    "one_hot",
    "picking",
    "predict_long",
    "seismology",
    "set_threads",
    "softmax_cross_entropy",
    "standardize",
    "train_test_split",
    "weighted_cross_entropy",
]

# Imported when first used
# ------------------------
# Training and prediction need neither the checks nor the companions, the parts of the package that
# use the network and that the network does not need. They are imported when one of their names is
# first used, so that `import numpycnn` takes little more time than `import numpy`.

_MODULES = {
    "architectures": "numpycnn.architectures",
    "baselines": "numpycnn.inspection.baselines",
    "checks": "numpycnn.checks",
    "explain": "numpycnn.inspection.explain",
    "inspection": "numpycnn.inspection",
    "interop": "numpycnn.interop",
    "picking": "numpycnn.seismology.picking",
    "plots": "numpycnn.plots",
    "puzzles": "numpycnn.puzzles",
    "seismology": "numpycnn.seismology",
}
_OBJECTS = {
    "GradientError": "numpycnn.checks",
    "GradientReport": "numpycnn.checks",
    "assert_gradients": "numpycnn.checks",
    "check_adam": "numpycnn.checks",
    "check_attributes": "numpycnn.checks",
    "check_gradients": "numpycnn.checks",
    "check_vjp": "numpycnn.checks",
    "diagnose": "numpycnn.inspection",
    "make_records": "numpycnn.seismology",
    "predict_long": "numpycnn.seismology",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import what is not imported with the package when its name is first used."""
        if name in _MODULES:
            return import_module(_MODULES[name])
        if name in _OBJECTS:
            return getattr(import_module(_OBJECTS[name]), name)
        raise AttributeError(f"module 'numpycnn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_OBJECTS})
