"""The convolution on its plain kernels: conv1d.py without the line that selects the fast ones."""

from pathlib import Path
from types import ModuleType

from numpycnn.layers import conv1d

SELECTS = "from numpycnn.layers._conv1d_kernels import"

_module = ModuleType("plain_conv1d")
_lines = Path(conv1d.__file__).read_text().splitlines(keepends=True)
_plain = [line for line in _lines if not line.startswith(SELECTS)]
assert len(_plain) == len(_lines) - 1  # or the tests would compare the fast kernels with themselves
exec(compile("".join(_plain), conv1d.__file__, "exec"), vars(_module))
PlainConv1D = _module.Conv1D


def plain_of(layer):
    """The plain convolution with the options and the arrays of this one."""
    return PlainConv1D(**layer.options()).with_params(layer.params)
