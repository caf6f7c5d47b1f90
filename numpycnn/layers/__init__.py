"""The layers, one file each. They do not depend on training, checks or plots.

All names except `ReceptiveField` are also those of `numpycnn`.
"""

from __future__ import annotations

from numpycnn.layers.average_pool1d import AveragePool1D as AveragePool1D
from numpycnn.layers.average_pool1d import GlobalAveragePool1D as GlobalAveragePool1D
from numpycnn.layers.batch_norm import BatchNorm as BatchNorm
from numpycnn.layers.container import Container as Container
from numpycnn.layers.conv1d import Conv1D as Conv1D
from numpycnn.layers.dense import Dense as Dense
from numpycnn.layers.dropout import Dropout as Dropout
from numpycnn.layers.flatten import Flatten as Flatten
from numpycnn.layers.layer import Layer as Layer
from numpycnn.layers.max_pool1d import GlobalMaxPool1D as GlobalMaxPool1D
from numpycnn.layers.max_pool1d import MaxPool1D as MaxPool1D
from numpycnn.layers.receptive_field import ReceptiveField as ReceptiveField
from numpycnn.layers.relu import ReLU as ReLU
from numpycnn.layers.sequential import Sequential as Sequential
from numpycnn.layers.skip import Residual as Residual
from numpycnn.layers.skip import SkipConcat as SkipConcat
from numpycnn.layers.softmax import Softmax as Softmax
from numpycnn.layers.upsample1d import Upsample1D as Upsample1D
