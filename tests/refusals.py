"""Errors, matched by what they name and not by their wording."""

import re

import numpy as np
import pytest


def refused(kind, caller, *parts):
    """Expect an error of this kind that begins with its owner and has these parts in this order.

    The owner is a function or a layer. The parts are the argument's name, the offending value or
    its position, and perhaps a piece of code that fixes the mistake.
    """
    texts = (rf"(?<!\w){re.escape(str(part))}(?!\.?\w)" for part in parts)
    return pytest.raises(kind, match="(?s)" + ".*".join([rf"^{re.escape(caller)}(?!\w)", *texts]))


def bad_values(table):
    """Parametrize a test by `name` and `value`, from a table of the bad values of each argument."""
    pairs = [(name, value) for name, values in table.items() for value in values]
    return pytest.mark.parametrize(("name", "value"), pairs, ids=lambda x: repr(x)[:30])


def refused_value(caller, name, value):
    """Expect an error of this caller that names the argument and then shows the bad value.

    A value is shown if the message has its repr or, of an array, its shape, its type, its class
    or its first number that is not finite.
    """
    forms = {repr(value), str(value)}
    if isinstance(value, np.ndarray):
        forms = {str(value.shape), str(value.dtype)}
        if value.dtype.kind == "f":
            forms |= {str(number) for number in value[~np.isfinite(value)].ravel()[:1]}
    if isinstance(value, np.ma.MaskedArray):
        forms = {"masked"}
    if value is None or isinstance(value, np.ndarray | list | tuple):
        forms |= {type(value).__name__}
    shown = "|".join(map(re.escape, sorted(forms)))
    words = rf"(?s)^{re.escape(caller)}(?!\w)(?=.*\b{re.escape(name)}\b).*(?<!\w)({shown})(?!\w)"
    return pytest.raises((TypeError, ValueError), match=words)
