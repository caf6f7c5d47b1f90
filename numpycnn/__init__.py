"""numpycnn: a convolutional network for short traces, in NumPy, to read and to run.

One alphabet holds everywhere:

    N   traces in a batch          F   filters, or channels out
    L   samples in a trace         K   taps of a filter
    C   channels, or channels in   S   stride
    M   samples out                D   features (of a dense layer or a softmax)

A batch of traces is `(N, L, C)`, channels last. `x` goes in and `y` comes out, `w`
are weights and `b` biases; `dx`, `dy`, `dw` and `db` are the derivatives of the
loss by each of them.

Read it in this order, each file a chapter:

1. `traces`, `baselines`: what goes in, and what the simplest rules make of it
2. `layers.layer`: what a layer is; `validation`: what it says to a wrong shape
3. `layers.initialisation`, `layers.dense`: where weights start, and weighted sums
4. `layers.relu`: the bend between them
5. `layers.conv1d`: the same small filter everywhere
6. `layers.maxpool1d`, `layers.flatten`: from maps to features
7. `layers.sequential`, `layers.storage`: the network, and saving it;
   `long_records`: running it over a day of data
8. `layers.softmax`, `training.losses`: from scores to a loss
9. `training.adam`, `training.fit`, `training.metrics`: learning;
   `training.doctor`: what to look at when it does not
10. `checks.reference`: the definitions, as literal loops
11. `checks.derivatives`, `checks.matrix`: derivatives without backward
12. `checks.diagnosis`, `checks.case`, `checks.gradients`: is it right, and if not, why?
13. `checks.optimizer`, `checks.bugs`: is the optimiser right, is the checker?
14. `checks.strategies`: random cases for tests of your own
15. `explain`: what a trained network looks at
16. `plots.figure`, `plots.results`, `plots.convolution`, `plots.phases`, `plots.loss`,
   `plots.descent`, `plots.derivatives`, `plots.inside`, `plots.architectures`: the figures
"""

from numpycnn.checks import GradientError, GradientReport, assert_gradients, check_gradients
from numpycnn.layers import (
    Conv1D,
    Dense,
    Flatten,
    GlobalMaxPool1D,
    Layer,
    MaxPool1D,
    ReLU,
    Sequential,
    Softmax,
)
from numpycnn.long_records import predict_long
from numpycnn.traces import CLASS_NAMES, make_traces, train_test_split
from numpycnn.training import (
    Adam,
    History,
    confusion_matrix,
    cross_entropy,
    diagnose,
    evaluate,
    fit,
    softmax_cross_entropy,
)

__version__ = "0.1.0"

__all__ = [
    "CLASS_NAMES",
    "Adam",
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
    "train_test_split",
]
