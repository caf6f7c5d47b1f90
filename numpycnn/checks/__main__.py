"""Check a layer from the command line.

    python -m numpycnn.checks my_layers.py:Scale --shape 4,32,3

The exit code is 0 if all gradients are correct, 1 if one is incorrect or undecided, and 2 if
nothing could be checked.
"""

from __future__ import annotations

import argparse
import ast
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module, util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from numpycnn.checks.attributes import check_attributes
from numpycnn.checks.gradients import check_gradients
from numpycnn.checks.report import GradientReport


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the layer that the command line names; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        report = _report(options)
    except Exception as error:
        if isinstance(error, TypeError | ValueError) and not _is_from(options.layer, error):
            parser.error(str(error))
        traceback.print_exc()  # the user's own code: show the line
        return 2
    print(report)
    return 0 if report.ok else 1


def _report(options: argparse.Namespace) -> GradientReport:
    layer = _layer(options.layer, options.init)
    x = np.random.default_rng(options.seed).standard_normal(options.shape)
    rules: dict[str, Any] = {"only": options.only, "skip": options.skip, "rng": options.seed}
    if options.grads is not None:
        return check_attributes(layer, x, options.grads, stateful=options.stateful, **rules)
    if options.stateful:
        raise ValueError("--stateful requires --grads. Pass --grads W=dW,b=db.")
    if hasattr(layer, "forward") and not hasattr(layer, "params"):
        raise ValueError(
            f"{type(layer).__name__} must have params, a dict of arrays. If it keeps its "
            "parameters and gradients as attributes, pass --grads W=dW,b=db."
        )
    return check_gradients(layer, x, **rules)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m numpycnn.checks",
        description="Check the gradients of a layer at a random input.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "layer",
        metavar="FILE:NAME",
        help="a class, a layer or a loss in a file or a module, such as my_layers.py:Scale",
    )
    parser.add_argument(
        "--shape", required=True, type=_shape, metavar="4,32,3", help="the shape of the input"
    )
    parser.add_argument(
        "--init",
        metavar='"3, bias=False"',
        help="arguments of the constructor: numbers, strings, …",
    )
    parser.add_argument(
        "--grads",
        type=_grads,
        metavar="W=dW,b=db",
        help="for a layer that keeps its parameters and gradients as attributes",
    )
    parser.add_argument(
        "--stateful", action="store_true", help="with --grads: a breach of the contract is a note"
    )
    parser.add_argument("--only", type=_names, metavar="w,b", help="check only these arrays")
    parser.add_argument(
        "--skip", type=_names, default=(), metavar="input", help="do not check these arrays"
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="0", help="draws the input")
    return parser


# Arguments
# ---------


def _shape(text: str) -> tuple[int, ...]:
    """Return the sizes in "4,32,3".

    >>> _shape("4,32,3"), _shape("(1,)"), _shape(" 5")
    ((4, 32, 3), (1,), (5,))
    >>> _shape("4,0")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: must be sizes of 1 or more separated by commas, got '4,0'. ...
    """
    sizes = text.strip("() ").rstrip(",").split(",")
    if not all(size.strip().isdecimal() and int(size) > 0 for size in sizes):
        raise argparse.ArgumentTypeError(
            f"must be sizes of 1 or more separated by commas, got {text!r}. Example: 4,32,3"
        )
    return tuple(map(int, sizes))


def _seed(text: str) -> int:
    """Return the seed in "3".

    >>> _seed("3")
    3
    >>> _seed("-1")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: must be an integer of 0 or more, got '-1'
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be an integer of 0 or more, got {text!r}")
    return int(text)


def _names(text: str) -> list[str]:
    """Return the names in "w,b".

    >>> _names("w, b")
    ['w', 'b']
    """
    return [name.strip() for name in text.split(",")]


def _grads(text: str) -> dict[str, str]:
    """Return the names in "W=dW,b=db".

    >>> _grads("W=dW, b = db,")
    {'W': 'dW', 'b': 'db'}
    >>> for text in "W", "W=dW=b", "W=d-W", "W=dW,b=":
    ...     try:
    ...         _grads(text)
    ...     except argparse.ArgumentTypeError as error:
    ...         print(error)
    must be pairs of names, got 'W'. Example: W=dW,b=db
    must be pairs of names, got 'W=dW=b'. Example: W=dW,b=db
    must be pairs of names, got 'W=d-W'. Example: W=dW,b=db
    must be pairs of names, got 'W=dW,b='. Example: W=dW,b=db
    """
    pairs = [pair.split("=") for pair in text.split(",") if pair.strip()]
    if not all(
        len(pair) == 2 and all(name.strip().isidentifier() for name in pair) for pair in pairs
    ):
        raise argparse.ArgumentTypeError(
            f"must be pairs of names, got {text!r}. Example: W=dW,b=db"
        )
    return {param.strip(): grad.strip() for param, grad in pairs}


# The layer
# ---------


def _layer(target: str, init: str | None) -> Any:
    """Return the object that the command line names; an instance if it is a class."""
    where, colon, name = target.rpartition(":")
    if not (colon and where and name):
        raise ValueError(
            f"FILE:NAME must be a file and a name in it, got {target!r}. "
            "Example: my_layers.py:Scale"
        )
    module = _module(where)
    if not hasattr(module, name):
        own = [key for key, one in vars(module).items() if _is_own(one, module)]
        raise ValueError(
            f"FILE:NAME must name an object in {where}, got {name!r}. "
            f"It defines {', '.join(own) or 'nothing that can be checked'}."
        )
    found = getattr(module, name)
    if not isinstance(found, type):
        if init is not None:
            raise ValueError(
                f"--init must belong to a class, got {init!r} for {name}. Omit --init."
            )
        return found
    args, kwargs = _call(init or "")
    try:
        return found(*args, **kwargs)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise  # within the constructor: show the line
        raise ValueError(
            f'{name}({init or ""}) raised {error}. Pass the arguments: --init "3, bias=False"; or '
            f"create a layer in {where} and pass its name."
        ) from error


def _module(where: str) -> ModuleType:
    """Import a file or a module."""
    path = Path(where)
    if path.suffix != ".py":
        sys.path.insert(0, "")
        try:
            return import_module(where)
        except ImportError as error:
            raise ValueError(
                f"FILE must be a Python file or a module, got {where!r}: {error}."
            ) from error
    if not path.is_file():
        raise ValueError(f"FILE must exist, got {where!r}. The current folder is {Path.cwd()}.")
    sys.path.insert(0, str(path.parent.resolve()))  # for the modules next to it
    spec = util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _is_own(found: Any, module: ModuleType) -> bool:
    """Return True if a module defines an object that could be checked.

    >>> import math
    >>> _is_own(math.sqrt, math), _is_own(math.sqrt, ast), _is_own(math.pi, math)
    (True, False, False)
    >>> text, layer = ModuleType("text"), ModuleType("layer")
    >>> text.__module__ = layer.__module__ = "math"
    >>> layer.forward = math.sqrt
    >>> _is_own(text, math), _is_own(layer, math)
    (False, True)
    """
    is_here = getattr(found, "__module__", None) == module.__name__
    return is_here and (callable(found) or hasattr(found, "forward"))


def _call(init: str) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments in "3, bias=False".

    >>> _call("3, bias=False"), _call("")
    (([3], {'bias': False}), ([], {}))
    >>> for init in "n", "3) + (4", "3,,":
    ...     try:
    ...         _call(init)
    ...     except ValueError as error:
    ...         print(error)
    --init must be arguments that are numbers, strings, ..., got 'n'. Example: ...
    --init must be arguments that are numbers, strings, ..., got '3) + (4'. Example: ...
    --init must be arguments that are numbers, strings, ..., got '3,,'. Example: ...
    """
    try:
        call = ast.parse(f"f({init})", mode="eval").body
        assert isinstance(call, ast.Call)
        args = [ast.literal_eval(one) for one in call.args]
        return args, {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    except (SyntaxError, ValueError, AssertionError) as error:
        raise ValueError(
            f"--init must be arguments that are numbers, strings, tuples, True, False or None, got "
            f'{init!r}. Example: --init "3, bias=False".'
        ) from error


def _is_from(target: str, error: Exception) -> bool:
    """Return True if an error was raised in the user's file, whose lines it should then show.

    >>> try:
    ...     ast.literal_eval("1 + x")
    ... except ValueError as error:
    ...     [_is_from(f"{where}:Scale", error) for where in (ast.__file__, "my_layers.py", "ast")]
    [True, False, False]
    """
    path = Path(target.rpartition(":")[0])
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    return path.suffix == ".py" and path.resolve() in [file.resolve() for file in files]


if __name__ == "__main__":
    sys.exit(main())
