"""For scikit-learn: the network as one of its classifiers.

scikit-learn combines and compares estimators. An estimator is built from options that can be read
and changed, and has the methods `fit` and `predict`. It can be used in pipelines, in
cross-validation and in a search over options:

    from numpycnn.interop import TraceClassifier
    from sklearn.model_selection import cross_val_score
    cross_val_score(TraceClassifier(epochs=30), x, labels, cv=5)

Traces are `(N, L, C)` as everywhere here, or a table `(N, L)` of one channel. Labels are numbers
or names. It requires `python -m pip install scikit-learn`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ModuleNotFoundError as error:
    raise ImportError(
        "TraceClassifier requires the package scikit-learn 1.6 or newer, which is not installed. "
        "python -m pip install scikit-learn"
    ) from error

import numpycnn as nn
from numpycnn._types import Array, Rng
from numpycnn._validation import as_array, require_array, require_finite
from numpycnn.inspection.explain import probabilities


def small_network(shape: tuple[int, int], n_classes: int, rng: Rng) -> nn.Sequential:
    """Return a fresh network for traces of shape (L, C): filters, then two dense layers."""
    length, n_channels = shape
    return nn.Sequential(
        nn.Conv1D(n_channels, 8, 5, padding="same", rng=rng),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dense(8 * length, 16, rng=rng),
        nn.ReLU(),
        nn.Dense(16, n_classes, rng=rng),
    )


class TraceClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of scikit-learn that trains a fresh network in each `fit`.

    Parameters
    ----------
    network : callable
        `network(shape, n_classes, rng)` returns the network for traces of shape (L, C).
    epochs : int
        As for `numpycnn.fit`.
    lr : float
        As for `numpycnn.fit`.
    batch_size : int or None
        As for `numpycnn.fit`.
    random_state : int, RandomState or None
        Source of the initial parameters and of the order of the mini-batches.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels in the order of the scores.
    model_ : Layer
        The trained network.
    history_ : History
        Loss and accuracy of each epoch.
    """

    def __init__(
        self,
        network: Any = small_network,
        *,
        epochs: int = 60,
        lr: float = 5e-3,
        batch_size: int | None = 16,
        random_state: Any = None,
    ) -> None:
        # scikit-learn requires each option under the same name, checked in fit only.
        self.network = network
        self.epochs = epochs
        self.lr = lr
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> TraceClassifier:
        """Train a fresh network.

        Parameters
        ----------
        X : array-like, shape (N, L, C) or (N, L)
            Traces.
        y : array-like, shape (N,)
            Labels, numbers or names.

        Returns
        -------
        TraceClassifier
            This object.
        """
        as_array(self, "y", y)  # validate_data would drop a mask
        x, y = self._traces(X, y, dtype=np.float32)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            only = self.classes_.tolist()[0]
            raise ValueError(
                f"TraceClassifier: y must hold two classes or more, got one class, {only!r}. "
                "Add traces of another class."
            )
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        self.model_ = self.network(x.shape[1:], len(self.classes_), rng)
        plan: dict[str, Any] = {
            "epochs": self.epochs,
            "lr": self.lr,
            "batch_size": self.batch_size,
            "rng": rng,
        }
        self.history_ = nn.fit(self.model_, x, labels, **plan)
        return self

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like, shape (N, L, C) or (N, L)
            Traces.

        Returns
        -------
        ndarray, shape (N, n_classes)
            Probabilities in the order of `classes_`.
        """
        check_is_fitted(self)
        # In float64, so that a result hardly depends on the other traces of the batch.
        return probabilities(self.model_, self._traces(X, dtype=np.float64, reset=False))

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each trace.

        Parameters
        ----------
        X : array-like, shape (N, L, C) or (N, L)
            Traces.

        Returns
        -------
        ndarray, shape (N,)
            Labels, as they were given to `fit`.
        """
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _traces(self, X: Any, *y: Any, **options: Any) -> Any:
        """Return X as traces (N, L, C), and y if it is given, or raise as `nn.fit` does."""
        as_array(self, "X", X)
        checked = validate_data(self, X, *y, allow_nd=True, ensure_all_finite=False, **options)
        X, labels = checked if y else (checked, None)
        require_finite(self, "X", X, fix="Fill the gap, or leave out {example}: NaN has no class.")
        x = X[..., None] if X.ndim == 2 else X  # a table (N, L) is one channel
        require_array(self, "X", x, "N L C")
        return (x, labels) if y else x
