"""Readers: traces as other programs write them.

Every field has its own files. Here are those of two, read into the arrays of this package: the
formats of seismology, by way of ObsPy, and those of the UCR and UEA archives, with which
classifiers of time series are compared. [your_traces.py](your_traces.py) reads them all:

    python examples/your_traces.py records/
    python examples/your_traces.py GunPoint_TRAIN.tsv --test GunPoint_TEST.tsv

Nothing is mended in silence. A gap is not filled and a record not resampled: each is named, with
the line that would do it, because what is right depends on what is to be learned.
"""

import numpy as np

# Records of seismographs
# -----------------------
# [ObsPy](https://www.obspy.org) reads some thirty formats, miniSEED and SAC among them, into a
# *stream*: a list of pieces, each of one channel, with a sampling rate and a time of its first
# sample. A record of `(L, C)` samples is that if all of it fits: one piece a channel, one
# sampling rate, and a stretch of time that all channels have.


def record(stream):
    """Return an ObsPy stream as x (L, C), its sampling rate in hertz, and the channels' names.

    The channels stand in the order of their names, cut to the time that all of them have. Pieces
    of one channel that follow each other are joined.

    Raises `ValueError` for gaps and masked samples, and for more than one sampling rate.
    """
    try:
        stream = stream.copy().merge().sort(["network", "station", "location", "channel"])
    except Exception as error:  # ObsPy's own is no more than that
        raise ValueError(f"the pieces of a channel do not fit together: {error}") from error
    for trace in stream:
        if np.ma.is_masked(trace.data):
            n_missing = np.ma.count_masked(trace.data)
            first = trace.stats.starttime + np.argmax(trace.data.mask) * trace.stats.delta
            raise ValueError(
                f"{trace.id} has gaps or overlaps, {n_missing} of {len(trace)} samples, the first "
                f"at {first}; take a stretch without any, stream.slice(start, end), or fill them, "
                "stream.merge(fill_value='interpolate')"
            )
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
    first = [round((start - trace.stats.starttime) * rates[0]) for trace in stream]
    length = min(len(trace) - skipped for trace, skipped in zip(stream, first, strict=True))
    if length < 1:
        raise ValueError("expected channels with some time in common, got none; read them by day")
    channels = [
        trace.data[skipped : skipped + length].astype(float)
        for trace, skipped in zip(stream, first, strict=True)
    ]
    return np.stack(channels, axis=1), rates[0], [trace.stats.channel for trace in stream]


# A folder for each class
# -----------------------
# Files of one class lie in a folder of its name, a record each. (Records that are to be classified
# lie in one folder together.) All of them have to come from the same channels and be sampled at
# the same rate. Hardly ever are they equally long: a sample more or less is usual. So a
# length can be given, and that many samples are taken, from the first on.


def read_folder(folder):
    """Return the records in the folders in `folder`, each (L, C), and the folder's name of each.

    Raises `ValueError` for files that ObsPy cannot read or that do not fit together.
    """
    paths = sorted(path for path in folder.rglob("[!.]*") if path.is_file())
    records, names, kinds = [], [], {}
    for path in paths:
        place = path.relative_to(folder)
        try:
            import obspy  # here, because it takes a second and is not always there

            x, rate, channels = record(obspy.read(path))
        except Exception as error:  # ObsPy's have many names
            raise ValueError(f"{place}: {error}") from error
        records.append(x)
        names.append(place.parent.name)
        kinds.setdefault((rate, *(name[-1:] for name in channels)), place)
    if len(kinds) > 1:
        listed = "; ".join(f"{kind} as in {place}" for kind, place in kinds.items())
        raise ValueError(
            f"expected records of one sampling rate (Hz) and the same channels, got {listed}; "
            "stream.resample(rate), or read fewer channels"
        )
    return records, names


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
