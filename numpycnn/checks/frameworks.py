"""Check custom gradients of PyTorch and JAX.

Both libraries accept a custom gradient in place of automatic differentiation, as a
`torch.autograd.Function` or with `jax.custom_vjp`. These adapters turn it into the pair of
functions that `check_vjp` takes:

    check_vjp(*from_torch(MyFunction), x, w)
    check_vjp(*from_jax(my_function), x, w)

The arrays are NumPy arrays. They pass through the library in float64.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

import numpy as np

from numpycnn._types import Array

Function = Callable[..., Any]


def from_torch(function: Any) -> tuple[Function, Function]:
    """Return the forward and the backward function of a `torch.autograd.Function`.

    Parameters
    ----------
    function : type
        The subclass of `torch.autograd.Function` itself, not its method `apply`.

    Returns
    -------
    fwd, bwd : callable
        For `check_vjp`. Arrays become tensors on the CPU; other arguments are passed as they
        are.

    Raises
    ------
    TypeError
        If `function` is not a subclass of `torch.autograd.Function`.

    Notes
    -----
    PyTorch sums a gradient of a broadcast shape, and converts its type, before it leaves the
    function. The checker sees the gradient that a program would see. A gradient that is None
    counts as zero, as in PyTorch.
    """
    torch: Any = import_module("torch")
    is_class: bool = isinstance(function, type) and issubclass(function, torch.autograd.Function)
    if not is_class:
        raise TypeError(
            "from_torch: function must be a subclass of torch.autograd.Function, got "
            f"{function!r}. Pass the class itself, not its method apply."
        )

    def fwd(*values: Any) -> tuple[Any, Any]:
        if any(map(_is_complex, values)):
            return _complex_output([_tensor(value) for value in _all_complex(values)]), None
        tensors = [_tensor(value) for value in values]
        pairs = zip(values, tensors, strict=True)
        floats = [tensor.requires_grad_() for value, tensor in pairs if _is_float(value)]
        outputs = function.apply(*tensors)

        def pullback(dy: Any) -> tuple[Any, ...]:
            pairs = zip(_as_tuple(outputs), map(_tensor, _as_tuple(dy)), strict=True)
            moved = [(y, one) for y, one in pairs if y.requires_grad]
            found = [None] * len(floats)
            if moved:
                ys, upstream = zip(*moved, strict=True)
                options = {"retain_graph": True, "allow_unused": True}
                found = torch.autograd.grad(ys, floats, upstream, **options)
            grads = iter(found)
            return tuple(_array(next(grads), v) if _is_float(v) else None for v in values)

        return _outputs(outputs), pullback

    def bwd(dy: Any, pullback: Function) -> tuple[Any, ...]:
        grads: tuple[Any, ...] = pullback(dy)
        return grads

    def _outputs(y: Any) -> Any:
        arrays = tuple(one.detach().numpy() for one in _as_tuple(y))
        return arrays if isinstance(y, tuple) else arrays[0]

    def _tensor(value: Any) -> Any:
        """Return a tensor in the same memory, so that a function that writes to it is found."""
        if not isinstance(value, np.ndarray):
            return value
        is_plain = value.flags.writeable and min(value.strides, default=0) >= 0
        return torch.from_numpy(value if is_plain else value.copy())

    def _array(grad: Any, value: Array) -> Array:
        return np.zeros(value.shape) if grad is None else np.asarray(grad.numpy())

    def _complex_output(tensors: list[Any]) -> Any:
        try:
            with torch.no_grad():
                return _outputs(function.apply(*tensors))
        except Exception as error:  # each operation has its own error
            raise TypeError(f"{function.__name__} takes no complex numbers: {error}") from error

    _take_signature(fwd, function.forward, function.__name__)
    return fwd, bwd


def from_jax(function: Function) -> tuple[Function, Function]:
    """Return the forward and the backward function of a `jax.custom_vjp`.

    Parameters
    ----------
    function : callable
        A function decorated with `jax.custom_vjp`, after `function.defvjp(f_fwd, f_bwd)`. Any
        other function that JAX differentiates is checked as well.

    Returns
    -------
    fwd, bwd : callable
        For `check_vjp`. Arrays of floats are differentiated in float64; other arguments are
        passed as they are.

    Raises
    ------
    TypeError
        If `function` is not callable.
    ValueError
        If the function and its `f_fwd` return different outputs. JAX uses the first for the
        value and the second for the gradient.
    """
    jax: Any = import_module("jax")
    if not callable(function):
        raise TypeError(
            "from_jax: function must be a function decorated with jax.custom_vjp, got "
            f"{type(function).__name__}. Decorate it and call defvjp."
        )
    name = getattr(function, "__name__", type(function).__name__)

    def fwd(*values: Any) -> tuple[Any, Any]:
        with _float64():
            if any(map(_is_complex, values)):
                return _complex_output(_all_complex(values)), None
            floats = [value for value in values if _is_float(value)]
            y, vjp = jax.vjp(lambda *moved: function(*_merged(values, moved)), *floats)
            used, plain = _arrays(y), _arrays(function(*values))
        _require_same(plain, used)

        def pullback(dy: Any) -> tuple[Any, ...]:
            dys = [_cotangent(*pair) for pair in zip(_as_tuple(plain), _as_tuple(dy), strict=True)]
            with _float64():
                found = vjp(type(y)(dys) if isinstance(y, tuple | list) else dys[0])
                grads = iter([np.asarray(grad) for grad in found])
            return tuple(next(grads) if _is_float(value) else None for value in values)

        return plain, pullback

    def bwd(dy: Any, pullback: Function) -> tuple[Any, ...]:
        grads: tuple[Any, ...] = pullback(dy)
        return grads

    def _cotangent(y: Array, dy: Array) -> Any:
        """Return dy in the type that JAX requires for the output y: integers have their own."""
        return dy if y.dtype.kind == "f" else np.zeros(y.shape, jax.dtypes.float0)

    def _float64() -> AbstractContextManager[None]:
        if hasattr(jax, "enable_x64"):
            return jax.enable_x64(True)  # type: ignore[no-any-return]
        return import_module("jax.experimental").enable_x64()  # type: ignore[no-any-return]

    def _complex_output(values: list[Any]) -> Any:
        try:
            return _arrays(function(*values))
        except Exception as error:  # each operation has its own error
            raise TypeError(
                f"{function.__name__} does not take complex numbers: {error}"
            ) from error

    def _require_same(plain: Any, used: Any) -> None:
        pairs = zip(_as_tuple(plain), _as_tuple(used), strict=True)
        for one, other in pairs:
            size = float(np.max(np.abs(one), initial=0))
            if one.shape != other.shape or not np.allclose(one, other, 1e-9, 1e-12 * size):
                raise ValueError(
                    f"from_jax: the forward function of defvjp must return the output of "
                    f"{name}, got other values. Return the same y from both."
                )

    _take_signature(fwd, function, name)
    return fwd, bwd


# Both libraries
# --------------


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _is_complex(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "c"


def _all_complex(values: tuple[Any, ...]) -> list[Any]:
    """Return the arguments with all floats complex; PyTorch does not multiply the two."""
    return [value.astype(complex) if _is_float(value) else value for value in values]


def _merged(values: tuple[Any, ...], floats: tuple[Any, ...]) -> list[Any]:
    """Return the arguments with the arrays of floats replaced."""
    moved = iter(floats)
    return [next(moved) if _is_float(value) else value for value in values]


def _arrays(y: Any) -> Any:
    """Return an output, or a tuple of outputs, as NumPy arrays."""
    return tuple(map(np.asarray, y)) if isinstance(y, tuple | list) else np.asarray(y)


def _as_tuple(y: Any) -> tuple[Any, ...]:
    return y if isinstance(y, tuple) else (y,)


def _take_signature(fwd: Function, function: Function, name: str) -> None:
    """Give `fwd` the name of the function and the names of its arrays, for the report."""
    fwd.__name__ = name
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    arrays = [one for one in signature.parameters.values() if one.name != "ctx"]
    fwd.__signature__ = signature.replace(parameters=arrays)  # type: ignore[attr-defined]
