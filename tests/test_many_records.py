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
from scripts import EXAMPLES, accept_interrupts, complaint, run_example

import numpycnn as nn
from _shared.readers import Problems
from numpycnn.seismology.picking import noise_of

dask = pytest.importorskip("dask", reason="python -m pip install -e '.[interop]'")
distributed = pytest.importorskip("distributed", reason="python -m pip install -e '.[interop]'")
psutil = pytest.importorskip("psutil")  # comes with distributed
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
    x = np.random.default_rng(0).standard_normal((12_000, 2)).astype(np.float32)
    return written(tmp_path, network(), x, {5_001, 9_000}), x


# A cluster
# ---------
# Processes start slowly, so most tests share two. While the file `slow` exists, a piece takes a
# worker 0.2 s longer. A test that interrupts a run creates it, so that the run does not end before.

PRELOAD = """
from pathlib import Path
from time import sleep
from numpycnn.seismology import long_records
if not hasattr(long_records, "at_once"):  # Dask loads this twice
    long_records.at_once = long_records.predict_long
def predict_long(*args):
    sleep(0.2 * Path({slow!r}).exists())
    return long_records.at_once(*args)
long_records.predict_long = predict_long
"""


@pytest.fixture(scope="module")
def slow_file(tmp_path_factory):
    """The path of `slow`, which all workers check that start during these tests."""
    folder = tmp_path_factory.mktemp("workers")
    (folder / "preload.py").write_text(PRELOAD.format(slow=str(folder / "slow")))
    preload = [str(folder / "preload.py")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASK_DISTRIBUTED__WORKER__PRELOAD", repr(preload))  # for other processes
        with dask.config.set({"distributed.worker.preload": preload}):
            yield folder / "slow"


@pytest.fixture
def slow(slow_file):
    """Begin a test with slow workers. They are fast as soon as this file is removed."""
    slow_file.touch()
    yield slow_file
    slow_file.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def cluster(slow_file):
    plan = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**plan, silence_logs=50) as cluster:
        yield cluster


@pytest.fixture
def shared(cluster):
    """The options to compute on the shared processes."""
    return "--scheduler", cluster.scheduler_address


def wait_for_pieces(result, number):
    for _ in range(10_000):
        if len(many_records.finished(result)) >= number:
            return
        sleep(0.03)
    raise AssertionError("too few pieces were finished in five minutes")


# Interruptions
# -------------
# The script runs in a separate process group, as in a terminal, where Ctrl-C reaches all of it.


@pytest.fixture
def begun(tmp_path):
    """Begin the script with these options, and return its process."""
    processes = []

    def begin(*options):
        script = EXAMPLES / "many_records.py"
        command = [sys.executable, "-W", "ignore", script, *map(str, options)]
        pipe = subprocess.PIPE
        plan = {"cwd": tmp_path, "stdout": pipe, "stderr": pipe, "text": True}
        process = subprocess.Popen(
            command, start_new_session=True, preexec_fn=accept_interrupts, **plan
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


OPTIONS = "model.npz", "days", "scores.zarr", "--piece", 150


def test_interrupted_three_times_and_resumed_it_gives_the_values_of_one_run(
    long, tmp_path, begun, shared, slow, capsys
):
    paths, x = long
    ours, done = network().predict(x[None])[0], 0

    def replace_worker(process):  # after Ctrl-C a new one must not print a traceback either
        wait_for_pieces(paths[2], 1)
        children = psutil.Process(process.pid).children(recursive=True)
        workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        assert len(workers) == 2
        workers[-1].kill()
        while workers[-1].is_running() or len(psutil.Process(process.pid).children()) < 3:
            sleep(0.03)

    for end, where in [
        (signal.SIGINT, ("--workers", 2)),
        (signal.SIGTERM, shared),
        (signal.SIGKILL, shared),
    ]:
        process = begun(*OPTIONS, *where)
        if end == signal.SIGINT:
            replace_worker(process)
        wait_for_pieces(paths[2], done + 3)
        (os.killpg if end == signal.SIGINT else os.kill)(process.pid, end)
        out, err = process.communicate(timeout=300)
        before, done = done, len(many_records.finished(paths[2]))
        assert before + 3 <= done < 40
        if end == signal.SIGKILL:
            assert process.returncode == -signal.SIGKILL
        else:
            assert process.returncode == 130
            (said,) = out.splitlines()
            assert "in the natural order of their names, 000.npy to 002.npy: 12,000" in said
            (said,) = err.splitlines()
            assert f"interrupted. {done} of 40 pieces are finished. The same command" in said
        scores = zarr.open_array(paths[2], mode="r")[:]
        there = ~np.isnan(scores).any(axis=1)
        assert 150 * done <= there.sum() < len(scores)
        np.testing.assert_allclose(scores[there], ours[there], rtol=0, atol=1e-5)
    slow.unlink()
    with (paths[2] / many_records.FINISHED).open("a") as file:
        file.write("39 finis")  # a line that was cut off
    assert len(many_records.finished(paths[2])) == done
    run_example("many_records", tmp_path, *OPTIONS, *shared)
    assert f"\n{40 - done} pieces in " in capsys.readouterr().out
    assert many_records.finished(paths[2]) == {*range(40)}
    without = computed((paths[0], paths[1], tmp_path / "at_once.zarr"), 150)
    np.testing.assert_array_equal(zarr.open_array(paths[2], mode="r")[:], without)


def assert_whole(paths, model, x):
    """The result is the output for the whole record, in one piece."""
    scores = zarr.open_array(paths[2], mode="r")[:]
    np.testing.assert_allclose(scores, model.predict(x[None])[0], rtol=0, atol=1e-5)


def when(result, number, action):
    """Start a thread that does something as soon as this number of pieces is finished."""

    def wait():
        wait_for_pieces(result, number)
        action()

    thread = Thread(target=wait, daemon=True)
    thread.start()
    return thread


def complaint_of_interrupted(folder, capsys, *options):
    """The only line that an interrupted run prints, besides what was read."""
    with pytest.raises(SystemExit) as stop:
        run_example("many_records", folder, *options)
    out, err = capsys.readouterr()
    assert stop.value.code == 1
    assert len(out.splitlines()) == 1
    (line,) = err.splitlines()
    return line


def limit_files(size):
    """Let this process write files of this size and no larger, as if the disk were full then."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_whenever_the_disk_is_full_it_is_reported_in_a_line_and_the_run_is_resumed(
    long, tmp_path, capsys, cluster, shared
):
    paths, x = long
    options = "model.npz", "days", "scores.zarr", "--piece", 3000, *shared
    infinite = resource.RLIM_INFINITY
    with distributed.Client(cluster) as client:
        client.wait_for_workers(2)  # one was killed perhaps, in the test before
        for here, there in [
            (0, infinite), (600, infinite), (1200, infinite), (infinite, 0), (infinite, 9000)
        ]:  # fmt: skip
            try:
                client.run(limit_files, there)
                limit_files(here)
                said = complaint_of_interrupted(tmp_path, capsys, *options)
            finally:
                limit_files(infinite)
                client.run(limit_files, infinite)
            words = r"OSError: .*File too large.* 0 of 2 pieces are finished\. The same"
            assert re.search(words, said)
    run_example("many_records", tmp_path, *options)
    assert_whole(paths, network(), x)
    assert "2 pieces in" in capsys.readouterr().out
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"model.npz", "days", "scores.zarr"}


ELSEWHERE = """
from distributed import LocalCluster
if __name__ == "__main__":
    plan = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**plan, processes=False, protocol="tcp://") as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


def test_a_lost_scheduler_is_reported_in_a_line_and_the_run_is_resumed(
    long, tmp_path, capsys, shared, slow
):
    paths, x = long
    (tmp_path / "elsewhere").mkdir()
    plan = {"cwd": tmp_path / "elsewhere", "text": True, "stderr": subprocess.DEVNULL}
    plan |= {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", ELSEWHERE], **plan) as lost:
        try:
            address = lost.stdout.readline().strip()
            when(paths[2], 3, lost.kill)
            said = complaint_of_interrupted(tmp_path, capsys, *OPTIONS, "--scheduler", address)
        finally:
            lost.kill()
            slow.unlink()
    done = len(many_records.finished(paths[2]))
    assert f". {done} of 40 pieces are finished. The same command" in said
    run_example("many_records", tmp_path, *OPTIONS, *shared)
    assert f"{40 - done} pieces in" in capsys.readouterr().out
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


def test_no_workers_are_refused_and_leave_no_result(long, tmp_path, capsys):
    options = "model.npz", "days", "scores.zarr", "--workers", 0
    assert "--workers" in complaint("many_records", tmp_path, capsys, *options)
    assert not (tmp_path / "scores.zarr").exists()


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


def test_an_sds_archive_is_one_record_with_nan_in_its_gaps(sds, tmp_path):
    paths, whole = sds
    middle, size = noise_of(whole[~np.isnan(whole).any(axis=1)])
    model = nn.Sequential.load(paths[0])
    ours = model(((whole - middle) / size).astype(np.float32)[None])[0]
    assert 2300 < np.isnan(ours[:, 0]).sum() < 5000
    np.testing.assert_allclose(computed(paths, 1700), ours, rtol=0, atol=1e-4)
    again = paths[0], paths[1], tmp_path / "again.zarr"
    np.testing.assert_allclose(computed(again, 5000), ours, rtol=0, atol=1e-4)
