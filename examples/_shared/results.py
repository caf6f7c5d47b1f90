"""Write picks to files and compare them with the picks of a catalog.

- `.csv`: a line for each pick, with its station, channel, time and probability.
- `.xml`: QuakeML, the common format of seismological programs, written with ObsPy. It requires the
  time of each pick, so the records must have start times.
"""

import csv
import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from _shared.options import at_least, require_writable, write_whole
from numpycnn import Softmax
from numpycnn.seismology.picking import compare_picks, pick_peaks

# Options
# -------


def add_pick_options(options):
    """Add the options for the files of picks and for the catalog to compare with."""
    add = options.add_argument
    add("--out", action="append", default=[], metavar="FILE", help="for the picks, .csv or .xml")
    add("--catalog", type=Path, metavar="FILE", help="picks to compare with")
    add(
        "--tolerance",
        type=at_least(0, float),
        default=0.5,
        help="largest difference of matching picks, in s",
    )


# From a curve to picks
# ---------------------

THRESHOLD = 0.3  # of the probability, for a pick
APART = 0.5  # seconds between two picks
PART = 2**21  # samples of a long curve that are read together


def samples(seconds, rate, fewest=2):
    """Return a duration in samples. At a low rate, a window has a minimum number of samples."""
    return max(fewest, round(seconds * rate))


def peaks(curve, rate):
    """Return the picks in this curve (L,) with this sampling rate."""
    return pick_peaks(curve, THRESHOLD, min(len(curve), samples(APART, rate)))


def peaks_of_long(scores, rate):
    """Return the picks in the scores (L, 2) of a long record, and their probabilities.

    `scores` can be an array on disk. Scores of NaN give no picks.
    """
    apart, found, heights = samples(APART, rate), [], []
    for begin in range(0, scores.shape[0], PART):
        first = max(0, begin - apart)  # a pick depends on the samples around it
        curve = np.nan_to_num(Softmax()(scores[first : begin + PART + apart])[:, 1])
        here = peaks(curve, rate)
        here = here[(here >= begin - first) & (here < begin - first + PART)]
        found.append(here + first)
        heights.append(curve[here])
    return np.concatenate(found), np.concatenate(heights)


# Files
# -----

COLUMNS = "record", "network", "station", "location", "channel", "time", "probability"


class Pick(NamedTuple):
    """One pick, on the first channel of its record."""

    record: str
    network: str
    station: str
    location: str
    channel: str
    time: Any  # an obspy.UTCDateTime; if the record has none, a text
    probability: float


def picks_of(name, stretch, samples, curve):
    """Return the picks at these samples of a stretch, with the probabilities in its curve."""
    channel = stretch.channels[0] if stretch.channels else ""
    names = name, stretch.network, stretch.station, stretch.location, channel
    return [Pick(*names, stretch.time_of(n), float(curve[n])) for n in samples]


def require_format(path):
    """Return the path of a file for picks, or raise `ValueError` if none can be written there."""
    path = Path(path)
    if path.suffix.lower() not in (".csv", ".xml"):
        raise ValueError(f"--out must end in .csv, or .xml for QuakeML, got {path}")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"--out must be in a folder that exists, got {path}")
    require_writable("--out", path)
    if path.suffix.lower() == ".xml":
        try:
            import obspy  # noqa: F401
        except ImportError as error:
            raise ValueError(f"--out {path}: {error}. python -m pip install obspy") from error
    return path


def write_picks(path, picks):
    """Write picks as .csv or .xml, by the name of the file."""
    if path.suffix.lower() == ".csv":
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(COLUMNS)
        rows.writerows([*pick[:-1], f"{pick.probability:.4f}"] for pick in picks)
        write_whole(path, text.getvalue().encode())
        return
    without = [pick for pick in picks if isinstance(pick.time, str)]
    if without:
        raise ValueError(
            f"--out {path}: in QuakeML a pick must have a date and a time, got {without[0].time} "
            f"of {without[0].record}. Write .csv."
        )
    file = io.BytesIO()
    catalog_of(picks).write(file, format="QUAKEML")
    write_whole(path, file.getvalue())


def catalog_of(picks):
    """Return picks as an ObsPy catalog of one event."""
    from obspy.core import event

    made = [
        event.Pick(
            time=one.time,
            waveform_id=event.WaveformStreamID(
                one.network, one.station, one.location, one.channel or None
            ),
            evaluation_mode="automatic",
            comments=[event.Comment(text=f"probability {one.probability:.4f}")],
        )
        for one in picks
    ]
    return event.Catalog([event.Event(picks=made)])


# Comparison with a catalog
# -------------------------


def comparison(picks, onsets, rate, tolerance, of=None):
    """Return the lines that compare picks with those of a catalog.

    `picks` and `onsets` contain the samples in each stretch, `tolerance` is in seconds, and `of` is
    the number of picks in the whole catalog.
    """
    picks = [np.asarray(here, int) for here in picks]
    found = compare_picks(picks, onsets, max(1, round(tolerance * rate)))
    n_picks, n_onsets, n_found = sum(map(len, picks)), sum(map(len, onsets)), len(found.errors)

    def share(whole):
        return f"{n_found / whole:.3f}" if whole else "none"

    lines = [
        f"{n_onsets} of {of} picks of the catalog are in the records, tolerance {tolerance:g} s",
        f"  precision   {share(n_picks)}   {n_found} of {n_picks} picks are in the catalog",
        f"  recall      {share(n_onsets)}   {n_found} of {n_onsets} of the catalog are found",
    ]
    if n_found:
        errors = found.errors / rate
        lines.append(f"  errors      mean {errors.mean():+.3f} s, deviation {errors.std():.3f} s")
    return lines
