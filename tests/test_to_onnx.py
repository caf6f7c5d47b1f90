"""The outputs of an exported network in onnxruntime are those of `predict`, for all options."""

import importlib
import json
import re

import numpy as np
import pytest
from exchange import (
    PADDINGS,
    WINDOWS,
    assert_close,
    period,
    random_array,
    shortest,
    strided,
    with_random_arrays,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import along_the_record, blocks, classifiers, in_use, ways_around
from scripts import complaint, run_example

import numpycnn as nn
from numpycnn import architectures
from numpycnn.checks.strategies import layers_and_inputs, sizes

onnx = pytest.importorskip("onnx", reason="python -m pip install -e '.[interop]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="python -m pip install -e '.[interop]'")
from numpycnn.interop import onnx_export  # noqa: E402


def session(exported):
    return onnxruntime.InferenceSession(exported.SerializeToString())


def exported(model, notes=None):
    """The network as a function of x that onnxruntime computes."""
    running = session(onnx_export.to_onnx(model, notes))
    return lambda x: running.run(["y"], {"x": x})[0]


def assert_same(theirs, ours):
    assert theirs.dtype == np.float32
    assert_close(theirs, ours)


def in_float32(model, x):
    x = x.reshape((1,) * (3 - x.ndim) + x.shape)  # a dense layer's input may have fewer axes
    return model.astype(np.float32), x.astype(np.float32)


@given(in_use(layers_and_inputs()) | classifiers() | ways_around() | blocks())
def test_every_layer_and_container_computes_what_predict_does(drawn):
    model, x = in_float32(*drawn)
    assert_same(exported(model)(x), model.predict(x))


@pytest.mark.parametrize("padding", PADDINGS, ids=str)
def test_convolutions_of_every_stride_and_dilation_at_every_remainder(padding):
    for kernel_size, stride, dilation in WINDOWS:
        options = {"stride": stride, "padding": padding, "dilation": dilation}
        layer = with_random_arrays(nn.Conv1D(2, 3, kernel_size, **options), seed=kernel_size)
        run = exported(layer)
        for length in range(shortest(layer), shortest(layer) + 2 * stride):
            x = random_array((2, length, 2), seed=length)
            assert_same(run(x), layer.predict(x))


def test_a_filter_shorter_than_the_stride_begins_at_the_first_sample():
    layer = nn.Conv1D(1, 1, 1, stride=4, padding="same")
    layer.params["w"][:] = 1
    x = np.arange(8, dtype=np.float32).reshape(1, 8, 1)
    assert exported(layer)(x).ravel().tolist() == [0, 4]


@given(strided(), st.sampled_from([nn.Residual, nn.SkipConcat]))
@settings(max_examples=30)
def test_strided_convolutions_inside_containers(drawn, kind):
    layer, lengths = drawn
    here, there = layer.in_channels, layer.out_channels
    options = {"stride": layer.stride, "padding": "same"}
    if kind is nn.Residual:  # with one way shorter than the stride
        model = nn.Residual(
            nn.Conv1D(here, there, layer.kernel_size, dilation=layer.dilation, **options),
            shortcut=nn.Conv1D(here, there, 1, **options),
        )
    else:  # at lengths that the stride divides
        inside = nn.Conv1D(here, there, layer.kernel_size, dilation=layer.dilation, **options)
        model = nn.SkipConcat(inside, nn.Upsample1D(layer.stride))
        lengths = [layer.stride, 2 * layer.stride, 7 * layer.stride]
    model = with_random_arrays(model)
    run = exported(model)
    for length in lengths:
        x = random_array((2, length, here), seed=length)
        assert_same(run(x), model.predict(x))


@pytest.mark.parametrize("kind", [nn.MaxPool1D, nn.AveragePool1D])
def test_poolings_with_samples_left_over(kind):
    for pool_size in range(1, 5):
        for stride in range(1, 6):
            layer = kind(pool_size, stride=stride)
            run = exported(layer)
            for length in range(pool_size, pool_size + 2 * stride):
                x = random_array((2, length, 2), seed=length)
                assert_same(run(x), layer.predict(x))


@given(along_the_record(), st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_one_file_serves_any_number_of_traces_of_any_length(drawn, seed):
    model, n_channels = drawn
    model = model.astype(np.float32)
    run = exported(model)
    start = np.random.default_rng(seed).integers(1, 40)
    for length in range(start, start + min(period(model), 24)):
        x = random_array((1 + length % 3, length, n_channels), seed)
        try:
            ours = model.predict(x)
        except ValueError:  # too short, or not to be halved
            continue
        assert_same(run(x), ours)


NETWORKS = {
    "lenet": architectures.lenet(3, 2, rng=0),
    "fcn": architectures.fcn(3, 2, filters=4, rng=0),
    "resnet": architectures.resnet(3, 2, filters=4, rng=0),
    "unet": architectures.unet(3, 2, filters=4, depth=3, rng=0),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_landmark_networks_compute_what_predict_does(name):
    model = with_random_arrays(NETWORKS[name])
    x = random_array((2, 64, 3))
    assert_same(exported(model)(x), model.predict(x))


# Values that are not random
# --------------------------


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


@pytest.mark.parametrize("layer", [nn.GlobalMaxPool1D(), nn.GlobalAveragePool1D()], ids=repr)
def test_a_single_nan_anywhere_is_not_lost_in_a_global_pooling(layer):
    run = exported(layer)
    for place in range(20):
        x = random_array((1, 20, 2))
        x[0, place, 0] = np.nan
        assert np.isnan(run(x)).tolist() == [[True, False]]


@pytest.mark.parametrize("layer", [nn.GlobalMaxPool1D(), nn.GlobalAveragePool1D()], ids=repr)
def test_global_poolings_of_long_traces(layer):
    x = abs(random_array((1, 2_000_000, 2))) + np.float32(1000)
    expected = layer(x.astype(np.float64))
    np.testing.assert_allclose(exported(layer)(x), expected, rtol=1e-6)


# Standardization
# ---------------


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
    model = nn.Sequential(nn.Conv1D(n_channels, 2, 3, padding="same"), nn.ReLU())
    model = with_random_arrays(model, seed)
    ours = model.predict(nn.standardize(x.astype(np.float64)))
    assert_same(exported(model, {"standardized": True})(x), ours)


def test_long_traces_with_a_large_offset_are_standardized():
    x = 1000 * random_array((1, 2_000_000, 2)) + np.float32(1e7)
    theirs = exported(nn.ReLU(), {"standardized": True})(x)
    assert_same(theirs, nn.ReLU()(nn.standardize(x.astype(np.float64))))


@pytest.mark.parametrize("values", [[3e38, -3e38, 0], [1e-42, 3e-42, 5e-42], [7, 7, 7]], ids=str)
def test_values_at_the_ends_of_the_range_are_standardized(values):
    x = np.array(values, np.float32).reshape(1, 3, 1)
    theirs = exported(nn.Dropout(0.5), {"standardized": True})(x)
    assert_same(theirs, nn.standardize(x.astype(np.float64)))


def test_a_trace_with_nan_is_not_standardized_to_numbers():
    x = np.ones((2, 5, 2), np.float32)
    x[0, 3, 0] = np.nan
    y = exported(nn.Dropout(0.5), {"standardized": True})(x)
    assert np.isnan(y[0]).all()
    assert (y[1] == 0).all()


@pytest.mark.parametrize("offset", [0, 1e4, 1e7])
@pytest.mark.parametrize("eps", [1e-5, 1e-3, 10.0])
def test_batch_norm_of_data_with_a_large_offset(offset, eps):
    layer = with_random_arrays(nn.BatchNorm(2, eps=eps, momentum=0.5))
    layer.state["mean"][:] = offset + np.array([0.3, -0.4])
    layer.state["var"][:] = [9e4, 1.0]
    x = (offset + random_array((3, 20, 2), dtype=np.float64) * [300, 1]).astype(np.float32)
    assert_same(exported(layer)(x), layer.predict(x))


@pytest.mark.parametrize("kind", [nn.Conv1D])
def test_layers_without_a_bias(kind):
    inner = kind(2, 3, 2, stride=3, padding="same", bias=False), nn.BatchNorm(3, eps=0.1)
    model = with_random_arrays(nn.Sequential(*inner, nn.ReLU(), nn.Dense(3, 2, bias=False)))
    assert not any(name.endswith("b") for name in model.params)
    x = random_array((3, 20, 2))
    assert_same(exported(model)(x), model.predict(x))


# Models
# ------


def test_a_chain_with_a_custom_constructor_can_be_exported():
    class Classifier(nn.Sequential):
        def __init__(self, n_classes):
            self.n_classes = n_classes
            super().__init__(nn.Conv1D(2, 4, 3, rng=0), nn.Flatten(), nn.Dense(8, n_classes))

    model, x = with_random_arrays(Classifier(3)), random_array((5, 4, 2))
    assert_same(exported(model)(x), model.predict(x))


@pytest.mark.parametrize("dtype", ["float16", "float64", ">f4", ">f8"])
def test_parameters_of_any_float_type_are_exported(dtype):
    layers = nn.Conv1D(2, 4, 3, padding="same", stride=2), nn.BatchNorm(4), nn.Dense(4, 3)
    model, x = with_random_arrays(nn.Sequential(*layers), dtype=dtype), random_array((5, 9, 2))
    assert_close(exported(model)(x), model.predict(x))


def test_a_custom_layer_is_refused_wherever_it_is():
    class Squared(nn.Dense):
        def forward(self, x):
            return super().forward(x**2)

    class Percent(nn.Sequential):
        def predict(self, x, batch_size=None):
            return 100 * super().predict(x, batch_size)

    for model in (
        nn.Sequential(nn.Residual(nn.ReLU(), Squared(2, 2))),
        nn.Residual(nn.ReLU(), shortcut=Squared(2, 2)),
    ):
        with pytest.raises(TypeError, match=r"to_onnx.*Squared\(2, 2\)"):
            onnx_export.to_onnx(model)
    with pytest.raises(TypeError, match=r"to_onnx.*Percent"):
        onnx_export.to_onnx(Percent(nn.ReLU()))
    with pytest.raises(TypeError, match=r"to_onnx.*InTraining"):
        onnx_export.to_onnx(nn.Sequential(nn.BatchNorm(2)).for_training(rng=0))
    with pytest.raises(TypeError, match=r"to_onnx.*model\.npz"):
        onnx_export.to_onnx("model.npz")


@pytest.mark.parametrize("dtype", [complex, int])
@pytest.mark.parametrize("layer", [nn.Dense(2, 3), nn.Conv1D(2, 2, 1), nn.BatchNorm(2)], ids=repr)
def test_parameters_that_are_not_real_floats_are_refused(layer, dtype):
    model = nn.Sequential(nn.ReLU(), layer)
    arrays = {name: array.astype(dtype) for name, array in model.params.items()}
    with pytest.raises(TypeError, match=rf"to_onnx: params\['1\..*{dtype.__name__}"):
        onnx_export.to_onnx(model.with_params(arrays))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("name", ["0.w", "0.b", "1.gamma", "1.beta", "1.mean", "1.var", "2.w"])
def test_numbers_that_are_not_finite_in_float32_are_refused(name, value):
    model = nn.Sequential(nn.Dense(2, 2), nn.BatchNorm(2), nn.Conv1D(2, 2, 1)).astype(float)
    {**model.params, **model.state}[name][..., 1] = value
    with pytest.raises(ValueError, match=rf"to_onnx: .*'{name}'.*{re.escape(str(value))} at"):
        onnx_export.to_onnx(model)


def test_shapes_that_a_residual_refuses_are_refused_by_the_graph():
    shorter = nn.Residual(nn.Conv1D(2, 2, 1, stride=2, padding="same"), nn.Upsample1D(2))
    wider = nn.Residual(nn.Conv1D(1, 3, 1))
    for model, x in (shorter, random_array((1, 1, 2))), (wider, random_array((1, 4, 1))):
        with pytest.raises(ValueError, match="Residual"):
            model.predict(x)
        with pytest.raises(Exception, match="Reshape"):
            exported(model)(x)


# The script
# ----------


def network():
    layers = nn.Conv1D(2, 4, 5), nn.ReLU(), nn.Flatten(), nn.Dense(24, 3)
    return with_random_arrays(nn.Sequential(*layers))


def strides():
    """A network for any length, with a product of strides of 6 and a filter shorter than one."""
    first = nn.Conv1D(1, 2, 1, stride=3, padding="same")
    return with_random_arrays(nn.Sequential(first, nn.ReLU(), nn.MaxPool1D(2, stride=2)))


def test_the_script_stores_the_notes_and_compares(tmp_path, capsys):
    notes = {"classes": ["Lärm", "arrival"], "shape": [10, 2], "standardized": True}
    network().save(tmp_path / "model.npz", notes)
    run_example("to_onnx", tmp_path, "model.npz", "model.onnx")
    printed = capsys.readouterr().out
    assert "x (N, L, 2) becomes y (N, 3), float32" in printed
    assert "at 10 samples" in printed
    assert "saved model.onnx" in printed
    saved = onnx.load(tmp_path / "model.onnx")
    assert {note.key: json.loads(note.value) for note in saved.metadata_props} == notes
    assert saved.producer_name == "numpycnn"
    assert {path.name for path in tmp_path.iterdir()} == {"model.npz", "model.onnx"}


def test_the_script_finds_a_length_where_there_are_no_notes(tmp_path, capsys):
    network().save(tmp_path / "model.npz")
    run_example("to_onnx", tmp_path, "model.npz", "plain.onnx")
    assert "at 10 samples" in capsys.readouterr().out
    run_example("to_onnx", tmp_path, "model.npz", "model.onnx", "--standardize")
    assert "standardized: true" in capsys.readouterr().out
    x = np.arange(40, dtype=np.float32).reshape(2, 10, 2)
    plain, standardizing = (
        session(onnx.load(tmp_path / name)).run(["y"], {"x": x})[0]
        for name in ("plain.onnx", "model.onnx")
    )
    assert abs(plain - standardizing).max() > 0.1


def test_traces_of_every_remainder_are_compared():
    model = strides()
    lengths = [x.shape[1] for x, _ in onnx_export.some_traces(model, {})]
    assert len(lengths) == 2 * period(model) == 12
    assert {length % 6 for length in lengths[:6]} == {length % 6 for length in lengths[6:]}
    assert {length % 6 for length in lengths} == set(range(6))
    # Four samples are pooled to two, and so are five.
    flat = nn.Sequential(nn.MaxPool1D(2), nn.Flatten(), nn.Dense(4, 2))
    for shape in [4, 2], [5, 2]:
        lengths = [x.shape[1] for x, _ in onnx_export.some_traces(flat, {"shape": shape})]
        assert sorted(lengths) == [4, 5]
    # Without a shape there is one channel, and eight or nine samples.
    for notes in {}, {"shape": "round"}, {"shape": [8.0, 1]}:
        assert {x.shape[1] for x, _ in onnx_export.some_traces(flat, notes)} == {8, 9}


def test_a_difference_at_one_remainder_leaves_no_file(tmp_path, capsys, monkeypatch):
    def same_upper(graph, layer, x):
        w = layer.params["w"].transpose(2, 1, 0)
        options = {"strides": [layer.stride], "auto_pad": "SAME_UPPER"}
        return onnx_export.along_samples(graph, x, lambda x: graph.add("Conv", x, w, **options))

    strides().save(tmp_path / "model.npz")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(onnx_export.OPERATIONS, nn.Conv1D, same_upper)
    monkeypatch.setattr("sys.argv", ["to_onnx.py", "model.npz", "model.onnx"])
    for before in None, b"the file of yesterday":
        if before:
            (tmp_path / "model.onnx").write_bytes(before)
        with pytest.raises(SystemExit) as stop:
            importlib.import_module("to_onnx").main()
        assert stop.value.code == 1
        assert "of the largest output, at " in capsys.readouterr().err
        left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert left.pop("model.npz")
        assert left == ({"model.onnx": before} if before else {})


def test_the_script_refuses_what_it_cannot_export(tmp_path, capsys):
    options = "to_onnx", tmp_path, capsys, "model.npz", "model.onnx"
    (tmp_path / "model.npz").write_text("no archive")
    assert "complete numpycnn model" in complaint(*options)
    nn.Residual(nn.Conv1D(1, 3, 1)).save(tmp_path / "model.npz", {"shape": [7, 1]})
    assert "(4, 7, 3)" in complaint(*options)
    network().save(tmp_path / "model.npz")
    assert "onnx must" in complaint(*options[:-1], "./model.npz")
    assert "nowhere/model.onnx" in complaint(*options[:-1], "nowhere/model.onnx")
    assert nn.Sequential.load(tmp_path / "model.npz")
    assert not (tmp_path / "model.onnx").exists()
