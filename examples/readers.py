"""Readers: traces as other programs write them.

Every field has its own files. Here are those of two, read into the arrays of this package: the
formats of seismology, by way of ObsPy, and those of the UCR and UEA archives, with which
classifiers of time series are compared. [your_traces.py](your_traces.py) reads them all:

    python examples/your_traces.py records/
    python examples/your_traces.py GunPoint_TRAIN.tsv --test GunPoint_TEST.tsv

Nothing is mended in silence. A gap is not filled and a record not resampled: each is named, with
the line that would do it, because what is right depends on what is to be learned.
"""

from typing import Any, NamedTuple

import numpy as np

# Records of seismographs
# -----------------------
# [ObsPy](https://www.obspy.org) reads some thirty formats, miniSEED and SAC among them, into a
# *stream*: a list of pieces, each of one channel, with a sampling rate and the time of its first
# sample. Stations stop and go on, and one channel begins a little before the other. What a network
# can be given is a *stretch*: a time for which there is every sample of every channel.


class Stretch(NamedTuple):
    """A record without a gap, x (L, C), and what is known of it."""

    x: np.ndarray
    rate: float | None = None  # in hertz
    channels: tuple = ()
    station: str = ""
    start: Any = None  # the time of the first sample, an obspy.UTCDateTime

    def time(self, sample):
        """Say when this sample was taken, as well as that is known."""
        if self.rate is None:
            return f"sample {sample}"
        seconds = sample / self.rate
        return f"{seconds:.3f} s" if self.start is None else str(self.start + seconds)


def stretches(stream):
    """Return the stretches of an ObsPy stream in which no channel lacks a sample.

    Pieces of one channel that follow each other are joined. A sample is lacking where there is a
    gap, where two pieces contradict each other, and where one is masked, NaN or infinite.

    Raises `ValueError` for more than one sampling rate, and if no stretch is left.
    """
    from obspy import Stream, Trace  # here, because it is not always there

    try:  # on other traces that hold the same samples, because merge changes its stream
        stream = Stream([Trace(trace.data, trace.stats) for trace in stream]).merge()
    except Exception as error:  # ObsPy's own is no more than that
        raise ValueError(f"the pieces of a channel do not fit together: {error}") from error
    stream.sort(["network", "station", "location", "channel"])
    for trace in stream:
        if trace.data.dtype.kind not in "iuf" or not len(trace):
            raise ValueError(f"{trace.id} holds no numbers but {trace.data.dtype}; leave it out")
    rates = sorted({trace.stats.sampling_rate for trace in stream})
    if len(rates) != 1:
        raise ValueError(
            f"expected channels of one sampling rate, got {rates} Hz; stream.resample({rates[0]})"
            if rates
            else "expected a channel or more, got none"
        )
    start = max(trace.stats.starttime for trace in stream)
    skipped = [round((start - trace.stats.starttime) * rates[0]) for trace in stream]
    length = min(len(trace) - first for trace, first in zip(stream, skipped, strict=True))
    channels, station = [trace.stats.channel for trace in stream], stream[0].stats.station
    x = np.empty((len(stream), max(0, length)), np.result_type(*(t.data.dtype for t in stream))).T
    lacking = np.zeros(len(x), bool)
    for c, first in enumerate(skipped):  # one after the other: a day of them is large
        data = stream.pop(0).data[first : first + length]
        x[:, c] = np.ma.getdata(data)
        lacking |= np.ma.getmaskarray(data) | ~np.isfinite(x[:, c])
    whole = np.ma.clump_unmasked(np.ma.array(lacking, mask=lacking)) if len(x) else []
    if not whole:
        raise ValueError("expected channels with some time in common, got none; read them by day")
    known = rates[0], tuple(channels), station
    return [Stretch(x[here], *known, start + here.start / rates[0]) for here in whole]


def record(stream):
    """Return a stream that is one stretch as x (L, C), its sampling rate, and its channels.

    Raises what `stretches` raises, and `ValueError` for gaps.
    """
    found = stretches(stream)
    if len(found) > 1:
        first, second = found[:2]
        raise ValueError(
            f"expected a record without gaps, got one of {len(found)} stretches, with nothing "
            f"between {first.time(len(first.x) - 1)} and {second.start}; take a stretch, "
            "stream.slice(start, end), or fill the gaps, stream.merge(fill_value='interpolate')"
        )
    x, rate, channels, *_ = found[0]
    return np.ascontiguousarray(x, float), rate, list(channels)


# Files and folders
# -----------------
# A file is a stream, of the channels of one station. Of a folder each file is read when its turn
# comes, those in the folders within it as well, so a year of days takes no more memory than a day.


def from_files(path, make):
    """Give the place of the file, or of each in the folder, and what `make` makes of its stream.

    Raises `ValueError` for what ObsPy cannot read or `make` refuses, with the place of the file.
    """
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("[!.]*") if file.is_file())
    for file in files:
        place = file.relative_to(path) if path.is_dir() else file
        try:
            import obspy

            made = make(obspy.read(file))
        except Exception as error:  # ObsPy's have many names
            raise ValueError(f"{place}: {error}") from error
        yield place, made


# Traces that are to be learned lie in a folder for each class, of its name, a record to a file.
# (Those that are to be classified lie in one folder together.) All of them have to come from the
# same channels and be sampled at the same rate. Hardly ever are they equally long: a sample
# more or less is usual. So a length can be given, and that many samples are taken, from the
# first on.


def read_folder(folder):
    """Return the records in the folders in `folder`, each (L, C), and the folder's name of each.

    Raises `ValueError` for files that ObsPy cannot read or that do not fit together.
    """
    found = list(from_files(folder, record))
    require_alike([(place, rate, channels) for place, (_, rate, channels) in found])
    return [x for _, (x, *_) in found], [place.parent.name for place, _ in found]


def require_alike(records):
    """Raise unless all records, (place, rate, channels), have one rate and the same channels."""
    kinds = {}
    for place, rate, channels in records:
        kinds.setdefault((rate, *(name[-1:] for name in channels)), place)
    if len(kinds) > 1:
        listed = "; ".join(f"{kind} as in {place}" for kind, place in kinds.items())
        raise ValueError(
            f"expected records of one sampling rate (Hz) and the same channels, got {listed}; "
            "stream.resample(rate), or read fewer channels"
        )


def of_one_length(records, length=None):
    """Return records, each (L, C), as one array (N, L, C), of their first `length` samples."""
    lengths = [len(x) for x in records]
    if not lengths:
        raise ValueError("expected records, got none")
    shortest = min(lengths)
    if length is None and shortest < max(lengths):
        raise ValueError(
            f"expected records of one length, got {shortest} to {max(lengths)} samples; with "
            f"--length {shortest} the first {shortest} of each are taken"
        )
    if length is not None and shortest < length:
        raise ValueError(
            f"expected {length} samples or more, got {shortest} in record "
            f"{lengths.index(shortest) + 1}; take a smaller --length, or leave that record out"
        )
    return np.stack([x[:length] for x in records])


# Series of the archives
# ----------------------
# The archives come as a file to learn from, `..._TRAIN`, and one to be examined on, `..._TEST`, of
# one of two kinds.
#
# - `.tsv`: a series a line, its class first, then the samples, with tabs between. A series that is
#   shorter than others ends in `NaN`.
# - `.ts`: lines with an `@` that describe what follows, then a series a line. Its channels are
#   parted by colons, samples by commas, the class comes last, and a question mark is a
#   sample that is missing.
#
# Whether each series is brought to mean 0 and deviation 1 first, as is usual with these archives,
# is not decided here: that is `nn.standardise(x)`.


def read_tsv(path):
    """Return the series in a .tsv file, each (L, 1), and the class of each."""
    rows = [(number, line.split("\t")) for number, line in _lines(path)]
    return [_series(number, [row[1:]]) for number, row in rows], [_class(row[0]) for _, row in rows]


def read_ts(path):
    """Return the series in a .ts file, each (L, C), and the class of each, or no classes."""
    lines = [(n, line) for n, line in _lines(path) if not line.startswith(("#", "%"))]
    pairs = (line.lower().split(maxsplit=2) for _, line in lines if line.startswith("@"))
    described = {words[0]: words[1] for words in pairs if len(words) > 1}
    if "true" in (described.get("@timestamps"), described.get("@targetlabel")):
        raise ValueError(
            "expected samples without time stamps, and classes, not numbers to predict"
        )
    has_classes = described.get("@classlabel") != "false"
    series, names = [], []
    for number, line in lines:
        if line.startswith("@"):
            continue
        parts = line.split(":")
        names.append(_class(parts.pop()) if has_classes else "")
        series.append(_series(number, [part.split(",") for part in parts]))
    return series, names


def _lines(path):
    """The lines of a text file that are not empty, with their numbers."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]


def _series(number, channels):
    """Return the channels in line `number`, lists of texts, as a series (L, C)."""
    try:
        columns = [[np.nan if text.strip() == "?" else float(text) for text in c] for c in channels]
        x = np.array(columns).T
    except ValueError as error:
        raise ValueError(
            f"line {number}: expected numbers, as many in each channel, got {error}"
        ) from error
    known = np.flatnonzero(~np.isnan(x).all(axis=1))
    return x[: known[-1] + 1] if len(known) else x


def _class(text):
    """The name of a class. Some files write one number as 1 and as 1.0000000e+00."""
    name = text.strip()
    try:
        number = float(name)
    except ValueError:
        return name
    return str(int(number)) if number.is_integer() else name
