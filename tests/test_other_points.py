"""What one comparison at one point cannot see, in both directions.

Each kind of mistake is written in several ways, and beside it stand correct layers that look alike.
"""

import re

import numpy as np
import pytest
from corpora.names import NAMED, NETWORKS, Half, OneEntry, Pool2D
from corpora.other_points import (
    CORRECT,
    INCORRECT,
    LOST_IN_UNITS,
    OF_ANY_SCALE,
    UNDECIDED,
    Flat,
    InUnits,
    Plain,
    Returns,
    normal,
)

from numpycnn import Conv1D, Dense, ReLU, Sequential, check_gradients

SCALES = [1e-3, 1e3]  # and 1, at which all layers are tested
UNITS = [2.0**-10, 2.0**10]  # powers of two, so that exact values stay exact


def with_each(names, values, one_in):
    """Each name with each value; of `one_in` pairs, one is in the ordinary tests."""
    return [
        pytest.param(name, value, marks=[] if (i + j) % one_in == 0 else [pytest.mark.long])
        for i, name in enumerate(names)
        for j, value in enumerate(values)
    ]


SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 20))]
CASES = [
    (name, status)
    for status, table in {
        "incorrect": INCORRECT,
        "correct": CORRECT,
        "undecided": UNDECIDED,
    }.items()
    for name in table
]


@pytest.mark.parametrize(("name", "status"), CASES)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.filterwarnings("ignore")
def test_the_status(name, status, seed):
    layer, x = (INCORRECT | CORRECT | UNDECIDED)[name]
    report = check_gradients(layer(), x, rng=seed)
    assert report.status == status, str(report)
    if status == "incorrect":
        assert report.mistakes
    elif status == "correct":
        assert all(result.error <= 1e-6 for result in report.results)
    else:
        assert any(result.notes for result in report.results)


@pytest.mark.parametrize("name", ["Flat", "OfTheClass", "ReadOnlyMapping", "TwoAttributes"])
def test_the_arrays_of_a_layer_are_not_changed(name):
    make, x = CORRECT[name]
    layer = make()
    before = {name: array.copy() for name, array in layer.params.items()}
    check_gradients(layer, x, rng=0)
    for name, array in layer.params.items():
        np.testing.assert_array_equal(array, before[name])


def test_arrays_of_layers_inside_that_are_not_listed_are_named():
    class Inside(Plain):
        def __init__(self):
            self.dense, self.net = Dense(4, 3, rng=0), Sequential(Dense(3, 2, rng=1))

        def forward(self, x):
            hidden, first = self.dense.forward(x)
            y, second = self.net.forward(hidden)
            return y, (first, second)

        def backward(self, dy, cache):
            hidden, _ = self.net.backward(dy, cache[1])
            return self.dense.backward(hidden, cache[0])[0], {}

    report = check_gradients(Inside(), normal(5, 4), rng=0)
    assert report.ok
    names = [note.partition(" is not in params")[0] for note in report.notes]
    assert names == ["dense.w", "dense.b", "net.0.w", "net.0.b"]


def test_a_name_need_not_be_a_string():
    layer, x = INCORRECT["HeldRefusesTwice"]
    assert "('w', 0) INCORRECT" in str(check_gradients(layer(), x, rng=0))


def test_a_layer_that_raises_keeps_its_arrays():
    class Raises(CORRECT["OfTheClass"][0]):
        def backward(self, dy, x):
            raise KeyError("no such entry")

    layer, x = Raises(), normal(5, 4)
    before = x.copy(), {name: array.copy() for name, array in layer.params.items()}
    with pytest.raises(KeyError, match="no such entry"):
        check_gradients(layer, x, rng=0)
    np.testing.assert_equal((x, layer.params), before)


def test_one_array_that_cannot_stand_for_two_is_refused():
    class Twice(Flat):
        @property
        def params(self):
            return dict.fromkeys("wb", self.buffer)

        def __init__(self):
            self.buffer = normal(4)

    with pytest.raises(TypeError, match=r"params .*'w', 'b'.*same array"):
        check_gradients(Twice(), normal(5, 4), rng=0)


@pytest.mark.parametrize(("name", "scale"), with_each(OF_ANY_SCALE, SCALES, 2))
@pytest.mark.filterwarnings("ignore")
def test_at_every_scale(name, scale):
    layer, x = (INCORRECT | CORRECT)[name]
    report = check_gradients(layer(), scale * x, rng=0)
    assert report.status == ("incorrect" if name in INCORRECT else "correct"), str(report)


@pytest.mark.parametrize(
    ("name", "unit"), with_each([name for name, _ in CASES if name not in OF_ANY_SCALE], UNITS, 9)
)
@pytest.mark.filterwarnings("ignore")
def test_in_other_units(name, unit):
    layer, x = (INCORRECT | CORRECT | UNDECIDED)[name]
    report = check_gradients(InUnits(layer(), unit), unit * x, rng=0)
    allowed = {dict(CASES)[name], "undecided"} if name in LOST_IN_UNITS else {dict(CASES)[name]}
    assert report.status in allowed, str(report)


@pytest.mark.parametrize(
    ("name", "called", "words"),
    [
        ("TransposedCopy", "kept value", "after a step"),
        ("MeanOfFive", "batch size", "N = 5.*N = 6"),
        ("DyClip", "not linear", r"e\+12"),
    ],
)
def test_the_report_names_what_only_another_point_shows(name, called, words):
    layer, x = INCORRECT[name]
    (mistake,) = check_gradients(layer(), x, rng=0).mistakes
    assert mistake.name == called
    assert re.search(words, mistake.message)


def test_an_array_that_nothing_moved_is_undecided_and_the_note_says_so():
    layer, x = UNDECIDED["Unused"]
    report = check_gradients(layer(), x, rng=0)
    statuses = {result.name: result.status for result in report.results}
    assert statuses == {"input": "correct", "w": "undecided"}
    assert "nothing was tested" in str(report)


# Large layers, and layers inside layers
# --------------------------------------


@pytest.mark.parametrize("size", [40, 300])
def test_a_large_array_is_not_compared_entry_by_entry(size):
    # All columns of the larger one would be 90,000 times 1,200 values.
    x = normal(4, size)
    assert check_gradients(Dense(size, size, rng=0), x, rng=0).ok
    (mistake,) = check_gradients(Half(size, size, rng=0), x, rng=0).mistakes
    assert mistake.name == "factor"
    assert "0.5" in mistake.message


@pytest.mark.parametrize("size", [60, 300])
def test_one_incorrect_entry_of_a_large_array_is_found(size):
    report = check_gradients(OneEntry(size, size, rng=0), normal(4, size), rng=0)
    results = {result.name: result for result in report.results}
    assert results["w"].worst == (17, 41)
    assert [name for name, result in results.items() if not result.ok] == ["w"]


def test_the_layer_inside_a_network_that_is_incorrect_is_named():
    class Reversed(Conv1D):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return dx[:, ::-1], grads

    convs = [part(2, 2, 3, padding="same", rng=i) for i, part in enumerate([Conv1D, Reversed])]
    model = Sequential(Conv1D(2, 2, 3, rng=5), ReLU(), Sequential(*convs), ReLU())
    report = check_gradients(model, normal(2, 12, 2), rng=0)
    assert report.status == "incorrect"
    assert [*report.layers] == ["2"]
    assert [*report.layers["2"].layers] == ["1"]
    assert "layer 2.1 (Reversed): input, reversed" in str(report)
    assert [mistake.name for mistake in report.mistakes] == ["reversed"]
    assert [*report.to_dict()["layers"]] == ["2"]


@pytest.mark.parametrize(("name", "scale"), with_each(NETWORKS, [1, *SCALES], 2))
def test_each_layer_of_a_network_that_is_incorrect_is_named(name, scale):
    network, x, expected = NETWORKS[name]
    report = check_gradients(network(), scale * x, rng=0)
    assert report.status == "incorrect"
    assert mistakes_by_layer(report) == expected, str(report)


def mistakes_by_layer(report):
    """The name of the mistake of each layer that contains no incorrect one."""
    found = {}
    for place, layer in report.layers.items():
        inside = {f"{place}.{deep}": name for deep, name in mistakes_by_layer(layer).items()}
        found |= inside or {place: layer.mistakes[0].name}
    return found


# Names
# -----


@pytest.mark.parametrize(("name", "unit"), with_each(NAMED, [1, *UNITS], 3))
@pytest.mark.filterwarnings("ignore")
def test_a_mistake_is_not_called_by_a_name_that_looks_alike(name, unit):
    layer, x, names = NAMED[name]
    subject = layer() if unit == 1 else InUnits(layer(), unit)
    report = check_gradients(subject, unit * x, rng=0)
    assert {mistake.name for mistake in report.mistakes} <= {*names}, str(report)
    assert report.mistakes


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda dw: 2 * dw, "factor"),
        (lambda dw: -dw, "sign"),
        (lambda dw: np.float32(dw), "precision"),
        (lambda dw: dw + 1, "not linear"),
        (lambda dw: np.vstack([dw[:1], 2 * dw[1:]]), "unknown"),
        (lambda dw: np.vstack([dw[:1], -dw[1:]]), "unknown"),
        (lambda dw: np.vstack([2 * dw[:1], np.float32(dw[1:])]), "unknown"),
    ],
)
def test_a_sample_of_a_large_array_is_named_only_if_all_entries_agree(change, name):
    class Changed(Dense):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return dx, {**grads, "w": change(grads["w"])}

    report = check_gradients(Changed(200, 100, rng=0), normal(3, 200), rng=0)
    assert [mistake.name for mistake in report.mistakes] == [name], str(report)


@pytest.mark.parametrize(
    ("window", "share", "name", "letter"),
    [
        ((3, 3), 1, "mean missing", "P·P"),
        ((3, 3), 1 / 81, "divided twice", "P·P"),
        ((5, 2), 1 / 2, "mean missing", "5 = P"),  # over the height only
    ],
)
def test_a_factor_is_named_after_a_size_of_a_window(window, share, name, letter):
    (result,) = check_gradients(Pool2D(window, share), normal(2, 15, 6, 2), rng=0).results
    assert (result.mistake.name, letter in result.mistake.message) == (name, True)


# Messages
# --------


def twice(x):
    return 2 * x


@pytest.mark.parametrize(
    ("subject", "kind", "words"),
    [
        (ReLU, TypeError, "the class ReLU"),
        (twice, TypeError, r"twice .*\(3, 4\)"),
        (lambda x: ((x**2).sum(axis=1), 2 * x), ValueError, r"\(3,\)"),
        (lambda x: (2 * x, (x**2).sum()), TypeError, "gradient first"),
        (lambda x: ((x**2).sum(), None), TypeError, "gradient.*NoneType"),
        (lambda x: ("loss", 2 * x), TypeError, "value.*str"),
        (Returns(lambda x: x[:0], lambda dy, x: dy), TypeError, r"\(0, 4\)"),
        (Returns(lambda x: (x, x[0]), lambda dy, x: dy), ValueError, "y of Returns.forward"),
        (Returns(lambda x: np.ma.masked_less(x, 0), lambda dy, x: dy), TypeError, "mask"),
        (Returns(np.fft.fft, lambda dy, x: dy), TypeError, "complex128"),
        (Returns(twice, lambda dy, x: dy, [np.ones(2)]), TypeError, "params.*list of 1"),
        (Returns(twice, lambda dy, x: dy, {"w": [1.0]}), TypeError, "params.'w'.*list of 1"),
        (
            Returns(twice, lambda dy, x: dy, {"w": np.array([0, np.nan])}),
            ValueError,
            r"params.'w'.*nan.*\[1\]",
        ),
        (
            Returns(twice, lambda dy, x: dy, {"w": np.ones(2, complex)}),
            TypeError,
            "params.'w'.*complex128",
        ),
    ],
)
def test_a_message_names_the_cause(subject, kind, words):
    with pytest.raises(kind, match=f"(?s)check_gradients.*{words}") as caught:
        check_gradients(subject, normal(3, 4), rng=0)
    assert not hasattr(caught.value, "__notes__")  # only an error of forward needs the shape of x


@pytest.mark.parametrize(
    ("y", "dx", "words"),
    [
        (twice, lambda dy, x: 2.0, "input is a float"),
        (twice, lambda dy, x: None, "input is None"),
        (twice, lambda dy, x: np.ma.masked_less(2 * dy, 0), "input is a MaskedArray"),
        (lambda x: np.where(np.tri(3, 4), x, -np.inf), lambda dy, x: dy, r"-inf at y\[0, 1\]"),
    ],
)
def test_a_breach_names_the_cause(y, dx, words):
    report = check_gradients(Returns(y, dx), normal(3, 4), rng=0)
    assert report.status == "incorrect"
    assert re.search(words, report.breach.message), report.breach.message
