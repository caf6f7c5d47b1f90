"""PyTorch with our parameters computes what `predict` does, and its parameters come back."""

import numpy as np
import pytest
from hypothesis import given
from nets import blocks, changed, classifiers, in_use, is_same, ways_around

import numpycnn as nn
from numpycnn.checks.strategies import layers_and_inputs
from numpycnn.interop import from_torch, to_torch

torch = pytest.importorskip("torch", reason="python -m pip install torch")


# PyTorch's own, on a copy that it makes for the odd zero.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even:UserWarning")


class Conv1d(torch.nn.Conv1d):
    """With the zeros of any padding around the traces, those of "same" by PyTorch itself."""

    def __init__(self, ours):
        by_name = ours.padding == "same" and ours.stride == 1
        options = {"stride": ours.stride, "dilation": ours.dilation, "bias": ours.bias}
        options["padding"] = "same" if by_name else 0
        super().__init__(ours.in_channels, ours.out_channels, ours.kernel_size, **options)
        self.pad_widths = (lambda length: (0, 0)) if by_name else ours.pad_widths

    def forward(self, x):
        return super().forward(torch.nn.functional.pad(x, self.pad_widths(x.shape[2])))


class Residual(torch.nn.Module):
    def __init__(self, layers, shortcut):
        super().__init__()
        for place, layer in enumerate(layers):
            self.add_module(str(place), layer)
        self.shortcut, self.n_layers = shortcut, len(layers)

    def forward(self, x):
        y = x
        for place in range(self.n_layers):
            y = self.get_submodule(str(place))(y)
        return y + (x if self.shortcut is None else self.shortcut(x))


class SkipConcat(torch.nn.Sequential):
    def forward(self, x):
        return torch.cat([x, super().forward(x)], dim=1)


def torch_of(layer, x):
    """The same layer in PyTorch, without its weights, for x in our layout."""
    if isinstance(layer, nn.Sequential):
        inside, y = [], x
        for part in layer:
            inside.append(torch_of(part, y))
            y = part(y)
        if type(layer) is nn.Residual:
            shortcut = layer.shortcut
            return Residual(inside, None if shortcut is None else torch_of(shortcut, x))
        return (SkipConcat if type(layer) is nn.SkipConcat else torch.nn.Sequential)(*inside)
    if isinstance(layer, nn.Dense):
        sizes = layer.in_features, layer.out_features
        if x.ndim == 2:
            return torch.nn.Linear(*sizes, bias=layer.bias)
        return torch.nn.Conv1d(*sizes, 1, bias=layer.bias)
    pooling = vars(layer).get("pool_size"), vars(layer).get("stride")
    return {
        nn.Conv1D: lambda: Conv1d(layer),
        nn.BatchNorm: lambda: torch.nn.BatchNorm1d(
            layer.channels, eps=layer.eps, momentum=layer.momentum
        ),
        nn.Dropout: lambda: torch.nn.Dropout(layer.rate),
        nn.ReLU: torch.nn.ReLU,
        nn.Softmax: lambda: torch.nn.Softmax(dim=1),
        nn.Flatten: torch.nn.Flatten,
        nn.MaxPool1D: lambda: torch.nn.MaxPool1d(*pooling),
        nn.AveragePool1D: lambda: torch.nn.AvgPool1d(*pooling),
        nn.Upsample1D: lambda: torch.nn.Upsample(scale_factor=layer.factor),
        nn.GlobalMaxPool1D: lambda: torch.nn.Sequential(
            torch.nn.AdaptiveMaxPool1d(1), torch.nn.Flatten()
        ),
        nn.GlobalAveragePool1D: lambda: torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool1d(1), torch.nn.Flatten()
        ),
    }[type(layer)]()


def channels_first(x):
    return torch.tensor(x.swapaxes(1, 2) if x.ndim == 3 else x)


def carried(model, x):
    """The model in PyTorch as a function of x; its parameters come back."""
    model, shape = model.astype(np.float64), x.shape[1:]
    other = torch_of(model, x).double().eval()
    arrays = to_torch(model, shape)
    other.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    assert is_same(from_torch(changed(model), other.state_dict(), shape), model)

    def run(x):
        with torch.no_grad():
            y = other(channels_first(x)).numpy()
        return y.swapaxes(1, 2) if y.ndim == 3 else y

    return run


def check(model, x):
    """The same outputs to ten digits."""
    expected = model.astype(np.float64)(x)
    np.testing.assert_allclose(carried(model, x)(x), expected, rtol=1e-10, atol=1e-10)


@given(classifiers() | ways_around() | blocks())
def test_networks_compute_what_predict_does(drawn):
    check(*drawn)


@given(in_use(layers_and_inputs()))
def test_every_layer_computes_what_predict_does(drawn):
    layer, x = drawn
    if x.ndim == 1 or isinstance(layer, nn.Flatten):  # which requires a Dense after it
        return
    check(layer, x)
