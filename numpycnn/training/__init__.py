"""Training: losses, optimizers and the training loop. All names are also those of `numpycnn`."""

from __future__ import annotations

from numpycnn._targets import one_hot as one_hot
from numpycnn.training.adam import Adam as Adam
from numpycnn.training.fit import History as History
from numpycnn.training.fit import fit as fit
from numpycnn.training.losses import cross_entropy as cross_entropy
from numpycnn.training.losses import softmax_cross_entropy as softmax_cross_entropy
from numpycnn.training.losses import weighted_cross_entropy as weighted_cross_entropy
from numpycnn.training.metrics import confusion_matrix as confusion_matrix
from numpycnn.training.metrics import evaluate as evaluate
from numpycnn.training.sgd import SGD as SGD
