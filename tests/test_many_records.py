"""A long record on Dask: what `predict` gives for the whole, also where a worker is lost."""

import os
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import sleep

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import along_the_record, lengths
from scripts import complaint, run_example

import numpycnn as nn
from numpycnn import architectures
from numpycnn.picking import pick_peaks

distributed = pytest.importorskip("distributed", reason="python -m pip install -e '.[interop]'")
zarr = pytest.importorskip("zarr", reason="python -m pip install -e '.[interop]'")
many_records = pytest.importorskip("many_records")

pytestmark = pytest.mark.filterwarnings("ignore")  # of others, while clusters come and go


def network():
    conv = {"padding": "same", "rng": 0}
    return nn.Sequential(
        nn.Conv1D(2, 8, 7, **conv),
        nn.ReLU(),
        nn.Residual(nn.Conv1D(8, 8, 5, dilation=4, **conv), nn.ReLU()),
        nn.MaxPool1D(2),
        nn.Dense(8, 3, rng=0),
    )


def written(folder, model, x, seams):
    """Save a model, and the record x (L, C) in files that are parted at these samples."""
    model.save(folder / "model.npz")
    (folder / "days").mkdir()
    for number, day in enumerate(np.split(x, sorted(seams))):
        np.save(folder / "days" / f"{number:03}.npy", day)
    return folder / "model.npz", folder / "days", folder / "scores.zarr"


def assert_whole(paths, model, x):
    assert_same(paths, model.predict(x[None])[0])


def assert_same(paths, ours):
    theirs = zarr.open_array(paths[2], mode="r")[:]
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5 * abs(ours).max(initial=1))


@given(along_the_record(), st.data())
@settings(max_examples=25)
def test_all_pieces_together_are_what_predict_gives_for_the_whole(drawn, data):
    model, n_channels = drawn
    model = model.astype(np.float32)
    x = np.random.default_rng(0).standard_normal((data.draw(lengths(60)), n_channels))
    try:
        window = model.window(len(x))
        extra = -len(x) % window.stride if len(window.spans) > 1 else 0
        ours = model.predict(np.pad(x, ((0, extra), (0, 0)))[None].astype(np.float32))[0]
    except ValueError:  # too short
        return
    ours = ours[: len(ours) - extra * len(window.spans) // window.stride]
    seams = data.draw(st.sets(st.integers(1, len(x)), max_size=3)) - {len(x)}
    with TemporaryDirectory() as folder:
        paths = written(Path(folder), model, x, seams)
        for piece in many_records.prepare(*paths, data.draw(st.integers(1, 20))):
            many_records.run(*paths, piece)
        assert_same(paths, ours)


@pytest.fixture
def long(tmp_path):
    x = np.random.default_rng(0).standard_normal((40_000, 2)).astype(np.float32)
    return written(tmp_path, network(), x, {17_001, 30_000}), x


def test_the_script_does_it_with_processes_of_its_own_and_once_only(long, tmp_path, capsys):
    paths, x = long
    options = "model.npz", "days", "scores.zarr", "--piece", 3000, "--workers", 1
    run_example("many_records", tmp_path, *options)
    assert "7 pieces in" in capsys.readouterr().out
    assert_whole(paths, network(), x)
    assert "scores.zarr is there already" in complaint("many_records", tmp_path, capsys, *options)


def test_it_takes_a_zarr_array_and_a_cluster_and_a_lost_worker_is_made_up_for(
    long, tmp_path, capsys
):
    (model, _, result), x = long
    record = tmp_path / "record.zarr"
    zarr.open_array(record, mode="w", shape=x.shape, chunks=(7000, 2), dtype=x.dtype)[:] = x
    plan = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**plan, silence_logs=50) as cluster:
        with distributed.Client(cluster) as client:
            victim = next(iter(client.run(os.getpid).values()))

        def kill_at_the_first_chunk():
            while not [path for path in result.rglob("*") if not path.name.strip("./c0123456789")]:
                sleep(0.01)
            os.kill(victim, signal.SIGKILL)

        killer = Thread(target=kill_at_the_first_chunk, daemon=True)
        killer.start()
        address = cluster.scheduler_address
        options = model, record, result, "--piece", 500, "--scheduler", address
        run_example("many_records", tmp_path, *options)
        killer.join()
    assert "40 pieces in" in capsys.readouterr().out
    assert_whole((model, record, result), network(), x)


def test_the_picks_over_an_archive_are_those_of_the_picker_on_the_whole_record(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("numpycnn.picking.ENOUGH", 1000)  # every 49th sample tells the noise
    x, _ = nn.make_records(1, rng=0, n_samples=48_005, arrivals=(20, 20))
    x = np.round(100 * x[0] + [1e5, -200, 3000]).astype(np.float32)
    model = architectures.unet(3, 2, filters=8, depth=4, rng=0)
    paths = written(tmp_path, model, x, {12_345, 30_001})
    model.save(paths[0], {"channels": 3, "sampling_rate": 100.0, "scale": "noise"})
    pieces, scale = many_records.prepare(*paths, 5000), many_records.scale_of(*paths[:2])
    for piece in pieces[::-1]:
        many_records.run(*paths, piece, *scale)
    assert zarr.open_array(paths[2], mode="r").shape == (48_005, 2)
    curve = nn.Softmax()(zarr.open_array(paths[2], mode="r")[:])[:, 1]
    picks = pick_peaks(curve, threshold=0.3, apart=50)
    assert len(picks) > 100  # of a network that has learned nothing

    np.save(tmp_path / "whole.npy", x)
    with pytest.raises(SystemExit):
        run_example("pick_arrivals", tmp_path, "--pick", "whole.npy", "--model", paths[0])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(", ")[1] for line in lines] == [f"sample {pick}" for pick in picks]


def test_what_cannot_be_run_is_refused(long, tmp_path, capsys):
    paths, _ = long

    def said(*options):
        return complaint("many_records", tmp_path, capsys, *options)

    assert "expected a Zarr array or a folder of .npy files, " in said("model.npz", "no", "a.zarr")
    assert "is not a whole numpycnn model" in said(paths[1] / "000.npy", "days", "a.zarr")
    nn.Sequential(nn.Flatten(), nn.Dense(80_000, 2)).save(tmp_path / "whole.npz")
    assert "look at all of it" in said("whole.npz", "days", "a.zarr")
    np.save(tmp_path / "days" / "004.npy", np.zeros((5, 3)))
    assert "expected arrays (L, C) of as many channels" in said("model.npz", "days", "a.zarr")
