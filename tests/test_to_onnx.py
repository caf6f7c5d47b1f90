"""The outputs of an exported network in onnxruntime are those of `predict`, for all options."""

import json
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import along_the_record, assert_close, blocks, classifiers, in_use, ways_around
from scripts import run_example

import numpycnn as nn
from numpycnn.checks.strategies import layers_and_inputs, sizes

onnx = pytest.importorskip("onnx", reason="python -m pip install -e '.[interop]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="python -m pip install -e '.[interop]'")
from numpycnn.interop import onnx_export  # noqa: E402


def random_array(shape, seed, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def exported(model, notes=None):
    """The network as a function of x that onnxruntime computes."""
    file = onnx_export.to_onnx(model, notes).SerializeToString()
    running = onnxruntime.InferenceSession(file)
    return lambda x: running.run(["y"], {"x": x})[0]


def assert_same(theirs, ours):
    assert theirs.dtype == np.float32
    assert_close(theirs, ours)


def in_float32(model, x):
    x = x.reshape((1,) * (3 - x.ndim) + x.shape)  # a dense layer's input may have fewer axes
    return model.astype(np.float32), x.astype(np.float32)


@settings(max_examples=40)
@given(in_use(layers_and_inputs()) | classifiers() | ways_around() | blocks())
def test_every_layer_and_container_computes_what_predict_does(drawn):
    model, x = in_float32(*drawn)
    assert_same(exported(model)(x), model.predict(x))


@given(along_the_record(), st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_one_file_serves_any_number_of_traces_of_any_length(drawn, seed):
    model, n_channels = drawn
    model = model.astype(np.float32)
    run = exported(model)
    start = np.random.default_rng(seed).integers(1, 40)
    period = prod(getattr(layer, "stride", 1) for _, layer in model.walk())
    for length in range(start, start + min(period, 24)):
        x = random_array((1 + length % 3, length, n_channels), seed)
        try:
            ours = model.predict(x)
        except ValueError:  # too short, or not to be halved
            continue
        assert_same(run(x), ours)


# Values that are not random
# --------------------------


@settings(max_examples=20)
@given(along_the_record(), sizes(1, 40), st.integers(0, 2**32 - 1))
def test_nan_spreads_as_it_does_here(drawn, length, seed):
    model, n_channels = drawn
    model = nn.Sequential(*model.astype(np.float32), nn.MaxPool1D(2, stride=1))
    x = random_array((3, length, n_channels), seed)
    rng = np.random.default_rng(seed)
    x[0, rng.integers(length)] = np.nan
    x[1, :, rng.integers(n_channels)] = np.nan
    try:
        ours = model(x)
    except ValueError:
        return
    assert_same(exported(model)(x), ours)


# Standardization
# ---------------


@settings(max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    sizes(1, 3),
    sizes(2, 300),
    st.floats(-1e7, 1e7),
    st.sampled_from([1e-3, 1.0, 1e3, 1e12]),
)
def test_it_standardizes_as_we_do_where_the_notes_say_so(seed, n_channels, length, offset, scale):
    x = random_array((3, length, n_channels), seed, np.float64)
    # A signal of a hundred units in the last place of the offset, or more.
    x = np.float32(scale) * (x * max(1.0, 1e-5 * abs(offset)) + offset).astype(np.float32)
    x[1] = x[1, 0]  # a constant trace
    model = nn.Sequential(nn.Conv1D(n_channels, 2, 3, padding="same", rng=seed), nn.ReLU())
    ours = model.predict(nn.standardize(x.astype(np.float64)))
    assert_same(exported(model, {"standardized": True})(x), ours)


# Models
# ------


def test_a_custom_layer_is_refused_wherever_it_is():
    class Squared(nn.Dense):
        def forward(self, x):
            return super().forward(x**2)

    in_training = nn.Sequential(nn.BatchNorm(2)).for_training(rng=0)
    for model, named in (
        (nn.Residual(nn.ReLU(), shortcut=Squared(2, 2)), r"Squared\(2, 2\)"),
        (in_training, "InTraining"),
        ("model.npz", r"model\.npz"),
    ):
        with pytest.raises(TypeError, match=f"to_onnx.*{named}"):
            onnx_export.to_onnx(model)


@pytest.mark.parametrize("dtype", [complex, int])
@pytest.mark.parametrize("layer", [nn.Dense(2, 3), nn.Conv1D(2, 2, 1), nn.BatchNorm(2)], ids=repr)
def test_parameters_that_are_not_real_floats_are_refused(layer, dtype):
    model = nn.Sequential(nn.ReLU(), layer)
    arrays = {name: array.astype(dtype) for name, array in model.params.items()}
    with pytest.raises(TypeError, match=rf"to_onnx: params\['1\..*{dtype.__name__}"):
        onnx_export.to_onnx(model.with_params(arrays))


# The script
# ----------


def test_the_script_stores_the_notes_and_compares(tmp_path, capsys):
    notes = {"classes": ["Lärm", "arrival"], "shape": [10, 2], "standardized": True}
    model = nn.Sequential(nn.Conv1D(2, 4, 5), nn.ReLU(), nn.Flatten(), nn.Dense(24, 3))
    model.save(tmp_path / "model.npz", notes)
    run_example("to_onnx", tmp_path, "model.npz", "model.onnx")
    printed = capsys.readouterr().out
    assert "x (N, L, 2) becomes y (N, 3), float32" in printed
    assert "at 10 samples" in printed
    assert "saved model.onnx" in printed
    saved = onnx.load(tmp_path / "model.onnx")
    assert {note.key: json.loads(note.value) for note in saved.metadata_props} == notes
    assert saved.producer_name == "numpycnn"
    assert {path.name for path in tmp_path.iterdir()} == {"model.npz", "model.onnx"}
