"""The layers, one file each. They know nothing of training, checking or plotting."""

from numpycnn.layers.dense import Dense
from numpycnn.layers.flatten import Flatten
from numpycnn.layers.layer import Layer, Window
from numpycnn.layers.maxpool1d import GlobalMaxPool1D, MaxPool1D
from numpycnn.layers.phases import Conv1D
from numpycnn.layers.relu import ReLU
from numpycnn.layers.sequential import Sequential
from numpycnn.layers.softmax import Softmax

KINDS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (Conv1D, Dense, Flatten, GlobalMaxPool1D, MaxPool1D, ReLU, Sequential, Softmax)
}
"""Every kind of layer by name, for loading saved models."""

__all__ = [
    "KINDS",
    "Conv1D",
    "Dense",
    "Flatten",
    "GlobalMaxPool1D",
    "Layer",
    "MaxPool1D",
    "ReLU",
    "Sequential",
    "Softmax",
    "Window",
]
