"""Docstrings of all public names: numpydoc's sections, complete and in their form."""

from __future__ import annotations

import importlib
import inspect

import pytest

pytest.importorskip("numpydoc", reason="python -m pip install -e '.[dev]'")

from numpydoc.validate import validate

from numpycnn.layers import ReceptiveField

MODULES = (
    "numpycnn",
    "numpycnn.architectures",
    "numpycnn.checks",
    "numpycnn.inspection",
    "numpycnn.interop",
    "numpycnn.plots",
    "numpycnn.seismology",
    "numpycnn.typing",
)
NOT_REQUIRED = {
    "GL01",  # the text begins in the line of the quotes
    "ES01",  # a summary may be enough,
    "SA01",  # without See Also
    "EX01",  # and without an example
}


def objects():
    """Return every public class and function by its full name, and every public method."""
    found = {}
    things = [
        getattr(module, name)
        for module in map(importlib.import_module, MODULES)
        for name in module.__all__
    ]
    for thing in (*things, ReceptiveField):
        if inspect.isclass(thing) or inspect.isfunction(thing):
            full = f"{thing.__module__}.{thing.__qualname__}"
            found[full] = thing
            if inspect.isclass(thing):
                found |= dict.fromkeys(methods(thing), full)
    return sorted(found)


def methods(kind):
    """Return the full names of the public methods and properties of a class.

    A method without a docstring that overrides one with a docstring is left out: `help` shows the
    inherited one.
    """
    for base in kind.__mro__:
        if base.__module__.startswith("numpycnn"):
            for name, member in vars(base).items():
                is_defined = inspect.isfunction(member) or isinstance(
                    member, classmethod | property
                )
                inherits = member.__doc__ is None and inspect.getdoc(getattr(base, name))
                if is_defined and not name.startswith("_") and not inherits:
                    yield f"{base.__module__}.{base.__qualname__}.{name}"


@pytest.mark.parametrize("name", objects())
def test_a_public_name_has_a_complete_docstring(name):
    errors = [error for error in validate(name)["errors"] if error[0] not in NOT_REQUIRED]
    assert not errors, "\n".join(f"{code}: {text}" for code, text in errors)


def test_the_names_are_those_of_the_package():
    found = objects()
    assert "numpycnn.layers.conv1d.Conv1D.forward" in found
    assert "numpycnn.training.fit.fit" in found
    assert "numpycnn.layers.prediction.Predictor.predict" in found
