"""Errors, matched by what they name and not by their wording."""

import re

import pytest


def refused(kind, caller, *parts):
    """Expect an error of this kind that begins with its owner and has these parts in this order.

    The owner is a function or a layer. The parts are the argument's name, the offending value or
    its position, and perhaps a piece of code that fixes the mistake.
    """
    texts = (rf"(?<!\w){re.escape(str(part))}(?!\.?\w)" for part in parts)
    return pytest.raises(kind, match="(?s)" + ".*".join([rf"^{re.escape(caller)}(?!\w)", *texts]))
