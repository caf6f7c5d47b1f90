"""Docstrings of all public names: numpydoc's sections, complete and in their form."""

from __future__ import annotations

import importlib
import inspect
import pydoc
import re

import pytest

pytest.importorskip("numpydoc", reason="python -m pip install -e '.[dev]'")

from numpydoc.validate import validate

import numpycnn
from numpycnn.layers.receptive_field import ReceptiveField

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
    """Return every public class and function by its full name, and the class of every method."""
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
    return found


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


OBJECTS = objects()


def is_method(name):
    return isinstance(OBJECTS[name], str)


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_a_public_name_has_a_complete_docstring(name):
    found, not_required = validate(name), NOT_REQUIRED
    if is_method(name):  # its summary may say what it returns,
        not_required = NOT_REQUIRED | {"RT01", "YD01"}
        method = pydoc.locate(name)
        if "\nParameters\n" not in found["docstring"] and callable(method):
            not_required |= {"PR01"}  # and what its parameters are
            words = set(re.findall(r"\w+", found["docstring"]))
            assert {*inspect.signature(method).parameters} - {"self"} <= words
    errors = [error for error in found["errors"] if error[0] not in not_required]
    assert not errors, "\n".join(f"{code}: {text}" for code, text in errors)


def test_the_names_are_those_of_the_package():
    assert "numpycnn.layers.conv1d.Conv1D.forward" in OBJECTS
    assert "numpycnn.training.fit.fit" in OBJECTS
    assert "numpycnn.layers.prediction.Predictor.predict" in OBJECTS


NAMES = [name for name in numpycnn.__all__ if not inspect.ismodule(getattr(numpycnn, name))]


@pytest.mark.parametrize("name", NAMES)
def test_help_is_short_and_shows_the_names_of_types(name):
    text = pydoc.render_doc(getattr(numpycnn, name), renderer=pydoc.plaintext)
    assert text.count("\n") <= 200
    assert "numpy.ndarray[" not in text
