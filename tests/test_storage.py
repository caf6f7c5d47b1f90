"""Save and load: exact, whole or not at all, and never a pickle."""

import io
import json
import os
import pickle
import re
import stat
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nets import is_same, picker
from numpy.testing import assert_allclose
from refusals import refused

from numpycnn import Dense, Layer, MaxPool1D, ReLU, Residual, Sequential, SkipConcat, fit
from numpycnn.checks.strategies import convolutions, networks, pools
from numpycnn.layers.storage import load_notes


def small_model(rng=0):
    return Sequential(Dense(2, 3, rng=rng), ReLU(), Sequential(Dense(3, 2, rng=rng)))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """One path for Hypothesis to overwrite, without waiting for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield tmp_path_factory.mktemp("storage") / "model.npz"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


def refused_file(path, *parts):
    return refused(ValueError, "load", "path", path.name, *parts)


# The round trip
# --------------


layers = convolutions() | pools(MaxPool1D)
models = networks() | layers.map(lambda case: (Sequential(ReLU(), case[0], ReLU()), case[1]))


@given(models, st.sampled_from([np.float32, np.float64]), st.booleans())
def test_a_loaded_model_is_the_saved_one_and_predicts_the_same_bits(scratch, case, dtype, nested):
    model, x = case
    if nested:
        model = Sequential(*model.layers[:2], Sequential(*model.layers[2:]))
    model, x = model.astype(dtype), x.astype(dtype)
    for array in model.params.values():
        array.ravel()[:1] = -0.0
    model.save(scratch)
    loaded = Sequential.load(scratch)
    assert is_same(model, loaded)
    assert model.predict(x).tobytes() == loaded.predict(x).tobytes()
    for name, array in loaded.params.items():
        array += 1  # neither read-only nor a copy
        assert loaded.params[name] is array


def test_a_path_may_be_text_bytes_or_an_object_and_needs_no_suffix(tmp_path):
    for name in ("model", "my model.net", "…é.npz", "m" * 255):
        for kind in str, os.fsencode, Path:
            small_model().save(kind(tmp_path / name))
            assert is_same(small_model(), Sequential.load(kind(tmp_path / name)))
    assert len(names_in(tmp_path)) == 4


@pytest.mark.parametrize("kind", [Residual, SkipConcat])
def test_skip_connections_are_kept(path, kind):
    model = kind(Dense(2, 2), Residual(ReLU(), SkipConcat(Dense(2, 2)), Dense(4, 2)))
    model.save(path)
    assert is_same(model, kind.load(path))
    other = SkipConcat if kind is Residual else Residual
    with refused_file(path, kind.__name__):
        other.load(path)


@pytest.mark.parametrize("version", ["0.1.0"])
def test_a_file_of_a_released_version_loads_and_predicts_the_same(version):
    """That version wrote the file, with every kind of layer that it had.

    The notes hold an input and its output, computed in float64 by that version.
    """
    path = Path(__file__).with_name("files") / f"version_{version}.npz"
    notes = load_notes(path)
    x = np.array(notes["x"], np.float32)
    model = Sequential.load(path)
    assert_allclose(model.predict(x), notes["y"], atol=2e-6)
    assert {array.dtype for array in model.params.values()} == {x.dtype}
    fit(Sequential(*model.layers[:-1]), x, [0, 1, 2, 0], epochs=2, rng=0)
    assert abs(model.predict(x) - notes["y"]).max() > 1e-3


def test_notes_are_kept_in_the_file_and_do_not_change_the_model(path):
    notes = {"classes": ["noise", "P"], "rate": 0.01, "deep": [{"a": None, "é": True}]}
    for value in notes, 0, None:
        small_model().save(path, value)
        assert load_notes(path) == value
        assert is_same(small_model(), Sequential.load(path))
    small_model().save(path, "old")
    with refused(TypeError, "save", "notes", "ndarray"):
        small_model(rng=1).save(path, {"mean": np.zeros(2)})
    assert load_notes(path) == "old"
    path.write_text("classes: noise, P")
    with refused_file(path):
        load_notes(path)


# Damaged files
# -------------


def loads_the_same_or_is_refused(model, path):
    try:
        loaded = Sequential.load(path)
    except ValueError as error:
        return str(path) in str(error) and str(error).startswith("load: path ")
    return is_same(model, loaded)


# Foreign files
# -------------


def rewrite(path, change):
    """Save a small model with changed arrays."""
    small_model().save(path)
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(path, **arrays)


def architecture(text):
    return lambda path: np.savez(path, architecture=np.array(text))


def arrays(**changes):
    return lambda path: rewrite(path, lambda arrays: arrays.update(changes))


def write_zip(path, name="readme.txt"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "a text")


CHAIN = '{"layer": "Sequential", "layers": [%s]}'
FOREIGN = {
    "empty file": Path.touch,
    "text": lambda path: path.write_text("epoch,loss\n1,1.0986\n"),
    "npy": lambda path: path.write_bytes(npy("{}")),
    "other npz": lambda path: np.savez(path, x=np.arange(5.0), y=np.arange(5)),
    "zip": write_zip,
    "zip with architecture": lambda path: write_zip(path, "architecture"),
    "pickle": lambda path: path.write_bytes(pickle.dumps({"0.w": [1.0, 2.0]})),
    "not JSON": architecture("Sequential(Dense(4, 3))"),
    "a list": architecture("[]"),
    "no layer": architecture("{}"),
    "a single layer": architecture('{"layer": "ReLU"}'),
    "layers that are not objects": architecture(CHAIN % '3, "Dense"'),
    "a class that is not a name": architecture('{"layer": ["Dense"]}'),
    "an option too many": architecture(CHAIN % '{"layer": "ReLU", "slope": 0.1}'),
    "an option too few": architecture(CHAIN % '{"layer": "Dense", "in_features": 4}'),
    "a bad option": architecture(CHAIN % '{"layer": "MaxPool1D", "pool_size": 0}'),
    "brackets without end": architecture("[" * 100_000),
    "arrays missing": lambda path: rewrite(path, lambda arrays: arrays.pop("0.w")),
    "an array too many": arrays(**{"7.w": np.zeros(2)}),
    "a shape": arrays(**{"0.w": np.zeros((3, 2), np.float32)}),
    "integers": arrays(**{"0.b": np.zeros(3, np.int16)}),
    "dates": arrays(**{"0.b": np.zeros(3, int).astype("datetime64[s]")}),
}


@pytest.mark.parametrize("write", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_file_is_refused_with_its_name(path, write):
    write(path)
    with refused_file(path):
        Sequential.load(path)


class Bomb:
    """Unpickled, it writes a file: the proof that code was run."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.write_text, (self.mark, "boom")


def test_a_pickle_is_refused_and_not_run(tmp_path, path):
    bomb = Bomb(tmp_path / "mark")
    for write in (
        lambda: path.write_bytes(pickle.dumps(bomb)),
        lambda: np.savez(path, architecture=np.array([bomb], dtype=object)),
        lambda: arrays(**{"0.b": np.array([bomb] * 3, dtype=object)})(path),
    ):
        write()
        with refused_file(path):
            Sequential.load(path)
        assert not bomb.mark.exists()
    pickle.loads(pickle.dumps(bomb))  # a pickle that is run creates the file
    assert bomb.mark.exists()


# Custom layers
# -------------


class Scale(Layer):
    def __init__(self, n_channels, *, factor=1.0):
        super().__init__(scale=np.full(n_channels, factor))
        self.n_channels, self.factor = n_channels, factor


class Draws(Layer):
    """Draws its parameters, changes them, and has an argument that is a dict."""

    def __init__(self, names, *, rng=None):
        w = np.random.default_rng(rng).uniform(-1, 1, 3)
        w *= 2
        super().__init__(w=w)
        self.names = names


def test_a_custom_layer_loads_when_its_class_is_passed(path):
    for layer in Scale(3, factor=2.5), Draws({"a": [1, None]}, rng=0):
        model = Sequential(Dense(2, 3), Sequential(layer))
        model.save(path)
        assert is_same(model, Sequential.load(path, Scale, Draws))
        with refused_file(path, type(layer).__name__):
            Sequential.load(path)


# Whole or not at all
# -------------------


def failing(error):
    def fail(file, **arrays):
        if arrays:
            file.write(b"PK\x03\x04 half a model")
        raise error

    return fail


@pytest.mark.parametrize(
    ("module", "function", "error"),
    [(np, "savez", OSError), (np, "savez", KeyboardInterrupt), (os, "fsync", OSError)],
)
@pytest.mark.parametrize("old", [True, False], ids=["over an old file", "no old file"])
def test_a_failed_save_leaves_the_folder_as_it_was(
    tmp_path, path, monkeypatch, module, function, error, old
):
    if old:
        small_model().save(path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(module, function, failing(error("no space left on device")))
        with pytest.raises(error):
            small_model(rng=1).save(path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


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
    assert names_in(target.parent) == ["target.npz"]


# Paths
# -----


def test_what_does_not_exist_is_named(tmp_path):
    for act, name in (
        (Sequential.load, "nowhere.npz"),
        (small_model().save, "missing/model.npz"),
        (small_model().save, "m" * 300),
    ):
        with pytest.raises(OSError, match=name.partition("/")[0][:9]):
            act(tmp_path / name)
    assert not names_in(tmp_path)


@pytest.mark.parametrize("path", [None, 3, True, ["model.npz"]])
def test_an_object_that_is_not_a_path_or_a_class_is_refused(path, scratch):
    for caller, act in (("save", small_model().save), ("load", Sequential.load)):
        with refused(TypeError, caller, "path", repr(path)):
            act(path)
    small_model().save(scratch)
    with refused(TypeError, "load", repr(path)):
        Sequential.load(scratch, path)


@pytest.mark.parametrize("name", ["models", "models/", "new/", "new/.", "models/..", "", "."])
def test_a_folder_is_refused(tmp_path, monkeypatch, name):
    """A name that ends in a slash means a folder, as it does for `open`."""
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    for act in (small_model().save, Sequential.load, load_notes):
        with pytest.raises(IsADirectoryError, match=rf"\bpath\b.*{re.escape(repr(name))}"):
            act(name)
    assert names_in(tmp_path) == ["models"]
    assert not names_in(tmp_path / "models")


# Permissions
# -----------

posix = pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")


def permissions(path):
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def masked(umask):
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_file_keeps_its_permissions_and_a_new_one_has_the_usual(tmp_path, path, umask):
    with masked(umask):
        small_model().save(path)
        (tmp_path / "usual").touch()
        assert permissions(path) == permissions(tmp_path / "usual")
        for mode in 0o600, 0o640, 0o666, 0o777, 0o200:
            path.chmod(mode)
            small_model(rng=1).save(path)
            assert permissions(path) == mode


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
def test_a_read_only_file_is_refused_and_not_changed(tmp_path, path, mode):
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
    assert names_in(tmp_path) == ["link.npz", "model.npz"]
    path.chmod(0o644)  # so that the folder can be removed


# Harmful files
# -------------
# Each begins as a saved model and is changed by one of these; some changes have no effect.


def parts_of(whole):
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return [(part.filename, archive.read(part)) for part in archive.infolist()]


def zipped(parts, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in parts:
            archive.writestr(name, data)
    return file.getvalue()


def with_a_foreign_part(whole, rng):
    names = ["readme.txt", "9.w.npy", "../0.w.npy", "/etc/x.npy", "folder/", "0.w", "NOTES.npy"]
    return zipped([*parts_of(whole), (str(rng.choice(names)), rng.bytes(rng.integers(200)))])


def packed(whole, rng):
    methods = zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA
    bomb = ("bomb.npy", bytes(int(rng.integers(10_000_000))))
    return zipped([*parts_of(whole), bomb][: rng.integers(1, 9)], methods[rng.integers(3)])


def with_a_wrong_size(whole, rng):
    """The table of contents states another size of a part."""
    damaged = bytearray(whole)
    entries = [match.start() for match in re.finditer(b"PK\x01\x02", whole)]
    size = int(rng.integers(2**32)).to_bytes(4, "little")
    start = entries[rng.integers(len(entries))] + rng.choice([20, 24, 42])
    damaged[start : start + 4] = size
    return bytes(damaged)


def npy(header, data=b""):
    text = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + data


def with_a_wrong_shape(whole, rng):
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


CONVOLUTION = "in_channels", "out_channels", "kernel_size", "stride", "dilation", "padding"


def with_huge_layers(whole, rng):
    """Layers that would need more memory than there is."""
    sizes = [10**5, 10**6, 10**9, 10**12, 10**30, 10**400, -1, 1e300, "many", None, [], {}]

    def size():
        return sizes[rng.integers(len(sizes))]

    huge = [
        {"layer": "Dense", "in_features": size(), "out_features": size()},
        {"layer": "Dense", "in_features": 2, "out_features": size(), "rng": size()},
        {"layer": "Conv1D", **{name: size() for name in CONVOLUTION}},
        {"layer": "MaxPool1D", "pool_size": size(), "stride": size()},
        {"layer": str(rng.choice(["Layer", "Container", "object", "load", "ReLU"])), "x": size()},
        {"layer": "ReLU", "params": {"w": size()}},
        {"layer": size(), "layers": [size()]},
    ]
    layers = [huge[rng.integers(len(huge))] for _ in range(rng.integers(1, 3))]
    return with_an_architecture(json.dumps({"layer": "Sequential", "layers": layers}), whole)


def cut_off(whole, rng):
    return whole[: rng.integers(len(whole))]


def flipped(whole, rng):
    """Up to three bits of the file, or of its table of contents, are turned over."""
    damaged = bytearray(whole)
    start = [0, whole.index(b"PK\x01\x02")][rng.integers(2)]
    for _ in range(rng.integers(1, 4)):
        damaged[rng.integers(start, len(damaged))] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


MUTATIONS = [
    cut_off,
    flipped,
    with_a_foreign_part,
    packed,
    with_a_wrong_size,
    with_a_wrong_shape,
    deeply_nested,
    with_huge_layers,
]


@contextmanager
def memory_for(n_bytes):
    """Limit the memory that this process may still allocate, where the system can do so."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def picker_of_standard_layers():
    first, _, residual, _, last = picker()
    return Sequential(first, ReLU(), Residual(*residual), SkipConcat(ReLU()), last)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("n_files", [80, pytest.param(1000, marks=pytest.mark.long)])
def test_no_mutated_file_does_harm(path, n_files):
    model = picker_of_standard_layers()
    model.save(path, {"classes": ["noise", "P"]})
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    with memory_for(1_000_000_000):
        for number in range(n_files):
            mutation = MUTATIONS[number % len(MUTATIONS)]
            path.write_bytes(mutation(whole, rng))
            assert loads_the_same_or_is_refused(model, path), (number, mutation)
