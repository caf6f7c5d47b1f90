"""check_vjp: a pair of functions is found correct or incorrect, and nothing passes unchecked."""

from functools import partial

import numpy as np
import pytest
from corpora.functions import (
    LAST,
    Buffer,
    Last,
    changes_dy,
    changes_first_dy,
    changes_ids,
    changes_x,
    cross_entropy,
    cross_entropy_back,
    embed,
    embed_back,
    gap,
    gap_back,
    logits,
    masked_mean,
    masked_mean_back,
)
from hypothesis import given
from hypothesis import strategies as st

from numpycnn import Adam, Layer, check_gradients, check_vjp
from numpycnn.checks.bugs import PLANTED_BUGS, typical_case
from numpycnn.checks.strategies import distinct, ids, layers_and_inputs

RNG = np.random.default_rng(0)
X, W, B = RNG.standard_normal((4, 3)), RNG.standard_normal((3, 2)), RNG.standard_normal(2)


def dense(x, w, b):
    return x @ w + b, (x, w)


def dense_back(dy, cache):
    x, w = cache
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


def names_and_statuses(report):
    return {result.name: result.status for result in report.results}


# Any layer as functions
# ----------------------


def as_functions(layer):
    """A layer as a pair of functions of the input and its parameters."""
    names = [*layer.params]

    def fwd(x, *params):
        y, cache = layer.with_params(dict(zip(names, params, strict=True))).forward(x)
        return y, (cache, params)

    def bwd(dy, cache):
        own, params = cache
        layer_again = layer.with_params(dict(zip(names, params, strict=True)))
        dx, grads = layer_again.backward(dy, own)
        return dx, *(grads[name] for name in names)

    return fwd, bwd


@given(layers_and_inputs(), st.integers(0, 100))
def test_a_correct_layer_is_a_correct_pair(case, seed):
    layer, x = case
    report = check_vjp(*as_functions(layer), x, *layer.params.values(), rng=seed)
    assert report.status == check_gradients(layer, x, rng=seed).status != "incorrect"


OBJECTS = "sequential_keeps_caches", "sequential_accumulates"  # the bug is kept on the layer


BUGS = {b.called: n for n, b in PLANTED_BUGS.items() if b.part is not Adam and n not in OBJECTS}


@pytest.mark.parametrize("name", BUGS.values())  # one for each name of a mistake
def test_no_planted_bug_passes_as_a_pair(name):
    subject, x = typical_case(PLANTED_BUGS[name], np.random.default_rng(0))
    pair = subject, lambda dy, gradient: dy * gradient  # of a loss
    if isinstance(subject, Layer):
        pair = as_functions(subject)
    with np.errstate(all="ignore"):
        expected = check_gradients(subject, x, rng=0).ok
        try:
            found = check_vjp(*pair, x, *getattr(subject, "params", {}).values(), rng=0).ok
        except KeyError:  # a gradient that is not returned
            found = False
    assert found <= expected


# The forms that functions have
# -----------------------------


def test_the_arrays_have_the_names_of_the_signature():
    report = check_vjp(dense, dense_back, X, W, B, rng=0)
    assert names_and_statuses(report) == dict.fromkeys("xwb", "correct")
    assert report.subject == "dense"
    assert "  w " in str(report)


@pytest.mark.parametrize("at", [0, 1, 2])
@given(factor=st.sampled_from([0, -1, 0.5, 1 + 1e-6, 2]))
def test_each_array_is_checked(at, factor):
    def bwd(dy, cache):
        grads = [*dense_back(dy, cache)]
        grads[at] = factor * grads[at]
        return tuple(grads)

    statuses = names_and_statuses(check_vjp(dense, bwd, X, W, B, rng=0))
    assert statuses == {name: "incorrect" if i == at else "correct" for i, name in enumerate("xwb")}


@pytest.mark.parametrize(
    ("fwd", "bwd"),
    [
        (np.sin, lambda dy, x: dy * np.cos(x)),  # no cache: the array
        (lambda x: x**2, lambda dy, x: (2 * x * dy,)),
        (lambda x: (x**2, x), lambda dy, x: [2 * x * dy]),
        (lambda x: (x.T, None), lambda dy, _: dy.T),  # views
        (lambda x: (x, None), lambda dy, _: dy),
        (lambda x: ((x**2).sum(), x), lambda dy, x: 2 * x * dy),  # a loss
        (lambda x: (float((x[0] * 0).sum()), x), lambda dy, x: 0 * x),
        (lambda x, *, power=2: (x**power, x), lambda dy, x: 2 * x * dy),
        (partial(lambda x, power: (x**power, x), power=2), lambda dy, x: 2 * x * dy),
    ],
)
def test_a_function_of_one_array(fwd, bwd):
    assert check_vjp(fwd, bwd, X, rng=0).status != "incorrect"

    def half(dy, cache):
        grads = bwd(dy, cache)
        return [g / 2 + 0.1 for g in grads] if isinstance(grads, tuple | list) else grads / 2 + 0.1

    assert check_vjp(fwd, half, X, rng=0).status == "incorrect"


def test_without_a_cache_backward_receives_the_arrays():
    def bwd(dy, arrays):
        x, w = arrays
        return dy @ w.T, x.T @ dy

    assert check_vjp(np.matmul, bwd, X, W, rng=0).ok
    assert check_vjp(lambda *xs: sum(xs), lambda dy, xs: (dy,) * 3, X, X, X, rng=0).ok


def test_a_function_without_a_signature():
    class Twice:
        __signature__ = "unknown"

        def __call__(self, x, w):
            return 2 * x * w, (x, w)

    report = check_vjp(Twice(), lambda dy, c: (2 * dy * c[1], 2 * dy * c[0]), X, X + 1, rng=0)
    assert names_and_statuses(report) == {"array 0": "correct", "array 1": "correct"}
    assert report.subject == "Twice"


@pytest.mark.parametrize("rng", range(4))
def test_a_tuple_of_outputs_is_checked_as_a_whole(rng):
    def two(x, w):
        return (x @ w, x.sum(axis=1), x.argmax(axis=1)), (x, w)

    def bwd(dys, cache, used=(1, 1)):
        (dy, ds, _), (x, w) = dys, cache
        assert dy.shape == (len(x), 2)
        assert ds.shape == (len(x),)
        return used[0] * dy @ w.T + used[1] * ds[:, None], used[0] * x.T @ dy

    assert check_vjp(two, bwd, X, W, rng=rng).ok
    assert names_and_statuses(check_vjp(two, partial(bwd, used=(1, 0)), X, W, rng=rng)) == {
        "x": "incorrect",
        "w": "correct",
    }
    assert not check_vjp(two, partial(bwd, used=(0, 1)), X, W, rng=rng).ok


@pytest.mark.parametrize("size", [1e-9, 1e-6, 1, 1e6, 1e9])
def test_a_small_output_is_not_hidden_by_a_large_one(size):
    def two(x):
        return (size * x**2, x.std(axis=1)), x

    def bwd(dys, x, with_std=1):
        (dy, ds), mean = dys, x.mean(axis=1, keepdims=True)
        dstd = (x - mean) / x.std(axis=1, keepdims=True) / x.shape[1]
        return 2 * size * x * dy + with_std * ds[:, None] * dstd

    assert check_vjp(two, bwd, X, rng=0).ok
    assert not check_vjp(two, partial(bwd, with_std=0), X, rng=0).ok
    assert not check_vjp(two, partial(bwd, with_std=1.01), X, rng=0).ok


# What is not differentiated
# --------------------------


@given(ids(5), distinct((5, 2)), st.integers(0, 9))
def test_integers_are_passed_as_they_are(numbers, table, seed):
    report = check_vjp(embed, embed_back, numbers, table, rng=seed)
    assert names_and_statuses(report) == {"table": "correct"}
    assert check_vjp(embed, lambda dy, c: embed_back(dy, c)[1], numbers, table, rng=seed).ok

    def once(dy, cache):  # of a repeated id, one gradient only
        dtable = np.zeros(cache[1])
        dtable[cache[0]] += dy
        return None, dtable

    if len(np.unique(numbers)) < numbers.size:
        assert not check_vjp(embed, once, numbers, table, rng=seed).ok


@pytest.mark.parametrize("axis", [0, ()])
def test_labels_keep_their_number_of_rows(axis):
    labels = np.array([0, 2, 1, 1])
    fwd, bwd = logits(None, axis)
    assert check_vjp(fwd, bwd, X, labels, rng=0).ok
    assert not check_vjp(fwd, lambda dy, cache: 2 * bwd(dy, cache), X, labels, rng=0).ok
    assert check_vjp(*logits(labels, 0), X, rng=0).ok


def test_the_rows_of_a_table_are_no_batch():
    def bwd(dy, cache):
        dtable = np.zeros((4, 3))
        np.add.at(dtable, cache[0], dy)
        return None, dtable

    assert check_vjp(embed, bwd, np.array([3, 1, 1]), X, rng=0).ok


@pytest.mark.parametrize("slope", [1, -1, 2, 0.25, 1.01])
def test_an_array_without_axes(slope):
    def bwd(dy, cache):
        a, x = cache
        return slope * (dy * x).sum(), dy * a

    report = check_vjp(lambda a, x: (a * x, (a, x)), bwd, np.array(2.0), X, rng=0)
    assert names_and_statuses(report)["a"] == ("correct" if slope == 1 else "incorrect")


def test_a_list_of_arrays_of_which_gradients_are_returned_is_refused():
    def bwd(dy, cache):
        dx, *grads = dense_back(dy, cache)
        return dx, grads

    with pytest.raises(TypeError, match="params"):
        check_vjp(lambda x, params: dense(x, *params), bwd, X, [W, B], rng=0)


@pytest.mark.parametrize("value", [2, 2.0, np.float64(2), np.arange(1, 4), [1.0, 2.0, 3.0], True])
def test_a_gradient_that_would_not_be_checked_is_refused(value):
    def fwd(x, a):
        return x * np.asarray(a), (x, a)

    def bwd(dy, cache):
        x, a = cache
        return dy * np.asarray(a), (dy * x).sum()

    with pytest.raises(TypeError, match=r"check_vjp: a must be an array of floats"):
        check_vjp(fwd, bwd, X, value)
    for nothing in None, 0, np.zeros(3):
        back = lambda dy, c, nothing=nothing: (bwd(dy, c)[0], nothing)  # noqa: E731
        assert names_and_statuses(check_vjp(fwd, back, X, value, rng=0)) == {"x": "correct"}
    assert check_vjp(fwd, bwd, X, value, skip="a", rng=0).ok  # on purpose


@pytest.mark.parametrize("nothing", ["None", "left out", "anything"])
def test_only_and_skip(nothing):
    def bwd(dy, cache):
        dx, dw, _ = dense_back(dy, cache)
        return {"None": (dx, dw, None), "left out": (dx, dw), "anything": (dx, dw, "no")}[nothing]

    report = check_vjp(dense, bwd, X, W, B, skip="b", rng=0)
    assert names_and_statuses(report) == {"x": "correct", "w": "correct"}
    assert check_vjp(dense, bwd, X, W, B, only=["x", "w"], rng=0).results == report.results
    only_w = check_vjp(dense, lambda dy, c: bwd(dy, c)[1], X, W, B, only="w", rng=0)
    assert names_and_statuses(only_w) == {"w": "correct"}
    half = check_vjp(dense, lambda dy, c: bwd(dy, c)[1] / 2, X, W, B, only="w", rng=0)
    assert names_and_statuses(half) == {"w": "incorrect"}


# The contract
# ------------


@pytest.mark.parametrize("shape", [(4, 2), (1, 2), (2, 1), ()])
def test_a_gradient_of_another_shape_is_incorrect(shape):
    def bwd(dy, cache):
        return *dense_back(dy, cache)[:2], np.zeros(shape)

    report = check_vjp(dense, bwd, X, W, B, rng=0)
    assert [mistake.name for mistake in report.mistakes] == ["wrong shape"]
    assert "b has" in str(report)


@pytest.mark.parametrize(
    ("fwd", "bwd", "arrays", "called"),
    [
        (changes_x, lambda dy, _: 2 * dy, [X], "argument changed"),
        (changes_ids, embed_back, [np.array([0, 2, 2]), X], "argument changed"),
        (lambda x: (2 * x, None), changes_dy, [X], "argument changed"),
        (lambda x: ((x, x), None), changes_first_dy, [X], "argument changed"),
        (lambda x: (2 * x, None), Buffer(), [X], "output overwritten"),
        (LAST.forward, LAST.backward, [X], "cache overwritten"),
        (lambda x: (x * np.random.default_rng().random(), None), lambda dy, _: dy, [X], "random"),
    ],
)
def test_a_breach_is_incorrect(fwd, bwd, arrays, called):
    before = [array.copy() for array in arrays]
    report = check_vjp(fwd, bwd, *arrays, rng=0)
    assert report.status == "incorrect"
    assert [mistake.name for mistake in report.mistakes] == [called]
    for array, kept in zip(arrays, before, strict=True):  # the caller's own are left alone
        assert np.array_equal(array, kept)


# Bad input
# ---------


BAD = [  # arguments, and what the message names
    (("dense", dense_back, X), "fwd.*str"),
    ((dense, None, X), "bwd.*NoneType"),
    ((dense, dense_back, X), r"fwd .*dense\(x, w, b\).*'w'"),
    ((Last.forward, Last.backward, X), "fwd.*'x'"),
    ((np.sin, dense_back, np.arange(3)), r"int64.*\(3,\)"),
    ((dense, dense_back, X, W * np.inf, B), "inf at w"),
    ((np.sin, dense_back, X[:0]), r"\(0, 3\)"),
    ((np.sin, dense_back, np.ma.masked_array(X)), "masked array"),
    ((np.sin, lambda dy: dy, X), r"bwd .*\(dy, cache\)"),
    ((lambda x: None, dense_back, X), "y .*NoneType"),
    ((lambda x: (x, x, x), dense_back, X), "fwd.*tuple of 3"),
    ((lambda x: x > 0, dense_back, X), "y .*bool"),
    ((np.fft.fft, lambda dy, _: dy, X), "y .*complex128"),
    ((dense, lambda dy, c: dense_back(dy, c)[:2], X, W, B), "bwd .*3 .*tuple of 2"),
    ((np.add, lambda dy, _: np.stack([dy, dy]), X, X), r"bwd .*2 .*\(2, 4, 3\)"),
]


@pytest.mark.parametrize(("args", "match"), BAD)
def test_bad_input_is_refused(args, match):
    with pytest.raises((TypeError, ValueError), match=match):
        check_vjp(*args)


@pytest.mark.parametrize("value", ["v", "xwb", ["x", "w", "b"]])
def test_a_selection_that_is_unknown_or_leaves_nothing_is_refused(value):
    with pytest.raises(ValueError, match=r"skip .*'x', 'w', 'b'"):
        check_vjp(dense, dense_back, X, W, B, skip=value)


def test_float32_is_checked_in_float64():
    report = check_vjp(dense, dense_back, *(a.astype(np.float32) for a in (X, W, B)), rng=0)
    assert report.ok
    assert max(result.error for result in report.results) < 1e-12


# Arrays with a row for each row of the input
# -------------------------------------------

LABELS, FLAGS = np.array([0, 2, 1, 1]), np.array([True, False, True, True])


def scaled_back(n_rows):
    return lambda dy, c: c[1].sum() * dy.reshape(n_rows(c[0]), 3)


@pytest.mark.parametrize(
    ("fwd", "bwd", "arrays"),
    [
        (cross_entropy, cross_entropy_back, (X, LABELS)),
        (gap, gap_back, (X, X[::-1])),
        (masked_mean, masked_mean_back, (X, FLAGS)),
        (lambda x, n: x * n.sum(), scaled_back, (X, LABELS[:2])),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_fixed_number_of_rows_is_found_although_other_arrays_have_as_many(fwd, bwd, arrays, seed):
    assert check_vjp(fwd, bwd(len), *arrays, rng=seed).ok
    (mistake,) = check_vjp(fwd, bwd(lambda x: 4), *arrays, rng=seed).mistakes
    assert mistake.name == "batch size"
