"""What onnxruntime answers is what `predict` answers, over all layers and options."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import along_the_record, blocks, classifiers, in_use, lengths, ways_around
from scripts import complaint, run_example

import numpycnn as nn
from numpycnn import architectures
from numpycnn.checks.strategies import distinct, layers_and_inputs, sizes
from numpycnn.layers import conv1d

onnx = pytest.importorskip("onnx", reason="python -m pip install -e '.[interop]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="python -m pip install -e '.[interop]'")
to_onnx = pytest.importorskip("to_onnx")


def session(exported):
    return onnxruntime.InferenceSession(exported.SerializeToString())


def answer(running, x):
    (y,) = running.run(["y"], {"x": x})
    return y


def assert_same(theirs, ours):
    assert theirs.shape == ours.shape
    assert theirs.dtype == np.float32
    largest = abs(ours).max(initial=1.0)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5 * largest)


def in_float32(model, x):
    x = x.reshape((1,) * (3 - x.ndim) + x.shape)  # a dense layer's input may have fewer axes
    return model.astype(np.float32), x.astype(np.float32)


@given(in_use(layers_and_inputs()) | classifiers() | ways_around() | blocks())
def test_every_layer_and_container_answers_as_predict_does(drawn):
    model, x = in_float32(*drawn)
    assert_same(answer(session(to_onnx.to_onnx(model)), x), model.predict(x))


@given(along_the_record(), st.data())
@settings(max_examples=50)
def test_one_file_serves_any_number_of_traces_of_any_length(drawn, data):
    model, n_channels = drawn
    model = model.astype(np.float32)
    running = session(to_onnx.to_onnx(model))
    for n_traces in 1, 3:
        length = data.draw(lengths(60))
        x = data.draw(distinct((n_traces, length, n_channels))).astype(np.float32)
        try:
            ours = model.predict(x)
        except ValueError:  # too short, or not to be halved
            continue
        assert_same(answer(running, x), ours)


NETWORKS = {
    "lenet": architectures.lenet(3, 2, rng=0),
    "fcn": architectures.fcn(3, 2, filters=4, rng=0),
    "resnet": architectures.resnet(3, 2, filters=4, rng=0),
    "unet": architectures.unet(3, 2, filters=4, depth=3, rng=0),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_landmark_networks_answer_as_predict_does(name):
    x = np.random.default_rng(0).standard_normal((2, 64, 3)).astype(np.float32)
    running = session(to_onnx.to_onnx(NETWORKS[name]))
    assert_same(answer(running, x), NETWORKS[name].predict(x))


@given(
    st.integers(0, 2**32 - 1), sizes(1, 3), sizes(2, 20), st.floats(-10, 10), st.floats(0.01, 1e6)
)
@settings(max_examples=50)
def test_it_standardises_as_we_do_where_the_notes_say_so(seed, n_channels, length, offset, scale):
    x = np.random.default_rng(seed).standard_normal((3, length, n_channels))
    x = (scale * (x + offset)).astype(np.float32)
    x[1] = x[1, 0]  # a constant trace
    model = nn.Sequential(nn.Conv1D(n_channels, 2, 3, padding="same", rng=0))
    running = session(to_onnx.to_onnx(model, {"standardised": True}))
    ours = model.predict(nn.standardise(x))
    # Both subtract in float32, and lose the more digits the larger the offset.
    np.testing.assert_allclose(answer(running, x), ours, rtol=0, atol=1e-5 * (1 + abs(offset)) ** 2)


def test_a_chain_with_a_constructor_of_ones_own_can_be_exported():
    class Classifier(nn.Sequential):
        def __init__(self, n_classes):
            self.n_classes = n_classes
            super().__init__(conv1d.Conv1D(2, 4, 3, rng=0), nn.Flatten(), nn.Dense(8, n_classes))

    model, x = Classifier(3), np.ones((5, 4, 2), np.float32)
    assert_same(answer(session(to_onnx.to_onnx(model)), x), model.predict(x))


def test_a_layer_of_ones_own_is_refused_wherever_it_is():
    class Squared(nn.Dense):
        def forward(self, x):
            return super().forward(x**2)

    model = nn.Sequential(nn.Residual(nn.ReLU(), Squared(2, 2)))
    with pytest.raises(TypeError, match=r"no operation for the forward of Squared, in Squared\(2"):
        to_onnx.to_onnx(model)
    with pytest.raises(TypeError, match="complex"):
        to_onnx.to_onnx(nn.Dense(2, 2).astype(complex))


def network():
    conv, dense = nn.Conv1D(2, 4, 5, rng=0), nn.Dense(24, 3, rng=1)
    return nn.Sequential(conv, nn.ReLU(), nn.Flatten(), dense)


def test_the_script_takes_the_notes_along_and_compares(tmp_path, capsys):
    notes = {"classes": ["Lärm", "arrival"], "shape": [10, 2], "standardised": True}
    network().save(tmp_path / "model.npz", notes)
    run_example("to_onnx", tmp_path, "model.npz", "model.onnx")
    printed = capsys.readouterr().out
    assert "x (N, L, 2) becomes y (N, 3), float32" in printed
    assert "of predict, for 16 random traces of 10 samples" in printed
    assert "saved model.onnx" in printed
    saved = onnx.load(tmp_path / "model.onnx")
    assert {note.key: json.loads(note.value) for note in saved.metadata_props} == notes
    assert saved.producer_name == "numpycnn"


def test_the_script_finds_a_length_where_there_are_no_notes(tmp_path, capsys):
    network().save(tmp_path / "model.npz")
    run_example("to_onnx", tmp_path, "model.npz", "plain.onnx")
    assert "random traces of 10 samples" in capsys.readouterr().out
    run_example("to_onnx", tmp_path, "model.npz", "model.onnx", "--standardise")
    assert "standardised: true" in capsys.readouterr().out
    x = np.arange(40, dtype=np.float32).reshape(2, 10, 2)
    plain, standardising = (
        answer(session(onnx.load(tmp_path / name)), x) for name in ("plain.onnx", "model.onnx")
    )
    assert abs(plain - standardising).max() > 0.1


def test_the_script_refuses_what_it_cannot_read(tmp_path, capsys):
    (tmp_path / "model.npz").write_text("no archive")
    assert "is not a whole numpycnn model" in complaint(
        "to_onnx", tmp_path, capsys, "model.npz", "model.onnx"
    )
    assert not (tmp_path / "model.onnx").exists()
