"""Padding: the number of zeros before and after each trace.

With `padding="same"` a convolution has `M = ceil(L / S)` outputs. Output `M - 1` begins at sample
`(M - 1) S` of the padded trace and ends at `(M - 1) S + d (K - 1)`, so the padded trace must have
`(M - 1) S + d (K - 1) + 1` samples. Half of the missing ones are added on each side, and if their
number is odd, the right side has one more.
"""

from __future__ import annotations

from numpycnn._validation import check_int

Padding = str | int | tuple[int, int]


def check_padding(caller: object, padding: object) -> Padding:
    """Return `padding` if it is one of the known kinds, or raise."""
    if not isinstance(padding, str | tuple | list):
        return check_int(caller, "padding", padding, at_least=0)
    if not isinstance(padding, str) and len(padding) == 2:
        left, right = (check_int(caller, "padding", side, at_least=0) for side in padding)
        return left, right
    if isinstance(padding, str) and padding in ("valid", "same", "causal"):
        return padding
    raise ValueError(
        "Conv1D: padding must be 'valid', 'same', 'causal', an integer or (left, right), "
        f"got {padding!r}."
    )


def pad_widths(padding: Padding, length: int, stride: int, size: int) -> tuple[int, int]:
    """Return the numbers of zeros for a trace of this length and windows of `size` samples.

    >>> pad_widths("same", 64, stride=1, size=5), pad_widths("causal", 64, stride=1, size=5)
    ((2, 2), (4, 0))
    """
    if not isinstance(padding, str):
        return padding if isinstance(padding, tuple) else (padding, padding)
    missing = max(0, (-(-length // stride) - 1) * stride + size - length)
    same = missing // 2, missing - missing // 2
    return {"valid": (0, 0), "same": same, "causal": (size - 1, 0)}[padding]
