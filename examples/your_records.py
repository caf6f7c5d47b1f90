"""Your own records: files of them, with the onsets that somebody picked.

[pick_arrivals.py](pick_arrivals.py) learns from an `.npz` file, as
`np.savez("records.npz", x=x, onsets=onsets)` writes it, with these arrays:

- `x`, the records, `(N, L, C)`, or `(N, L)` for one channel;
- `onsets`, a row for each onset, in any order: the number of its record, counted from 0, and where
  in the record it is. `np.array([[0, 212], [0, 401], [2, 95]])` has two in the first
  record, none in the second and one in the third;
- or in their place `labels`, `(N, L)`, one for each sample: an onset is where a
  label that is not 0 follows a 0;
- `sampling_rate`, in hertz, if it is known. Onsets are then in seconds from the beginning of their
  record, else they are samples, counted from 0.

It needs neither onsets nor labels in one that it is to pick. And it takes what ObsPy reads, by way
of [readers.py](readers.py), with the picks in a file of their own.
"""

import io
import zipfile

import numpy as np

from numpycnn.picking import require_onsets
from numpycnn.validation import require_finite
from readers import Stretch, from_files, of_one_length, require_alike, stretches

# A wrong onset is worse than none: the network would learn from it, and nobody would notice. So
# whatever can be seen to be wrong is refused, with what was expected and how to mend it.


def read_records(path):
    """Return x (N, L, C), the onsets in each, and the sampling rate; None for what is not there.

    Raises `OSError` or `ValueError` for what cannot be read, saying what is wrong and where.
    """
    data = io.BytesIO(path.read_bytes())
    try:
        if not zipfile.is_zipfile(data):
            raise ValueError("what is no .npz file, or was cut off")
        with np.load(data, allow_pickle=False) as file:  # a pickle could run code
            arrays = {name: file[name] for name in file.files}
        if "x" not in arrays:
            raise ValueError(f"{list(arrays)}")
        x = arrays["x"].astype(float, casting="same_kind")
    except Exception as error:  # a damaged file can raise anything at all
        raise ValueError(
            f"{path}: expected arrays x and onsets, got {error}; write them with "
            "np.savez('records.npz', x=x, onsets=onsets), all records of one length"
        ) from error
    try:
        x = x[..., None] if x.ndim == 2 else x
        require_finite("read_records", "x", x, "N L C")
        if x.shape[2] > x.shape[1]:
            raise ValueError(
                f"expected more samples than channels, got {x.shape[1]} and {x.shape[2]}; "
                "channels go last: x.transpose(0, 2, 1)"
            )
        rate = arrays.get("sampling_rate")
        if rate is not None and not (rate.size == 1 and 0 < rate < np.inf):
            raise ValueError(f"expected sampling_rate to be a number above 0, got {rate}")
        rate = None if rate is None else float(rate.item())
        if "labels" in arrays:
            return x, from_labels(arrays["labels"], x.shape[:2]), rate
        if "onsets" in arrays:
            return x, from_rows(arrays["onsets"], x.shape[:2], rate), rate
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return x, None, rate


def from_labels(labels, shape):
    """Return the onsets in each record, where the labels (N, L) of the samples leave 0."""
    if labels.shape != shape:
        raise ValueError(
            f"expected labels of shape {shape}, one for each sample, got {labels.shape}; for a "
            "label that belongs to a whole trace there is your_traces.py"
        )
    marked = labels != 0
    begins = marked & ~np.pad(marked, ((0, 0), (1, 0)))[:, :-1]
    return [np.flatnonzero(row) for row in begins]


def from_rows(rows, shape, rate):
    """Return the onsets in each record, from rows (record, seconds) or (record, sample)."""
    n_records, length = shape
    if rows.ndim != 2 or rows.shape[1] != 2 or rows.dtype.kind not in "iuf":
        raise ValueError(
            "expected onsets of shape (M, 2), the record and the place of each, "
            f"got {rows.dtype} of shape {rows.shape}; np.column_stack([records, places])"
        )
    records, places = rows.T
    wrong = np.flatnonzero(~np.isin(records, np.arange(n_records)))
    if len(wrong):
        raise ValueError(
            f"expected records 0 to {n_records - 1} in the first column of onsets, got "
            f"{records[wrong[0]]} in row {wrong[0]}; count them from 0"
        )
    samples = np.round(places * (rate or 1))
    between = places[samples != places]
    if rate is None and len(between):
        raise ValueError(
            f"expected whole samples in the second column of onsets, got {between[0]}; if these "
            "are seconds, add sampling_rate to the file"
        )
    outside = np.flatnonzero(~((samples >= 0) & (samples < length)))  # NaN is neither
    if len(outside):
        unit = "samples, counted from 0" if rate is None else f"seconds, {length / rate:g} long"
        raise ValueError(
            f"expected onsets within their record, in {unit}, got {places[outside[0]]} in row "
            f"{outside[0]}; leave it out"
            + (", or, if it is a sample, sampling_rate" if rate else "")
        )
    onsets = [np.sort(samples[records == n]).astype(int) for n in range(n_records)]
    return require_onsets("read_records", onsets, length)


# What ObsPy reads
# ----------------
# Seismologists keep records and picks apart: the records as the instrument wrote them, and a
# catalogue of events, in QuakeML or another of ObsPy's formats, that tells when a wave came to
# which station. A pick belongs to every record of its station that was running then. What has a gap
# becomes two records.


def read_picked(path, catalogue, length):
    """Return x (N, L, C), the onsets in each, and the sampling rate, as `read_records` does.

    Raises `ValueError` for what cannot be read, and for records that do not fit together.
    """
    try:
        from obspy import read_events  # here, because it is not always there

        picks = [pick for event in read_events(catalogue) for pick in event.picks]
    except Exception as error:  # ObsPy's have many names
        raise ValueError(f"{catalogue}: expected picks, got {error}") from error
    found = [(place, one) for place, here in from_files(path, stretches) for one in here]
    require_alike([(place, one.rate, one.channels) for place, one in found])
    x = of_one_length([one.x.astype(float) for _, one in found], length)
    onsets = []
    for _, one in found:
        times = [pick.time for pick in picks if pick.waveform_id.station_code == one.station]
        samples = {round((time - one.start) * one.rate) for time in times}
        onsets.append(np.array(sorted(samples & set(range(x.shape[1]))), int))
    return x, onsets, found[0][1].rate


def to_pick(path):
    """Give each record in a file, or in the files of a folder, with its name, as a `Stretch`.

    Raises `OSError` or `ValueError` for what cannot be read, saying what is wrong and where.
    """
    if path.suffix == ".npz":
        x, _, rate = read_records(path)
        for n, one in enumerate(x):
            yield f"record {n}", Stretch(one, rate)
    elif path.suffix == ".npy":
        try:  # one record (L, C), of which no more is read than is looked at
            x = np.asarray(np.load(path, mmap_mode="r"))
            require_finite("to_pick", "x", x, "L C")
        except (EOFError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from error
        yield path, Stretch(x)
    else:
        for place, found in from_files(path, stretches):
            for one in found:
                yield place, one
