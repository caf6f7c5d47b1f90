"""Where the zeros of "same" go

A convolution with padding "same" adds zeros around the trace, so that the number of outputs is
length / stride, rounded up. Half of the zeros are added on the left and half on the right; if their
number is odd, the right side receives one more.

The window of output m covers `taps` samples of the padded trace, beginning at sample m · stride.
The last window ends at the end of the padded trace. If it fits without padding, no zeros are added.
"""

import numpy as np


def pad_widths(length, taps, stride):
    """The number of zeros to the left and to the right."""
    n_outputs = -(-length // stride)  # length / stride, rounded up
    total = ...  # the total number of zeros, from n_outputs, stride, taps and length
    return total // 2, total - total // 2


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import function

SECTION = "Padding"
HINTS = (
    "At which sample does the last window begin? At which does it end?",
    "It begins at (n_outputs - 1) * stride and covers `taps` samples. Subtract the length.",
    "If the stride is larger than the kernel, the result may be negative. Then no zeros are added.",
)
SOLUTION = "max(0, (n_outputs - 1) * stride + taps - length)"
FORMS = ("max((n_outputs - 1) * stride + taps, length) - length",)
WRONG = {
    "taps - 1": "stride ignored: taps - 1 zeros are correct for stride 1 only.",
    "(n_outputs - 1) * stride + taps - length": "negative: the number of zeros becomes negative where "
    "the last window fits without padding. It must be at least 0.",
    "abs((n_outputs - 1) * stride + taps - length)": "negative: where the last window fits without "
    "padding no zeros are added; `abs` adds some.",
    "max(0, n_outputs * stride + taps - length)": "one window too many: the last window begins at "
    "(n_outputs - 1) * stride.",
    "max(0, (n_outputs - 1) * stride + taps - length - 1)": "off by one: one zero too few.",
    "max(0, (n_outputs - 1) * stride + taps - length + 1)": "off by one: one zero too many.",
    "max(0, taps - stride)": "length ignored: taps - stride is correct only if the length is a "
    "multiple of the stride.",
    "max(0, n_outputs * stride - length)": "taps ignored: the last window covers `taps` samples, not "
    "`stride`.",
    "max(0, (length // stride - 1) * stride + taps - length)": "rounded down: the number of outputs is "
    "length / stride rounded up, which is n_outputs.",
    "max(0, (n_outputs - 1) * taps + stride - length)": "exchanged: stride and taps are exchanged.",
    "0": "zero: some zeros are needed as soon as taps is larger than the stride.",
}
LESSON = (
    "With an even kernel size and stride 1, the right end receives one more zero. Most libraries do the "
    "same. With weights from a library that does not, the outputs are shifted by one sample."
)


def case(draw):
    sizes = {"length": draw(1, 20), "taps": draw(1, 7), "stride": draw(1, 5)}
    return function("pad_widths", sizes, "left", "right")
