"""Every figure of the package and of the chapters, of ordinary data and of unusual data."""

import numpy as np

import numpycnn as nn
from numpycnn import plots

LONG = "W" * 60
ODD = (7, "_hidden", "$a^2 and b_1 of a class with quite a long name, in sixty letters")

rng = np.random.default_rng(0)
X, LABELS = nn.make_traces(3, rng=0)
MODEL = nn.Sequential(
    nn.Conv1D(1, 4, 5, padding="same", rng=0),
    nn.ReLU(),
    nn.MaxPool1D(2),
    nn.Conv1D(4, 4, 3, dilation=2, rng=1),
    nn.GlobalMaxPool1D(),
    nn.Dense(4, 3, rng=2),
)
ONE_SCORE = nn.Sequential(*MODEL.layers[:-1], nn.Dense(4, 1, rng=2))
RECORD = rng.standard_normal((200, 2))
CURVE = np.exp(-((np.arange(200) - 90.0) ** 2) / 50)
HISTORY = nn.History(
    [1.1, 0.5, 0.1, 0.01], [0.3, 0.7, 0.9, 1.0], [1.0, 0.6, 0.3, 0.2], [0.4, 0.6, 0.8, 0.9]
)
TAPS = nn.Conv1D(1, 1, 3)
TAPS.params["w"][:, 0, 0] = 3, 1, -2
SAME = nn.Conv1D(1, 1, 5, padding="same", rng=0)
GAP = np.where(np.arange(64) % 20 == 10, np.nan, X[1, :, 0])[None, :, None]
AROUND = np.full(64, np.nan)
AROUND[[0, 30, 31, 63]] = 0.5, np.inf, 0.9, 0.2  # each finite value alone

FIGURES = {
    "traces": lambda: plots.plot_traces(X, LABELS, [0, 2, 2]),
    "picks": lambda: plots.plot_picks(RECORD, CURVE, np.array([90]), np.array([88, 150])),
    "learning curves": lambda: plots.plot_learning_curves(HISTORY),
    "losses": lambda: plots.plot_losses({f"lr {i}": [1.1, 0.5 / i, 0.2 / i] for i in range(1, 6)}),
    "confusion": lambda: plots.plot_confusion(np.array([[8, 2, 0], [0, 9, 1], [1, 1, 7]])),
    "accuracy": lambda: plots.plot_accuracy(
        [0, 1, 2],
        {"rule": np.array([[1.0, 0.5, 0.4], [0.8, 0.7, 0.6]]), "network": np.ones((2, 3))},
        xlabel="noise",
        trained_on=(0, 1),
    ),
    "matrices": lambda: plots.plot_matrices(TAPS, (1, 7, 1)),
    "filters": lambda: plots.plot_filters(nn.Conv1D(2, 2, 5, rng=0)),
    "inside": lambda: plots.plot_inside(MODEL, X[1:2]),
    "saliency": lambda: plots.plot_saliency(MODEL, X[1:2]),
    "receptive fields": lambda: plots.plot_receptive_fields(MODEL, X[1:2]),
    "equivariance": lambda: plots.plot_equivariance(MODEL, X[1:2], 9),
    "architecture": lambda: plots.plot_architecture("unet"),
    "responses": lambda: plots.plot_responses(SAME, {"one": X[1, :, 0], "other": X[2, :, 0]}),
    "windows": lambda: plots.plot_windows(TAPS, np.array([0.0, 1.0, 4.0, 2.0])),
    "pooling windows": lambda: plots.plot_windows(nn.MaxPool1D(2), np.array([1.0, 3, 0, 2, 5, 4])),
    "step sweep": lambda: plots.plot_step_sweep(np.exp, np.exp),
    "paths": lambda: plots.plot_paths(
        lambda u, v: u**2 + v**2, {"a step": np.array([[-2.0, 1.0], [0.5, -0.2], [0.0, 0.0]])}
    ),
    "surprise": lambda: plots.plot_surprise([1 / 3, 0.9]),
    "score gradient": lambda: plots.plot_score_gradient(np.array([0.0, 1.0, -1.0]), target=1),
    "phases": lambda: plots.plot_phases(np.arange(12.0).reshape(2, 6, 1), kernel_size=3),
}
"""Each figure by its name: a function that draws it."""

UNUSUAL = {
    "traces, long names": lambda: plots.plot_traces(X[:2], [0, 1], [1, 0], [LONG, LONG.lower()]),
    "traces, gaps": lambda: plots.plot_traces(GAP, [1]),
    "traces, no value": lambda: plots.plot_traces(np.full((1, 9, 1), np.nan), [0]),
    "picks, gaps": lambda: plots.plot_picks(
        np.stack([AROUND, np.full(64, np.nan)], axis=1), AROUND, [], []
    ),
    "learning curves, one epoch": lambda: plots.plot_learning_curves(nn.History([1.1], [0.3])),
    "learning curves, infinite": lambda: plots.plot_learning_curves(
        nn.History([1.1, np.inf, 0.4, np.nan], [0.3, 0.4, np.nan, 0.2])
    ),
    "losses, zero": lambda: plots.plot_losses({LONG: [1.1, 0.0, 0.2], "b": [1.0, 2.0]}),
    "accuracy, one position": lambda: plots.plot_accuracy(
        [3], {name: np.array([[0.2 + 0.3 * i], [0.4]]) for i, name in enumerate(ODD)}, LONG
    ),
    "confusion, odd names": lambda: plots.plot_confusion(np.diag([10**7, 0, 3]), ODD),
    "confusion, long names": lambda: plots.plot_confusion(
        np.eye(5, dtype=int) * 123456, [LONG] * 3 + ["a", "b"]
    ),
    "matrices, zero": lambda: plots.plot_matrices(nn.Dense(3, 2, rng=0).astype(float), (1, 3)),
    "saliency, zero": lambda: plots.plot_saliency(ONE_SCORE, 0 * X[1:2], 0, ["$", "_"]),
    "score gradient, odd names": lambda: plots.plot_score_gradient(
        np.array([0.0, 1.0, -1.0]), 1, ODD
    ),
}
"""The same for data and names of an unusual kind."""
