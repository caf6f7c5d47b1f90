"""The layers, one file each. They do not depend on training, checks or plots."""

from __future__ import annotations

from numpycnn.layers.average_pool1d import AveragePool1D, GlobalAveragePool1D
from numpycnn.layers.batch_norm import BatchNorm
from numpycnn.layers.container import Container
from numpycnn.layers.conv1d import Conv1D
from numpycnn.layers.dense import Dense
from numpycnn.layers.dropout import Dropout
from numpycnn.layers.flatten import Flatten
from numpycnn.layers.layer import Layer
from numpycnn.layers.max_pool1d import GlobalMaxPool1D, MaxPool1D
from numpycnn.layers.receptive_field import ReceptiveField
from numpycnn.layers.relu import ReLU
from numpycnn.layers.sequential import Sequential
from numpycnn.layers.skip import Residual, SkipConcat
from numpycnn.layers.softmax import Softmax
from numpycnn.layers.upsample1d import Upsample1D

# All of these names except `ReceptiveField` can also be imported from `numpycnn`.

__all__ = [
    "AveragePool1D",
    "BatchNorm",
    "Container",
    "Conv1D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePool1D",
    "GlobalMaxPool1D",
    "Layer",
    "MaxPool1D",
    "ReLU",
    "ReceptiveField",
    "Residual",
    "Sequential",
    "SkipConcat",
    "Softmax",
    "Upsample1D",
]
