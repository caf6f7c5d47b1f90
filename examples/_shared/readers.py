"""Read seismological records with ObsPy.

[ObsPy](https://www.obspy.org) reads about thirty formats, including miniSEED, SAC and SEG-Y. It
returns a *stream*: a list of pieces of one channel each, with the sampling rate and the time of the
first sample. A network requires an array in which each row is one time and each column one channel.

- A *record* belongs to one station. Pieces are grouped by network, station, location and band
  (`HH` of `HHZ`), and the columns are ordered Z, N or 1, E or 2, then the others.
- A piece without a channel name, such as a trace of a SEG-Y or SU file, is a separate record.
- A *stretch* is a part of a record without missing samples in any channel.

[your_traces.py](../your_traces.py), [pick_arrivals.py](../pick_arrivals.py) and
[many_records.py](../many_records.py) read files in this way. Gaps are not filled and records are
not resampled, because the suitable method depends on the application.
"""

import glob
import re
from collections import defaultdict
from fnmatch import fnmatch
from typing import Any, NamedTuple

import numpy as np

# Stations and channels
# ---------------------

ORDER = "ZN1E2"  # of the components; others follow in the order of their names


class Station(NamedTuple):
    """The names that all channels of a record share."""

    network: str = ""
    station: str = ""
    location: str = ""
    band: str = ""  # and instrument: a channel's name without its last letter

    def __str__(self):
        return ".".join(self)


def station_of(trace):
    """Return the station of a piece."""
    stats = trace.stats
    return Station(stats.network, stats.station, stats.location, stats.channel[:-1])


def in_order(channels):
    """Return the names of channels, each once, in the order of the columns of a record.

    >>> in_order(["HHE", "HHN", "HHZ", "HHN"]), in_order(["BDH", "BH2", "BHZ", "BH1"])
    (['HHZ', 'HHN', 'HHE'], ['BHZ', 'BH1', 'BH2', 'BDH'])
    """
    place = {letter: n for n, letter in enumerate(ORDER)}
    return sorted(set(channels), key=lambda name: (place.get(name[-1:], len(ORDER)), name))


def components(channels):
    """Return the last letters of channels, by which records are compared: 1 is N and 2 is E.

    >>> components(["HHZ", "HH1", "HH2"]), components(["BHZ", "BHN", "BHE"])
    (['Z', 'N', 'E'], ['Z', 'N', 'E'])
    """
    return [{"1": "N", "2": "E"}.get(name[-1:], name[-1:]) for name in channels]


def is_selected(channel, channels):
    """Return True if `channels`, "HH?" or "Z,N" for example, selects this channel, or is None."""
    if channels is None:
        return True
    names = [name.strip() for name in channels.split(",")]
    return any(fnmatch(channel[-1:] if len(name) == 1 else channel, name) for name in names)


def by_station(stream, channels=None):
    """Return a dict of the stations in a stream and the pieces of each, a list.

    A piece without a channel name is a separate station, named after its number. Raises
    `ValueError` if the stream is empty or contains no selected channel.
    """
    found = defaultdict(list)
    for number, trace in enumerate(stream, 1):
        if not trace.stats.channel:
            found[Station(*station_of(trace)[:3], f"trace {number}")].append(trace)
        elif is_selected(trace.stats.channel, channels):
            found[station_of(trace)].append(trace)
    if not found:
        names = in_order(trace.stats.channel for trace in stream)
        if not names:
            raise ValueError("expected a channel or more, got none")
        raise ValueError(f"--channels must select some of {names}, got {channels}")
    return dict(found)


# Rates and times
# ---------------
# Most formats round the rate: 19.9999997 Hz is 20 Hz. Two channels count as sampled at the same
# times if their times differ by at most a tenth of a sample. If the difference is larger, joining
# the channels would shift one of them by more than the error of a good pick, although the shift
# would be invisible in a plot.

SAME_RATE = 1e-4
SAME_TIME = 0.1  # samples
DRIFT = 0.5  # samples, from the first to the last of a piece, by the rounding of its rate


def is_same_rate(one, other):
    """Return True if two sampling rates differ by no more than rounding; None is unknown."""
    if one is None or other is None:
        return one == other
    return abs(one - other) <= SAME_RATE * max(one, other)


def samples_from(start, trace, rate):
    """Return how many samples after `start` a piece begins, a float."""
    return (trace.stats.starttime.ns - start.ns) * rate / 1e9


# Stretches
# ---------


class Stretch(NamedTuple):
    """A record without a gap, x (L, C), and its metadata."""

    x: np.ndarray
    rate: float | None = None  # in hertz
    channels: tuple = ()
    station: str = ""
    start: Any = None  # the time of the first sample, an obspy.UTCDateTime
    network: str = ""
    location: str = ""

    def time_of(self, sample):
        """Return the time of a sample as precisely as it is known, an obspy.UTCDateTime or text."""
        if self.rate is None:
            return f"sample {sample}"
        seconds = sample / self.rate
        return f"{seconds:.3f} s" if self.start is None else self.start + seconds


def stretches(stream, channels=None):
    """Return the stretches of all stations in an ObsPy stream, station by station.

    A stretch ends where a channel has a gap, where two pieces of a channel contradict each other,
    and where a sample is masked, NaN or infinite.

    Raises `ValueError` for a station whose channels cannot be joined.
    """
    stations = by_station(stream, channels)
    return [one for name, traces in stations.items() for one in stretches_of(name, traces)]


def stretches_of(station, traces):
    """Return the stretches of the pieces of one station, in the order of time."""
    traces = [trace for trace in traces if len(trace)]
    if not traces:
        raise ValueError(f"{station} must have samples, got none")
    for trace in traces:
        if trace.data.dtype.kind not in "iuf":
            raise ValueError(
                f"{trace.id} must hold numbers, got data of type {trace.data.dtype}. Select "
                "channels with --channels."
            )
    rates = sorted({trace.stats.sampling_rate for trace in traces})
    if not (0 < rates[0] <= rates[-1] < np.inf and is_same_rate(rates[0], rates[-1])):
        raise ValueError(
            f"{station} must have one sampling rate above 0, got {rates} Hz. Select channels with "
            "--channels, or resample the file with ObsPy."
        )
    names = in_order(trace.stats.channel for trace in traces)
    known = rates[0], tuple(names), station.station
    found = []
    for together in _together(_cut_apart(traces, rates[0]), rates[0]):
        start = min(trace.stats.starttime for trace in together)
        x, lacking = _on_a_grid(together, names, start, rates[0])
        found += [
            Stretch(x[here], *known, start + here.start / rates[0], station[0], station[2])
            for here in np.ma.clump_unmasked(np.ma.array(lacking, mask=lacking))
        ]
    if not found:
        raise ValueError(
            f"{station} must have a time at which all of {names} have samples, got none. Select "
            "channels with --channels."
        )
    return found


def _cut_apart(traces, rate):
    """Return the pieces without the times at which two of one channel are sampled differently."""
    kept = []
    for trace in sorted(traces, key=lambda trace: (trace.stats.channel, trace.stats.starttime)):
        if kept and kept[-1].stats.channel == trace.stats.channel:
            begins = samples_from(kept[-1].stats.starttime, trace, rate)
            begin, end = trace.stats.starttime, kept[-1].stats.endtime
            if begin <= end and abs(begins - round(begins)) > SAME_TIME:
                kept[-1] = kept[-1].slice(endtime=begin - 1 / rate)
                trace = trace.slice(starttime=end + 1 / rate)
        kept.append(trace)
    return [trace for trace in kept if len(trace)]


def _together(traces, rate):
    """Yield lists of pieces that overlap or follow each other; between two lists is a gap."""
    near, end = [], None
    for trace in sorted(traces, key=lambda trace: trace.stats.starttime):
        begins = samples_from(end, trace, rate) if near else 0
        if near and begins > 0 and abs(begins - 1) > SAME_TIME:
            yield near
            near = []
        last = trace.stats.endtime
        end = max(end, last) if near else last
        near.append(trace)
    yield near


def _on_a_grid(traces, names, start, rate):
    """Return x (L, C) of all samples from `start` on, and a mask of incomplete rows (L,)."""
    first, length = [], 0
    for trace in traces:
        begins, n_samples = samples_from(start, trace, rate), len(trace)
        drift = (n_samples - 1) * abs(rate / trace.stats.sampling_rate - 1)
        off = abs(begins - round(begins))
        if off > SAME_TIME or drift > DRIFT:
            raise ValueError(
                f"{trace.id} must be sampled at the times of {traces[0].id}, got times "
                f"{max(off, drift):.2f} samples off from {trace.stats.starttime} on. Select "
                "channels with --channels, or move the samples with stream.interpolate."
            )
        first.append(round(begins))
        length = max(length, first[-1] + n_samples)
    dtype = np.result_type(*(trace.data.dtype for trace in traces))
    x = np.zeros((len(names), length), dtype)
    known = np.zeros((len(names), length), bool)
    lacking = np.zeros(length, bool)
    for begin, trace in zip(first, traces, strict=True):
        c, here = names.index(trace.stats.channel), slice(begin, begin + len(trace))
        data = np.ma.getdata(trace.data)
        given = ~np.ma.getmaskarray(trace.data) & np.isfinite(data)
        twice = known[c, here] & given
        if (x[c, here] != data)[twice].any():
            lacking[here] |= twice
        x[c, here][given] = data[given]
        known[c, here] |= given
    return x.T, lacking | ~known.all(axis=0)


def record(stream, channels=None):
    """Return a stream of one station and one stretch: x (L, C), the rate, and the channels.

    Raises what `stretches` raises, and `ValueError` for several stations and for gaps.
    """
    stations = by_station(stream, channels)
    if len(stations) > 1:
        raise ValueError(
            f"a record must be of one station, got {', '.join(map(str, stations))}. Select one "
            "with stream.select, or the band with --channels."
        )
    ((station, traces),) = stations.items()
    only = without_gaps(stretches_of(station, traces))
    return np.ascontiguousarray(only.x, float), only.rate, list(only.channels)


def without_gaps(found):
    """Return the only one of these stretches, or raise `ValueError`."""
    if len(found) > 1:
        first, second = found[:2]
        raise ValueError(
            f"a record must have no gap, got {len(found)} stretches, with nothing between "
            f"{first.time_of(len(first.x) - 1)} and {second.start}. Cut the file at the gap with "
            "stream.slice(start, end), or fill it with stream.merge(fill_value='interpolate')."
        )
    return found[0]


# Files and folders
# -----------------
# The files of a folder and its subfolders are read one by one, in the natural order of their names:
# day2 before day10. A year of daily files therefore requires no more memory than a day.
#
# Many archives, and all of SAC, have a file for each channel. Files that hold *different* channels
# of one station at *the same time* are one record. Files of the same channels stay separate.


def natural(path):
    """Return a key that sorts paths by their names, with the numbers in them as numbers.

    >>> from pathlib import Path
    >>> [str(path) for path in sorted(map(Path, ["day10", "day2", "day1"]), key=natural)]
    ['day1', 'day2', 'day10']
    """
    parts = [re.split(r"(\d+)", part) for part in path.parts]
    return [[(0, int(s), s) if s.isdecimal() else (1, 0, s) for s in part if s] for part in parts]


def files_in(path):
    """Return the files of a folder, in the natural order of their names, or the file itself."""
    if not path.is_dir():
        return [path]
    files = [file for file in path.rglob("*") if file.is_file()]
    hidden = [any(part[0] == "." for part in file.relative_to(path).parts) for file in files]
    return sorted((f for f, hide in zip(files, hidden, strict=True) if not hide), key=natural)


def read_stream(file, **options):
    """Return a file as a stream, or the files that match a pattern.

    Raises `ValueError` for every file that ObsPy does not read.
    """
    try:
        import obspy  # imported here, because it is optional
    except ImportError as error:
        raise ValueError(f"{error}. Install it: python -m pip install obspy") from error
    try:
        # A folder may be named [1], which ObsPy would read as a pattern.
        return obspy.read(glob.escape(str(file)) if file.exists() else str(file), **options)
    except Exception as error:  # ObsPy's have many names, and a damaged file can raise any
        words = str(error).strip().partition("\n")[0].removesuffix(".") or type(error).__name__
        if "Unknown format" in words:
            words = "Unknown format: ObsPy must be able to read the file"
        raise ValueError(words) from error


class Problems(list):
    """The files and records that were left out, each as "name: reason"."""

    def add(self, name, error):
        """Record why a file or a record was left out."""
        self.append(f"{name}: {error}")


def from_files(path, problems, channels=None, files=None):
    """Yield the name, the station and the stretches of each record in a file or a folder.

    `problems` receives the name of each file and record that cannot be read, and the reason. If
    `files` is given, only these files of a folder are read.
    """

    def name_of(file):
        return str(file.relative_to(path) if path.is_dir() else file)

    for together in files_of_records(files_in(path) if files is None else files, problems, name_of):
        more = f" and {len(together) - 1} more" if len(together) > 1 else ""
        name = name_of(together[0]) + more
        try:
            stations = by_station([t for file in together for t in read_stream(file)], channels)
        except ValueError as error:
            problems.add(name, error)
            continue
        for station, traces in stations.items():
            here = f"{name} {station}" if len(stations) > 1 else name
            try:
                found = stretches_of(station, traces)
            except ValueError as error:
                problems.add(here, error)
            else:
                yield here, station, found


def files_of_records(files, problems, name_of):
    """Yield lists of files: those that hold different channels of one station at the same time."""
    if len(files) < 2:
        yield from ([file] for file in files)
        return
    members, spans = {}, defaultdict(list)  # the files with each file; (channels, times, a file)
    for file in files:
        try:
            stations = by_station(read_stream(file, headonly=True))
        except ValueError as error:
            problems.add(name_of(file), error)
            continue
        members[file] = [file]
        for station, traces in stations.items():
            begin = min(trace.stats.starttime.timestamp for trace in traces)
            end = max(trace.stats.endtime.timestamp for trace in traces)
            day = int((begin + end) // (2 * 86400))
            channels = {trace.stats.channel for trace in traces}
            near = [one for d in (day - 1, day, day + 1) for one in spans[station, d]]
            for others, other_begin, other_end, other in near if "" not in channels else []:
                shared = min(end, other_end) - max(begin, other_begin)
                half = min(end - begin, other_end - other_begin) / 2
                if not channels & others and shared >= half:
                    others |= channels
                    _join(members, other, file)
                    break
            else:
                spans[station, day].append((channels, begin, end, file))
    yielded = set()
    for together in members.values():
        if id(together) not in yielded:
            yielded.add(id(together))
            yield together


def _join(members, one, other):
    """Make one list of the lists of two files."""
    if members[one] is not members[other]:
        members[one].extend(members[other])
        members.update(dict.fromkeys(members[other], members[one]))


# Records of one kind
# -------------------
# A network requires records of one sampling rate and the same channels. If more than half of the
# records agree, the others are left out and listed. Otherwise the choice would be arbitrary, and an
# error is raised.


def of_one_kind(records, problems):
    """Return those of the records (name, `Stretch`) that are of the most frequent kind.

    Raises `ValueError` if no kind has more than half of them.
    """
    kinds = []  # (rate, components, records)
    for name, one in records:
        here = components(one.channels)
        for rate, names, members in kinds:
            if is_same_rate(rate, one.rate) and names == here:
                members.append((name, one))
                break
        else:
            kinds.append((one.rate, here, [(name, one)]))
    kinds.sort(key=lambda kind: -len(kind[2]))
    if kinds and 2 * len(kinds[0][2]) <= len(records):
        listed = "; ".join(f"{rate:g} Hz {names} as in {m[0][0]}" for rate, names, m in kinds)
        raise ValueError(
            f"records must have one sampling rate and the same channels, got {listed}. Select "
            "channels with --channels, or resample the files of one rate with ObsPy."
        )
    for rate, names, members in kinds[1:]:
        for name, _ in members:
            most = f"{kinds[0][0]:g} Hz {kinds[0][1]}"
            problems.add(name, f"must be {most} as most records, got {rate:g} Hz {names}")
    return kinds[0][2] if kinds else []


def of_one_length(records, length=None):
    """Return records, each (L, C), as one array (N, L, C), of their first `length` samples."""
    lengths = [len(x) for x in records]
    if not lengths:
        raise ValueError("expected records, got none")
    shortest = min(lengths)
    if length is None and shortest < max(lengths):
        raise ValueError(
            f"records must have one length, got {shortest} to {max(lengths)} samples. With "
            f"--length {shortest} the first {shortest} of each are taken."
        )
    if length is not None and shortest < length:
        raise ValueError(
            f"--length must be {shortest} or less, got {length}: record "
            f"{lengths.index(shortest) + 1} has no more samples. Reduce --length."
        )
    return np.stack([x[:length] for x in records])


# A folder for each class
# -----------------------
# Training records are stored in one folder for each class, with the name of the class. Subfolders,
# for example of stations, are ignored. Records directly in the outer folder have no class.


def read_folder(folder, problems, channels=None):
    """Return the records of a folder, a list of `Stretch`, and the class of each, "" for none.

    `problems` receives the files that cannot be read. Raises `ValueError` for records of several
    kinds.
    """
    files = files_in(folder)
    classes = defaultdict(list)
    for file in files:
        parts = file.relative_to(folder).parts
        classes[parts[0] if len(parts) > 1 else ""].append(file)
    records = []
    for name, members in classes.items():
        for place, _, found in from_files(folder, problems, channels, members):
            try:
                records.append(((name, place), without_gaps(found)))
            except ValueError as error:
                problems.add(place, error)
    named = [(place, (name, one)) for (name, place), one in records]
    kept = of_one_kind([(place, one) for place, (_, one) in named], problems)
    class_of = {place: name for place, (name, _) in named}
    return [one for _, one in kept], [class_of[place] for place, _ in kept]
