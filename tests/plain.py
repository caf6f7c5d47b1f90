"""The convolution on its plain kernels: conv1d.py without the line that selects the fast ones."""

from pathlib import Path
from types import ModuleType

from numpycnn.layers import conv1d

SELECTS = "from numpycnn.layers._conv1d_kernels import"


def without_fast_kernels(source):
    """The source of conv1d.py without that line."""
    lines = source.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(SELECTS))


_module = ModuleType("plain_conv1d")
_source = without_fast_kernels(Path(conv1d.__file__).read_text())
exec(compile(_source, conv1d.__file__, "exec"), vars(_module))
PlainConv1D = _module.Conv1D


def plain_of(layer):
    """The plain convolution with the options and the arrays of this one."""
    return PlainConv1D(**layer.options()).with_params(layer.params)
