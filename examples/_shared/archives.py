"""Read the record of one station from many files as one array, with NaN in gaps.

An archive is one of these:

- a Zarr array `(L, C)`;
- a folder of `.npy` files of that shape, without gaps, in the natural order of their names: day2
  before day10;
- a folder of miniSEED or other files that ObsPy reads, in any layout, such as SDS. The
  position of a sample follows from its time, not from the name of the file.

`describe` reads the header of every file once. It returns only numbers and texts, so that the
description can be stored with the results and sent to another machine. `read` opens only the files
that it needs.
"""

import hashlib
from collections import Counter
from fnmatch import fnmatch

import numpy as np
import zarr

from _shared.readers import (
    SAME_TIME,
    Station,
    Stretch,
    by_station,
    files_in,
    in_order,
    is_same_rate,
    is_selected,
    read_stream,
    samples_from,
    station_of,
)

# Describing an archive
# ---------------------


def describe(path, problems, station=None, channels=None, leave_out=None):
    """Return a dict of numbers and texts that describes the archive at `path`.

    `problems` receives the files that are left out. Raises `OSError` or `ValueError` if the path
    is not an archive of one station. `station` selects one by its name or a pattern. The folder
    `leave_out`, for example one of results, is skipped.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"the record must be a Zarr array, or a folder of .npy files or of records, got {path}"
            ", which does not exist"
        )
    files = [file for file in files_in(path) if leave_out not in file.parents]
    if any((path / name).exists() for name in ("zarr.json", ".zarray")):
        return _describe_arrays(path, files, [(path, zarr.open_array(path, mode="r").shape)])
    arrays = [file for file in files if file.suffix == ".npy"]
    if arrays:
        for file in files:
            if file not in arrays:
                problems.add(file.name, "the other files of the folder are .npy")
        shapes = [(file, np.load(file, mmap_mode="r").shape) for file in arrays]
        return _describe_arrays(path, arrays, shapes)
    return _describe_records(path, files, problems, station, channels)


def stamp(path, files):
    """Return a text that changes with the name, the size or the time of change of a file."""
    found = [(_name(path, file), file.stat()) for file in files]
    stamps = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in found]
    return hashlib.sha256(repr(stamps).encode()).hexdigest()


def _name(path, file):
    return str(file.relative_to(path)) if path.is_dir() else file.name


def _describe_arrays(path, files, shapes):
    sizes = {shape[1:] for _, shape in shapes}
    if len(sizes) > 1 or len(next(iter(sizes))) != 1:
        raise ValueError(
            f"{path}: arrays must be (L, C) with the same C, got {[shape for _, shape in shapes]}"
        )
    pieces, begin = [], 0
    for file, shape in shapes:
        name = "" if file == path else str(file.relative_to(path))
        pieces.append([name, begin, begin + shape[0]])
        begin += shape[0]
    return {
        "kind": "arrays",
        "stamp": stamp(path, files),
        "length": begin,
        "n_channels": shapes[0][1][1],
        "pieces": pieces,
    }


# Files of records
# ----------------
# All samples are on one time grid. A piece begins at the nearest time of the grid, which differs by
# at most half a sample after a restart of the instrument. Simultaneous pieces of several channels
# must agree to a tenth of a sample, as in a record.


def _describe_records(path, files, problems, station, channels):
    found = _headers(path, files, problems, station, channels)
    if not found:
        raise ValueError(f"{path}: expected records, got none. {'; '.join(problems)}")
    rates = Counter()
    for _, trace in found:
        rates[trace.stats.sampling_rate] += trace.stats.npts
    rate = rates.most_common(1)[0][0]
    kept = []
    for name, trace in found:
        if rate > 0 and is_same_rate(trace.stats.sampling_rate, rate):
            kept.append((name, trace))
        else:
            words = f"the rate must be {rate:g} Hz as in most files, got "
            problems.add(f"{name} {trace.id}", f"{words}{trace.stats.sampling_rate:g} Hz")
    kept.sort(key=lambda one: (one[1].stats.starttime, one[0], one[1].id))
    if not kept:
        raise ValueError(f"{path}: expected records, got none. {'; '.join(problems)}")
    names = in_order(trace.stats.channel for _, trace in kept)
    start, stats = kept[0][1].stats.starttime, kept[0][1].stats
    pieces, last = [], {}  # last: for each channel the piece that ends last
    for name, trace in kept:
        near = [one for one in last.values() if one[1].stats.endtime >= trace.stats.starttime]
        origin, first = (near[0][1].stats.starttime, near[0][0]) if near else (start, 0)
        begins = samples_from(origin, trace, rate)
        off = abs(begins - round(begins))
        if near and off > SAME_TIME:
            other = near[0][1].id
            problems.add(
                f"{name} {trace.id}",
                f"must be sampled at the times of {other}, got times {off:.2f} samples off from "
                f"{trace.stats.starttime} on",
            )
            continue
        first += round(begins)
        c = names.index(trace.stats.channel)
        pieces.append([name, first, first + trace.stats.npts, c, trace.stats.starttime.ns])
        if c not in last or last[c][1].stats.endtime < trace.stats.endtime:
            last[c] = (first, trace)
    used = {piece[0] for piece in pieces}
    return {
        "kind": "records",
        "stamp": stamp(path, [file for file in files if _name(path, file) in used]),
        "length": max(piece[2] for piece in pieces),
        "n_channels": len(names),
        "pieces": pieces,
        "channels": names,
        "rate": rate,
        "start": start.ns,
        "station": [stats.network, stats.station, stats.location, stats.channel[:-1]],
    }


def _headers(path, files, problems, station, channels):
    """Return the name of the file and the header of each piece of one station."""
    found = {}
    for file in files:
        name = _name(path, file)
        try:
            stations = by_station(read_stream(file, headonly=True))
        except ValueError as error:
            problems.add(name, error)
            continue
        for one, traces in stations.items():
            if not traces[0].stats.channel:
                problems.add(name, "a piece of an archive must have a channel name")
            elif station is None or fnmatch(str(one), station):
                chosen = [
                    t for t in traces if t.stats.npts and is_selected(t.stats.channel, channels)
                ]
                found.setdefault(one, []).extend((name, trace) for trace in chosen)
    found = {one: pieces for one, pieces in found.items() if pieces}
    if len(found) > 1:
        raise ValueError(
            f"{path}: the record must be of one station, got {', '.join(map(str, found))}. Select "
            "one with --station, or a band with --channels."
        )
    return next(iter(found.values()), [])


# Reading
# -------


def read(path, about, samples):
    """Return these samples (a slice) of an archive, (L, C) float64, with NaN in gaps."""
    if about["kind"] == "arrays":
        x = _read_arrays(path, about, samples).astype(float)
    else:
        x = _read_records(path, about, samples)[:: samples.step or 1]
    x[~np.isfinite(x)] = np.nan
    return x


def _read_arrays(path, about, samples):
    parts, step = [], samples.step or 1
    for name, begin, end in about["pieces"]:
        first, stop = (max(0, place - begin) for place in (samples.start, samples.stop))
        first += (samples.start - begin - first) % step
        if first < min(stop, end - begin):
            array = np.load(path / name, mmap_mode="r") if name else _opened(path)
            parts.append(array[first:stop:step])
    return np.concatenate(parts)


def _opened(path):
    return np.load(path, mmap_mode="r") if path.is_file() else zarr.open_array(path, mode="r")


def _read_records(path, about, samples):
    from obspy import UTCDateTime

    x = np.full((samples.stop - samples.start, about["n_channels"]), np.nan)
    here = {}
    for piece in about["pieces"]:
        if piece[1] < samples.stop and piece[2] > samples.start:
            here.setdefault(piece[0], []).append(piece)
    for name, pieces in here.items():
        sample = 1e9 / about["rate"]  # one more on either side, as times are rounded
        first = min(ns + (samples.start - 1 - n) * sample for _, n, *_, ns in pieces)
        last = max(ns + (samples.stop + 1 - n) * sample for _, n, *_, ns in pieces)
        times = {"starttime": UTCDateTime(ns=int(first)), "endtime": UTCDateTime(ns=int(last))}
        for trace in read_stream(path / name if path.is_dir() else path, **times):
            if list(station_of(trace)) == about["station"]:
                _place(x, samples.start, about, pieces, trace)
    return x


def _place(x, start, about, pieces, trace):
    """Write the samples of a trace to their positions in x, which begins at sample `start`."""
    channel, slack = trace.stats.channel, 0.5e9 / about["rate"]
    mine = [
        piece
        for piece in pieces
        if about["channels"][piece[3]] == channel and piece[4] <= trace.stats.starttime.ns + slack
    ]
    if not mine:
        return
    _, first, stop, c, ns = max(mine, key=lambda piece: piece[4])
    begin = first + round((trace.stats.starttime.ns - ns) * about["rate"] / 1e9)
    low, high = max(begin, start), min(begin + len(trace), stop, start + len(x))
    if low >= high:
        return
    data = trace.data[low - begin : high - begin]
    data = np.ma.filled(data.astype(float), np.nan)
    known = x[low - start : high - start, c]
    differ = ~np.isnan(known) & ~np.isnan(data) & (known != data)
    x[low - start : high - start, c] = np.where(
        differ, np.nan, np.where(np.isnan(data), known, data)
    )


def summary(about):
    """Return a line with the files that were read and their order."""
    first, last = about["pieces"][0][0], about["pieces"][-1][0]
    n_files = len({piece[0] for piece in about["pieces"]})
    order = "in the order of their times"
    if about["kind"] == "arrays":
        order = f"in the natural order of their names, {first} to {last}"
    files = f"{n_files} files {order}" if first else "Zarr array"
    return f"{files}: {about['length']:,} samples, channels: {about['n_channels']}"


def as_stretch(about):
    """Return a `Stretch` with the names, the rate and the length of an archive, without samples."""
    x = np.empty((about["length"], 0))
    if about["kind"] == "arrays":
        return Stretch(x)
    from obspy import UTCDateTime

    station = Station(*about["station"])
    names = about["rate"], tuple(about["channels"]), station.station
    return Stretch(x, *names, UTCDateTime(ns=about["start"]), station.network, station.location)
