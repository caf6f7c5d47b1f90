"""Read your records and their picked onsets.

[pick_arrivals.py](../pick_arrivals.py) learns from an `.npz` file, as
`np.savez("records.npz", x=x, onsets=onsets)` writes it, with these arrays:

- `x`, the records, `(N, L, C)`, or `(N, L)` for one channel;
- `onsets`, a row for each onset, in any order: the index of its record, and its position in the
  record. `np.array([[0, 212], [0, 401], [2, 95]])` has two onsets in the
  first record, none in the second and one in the third;
- or, instead of onsets, `labels` `(N, L)`, one for each sample: an onset is a nonzero label after
  a 0;
- `sampling_rate`, in hertz, if it is known. Onsets are then in seconds from the beginning of their
  record, otherwise they are sample indices.

A file to pick requires neither onsets nor labels. Records in formats that ObsPy reads are read by
[readers.py](readers.py), with the picks in a separate file.
"""

import io
import zipfile

import numpy as np

from _shared.readers import (
    Problems,
    Stretch,
    components,
    files_in,
    from_files,
    is_same_rate,
    of_one_kind,
    of_one_length,
)
from numpycnn._validation import require_finite
from numpycnn.seismology.picking import require_onsets

# A wrong onset is worse than a missing one, because the network would learn from it unnoticed. All
# recognizable errors are therefore refused.


def read_records(path):
    """Return x (N, L, C), the onsets in each record, and the sampling rate; None if missing.

    Raises `OSError` or `ValueError` if the file cannot be read, with the position of the error.
    """
    data = io.BytesIO(path.read_bytes())
    try:
        if not zipfile.is_zipfile(data):
            raise ValueError("a file that is not an .npz archive, or is incomplete")
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
            "expected onsets of shape (M, 2), the record and the position of each, "
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
            f"onsets must be within their record, in {unit}, got {places[outside[0]]} in row "
            f"{outside[0]}. Remove the row"
            + (", or, if it is a sample, sampling_rate." if rate else ".")
        )
    onsets = [np.sort(samples[records == n]).astype(int) for n in range(n_records)]
    return require_onsets("read_records", onsets, length)


# Picks in a catalog
# ------------------
# Seismologists store records and picks separately: the records of the instruments, and a catalog of
# events in QuakeML or another format of ObsPy, with the times at which waves arrived at a station.
# A pick belongs to every record of its station at that time. A record with a gap is two records.


def read_catalog(path):
    """Return the picks of all events in a catalog, or raise `ValueError`."""
    try:
        from obspy import read_events  # here, because it is not always there

        picks = [pick for event in read_events(str(path)) for pick in event.picks]
    except Exception as error:  # ObsPy's have many names
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(f"{path}: expected a catalog with picks, got {reason}") from error
    if not picks:
        raise ValueError(f"{path}: expected a catalog with picks, got none")
    return picks


def onsets_in(stretch, picks):
    """Return the samples of a stretch at which there are picks of its station, ascending."""
    samples = set()
    for pick in picks if stretch.start is not None else []:
        of = pick.waveform_id
        if of is None or of.station_code != stretch.station:
            continue
        if of.network_code and stretch.network and of.network_code != stretch.network:
            continue
        samples.add(round((pick.time - stretch.start) * stretch.rate))
    return np.array(sorted(n for n in samples if 0 <= n < len(stretch.x)), int)


def require_some(onsets, picks, records, caller):
    """Raise `ValueError` unless a pick is in a record."""
    if any(map(len, onsets)):
        return
    times = sorted(pick.time for pick in picks)
    of_picks = sorted({p.waveform_id.station_code or "" for p in picks if p.waveform_id})
    first = min(one.start for one in records)
    last = max(one.start + len(one.x) / one.rate for one in records)
    of_records = sorted({one.station for one in records})
    raise ValueError(
        f"{caller}: picks must be in the records, of {of_records} from {first} to {last}, got "
        f"picks of {of_picks} from {times[0]} to {times[-1]}"
    )


def read_picked(path, catalog, length=None, problems=None, channels=None):
    """Return x (N, L, C), the onsets in each, the sampling rate, and the channels' names.

    `problems` receives the files that are left out. Raises `ValueError` if files cannot be read, if
    records differ in rate or channels, and if no pick is in a record.
    """
    picks, problems = read_catalog(catalog), Problems() if problems is None else problems
    records = []
    for name, _, found in from_files(path, problems, channels):
        for one in found:
            if length is None or len(one.x) >= length:
                records.append((name, one))
            else:
                words = f"the stretch from {one.start} on must have {length} samples, got "
                problems.add(name, f"{words}{len(one.x)}")
    if not records:
        raise ValueError(f"{path}: expected records, got none. {'; '.join(problems)}")
    kept = [one for _, one in of_one_kind(records, problems)]
    x = of_one_length([one.x.astype(float) for one in kept], length)
    kept = [one._replace(x=row) for one, row in zip(kept, x, strict=True)]
    onsets = [onsets_in(one, picks) for one in kept]
    require_some(onsets, picks, kept, catalog)
    return x, onsets, kept[0].rate, kept[0].channels


# Records to pick
# ---------------
# A network requires records like those of its training set, with the same rate and the same
# channels in the same order. A file of arrays does not name its channels; then only their number is
# checked.

RATE = 100.0  # samples a second, if the file does not say


def kind_of(n_channels, rate, channels=()):
    """Return the notes of a network that was trained on such records."""
    kind = {"channels": n_channels, "sampling_rate": rate or RATE, "scale": "noise"}
    return kind | ({"components": components(channels)} if channels else {})


def require_kind(kind, notes, model_path):
    """Raise `ValueError` unless the network was trained on records of this kind."""
    notes = notes if isinstance(notes, dict) else {}
    names = notes.get("components"), kind.get("components")
    if not (
        all(notes.get(name) == kind[name] for name in ("scale", "channels"))
        and is_same_rate(notes["sampling_rate"], kind["sampling_rate"])
        and (None in names or names[0] == names[1])
    ):
        raise ValueError(
            f"expected a record like the training set of {model_path}, {notes}, got {kind}. "
            "Select channels with --channels, or resample the record with ObsPy."
        )


def to_pick(path, problems, channels=None):
    """Yield the name and the stretches of each record in a file, or in the files of a folder.

    `problems` receives the name of each file and record that cannot be read, and the reason.
    Raises `OSError` if there is no such file.
    """
    arrays = [file for file in files_in(path) if file.suffix in (".npz", ".npy")]
    for file in arrays:
        name = file.relative_to(path) if path.is_dir() else file
        try:
            if file.suffix == ".npy":
                yield str(name), [Stretch(read_record(file))]
                continue
            x, _, rate = read_records(file)
            for n, one in enumerate(x):
                yield f"record {n}" if file == path else f"{name} record {n}", [Stretch(one, rate)]
        except ValueError as error:
            problems.add(name, str(error).removeprefix(f"{file}: "))
    others = [file for file in files_in(path) if file.suffix not in (".npz", ".npy")]
    for name, _, found in from_files(path, problems, channels, others):
        yield name, found


def read_record(path):
    """Return the record (L, C) in an .npy file, memory-mapped."""
    try:
        x = np.asarray(np.load(path, mmap_mode="r"))
        x = x.astype(float) if x.dtype.kind in "iu" else x
        require_finite("to_pick", "x", x, "L C")
    except (EOFError, TypeError, ValueError) as error:
        words = str(error)
        if "Python objects" in words or "allow_pickle" in words:
            words = "expected an array of numbers, got Python objects. Save x.astype(float)"
        raise ValueError(words) from error
    return x
