"""Custom gradients of PyTorch, checked by check_vjp."""

import pytest

from numpycnn import check_vjp
from numpycnn.checks.frameworks import from_torch

torch = pytest.importorskip("torch", reason="PyTorch is needed: python -m pip install torch")

from corpora.torch_functions import CASES, Half, Matmul, W, X  # noqa: E402


@pytest.mark.parametrize(("function", "arrays", "expected"), CASES)
def test_an_autograd_function(function, arrays, expected):
    report = check_vjp(*from_torch(function), *arrays, rng=0)
    assert report.subject == function.__name__
    if isinstance(expected, str):
        assert [mistake.name for mistake in report.mistakes] == [expected]
    else:
        assert {result.name: result.status for result in report.results} == expected


def test_skip():
    assert check_vjp(*from_torch(Half), X, W, skip="w", rng=0).ok


def test_bad_input_is_refused():
    for wrong in Matmul.apply, torch.nn.ReLU, torch.nn.ReLU(), 3:
        with pytest.raises(TypeError, match=r"from_torch: function must .*autograd.Function"):
            from_torch(wrong)
