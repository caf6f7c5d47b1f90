"""Save and load: exact, whole or not at all, and never a pickle."""

import io
import json
import os
import pickle
import re
import stat
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import is_same, picker
from numpy.testing import assert_allclose, assert_array_equal
from refusals import refused

from numpycnn import (
    Conv1D,
    Dense,
    Flatten,
    Layer,
    MaxPool1D,
    ReLU,
    Residual,
    Sequential,
    SkipConcat,
    fit,
)
from numpycnn.checks.strategies import generators, networks
from numpycnn.layers.storage import load_notes


def small_model(rng=0):
    return Sequential(Dense(2, 3, rng=rng), ReLU(), Sequential(Dense(3, 2, rng=rng)))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """One path for Hypothesis to overwrite again and again, without waiting for the disc."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield tmp_path_factory.mktemp("storage") / "model.npz"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


# The round trip
# --------------


@given(networks(), st.sampled_from([np.float32, np.float64]), st.booleans())
def test_a_loaded_model_is_the_saved_one_and_predicts_the_same_bits(scratch, case, dtype, nested):
    model, x = case
    if nested:
        model = Sequential(*model.layers[:2], Sequential(*model.layers[2:]))
    model, x = model.astype(dtype), x.astype(dtype)
    model.save(scratch)
    loaded = Sequential.load(scratch)
    assert is_same(model, loaded)
    assert model.predict(x).tobytes() == loaded.predict(x).tobytes()


@given(
    stride=st.integers(1, 3),
    padding=st.one_of(
        st.sampled_from(["valid", "same", "causal"]),
        st.integers(0, 3),
        st.tuples(st.integers(0, 3), st.integers(0, 3)),
    ),
    dilation=st.integers(1, 3),
    pool=st.integers(1, 3),
    pool_stride=st.none() | st.integers(1, 3),
    rng=generators,
)
def test_every_setting_of_a_layer_survives(
    scratch, stride, padding, dilation, pool, pool_stride, rng
):
    model = Sequential(
        Conv1D(2, 3, 4, stride=stride, padding=padding, dilation=dilation, rng=rng),
        MaxPool1D(pool, stride=pool_stride),
    )
    model.save(scratch)
    loaded = Sequential.load(scratch)
    assert is_same(model, loaded)
    assert [type(layer) for layer in loaded] == [Conv1D, MaxPool1D]
    x = rng.standard_normal((2, 40, 2), dtype=np.float32)
    assert_array_equal(model.predict(x), loaded.predict(x))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, -0.0, 1e-45])
def test_odd_numbers_survive_too(path, number):
    model = small_model()
    model.params["0.w"][0, 1] = number
    model.save(path)
    assert is_same(model, Sequential.load(path))


def test_a_loaded_model_can_be_trained_on(path):
    small_model().save(path)
    loaded = Sequential.load(path)
    loaded.params["0.w"] += 1  # neither read-only nor a copy
    assert_array_equal(loaded.layers[0].params["w"], small_model().params["0.w"] + 1)


def test_a_path_may_be_a_text_and_needs_no_suffix(tmp_path):
    for name in ("model", "model.npz", "my model.net", "…é.npz"):
        small_model().save(str(tmp_path / name))
        assert (tmp_path / name).is_file()
        assert is_same(small_model(), Sequential.load(str(tmp_path / name)))


def test_the_file_holds_arrays_and_json_and_no_pickle(path):
    model = Sequential(Dense(4, 3), ReLU())
    model.save(path)
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    assert set(arrays) == {"architecture", "0.w", "0.b"}
    assert json.loads(str(arrays["architecture"])) == {
        "layer": "Sequential",
        "layers": [
            {"layer": "Dense", "in_features": 4, "out_features": 3, "bias": True},
            {"layer": "ReLU"},
        ],
    }


@pytest.mark.parametrize("kind", [Residual, SkipConcat])
def test_ways_around_are_kept_in_one_another_and_at_the_outside(path, kind):
    model = kind(Dense(2, 2), Residual(ReLU(), SkipConcat(Dense(2, 2)), Dense(4, 2)))
    model.save(path)
    assert is_same(model, kind.load(path))
    other = SkipConcat if kind is Residual else Residual
    with refused(ValueError, "load", "path", other.__name__, "model.npz", kind.__name__):
        other.load(path)


# Files of released versions
# --------------------------
# Each was written by that version, with every kind of layer it had. Its notes hold an input and
# the output for it, computed in float64 at that time.


@pytest.mark.parametrize("version", ["0.1.0"])
def test_a_file_of_a_released_version_loads_and_predicts_what_it_predicted(version):
    path = Path(__file__).with_name("files") / f"version_{version}.npz"
    notes = load_notes(path)
    x = np.array(notes["x"], np.float32)
    model = Sequential.load(path)
    assert_allclose(model.predict(x), notes["y"], atol=2e-6)
    assert {array.dtype for array in model.params.values()} == {x.dtype}
    fit(Sequential(*model.layers[:-1]), x, [0, 1, 2, 0], epochs=2, rng=0)
    assert abs(model.predict(x) - notes["y"]).max() > 1e-3


# Notes
# -----


def test_notes_are_kept_in_the_file_and_do_not_change_the_model(path):
    notes = {"classes": ["noise", "P"], "rate": 0.01, "deep": [{"a": None, "é": True}]}
    small_model().save(path, notes)
    assert load_notes(path) == notes
    assert is_same(small_model(), Sequential.load(path))
    small_model().save(path, notes=0)
    assert load_notes(path) == 0
    small_model().save(path)
    assert load_notes(path) is None


def test_notes_that_json_has_no_words_for_leave_the_old_file(path):
    small_model().save(path, "old")
    with pytest.raises(TypeError, match=r"^save\b.*\bnotes\b.*ndarray: array"):
        small_model(rng=1).save(path, {"mean": np.zeros(2)})
    assert load_notes(path) == "old"


def test_notes_of_another_file_are_refused(path):
    path.write_text("classes: noise, P")
    with refused(ValueError, "load", "path", "model.npz"):
        load_notes(path)


# Damaged files
# -------------


@given(st.data())
def test_no_piece_of_a_file_loads_wherever_it_was_cut_off(scratch, data):
    small_model().save(scratch)
    whole = scratch.read_bytes()
    scratch.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ValueError, match=r"^load: path .*model\.npz: "):
        Sequential.load(scratch)


def loads_the_same_or_says_what_is_wrong(model, path):
    try:
        loaded = Sequential.load(path)
    except ValueError as error:
        return str(path) in str(error) and "load: path must be a complete" in str(error)
    return is_same(model, loaded)


@settings(max_examples=150)
@given(st.data())
def test_damaged_bytes_are_noticed_or_did_not_matter(scratch, data):
    small_model().save(scratch)
    damaged = bytearray(scratch.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    scratch.write_bytes(damaged)
    assert loads_the_same_or_says_what_is_wrong(small_model(), scratch)


def test_any_damaged_bit_of_the_table_of_contents_is_noticed_or_did_not_matter(path):
    """There the zip keeps versions, flags, methods of compression, and where everything is."""
    model = Sequential(Dense(1, 1))
    model.save(path)
    whole = path.read_bytes()
    start = whole.index(b"PK\x01\x02")
    for place in range(start, len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            assert loads_the_same_or_says_what_is_wrong(model, path), (place - start, bit)


@pytest.mark.parametrize("kind", [b"<f2", b"<i2", b"<i4", b"|u1", b">f4", b"<f8", b"<c8"])
def test_a_damaged_type_of_a_large_array_is_noticed(path, kind):
    """A shorter type leaves the rest of the array unread, and with it the checksum at its end."""
    model = Sequential(Dense(256, 16))
    model.save(path)
    path.write_bytes(path.read_bytes().replace(b"<f4", kind, 1))
    with pytest.raises(ValueError, match="load: path"):
        Sequential.load(path)


# Foreign files
# -------------


def write_text(path):
    path.write_text("epoch,loss\n1,1.0986\n")


def write_npy(path):
    with path.open("wb") as file:
        np.save(file, np.arange(5.0))


def write_other_npz(path):
    np.savez(path, x=np.arange(5.0), y=np.arange(5))


def write_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing here")


def write_zip_with_a_text_called_architecture(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("architecture", "a house with a garden")


def write_pickle(path):
    path.write_bytes(pickle.dumps({"0.w": [1.0, 2.0]}))


def architecture(text):
    return lambda path: np.savez(path, architecture=np.array(text))


FOREIGN = {
    "empty file": Path.touch,
    "text": write_text,
    "npy": write_npy,
    "other npz": write_other_npz,
    "zip": write_zip,
    "zip with architecture": write_zip_with_a_text_called_architecture,
    "pickle": write_pickle,
    "not JSON": architecture("Sequential(Dense(4, 3))"),
    "a number": architecture("3"),
    "null": architecture("null"),
    "a list": architecture("[]"),
    "no layer": architecture("{}"),
    "no layers": architecture('{"layer": "Sequential"}'),
    "layers of no kind": architecture('{"layer": "Sequential", "layers": [3, "Dense"]}'),
    "a kind that is no name": architecture('{"layer": ["Dense"]}'),
    "a setting too many": architecture(
        '{"layer": "Sequential", "layers": [{"layer": "ReLU", "slope": 0.1}]}'
    ),
    "a setting too few": architecture(
        '{"layer": "Sequential", "layers": [{"layer": "Dense", "in_features": 4}]}'
    ),
    "a bad setting": architecture(
        '{"layer": "Sequential", "layers": [{"layer": "MaxPool1D", "pool_size": 0}]}'
    ),
    "brackets without end": architecture("[" * 100_000),
}


@pytest.mark.parametrize("write", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_file_is_refused_with_its_name(path, write):
    write(path)
    with pytest.raises(ValueError, match=r"^load: path .*model\.npz: .+"):
        Sequential.load(path)


def spoil_a_part(path):
    """Change one number of one array, so that its sum no longer holds."""
    Sequential(Dense(1, 1)).save(path)
    whole = path.read_bytes()
    last_of_w = whole.index(b"PK", whole.index(b"0.w.npy")) - 1
    path.write_bytes(whole[:last_of_w] + bytes([whole[last_of_w] ^ 1]) + whole[last_of_w + 1 :])


def give_whole_numbers(path):
    rewrite(path, lambda arrays: arrays.update({"0.b": np.zeros(3, np.int16)}))


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (write_text, ".npz"),
        (spoil_a_part, "0.w.npy"),
        (write_other_npz, "architecture"),
        (give_whole_numbers, "0.b of type int16"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_words(path, write, words):
    write(path)
    with refused(ValueError, "load", "path", "model.npz", words):
        Sequential.load(path)


class Bomb:
    """Unpickled, it writes a file: the proof that code was run."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.write_text, (self.mark, "boom")


def pickled(path, bomb):
    path.write_bytes(pickle.dumps(bomb))


def npz_of_objects(path, bomb):
    np.savez(path, architecture=np.array([bomb], dtype=object))


def model_with_an_array_of_objects(path, bomb):
    small_model().save(path)
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, "0.b": np.array([bomb] * 3, dtype=object)})


@pytest.mark.parametrize("write", [pickled, npz_of_objects, model_with_an_array_of_objects])
def test_a_pickle_is_refused_and_not_run(tmp_path, path, write):
    mark = tmp_path / "mark"
    write(path, Bomb(mark))
    with pytest.raises(ValueError, match="load: path"):
        Sequential.load(path)
    assert not mark.exists()

    pickle.loads(pickle.dumps(Bomb(mark)))  # while a pickle that is run leaves its mark
    assert mark.exists()


def rewrite(path, change):
    """Save a small model, with its arrays changed."""
    small_model().save(path)
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(path, **arrays)


WRONG_WEIGHTS = {
    "missing": lambda arrays: arrays.pop("0.w"),
    "all missing": lambda arrays: [arrays.pop(name) for name in list(arrays) if "." in name],
    "extra": lambda arrays: arrays.update({"7.w": np.zeros(2)}),
    "of another shape": lambda arrays: arrays.update({"0.w": arrays["0.w"].T}),
    "with a longer axis": lambda arrays: arrays.update({"0.b": np.zeros(4, np.float32)}),
    "under another name": lambda arrays: arrays.update({"0.v": arrays.pop("0.w")}),
}


@pytest.mark.parametrize("change", WRONG_WEIGHTS.values(), ids=WRONG_WEIGHTS.keys())
def test_weights_that_do_not_belong_to_the_architecture_are_refused(path, change):
    rewrite(path, change)
    with refused(ValueError, "load", "path", "model.npz", "0.b"):
        Sequential.load(path)


@pytest.mark.parametrize("dtype", [str, bool, int, "datetime64[s]"])
def test_weights_that_are_no_floats_are_refused(path, dtype):
    rewrite(path, lambda arrays: arrays.update({"0.b": np.zeros(3, int).astype(dtype)}))
    with pytest.raises(ValueError, match="load: path"):
        Sequential.load(path)


def test_a_single_layer_is_no_network(path):
    np.savez(
        path,
        architecture=np.array('{"layer": "Dense", "in_features": 2, "out_features": 1}'),
        w=np.zeros((2, 1)),
        b=np.zeros(1),
    )
    with refused(ValueError, "load", "path", "model.npz", "Dense"):
        Sequential.load(path)


# Layers of one's own
# -------------------


class Scale(Layer):
    def __init__(self, n_channels, *, factor=1.0):
        super().__init__(scale=np.full(n_channels, factor))
        self.n_channels, self.factor = n_channels, factor

    def forward(self, x):
        return x * self.params["scale"], x

    def backward(self, dy, cache):
        return dy * self.params["scale"], {"scale": (dy * cache).sum(axis=0)}


def test_a_layer_of_ones_own_loads_when_its_class_is_given(path):
    model = Sequential(Dense(2, 3), Sequential(Scale(3, factor=2.5)))
    model.save(path)
    assert is_same(model, Sequential.load(path, Scale))


class Draws(Layer):
    """Draws its weights, works on what it drew, and has an argument that is a dict."""

    def __init__(self, names, *, rng=None):
        w = np.random.default_rng(rng).uniform(-1, 1, 3)
        w *= 2
        super().__init__(w=w)
        self.names = names


def test_a_layer_of_ones_own_may_draw_its_weights_as_it_likes(path):
    model = Sequential(Draws({"a": [1, None]}, rng=0))
    model.save(path)
    assert is_same(model, Sequential.load(path, Draws))


class Wrapper(Layer):
    def __init__(self, layer):
        super().__init__(**layer.params)
        self.layer = layer


def test_an_argument_that_would_hide_the_name_of_the_class_is_refused(path):
    with pytest.raises(TypeError, match=r"^save\b.*\blayer\b.*Wrapper"):
        Sequential(Wrapper(Dense(2, 2))).save(path)
    assert not path.exists()


def test_a_layer_of_unknown_class_is_named_with_what_to_do(path):
    Sequential(Scale(3)).save(path)
    with refused(ValueError, "load", "path", "model.npz", "load(path, Scale)"):
        Sequential.load(path)


# Whole or not at all
# -------------------


def savez_that_fails_half_way(file, **arrays):
    file.write(b"PK\x03\x04 half a model")
    raise OSError("no space left on device")


def savez_that_is_interrupted(file, **arrays):
    file.write(b"PK\x03\x04 half a model")
    raise KeyboardInterrupt


def fsync_that_fails(file):
    raise OSError("input/output error")


FAILURES = [
    (np, "savez", savez_that_fails_half_way, OSError),
    (np, "savez", savez_that_is_interrupted, KeyboardInterrupt),
    (os, "fsync", fsync_that_fails, OSError),
]


@pytest.mark.parametrize(("module", "function", "failing", "kind"), FAILURES)
@pytest.mark.parametrize("old", [True, False], ids=["over an old file", "where none was"])
def test_saving_that_fails_leaves_the_old_file_whole_and_no_litter(
    tmp_path, path, monkeypatch, module, function, failing, kind, old
):
    if old:
        small_model().save(path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    monkeypatch.setattr(module, function, failing)
    with pytest.raises(kind):
        small_model(rng=1).save(path)

    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    monkeypatch.undo()
    small_model(rng=1).save(path)
    assert is_same(small_model(rng=1), Sequential.load(path))


def test_saving_replaces_the_old_file_and_leaves_nothing_beside_it(tmp_path, path):
    path.write_text("something else, and longer than a model" * 1000)
    small_model().save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]
    assert is_same(small_model(), Sequential.load(path))


def test_who_has_the_old_file_open_still_reads_the_old_model(path):
    small_model(rng=0).save(path)
    with path.open("rb") as old:
        small_model(rng=1).save(path)
        path.with_name("copy.npz").write_bytes(old.read())
    assert is_same(small_model(rng=0), Sequential.load(path.with_name("copy.npz")))
    assert is_same(small_model(rng=1), Sequential.load(path))


@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_is_followed_and_stays_a_link(tmp_path, path, dangling):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target.npz"
    if not dangling:
        small_model(rng=1).save(target)
    path.symlink_to(target)
    small_model(rng=0).save(path)
    assert path.is_symlink()
    assert not target.is_symlink()
    assert is_same(small_model(rng=0), Sequential.load(target))
    assert [file.name for file in target.parent.iterdir()] == ["target.npz"]


def test_a_layer_that_cannot_be_written_down_leaves_the_old_file(tmp_path, path):
    small_model().save(path)
    whole = path.read_bytes()
    with pytest.raises(TypeError, match=r"^save\b.*arguments of layers.* ndarray"):
        Sequential(Scale(3, factor=np.ones(3))).save(path)
    assert path.read_bytes() == whole
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


# Files that are not there
# ------------------------


def test_loading_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz"):
        Sequential.load(tmp_path / "nowhere.npz")


def test_loading_a_directory_says_so(tmp_path):
    with pytest.raises(IsADirectoryError):
        Sequential.load(tmp_path)


def test_saving_into_a_directory_that_is_not_there_says_so_and_makes_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        small_model().save(tmp_path / "missing" / "model.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["models", "models/", "new/", "new/.", "models/..", "", "."])
def test_saving_to_a_folder_says_so_and_makes_nothing(tmp_path, monkeypatch, name):
    """A name that ends in a slash means a folder, as it does for `open`."""
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    for act in (small_model().save, Sequential.load, load_notes):
        with pytest.raises(IsADirectoryError, match=rf"\bpath\b.*{re.escape(repr(name))}"):
            act(name)
    assert [file.name for file in tmp_path.iterdir()] == ["models"]
    assert not list((tmp_path / "models").iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_not_replaced_and_nobody_waits_at_it(tmp_path, path):
    os.mkfifo(path)
    for act in (small_model().save, Sequential.load, load_notes):
        with pytest.raises(OSError, match=r"\bpath\b.*model\.npz"):
            act(path)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


def test_a_device_is_not_replaced():
    with pytest.raises(OSError, match=rf"^save\b.*\bpath\b.*{re.escape(repr(os.devnull))}"):
        small_model().save(os.devnull)


@pytest.mark.parametrize("path", [None, 3, True, ["model.npz"], np.zeros(2)])
def test_what_is_no_path_is_named(path):
    value = re.escape(repr(path))
    for caller, act in (("save", small_model().save), ("load", Sequential.load)):
        with pytest.raises(TypeError, match=rf"^{caller}\b.*\bpath\b.*{value}"):
            act(path)


def test_an_open_file_is_named_with_its_path(path):
    small_model().save(path)
    with path.open("rb") as file:
        for act in (Sequential.load, load_notes, small_model().save):
            with pytest.raises(TypeError, match=rf"\bpath\b.*BufferedReader.*{path.name}"):
                act(file)
    with io.BytesIO() as file, pytest.raises(TypeError, match=r"^load\b.*\bpath\b.*BytesIO"):
        Sequential.load(file)


def test_a_path_may_be_of_bytes(path):
    small_model().save(os.fsencode(path))
    assert is_same(small_model(), Sequential.load(os.fsencode(path)))


@pytest.mark.parametrize("own", [Dense(1, 1), "Dense", int, None])
def test_what_is_no_class_of_layers_is_named(path, own):
    small_model().save(path)
    with pytest.raises(TypeError, match=rf"^load\b.*{re.escape(repr(own))}"):
        Sequential.load(path, own)


@pytest.mark.parametrize("dtype", [int, np.uint8, bool, object, "U3"])
def test_parameters_that_could_not_be_loaded_are_not_saved(path, dtype):
    model = Sequential(Dense(2, 3))
    arrays = dict(model.params)
    arrays["0.b"] = np.zeros(3).astype(dtype)
    with pytest.raises(TypeError, match=rf"^save\b.*0\.b.*{np.dtype(arrays['0.b'].dtype)}"):
        model.with_params(arrays).save(path)
    assert not path.exists()


# Permissions
# -----------


def permissions(path):
    return stat.S_IMODE(path.stat().st_mode)


posix = pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664, 0o666, 0o777, 0o200])
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_file_keeps_its_permissions(path, mode, umask):
    small_model().save(path)
    path.chmod(mode)
    before = os.umask(umask)
    try:
        small_model(rng=1).save(path)
    finally:
        os.umask(before)
    assert permissions(path) == mode
    path.chmod(0o600)
    assert is_same(small_model(rng=1), Sequential.load(path))


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_a_new_file_has_the_usual_permissions(tmp_path, umask):
    before = os.umask(umask)
    try:
        small_model().save(tmp_path / "model.npz")
        (tmp_path / "usual").touch()
    finally:
        os.umask(before)
    assert permissions(tmp_path / "model.npz") == permissions(tmp_path / "usual")


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_private_model_is_private_while_it_is_written(tmp_path, path, mode, monkeypatch):
    path.touch()
    path.chmod(mode)
    seen = []

    def savez(file, **arrays):
        seen.extend(permissions(part) for part in tmp_path.iterdir())
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(OSError, match="no space"):
        small_model().save(path)
    assert len(seen) == 2
    assert all(not found & ~mode for found in seen)


@pytest.mark.parametrize("mode", [0o444, 0o400, 0o555])
def test_a_read_only_file_is_refused_and_left(tmp_path, path, mode):
    small_model().save(path)
    whole = path.read_bytes()
    path.chmod(mode)
    before = permissions(path)
    link = tmp_path / "link.npz"
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(PermissionError, match=r"^save\b.*\bpath\b.*model\.npz"):
            small_model(rng=1).save(name)
    assert path.read_bytes() == whole
    assert permissions(path) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["link.npz", "model.npz"]
    path.chmod(0o644)  # so that the folder can be removed


@posix
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("an administrator may write anywhere")
    with pytest.raises(PermissionError, match=r"^save\b.*\bpath\b.*folder"):
        small_model().save(folder / "model.npz")


# Names, and several at a time
# ----------------------------


@pytest.mark.parametrize(
    "name", ["m" * 250, "m" * 255, "\N{LATIN SMALL LETTER E WITH ACUTE}" * 125]
)
def test_a_name_may_be_as_long_as_the_system_allows(tmp_path, name):
    small_model().save(tmp_path / name)
    assert is_same(small_model(), Sequential.load(tmp_path / name))
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_name_that_is_too_long_makes_nothing(tmp_path):
    with pytest.raises(OSError, match="mmmm"):
        small_model().save(tmp_path / ("m" * 300))
    assert not list(tmp_path.iterdir())


def test_links_that_lead_nowhere_are_not_replaced(tmp_path, path):
    path.symlink_to(tmp_path / "other.npz")
    (tmp_path / "other.npz").symlink_to(path)
    with pytest.raises(OSError, match="link"):
        small_model().save(path)
    assert path.is_symlink()


def test_threads_that_save_to_one_path_leave_one_whole_model(tmp_path, path):
    models = [small_model(rng=rng) for rng in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            list(pool.map(lambda model: model.save(path), models))
            assert any(is_same(model, Sequential.load(path)) for model in models)
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


def test_a_network_without_parameters_can_be_saved(path):
    Sequential(ReLU(), Flatten()).save(path)
    assert repr(Sequential.load(path)) == "Sequential(ReLU(), Flatten())"


# A thousand files that mean harm
# -------------------------------
# Each begins as a saved model and is changed by one of these; some changes leave it whole.


def with_bits_flipped(whole, rng):
    damaged = bytearray(whole)
    for place in rng.integers(len(whole), size=rng.integers(1, 4)):
        damaged[place] ^= 1 << rng.integers(8)
    return bytes(damaged)


def cut_off(whole, rng):
    return whole[: rng.integers(len(whole))]


def with_bytes_in_between(whole, rng):
    place = rng.integers(len(whole) + 1)
    return whole[:place] + rng.bytes(rng.integers(1, 100)) + whole[place:]


def parts_of(whole):
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return [(part.filename, archive.read(part)) for part in archive.infolist()]


def zipped(parts, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in parts:
            archive.writestr(name, data)
    return file.getvalue()


def in_another_order(whole, rng):
    parts = parts_of(whole)
    return zipped([parts[place] for place in rng.permutation(len(parts))])


def with_a_part_twice(whole, rng):
    parts = parts_of(whole)
    name, data = parts[rng.integers(len(parts))]
    other_name = rng.choice([name, name.removesuffix(".npy")])
    return zipped([*parts, (str(other_name), data[:-1] + b"?" if rng.integers(2) else data)])


def with_a_foreign_part(whole, rng):
    names = ["readme.txt", "9.w.npy", "../0.w.npy", "/etc/x.npy", "folder/", "0.w", "NOTES.npy"]
    return zipped([*parts_of(whole), (str(rng.choice(names)), rng.bytes(rng.integers(200)))])


def packed(whole, rng):
    methods = zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA
    bomb = ("bomb.npy", bytes(int(rng.integers(10_000_000))))
    return zipped([*parts_of(whole), bomb][: rng.integers(1, 9)], methods[rng.integers(3)])


def with_a_size_that_lies(whole, rng):
    """The size of a part, in the table of contents, is another one."""
    damaged = bytearray(whole)
    entries = [match.start() for match in re.finditer(b"PK\x01\x02", whole)]
    size = int(rng.integers(2**32)).to_bytes(4, "little")
    start = entries[rng.integers(len(entries))] + rng.choice([20, 24, 42])
    damaged[start : start + 4] = size
    return bytes(damaged)


def npy(header, data=b""):
    text = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + data


def with_a_shape_that_lies(whole, rng):
    parts = parts_of(whole)
    place = rng.integers(1, len(parts))
    shapes = [(10**12,), (-1,), (2, -3), (0,), (2**62, 4), (10**5, 10**5), (3, 2), (6,), ()]
    kinds = ["<f4", "<f8", ">f4", "<c16", "|O", "<U9", "<M8[s]", "<i4", "|V4"]
    header = {
        "descr": str(rng.choice(kinds)),
        "fortran_order": bool(rng.integers(2)),
        "shape": shapes[rng.integers(len(shapes))],
    }
    name, data = parts[place]
    parts[place] = name, npy(str(header), data[128 : 128 + int(rng.integers(40))])
    return zipped(parts)


def with_an_architecture(text, whole):
    buffer = io.BytesIO()
    np.save(buffer, np.array(text))
    return zipped([("architecture.npy", buffer.getvalue()), *parts_of(whole)[1:]])


def deeply_nested(whole, rng):
    depth = int(10 ** rng.uniform(1, 4.5))
    chain = '{"layer": "Sequential", "layers": ['
    opening, closing = [("[", "]"), (chain, "]}"), ('{"layer":', "}")][rng.integers(3)]
    text = opening * depth + '{"layer": "ReLU"}' + closing * (depth if rng.integers(2) else 0)
    return with_an_architecture(text, whole)


def with_many_layers(whole, rng):
    layers = [{"layer": "ReLU"}] * int(rng.integers(1000, 5000))
    return with_an_architecture(json.dumps({"layer": "Sequential", "layers": layers}), whole)


def with_huge_layers(whole, rng):
    """Layers that would want more memory than there is, or than a number can say."""
    sizes = [10**5, 10**6, 10**9, 10**12, 10**30, 10**400, -1, 1e300, "many", None, [], {}]

    def size():
        return sizes[rng.integers(len(sizes))]

    huge = [
        {"layer": "Dense", "in_features": size(), "out_features": size()},
        {"layer": "Dense", "in_features": 2, "out_features": size(), "rng": size()},
        {
            "layer": "Conv1D",
            "in_channels": size(),
            "out_channels": size(),
            "kernel_size": size(),
            "stride": size(),
            "dilation": size(),
            "padding": size(),
        },
        {"layer": "MaxPool1D", "pool_size": size(), "stride": size()},
        {"layer": str(rng.choice(["Layer", "Container", "object", "load", "ReLU"])), "x": size()},
        {"layer": "ReLU", "params": {"w": size()}},
        {"layer": size(), "layers": [size()]},
    ]
    layers = [huge[rng.integers(len(huge))] for _ in range(rng.integers(1, 3))]
    return with_an_architecture(json.dumps({"layer": "Sequential", "layers": layers}), whole)


MUTATIONS = [
    with_bits_flipped,
    cut_off,
    with_bytes_in_between,
    in_another_order,
    with_a_part_twice,
    with_a_foreign_part,
    packed,
    with_a_size_that_lies,
    with_a_shape_that_lies,
    deeply_nested,
    with_many_layers,
    with_huge_layers,
]


@contextmanager
def memory_for(n_bytes):
    """Let this process have so much more memory than it has, where the system can be told so."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def no_mutated_file_does_harm(path, n_files):
    model = picker_without_strange_layers()
    model.save(path, {"classes": ["noise", "P"]})
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    with memory_for(1_000_000_000):
        for number in range(n_files):
            mutation = MUTATIONS[number % len(MUTATIONS)]
            path.write_bytes(mutation(whole, rng))
            start = time.perf_counter()
            assert loads_the_same_or_says_what_is_wrong(model, path), (number, mutation)
            assert time.perf_counter() - start < 20, (number, mutation)


def picker_without_strange_layers():
    first, _, residual, _, last = picker()
    return Sequential(first, ReLU(), Residual(*residual), SkipConcat(ReLU()), last)


def test_a_file_whose_parts_stand_in_another_order_is_the_same_model(path):
    model = picker_without_strange_layers()
    model.save(path)
    path.write_bytes(in_another_order(path.read_bytes(), np.random.default_rng(0)))
    assert is_same(model, Sequential.load(path))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_mutated_file_does_harm(path):
    no_mutated_file_does_harm(path, 120)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_mutated_file_of_a_thousand_does_harm(path):
    no_mutated_file_does_harm(path, 1000)
