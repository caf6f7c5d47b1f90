"""Many records: an archive of days through a trained network, on one machine or on many.

A record is cut into pieces, and each piece is a task: read the stretch of the record that its
outputs look at, run the network, write the outputs. Dask hands the tasks to processes, here as many
as there are processors, or those of a cluster, whose address its scheduler told when it began.

    python examples/many_records.py picker.npz records/ scores.zarr
    python examples/many_records.py picker.npz 2025.zarr scores.zarr --scheduler tcp://host:8786

A record is a Zarr array `(L, C)`, or a folder of `.npy` files of that shape that follow each other
in the order of their names, a day each perhaps. The outputs `(M, D)` go to a Zarr array. They are
what `model.predict` gives for the whole record at once, across all seams: two stretches overlap by
the samples that both need, which the layers tell, and by no more. Where a network pools and makes
long again, zeros at the end make the record's length divisible. A network of
[pick_arrivals.py](pick_arrivals.py) gets the record in units of its noise, as it learned, and
`pick_peaks(nn.Softmax()(scores)[:, 1], 0.3, 50)` then are the picks that it makes.

It wants two more libraries: `python -m pip install "dask[distributed]" zarr`.
"""

import argparse
import logging
import time
from pathlib import Path

import numpy as np
import zarr
from distributed import Client, as_completed

from numpycnn.layers import Container
from numpycnn.long_records import cut, predict_long
from numpycnn.picking import noise_of, spaced
from numpycnn.storage import load_notes
from numpycnn.training.progress import steps_told

# The record
# ----------
# Nothing is read before it is needed: an `.npy` file is opened as a map of the disk.


def parts_of(path):
    """Return the arrays, each (L, C), that make up the record."""
    if not path.exists():
        raise FileNotFoundError(f"expected a Zarr array or a folder of .npy files, {path} is none")
    files = sorted(path.glob("*.npy"))
    arrays = [np.load(file, mmap_mode="r") for file in files] or [zarr.open_array(path, mode="r")]
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) > 1 or len(shapes.pop()) != 1:
        raise ValueError(
            f"{path}: expected arrays (L, C) of as many channels, got {[a.shape for a in arrays]}"
        )
    return arrays


def stretch(path, samples):
    """Return these samples of the record, (L, C)."""
    parts, begin, step = [], 0, samples.step or 1
    for array in parts_of(path):
        first, stop = (max(0, place - begin) for place in (samples.start, samples.stop))
        first += (samples.start - begin - first) % step
        if first < min(stop, array.shape[0]):
            parts.append(array[first:stop:step])
        begin += array.shape[0]
    return np.concatenate(parts)


def scale_of(model_path, record):
    """Return what is taken from each sample, and by what it is divided then."""
    notes = load_notes(model_path)
    if not isinstance(notes, dict) or notes.get("scale") != "noise":
        return 0, 1
    length = length_of(record)
    return noise_of(stretch(record, slice(0, length, spaced(length))))


def length_of(path):
    """Return how many samples the record has."""
    return sum(array.shape[0] for array in parts_of(path))


# A task
# ------
# A task holds paths and numbers and nothing else, so whoever sees the files can do it. It writes
# chunks of the result that are its own, and so it can be done twice: when a worker is lost, Dask
# gives its tasks to another.


def outputs_of(model, record, piece, middle=0, size=1):
    """Return the outputs of one piece, (M, D), with zeros for samples behind the record."""
    x = ((stretch(record, piece.samples) - middle) / size).astype(np.float32)
    x = np.pad(x, ((0, piece.samples.stop - piece.samples.start - len(x)), (0, 0)))
    return predict_long(model, x[None])[0, piece.wanted]


def run(model_path, record, result, piece, *scale):
    """Compute the outputs of one piece, and write those that belong to samples of the record."""
    y = outputs_of(Container.load(model_path), record, piece, *scale)
    scores = zarr.open_array(result, mode="r+")
    scores[piece.outputs] = y[: scores.shape[0] - piece.outputs.start]


def prepare(model_path, record, result, n_outputs):
    """Make the array for the results, and return the pieces, of so many outputs."""
    if result.exists():
        raise ValueError(f"{result} is there already; give another name, or remove it first")
    model, length = Container.load(model_path), length_of(record)
    window, filled = model.window(length), length
    if len(window.spans) > 1:  # what is pooled and made long again has to be divisible
        filled += -length % window.stride
    pieces = list(cut(model, filled, n_outputs))
    y = outputs_of(model, record, pieces[-1])
    stop = pieces[-1].outputs.stop
    if filled > length:
        stop -= (filled - length) * len(window.spans) // window.stride
    chunks = min(n_outputs, stop), y.shape[1]
    zarr.open_array(result, mode="w", shape=(stop, y.shape[1]), chunks=chunks, dtype=y.dtype)
    return [piece for piece in pieces if piece.outputs.start < stop]


# All tasks
# ---------
# A processor for each worker, and one thread, so that they do not wait for each other. What fails
# for another reason than a lost worker, a disk that does not answer say, is tried twice more.


def run_all(client, pieces, *paths):
    """Have all pieces done, and tell how far it is."""
    began = time.monotonic()
    scale = scale_of(*paths[:2])
    tasks = client.map(lambda piece: run(*paths, piece, *scale), pieces, retries=2, pure=False)
    for _, task in zip(steps_told("piece", len(tasks)), as_completed(tasks), strict=True):
        task.result()  # raises what the task raised
    return time.monotonic() - began


def main():
    """Read the options, make the pieces, and have them done."""
    options = argparse.ArgumentParser(description="Run a trained network over a long record.")
    add = options.add_argument
    add("model", type=Path, help=".npz file, as model.save writes it")
    add("record", type=Path, help="Zarr array (L, C), or folder of .npy files")
    add("result", type=Path, help="Zarr array to make")
    add("--piece", type=int, default=262_144, help="outputs of one task, %(default)s if not given")
    add("--scheduler", metavar="ADDRESS", help="of a Dask cluster whose workers see these files")
    add("--workers", type=int, help="processes here, without a cluster: one for each processor")
    args = options.parse_args()
    paths = [path.absolute() for path in (args.model, args.record, args.result)]
    here = {"n_workers": args.workers, "threads_per_worker": 1, "dashboard_address": None}
    here["silence_logs"] = logging.CRITICAL  # errors of tasks are raised here, not logged there
    try:
        pieces = prepare(*paths, args.piece)
        with Client(args.scheduler) if args.scheduler else Client(**here) as client:
            seconds = run_all(client, pieces, *paths)
    except (OSError, ValueError) as error:
        options.error(str(error))
    print(f"{len(pieces)} pieces in {seconds:.1f} s, saved {args.result}")


if __name__ == "__main__":
    main()
