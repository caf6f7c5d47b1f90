"""The layers, one file each. They know nothing of training, checking or plotting."""

from numpycnn.layers.around import Beside, Residual
from numpycnn.layers.container import Container
from numpycnn.layers.dense import Dense
from numpycnn.layers.flatten import Flatten
from numpycnn.layers.layer import Layer, Window
from numpycnn.layers.maxpool1d import GlobalMaxPool1D, MaxPool1D
from numpycnn.layers.phases import Conv1D
from numpycnn.layers.relu import ReLU
from numpycnn.layers.sequential import Sequential
from numpycnn.layers.softmax import Softmax

__all__ = [
    "Beside",
    "Container",
    "Conv1D",
    "Dense",
    "Flatten",
    "GlobalMaxPool1D",
    "Layer",
    "MaxPool1D",
    "ReLU",
    "Residual",
    "Sequential",
    "Softmax",
    "Window",
]
