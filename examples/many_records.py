"""Run a trained network over an archive of days, on one machine or on a cluster.

The record is split into pieces. Each piece is a task: read the samples that its outputs depend on,
run the network, and write the outputs. Dask distributes the tasks to processes on this machine, one
per processor, or to a cluster whose scheduler has a given address.

    python examples/many_records.py picker.npz records/ scores.zarr
    python examples/many_records.py picker.npz sds/ scores.zarr --station BW.RJOB.* --out picks.xml
    python examples/many_records.py picker.npz 2025.zarr scores.zarr --scheduler tcp://host:8786

The record is [an archive](_shared/archives.py) of one station: a Zarr array, a folder of `.npy`
files, or a folder of miniSEED. The outputs `(M, D)` are written to a Zarr array. They equal those
of `model.predict` for the whole record, because neighboring pieces overlap by exactly the samples
that both require. Outputs in gaps and in pieces that are not computed yet are NaN. If a network
pools and upsamples, zeros are appended to make the length divisible. For a network of
[pick_arrivals.py](pick_arrivals.py) the record is divided by its noise, and `--out` writes the
picks.

**The run can be interrupted** by Ctrl-C, `kill`, a full disk or the loss of the scheduler. The
finished pieces are listed in the Zarr folder. The same command computes the remaining pieces, and
the result equals that of a run without interruption. A changed model, record or option is refused.

It requires `python -m pip install "dask[distributed]" zarr`, and obspy for miniSEED.
"""

from _shared.options import Parser, at_least, end  # first: it reports a missing package in a line

# isort: split
import hashlib
import logging
import signal
import sys
import time
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from tempfile import TemporaryDirectory

import cloudpickle
import numpy as np
import zarr
from distributed import Client, as_completed

from _shared import archives, readers
from _shared.results import (
    add_pick_options,
    comparison,
    peaks_of_long,
    picks_of,
    require_format,
    write_picks,
)
from _shared.your_records import kind_of, onsets_in, read_catalog, require_kind, require_some
from numpycnn import Container
from numpycnn.layers.storage import load_notes
from numpycnn.seismology.long_records import cut, predict_long
from numpycnn.seismology.picking import noise_of, spaced
from numpycnn.system.progress import progress

# A job
# -----
# A job contains all inputs that determine the result: the model, the files of the record and the
# options. It is stored in the attributes of the Zarr array. A run does not add to the array of
# another job.


def job_of(model_path, record, result, n_outputs, *, problems, station=None, channels=None):
    """Return the job, a dict of numbers and texts. Raises `OSError` or `ValueError`."""
    about = archives.describe(record, problems, station, channels, leave_out=result)
    model, notes = Container.load(model_path), load_notes(model_path)
    is_picker = isinstance(notes, dict) and notes.get("scale") == "noise"
    if is_picker:
        rate = about.get("rate", notes.get("sampling_rate"))  # arrays do not have one
        kind = kind_of(about["n_channels"], rate, about.get("channels", ()))
        require_kind(kind, notes, model_path)
    length = filled = about["length"]
    window = model.receptive_field(length)
    if len(window.spans) > 1:  # a length that is pooled and upsampled must be divisible
        filled += -length % window.stride
    n_rows = [piece.outputs.stop for piece in cut(model, filled, n_outputs)][-1]
    if filled > length:
        n_rows -= (filled - length) * len(window.spans) // window.stride
    return {
        "model": hashlib.sha256(model_path.read_bytes()).hexdigest(),
        "record": about,
        "piece": n_outputs,
        "filled": filled,
        "outputs": n_rows,
        "is_picker": is_picker,
    }


def pieces_of(model_path, job):
    """Return the pieces of a job that have outputs."""
    pieces = cut(Container.load(model_path), job["filled"], job["piece"])
    return [piece for piece in pieces if piece.outputs.start < job["outputs"]]


def stored_job(result):
    """Return the job of an existing result, or None if there is no result."""
    if not result.exists():
        return None
    try:
        return zarr.open_array(result, mode="r").attrs["job"]
    except Exception as error:  # Zarr's have many names
        raise ValueError(
            f"{result} exists and was not written by this script. Choose another name."
        ) from error


def require_same(job, stored, result):
    """Raise `ValueError` unless the result was begun by the same job."""
    words = {"model": "model", "record": "record", "piece": "option --piece"}
    differ = [word for name, word in words.items() if job[name] != stored[name]]
    if differ:
        raise ValueError(
            f"{result} exists, from another run: the {' and the '.join(differ)} must be "
            "the same as then, got a different one. Choose another name, or remove it."
        )


# The finished pieces are listed in a text file, because appending a line does not change the
# others. An incomplete line does not count.

FINISHED = "finished_pieces.txt"


def finished(result):
    """Return the numbers of the finished pieces."""
    if not (result / FINISHED).exists():
        return set()
    lines = (result / FINISHED).read_text().splitlines()
    words = [line.split() for line in lines]
    return {int(line[0]) for line in words if line[1:] == ["finished"]}


# A task
# ------
# A task contains only paths and numbers, so every process with access to the files can run it. It
# writes one chunk of the result and can be repeated: if a worker is lost, Dask assigns its tasks to
# another one.


def outputs_of(model_path, record, job, piece, middle, size):
    """Return the outputs of one piece (M, D), NaN where they depend on a gap."""
    first, stop = piece.samples.start, piece.samples.stop
    x = archives.read(record, job["record"], slice(first, min(stop, job["record"]["length"])))
    x = ((x - middle) / size).astype(np.float32)
    x = np.pad(x, ((0, stop - first - len(x)), (0, 0)))  # zeros after the record
    return predict_long(Container.load(model_path), x[None])[0, piece.wanted]


def run(model_path, record, result, piece):
    """Compute the outputs of one piece, and write those that belong to samples of the record."""
    scores = zarr.open_array(result, mode="r+")
    job, middle, size = (scores.attrs[name] for name in ("job", "middle", "size"))
    y = outputs_of(model_path, record, job, piece, np.array(middle), size)
    scores[piece.outputs] = y[: scores.shape[0] - piece.outputs.start]


# All tasks
# ---------
# Each worker uses one processor and one thread, so that workers do not wait for each other. A task
# that fails for another reason than a lost worker, for example a disk error, is repeated up to
# twice.

PART = 2**21  # samples that are read at once to estimate the noise


def scale_of(client, record, job):
    """Return the offset to subtract from each sample, (C,), and the divisor."""
    about = job["record"]
    if not job["is_picker"]:
        return np.zeros(about["n_channels"]), 1.0
    length, step = about["length"], spaced(about["length"])
    part = step * max(1, PART // step)
    parts = [slice(first, min(first + part, length), step) for first in range(0, length, part)]
    plan = {"retries": 2, "pure": False}
    tasks = client.map(lambda some: archives.read(record, about, some), parts, **plan)
    some = np.concatenate(client.gather(tasks))
    some = some[~np.isnan(some).any(axis=1)]  # samples in gaps do not count
    if not len(some):
        raise ValueError(f"{record}: a sample of all channels at one time is required, got none")
    return noise_of(some)


def begin(client, model_path, record, result, job):
    """Create the array for the results, filled with NaN, with the job and the scale."""
    middle, size = scale_of(client, record, job)
    y = outputs_of(model_path, record, job, pieces_of(model_path, job)[0], middle, size)
    shape = job["outputs"], y.shape[1]
    chunks = min(job["piece"], job["outputs"]), y.shape[1]
    plan = {"shape": shape, "chunks": chunks, "dtype": y.dtype, "fill_value": np.nan}
    # The array is moved here when it is complete. An array without its job could not be resumed.
    result.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=result.parent, prefix=f"{result.name}.") as folder:
        made = Path(folder) / "scores"
        scores = zarr.open_array(made, mode="w", **plan)
        scores.attrs.update({"middle": middle.tolist(), "size": float(size), "job": job})
        made.rename(result)


def run_all(client, model_path, record, result, pieces):
    """Compute these pieces, a dict by number, and record each as soon as it is finished."""
    plan = {"retries": 2, "pure": False}
    tasks = {
        client.submit(run, model_path, record, result, piece, **plan): number
        for number, piece in pieces.items()
    }
    with (result / FINISHED).open("a") as file:
        file.write("\n")  # after a line that was cut off
        for _, task in zip(progress("piece", len(tasks)), as_completed(tasks), strict=True):
            task.result()  # raises what the task raised
            file.write(f"{tasks[task]} finished\n")
            file.flush()


# Interruptions
# -------------
# After any interruption, the script prints the number of finished pieces and how to continue.


@contextmanager
def connected(scheduler, n_workers):
    """Connect to a cluster, or start processes here, and return the client."""
    for name in (
        "distributed",
        "distributed.client",
        "asyncio",
    ):  # errors that the workers log are raised here too
        logging.getLogger(name).setLevel(logging.CRITICAL)
    client = Client(scheduler) if scheduler else local_client(n_workers)
    try:
        yield client
    finally:
        with suppress(Exception):  # report the reason of the end and the files on disk
            client.close()


def local_client(n_workers):
    """Start processes on this machine and return their client."""
    here = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": ":0"}
    # In a terminal Ctrl-C reaches the workers as well, and each would print a traceback. So SIGINT
    # is blocked in all that is started here: the workers, and the thread that replaces a lost one.
    if can_block := hasattr(signal, "pthread_sigmask"):  # not on Windows
        resource_tracker.ensure_running()  # started later, it would unblock SIGINT
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return Client(**here, silence_logs=logging.CRITICAL + 1)
    finally:
        if can_block:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def compute(args, paths, job):
    """Compute all pieces that are not finished; return how many these were, or end the script."""
    result = paths[-1]
    pieces = dict(enumerate(pieces_of(args.model, job)))
    total = len(pieces)
    try:
        left = {n: piece for n, piece in pieces.items() if n not in finished(result)}
        if left:
            with connected(args.scheduler, args.workers) as client:
                if not result.exists():
                    begin(client, *paths, job)
                run_all(client, *paths, left)
    except KeyboardInterrupt:
        reason, status = "interrupted", 130
    except Exception as error:  # of the disk, of Zarr, of Dask
        if isinstance(error, ValueError) and not result.exists():
            raise
        words = str(error).strip().partition("\n")[0].rstrip(".")
        reason = f"{type(error).__name__}: {words:.200}"
        status = 1
    else:
        return len(left)
    print(
        f"many_records: {reason}. {len(finished(result))} of {total} pieces are finished. The same "
        "command computes the others.",
        file=sys.stderr,
    )
    sys.exit(status)


# Picks
# -----


def write_results(args, job, outs, theirs):
    """Write the picks of a picker, and compare them with a catalog."""
    about, stretch = job["record"], archives.as_stretch(job["record"])
    rate = stretch.rate or load_notes(args.model)["sampling_rate"]
    here, heights = peaks_of_long(zarr.open_array(args.result, mode="r"), rate)
    picks = picks_of(str(args.record), stretch, here, dict(zip(here, heights, strict=True)))
    for out in outs:
        write_picks(out, picks)
        print(f"saved {out}, {len(picks)} picks")
    if theirs is not None:
        if "start" not in about:
            raise ValueError("--catalog requires records with times, got a record of arrays")
        onsets = onsets_in(stretch, theirs)
        require_some([onsets], theirs, [stretch], args.catalog)
        print(*comparison([here], [onsets], rate, args.tolerance, len(theirs)), sep="\n")


def main():
    """Read the options, split the record, and compute all pieces."""
    options = Parser("Run a trained network over a long record.")
    add = options.add_argument
    add("model", type=Path, help=".npz file, as model.save writes it")
    add("record", type=Path, help="Zarr array (L, C), or folder of .npy or miniSEED files")
    add("result", type=Path, help="Zarr array to create, or to complete")
    add("--station", help="station of the record, a name or a pattern: BW.RJOB..EH")
    add("--channels", help="channels of the record: Z or HH? or HHZ,HHN,HHE; all if not given")
    add("--piece", type=at_least(1), default=262_144, help="outputs of a task, %(default)s if none")
    add(
        "--scheduler",
        metavar="ADDRESS",
        help="address of a Dask cluster with access to these files",
    )
    add("--workers", type=at_least(1), help="processes without a cluster; one per processor")
    add_pick_options(options)
    args = options.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # from `kill` or a batch system
    for module in archives, readers:  # workers elsewhere do not have these files
        cloudpickle.register_pickle_by_value(module)
    paths = [path.absolute() for path in (args.model, args.record, args.result)]
    problems, began = readers.Problems(), time.monotonic()
    try:
        outs = [require_format(out) for out in args.out]
        theirs = args.catalog and read_catalog(args.catalog)
        stored = stored_job(args.result)
        how = {"problems": problems, "station": args.station, "channels": args.channels}
        job = job_of(*paths, args.piece, **how)
        if (outs or theirs) and not job["is_picker"]:
            raise ValueError(f"--out and --catalog require a picker, got {args.model}")
        if stored:
            require_same(job, stored, args.result)
        print(archives.summary(job["record"]), flush=True)
        n_pieces = compute(args, paths, job)
        seconds = time.monotonic() - began
        print(f"{n_pieces} pieces in {seconds:.1f} s, saved {args.result}")
        if outs or theirs:
            write_results(args, job, outs, theirs)
    except (OSError, ValueError) as error:
        options.error(str(error))
    except KeyboardInterrupt:  # before the first piece, or after the last
        print("many_records: interrupted. The same command continues from here.", file=sys.stderr)
        sys.exit(130)
    end(problems)


if __name__ == "__main__":
    main()
