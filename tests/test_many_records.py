"""An archive on Dask: the outputs of `predict` for the whole record, after any interruption."""

import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import sleep

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import along_the_record, lengths
from scripts import EXAMPLES, complaint, run_example

import numpycnn as nn
from _shared.readers import Problems
from _shared.your_records import read_catalog
from numpycnn import architectures
from numpycnn.seismology.picking import noise_of, pick_peaks

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


class Here:
    """A client that computes in this process."""

    def map(self, function, parts, **_):
        return [function(part) for part in parts]

    def gather(self, results):
        return results


def computed(paths, n_outputs, reverse=False, **how):
    """Compute all pieces in this process; return the result."""
    problems = Problems()
    job = many_records.job_of(*paths, n_outputs, problems=problems, **how)
    many_records.begin(Here(), *paths, job)
    pieces = many_records.pieces_of(paths[0], job)
    for piece in pieces[::-1] if reverse else pieces:
        many_records.run(*paths, piece)
    assert problems == []
    return zarr.open_array(paths[2], mode="r")[:]


@given(along_the_record(), st.data())
@settings(max_examples=25)
def test_all_pieces_together_are_what_predict_gives_for_the_whole(drawn, data):
    model, n_channels = drawn
    model = model.astype(np.float32)
    x = np.random.default_rng(0).standard_normal((data.draw(lengths(60)), n_channels))
    gap = data.draw(st.slices(len(x)) | st.just(slice(0, 0)))
    x[slice(gap.start, gap.stop)] = np.nan
    try:
        window = model.receptive_field(len(x))
        extra = -len(x) % window.stride if len(window.spans) > 1 else 0
        ours = model(np.pad(x, ((0, extra), (0, 0)))[None].astype(np.float32))[0]
    except ValueError:  # too short
        return
    ours = ours[: len(ours) - extra * len(window.spans) // window.stride]
    seams = data.draw(st.sets(st.integers(1, len(x)), max_size=3)) - {len(x)}
    with TemporaryDirectory() as folder:
        paths = written(Path(folder), model, x, seams)
        theirs = computed(paths, data.draw(st.integers(1, 20)))
        largest = np.nanmax(abs(ours), initial=1, where=~np.isnan(ours))
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5 * largest)


@pytest.fixture
def long(tmp_path):
    x = np.random.default_rng(0).standard_normal((40_000, 2)).astype(np.float32)
    return written(tmp_path, network(), x, {17_001, 30_000}), x


def test_the_script_starts_processes_and_computes_nothing_twice(long, tmp_path, capsys):
    paths, x = long
    options = "model.npz", "days", "scores.zarr", "--piece", 3000, "--workers", 1
    run_example("many_records", tmp_path, *options)
    assert "\n7 pieces in" in capsys.readouterr().out
    assert_whole(paths, network(), x)
    run_example("many_records", tmp_path, *options)
    assert "\n0 pieces in" in capsys.readouterr().out
    assert_whole(paths, network(), x)


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
    monkeypatch.setattr("numpycnn.seismology.picking.ENOUGH", 1000)  # 1 sample in 49
    x, _ = nn.make_records(1, rng=0, n_samples=48_005, arrivals=(20, 20))
    x = np.round(100 * x[0] + [1e5, -200, 3000]).astype(np.float32)
    model = architectures.unet(3, 2, filters=8, depth=4, rng=0)
    paths = written(tmp_path, model, x, {12_345, 30_001})
    model.save(paths[0], {"channels": 3, "sampling_rate": 100.0, "scale": "noise"})
    scores = computed(paths, 5000, reverse=True)
    assert scores.shape == (48_005, 2)
    picks = pick_peaks(nn.Softmax()(scores)[:, 1], threshold=0.3, apart=50)
    assert len(picks) > 100  # of a network that has learned nothing

    np.save(tmp_path / "whole.npy", x)
    with pytest.raises(SystemExit):
        run_example("pick_arrivals", tmp_path, "--pick", "whole.npy", "--model", paths[0])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(", ")[1] for line in lines] == [f"sample {pick}" for pick in picks]


# Interruptions
# -------------
# The script runs in a process group of its own, as in a terminal, where Ctrl-C reaches all of it.


@pytest.fixture
def begun(tmp_path):
    """Begin the script with these options, and return its process."""
    processes = []

    def begin(*options, largest_file=resource.RLIM_INFINITY):
        def before():
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell in the background ignores it
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))

        script = EXAMPLES / "many_records.py"
        command = [sys.executable, "-W", "ignore", script, *map(str, options)]
        pipe = subprocess.PIPE
        plan = {"cwd": tmp_path, "stdout": pipe, "stderr": pipe, "text": True}
        process = subprocess.Popen(command, start_new_session=True, preexec_fn=before, **plan)
        processes.append(process)
        return process

    yield begin
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for_pieces(result, number):
    for _ in range(30_000):
        if len(many_records.finished(result)) >= number:
            return
        sleep(0.01)
    raise AssertionError("too few pieces were finished in five minutes")


def last_line(process, status):
    """The only line that an interrupted run prints."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == status
    (said,) = out.splitlines()
    assert "in the natural order of their names, 000.npy to 002.npy: 40,000 samples" in said
    (line,) = err.splitlines()
    return line


OPTIONS = "model.npz", "days", "scores.zarr", "--piece", 100


def test_interrupted_by_ctrl_c_it_is_resumed_and_the_values_are_the_same(long, tmp_path, begun):
    paths, x = long
    process = begun(*OPTIONS, "--workers", 1)
    wait_for_pieces(paths[2], 20)
    os.killpg(process.pid, signal.SIGINT)
    said = last_line(process, 130)
    done = len(many_records.finished(paths[2]))
    assert 20 <= done < 200
    assert f"interrupted. {done} of 200 pieces are finished. The same command again" in said
    scores = zarr.open_array(paths[2], mode="r")[:]
    there = ~np.isnan(scores).any(axis=1)
    assert 100 * done <= there.sum() < len(scores)
    ours = network().predict(x[None])[0]
    np.testing.assert_allclose(scores[there], ours[there], rtol=0, atol=1e-5)
    process = begun(*OPTIONS, "--workers", 1)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "")
    assert f"\n{200 - done} pieces in " in out
    without = computed((paths[0], paths[1], tmp_path / "at_once.zarr"), 100)
    np.testing.assert_array_equal(zarr.open_array(paths[2], mode="r")[:], without)


def test_a_killed_run_and_a_line_that_was_cut_off_are_no_obstacle(long, tmp_path, begun, capsys):
    paths, x = long
    process = begun(*OPTIONS, "--workers", 1)
    wait_for_pieces(paths[2], 20)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = len(many_records.finished(paths[2]))
    with (paths[2] / many_records.FINISHED).open("a") as file:
        file.write("199 finis")
    assert len(many_records.finished(paths[2])) == done
    run_example("many_records", tmp_path, *OPTIONS, "--workers", 1)
    assert f"{200 - done} pieces in" in capsys.readouterr().out
    assert many_records.finished(paths[2]) == {*range(200)}
    assert_whole(paths, network(), x)


def test_a_full_disk_is_reported_in_a_line_and_the_run_is_resumed(long, tmp_path, begun, capsys):
    paths, x = long
    options = "model.npz", "days", "scores.zarr", "--piece", 3000, "--workers", 1
    said = last_line(begun(*options, largest_file=20_000), 1)
    assert re.search(r"OSError: .*File too large.* 0 of 7 pieces are finished\. The same", said)
    assert np.isnan(zarr.open_array(paths[2], mode="r")[:]).all()
    run_example("many_records", tmp_path, *options)
    assert_whole(paths, network(), x)
    assert "7 pieces in" in capsys.readouterr().out


def test_a_lost_scheduler_is_reported_in_a_line_and_the_run_is_resumed(
    long, tmp_path, begun, capsys
):
    paths, x = long
    (tmp_path / "elsewhere").mkdir()  # where a worker does not see the scripts
    plan = {"cwd": tmp_path / "elsewhere", "stdout": subprocess.DEVNULL}
    plan["stderr"] = subprocess.DEVNULL
    dask, file = [sys.executable, "-m"], tmp_path / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    with subprocess.Popen([*dask, "distributed.cli.dask_scheduler", *common], **plan) as lost:
        common += ["--no-nanny", "--nthreads", "1"]
        worker = [*dask, "distributed.cli.dask_worker", *common]
        with subprocess.Popen(worker, **plan) as process:
            try:
                for _ in range(3000):
                    if file.exists() and (found := re.search(r"tcp://[^\"]+", file.read_text())):
                        break
                    sleep(0.01)
                running = begun(*OPTIONS, "--scheduler", found[0])
                wait_for_pieces(paths[2], 20)
                lost.kill()
                said = last_line(running, 1)
            finally:
                lost.kill()
                process.kill()
    done = len(many_records.finished(paths[2]))
    assert f". {done} of 200 pieces are finished. The same command again" in said
    run_example("many_records", tmp_path, *OPTIONS, "--workers", 1)
    assert f"{200 - done} pieces in" in capsys.readouterr().out
    assert_whole(paths, network(), x)


@pytest.mark.parametrize("changed", ["model", "record", "--piece"])
def test_a_changed_model_record_or_option_is_refused(changed, long, tmp_path, capsys):
    paths, _ = long
    computed(paths, 3000)
    before = zarr.open_array(paths[2], mode="r")[:]
    if changed == "model":
        model = network()
        model.with_params({name: w + 1 for name, w in model.params.items()}).save(paths[0])
    elif changed == "record":
        np.save(paths[1] / "001.npy", np.load(paths[1] / "001.npy"))
    options = "model.npz", "days", "scores.zarr", "--piece", 3000 + (changed == "--piece")
    said = complaint("many_records", tmp_path, capsys, *options)
    assert f"{changed} must be the same" in said
    np.testing.assert_array_equal(zarr.open_array(paths[2], mode="r")[:], before)


def test_another_folder_is_not_overwritten(long, tmp_path, capsys):
    zarr.open_array(tmp_path / "theirs.zarr", mode="w", shape=3, dtype=float)[:] = 1
    for name in "days", "theirs.zarr":
        said = complaint("many_records", tmp_path, capsys, "model.npz", "days", name)
        assert f"{name} is there already, and was not made by this script" in said


# Files of records
# ----------------


@pytest.fixture
def sds(tmp_path):
    """A model of noise units, and an SDS archive of days of 2000 samples with a gap in it."""
    obspy = pytest.importorskip("obspy", reason="python -m pip install -e '.[interop]'")
    x, _ = nn.make_records(1, rng=0, n_samples=24_000, arrivals=(10, 10))
    x = np.round(100 * x[0]).astype(np.int32)
    start, whole = obspy.UTCDateTime("2025-03-01"), x.astype(float)
    for day in range(12):
        for c, name in enumerate("ZNE"):
            header = {"network": "XX", "station": "STA", "channel": f"HH{name}"}
            header |= {"sampling_rate": 100.0000001, "starttime": start + 20 * day}
            first, stop = 2000 * day, 2000 * (day + 1)
            if (day, name) == (4, "N"):
                stop -= 300
                whole[stop : stop + 300, c] = np.nan
            if day == 7:  # overlaps by a second with the day after
                stop += 100
            if day == 9:
                continue
            trace = obspy.Trace(x[first:stop, c].copy(), header)
            path = tmp_path / f"sds/2025/XX/STA/HH{name}.D/XX.STA..HH{name}.D.2025.{day + 1}"
            path.parent.mkdir(parents=True, exist_ok=True)
            trace.write(str(path), format="MSEED")
    whole[18_000:20_000] = np.nan
    model = nn.architectures.unet(3, 2, filters=4, depth=3, rng=0)
    model.save(tmp_path / "model.npz", {"channels": 3, "sampling_rate": 100.0, "scale": "noise"})
    return (tmp_path / "model.npz", tmp_path / "sds", tmp_path / "scores.zarr"), whole


def test_the_noise_is_that_of_the_samples_that_are_there(sds):
    paths, whole = sds
    job = many_records.job_of(*paths, 1700, problems=Problems())
    middle, size = many_records.scale_of(Here(), paths[1], job)
    ours = noise_of(whole[~np.isnan(whole).any(axis=1)])
    np.testing.assert_allclose(middle, ours[0])
    assert size == pytest.approx(ours[1])


def test_a_record_that_is_all_gap_is_refused(long, tmp_path, capsys):
    paths, _ = long
    for file in paths[1].iterdir():
        np.save(file, np.full((500, 2), np.nan))
    network().save(paths[0], {"channels": 2, "sampling_rate": 100.0, "scale": "noise"})
    options = "model.npz", "days", "scores.zarr", "--workers", 1
    assert "got none" in complaint("many_records", tmp_path, capsys, *options)
    assert not paths[2].exists()


def test_an_sds_archive_is_one_record_with_nan_in_its_gaps(sds, tmp_path):
    paths, whole = sds
    middle, size = noise_of(whole[~np.isnan(whole).any(axis=1)])
    model = nn.Sequential.load(paths[0])
    ours = model(((whole - middle) / size).astype(np.float32)[None])[0]
    assert 2300 < np.isnan(ours[:, 0]).sum() < 5000
    np.testing.assert_allclose(computed(paths, 1700), ours, rtol=0, atol=1e-4)
    again = paths[0], paths[1], tmp_path / "again.zarr"
    np.testing.assert_allclose(computed(again, 5000), ours, rtol=0, atol=1e-4)


def test_picks_of_an_archive_are_written_and_compared(sds, tmp_path, capsys):
    paths, _ = sds
    computed(paths, 1700)
    (tmp_path / "sds" / "README.txt").write_text("about this archive")
    options = "model.npz", "sds", "scores.zarr", "--piece", 1700, "--workers", 1
    outs = "--out", "picks.csv", "--out", "picks.xml"
    with pytest.raises(SystemExit) as stop:
        run_example("many_records", tmp_path, *options, *outs)
    said = capsys.readouterr()
    assert stop.value.code == 1
    assert "README.txt: Unknown format" in said.err
    header, *lines = (tmp_path / "picks.csv").read_text().splitlines()
    assert header == "record,network,station,location,channel,time,probability"
    picks = read_catalog(tmp_path / "picks.xml")
    assert len(picks) == len(lines) > 20
    for pick, line in zip(picks, lines, strict=True):
        _, network_, station, location, channel, when, probability = line.split(",")
        assert (network_, station, location, channel) == ("XX", "STA", "", "HHZ")
        assert str(pick.time) == when
        assert 0.3 <= float(probability) <= 1
        of = pick.waveform_id
        assert (of.network_code, of.station_code, of.channel_code) == ("XX", "STA", "HHZ")
    (tmp_path / "sds" / "README.txt").unlink()
    run_example("many_records", tmp_path, *options, "--catalog", "picks.xml")
    assert "precision   1.000" in capsys.readouterr().out


def test_records_of_another_kind_or_of_two_stations_are_refused(sds, tmp_path, capsys):
    paths, _ = sds
    options = "model.npz", "sds", "scores.zarr"

    def said(*more):
        return complaint("many_records", tmp_path, capsys, *options, *more)

    assert "'channels': 2" in said("--channels", "Z,N")
    assert "got --channels" in said("--channels", "BH?") or "got none" in said("--channels", "BH?")
    obspy = pytest.importorskip("obspy")
    stream = obspy.read(str(next((tmp_path / "sds").rglob("*HHZ*.1"))))
    stream[0].stats.station = "OTHER"
    stream.write(str(tmp_path / "sds" / "other.mseed"), format="MSEED")
    assert "of one station, got XX.STA..HH, XX.OTHER..HH" in said()
    assert "'channels': 1" in said("--station", "XX.OTHER.*")
    job = many_records.job_of(*paths, 1700, problems=Problems(), station="XX.STA..HH")
    assert job["record"]["length"] == 24_000
    nn.Sequential(nn.Conv1D(1, 2, 3)).save(tmp_path / "plain.npz")
    options = "plain.npz", *options[1:], "--station", "XX.STA*", "--out", "a.csv"
    words = complaint("many_records", tmp_path, capsys, *options)
    assert "--out and --catalog require a picker, got plain.npz" in words


def test_what_cannot_be_run_is_refused(long, tmp_path, capsys):
    paths, _ = long

    def said(*options):
        return complaint("many_records", tmp_path, capsys, *options)

    assert "must be a Zarr array, or a folder" in said("model.npz", "no", "a.zarr")
    assert "complete numpycnn model" in said(paths[1] / "000.npy", "days", "a.zarr")
    nn.Sequential(nn.Flatten(), nn.Dense(80_000, 2)).save(tmp_path / "whole.npz")
    assert "whose outputs depend on all of it" in said("whole.npz", "days", "a.zarr")
    np.save(tmp_path / "days" / "004.npy", np.zeros((5, 3)))
    assert "arrays must be (L, C) with the same C" in said("model.npz", "days", "a.zarr")
