"""The names after `import numpycnn as nn`, and the libraries that this import does not load."""

import pytest

import numpycnn as nn


def test_every_public_name_exists():
    assert all(getattr(nn, name) is not None for name in nn.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"numpycnn.*\bplot\b"):
        _ = nn.plot
