"""The plain convolution beside the fast one, which is what `numpycnn.Conv1D` is."""

from numpycnn.layers.conv1d import Conv1D as PlainConv1D


def plain_of(layer):
    """The plain convolution with the options and the arrays of this one."""
    return PlainConv1D(**layer.options()).with_params(layer.params)
