"""Pick arrivals: find the samples of a record at which arrivals begin.

Records of three channels contain noise, spikes, and any number of arrivals. A small U-Net computes
for each sample the probability that it is an onset. Its picks are the peaks of this curve. The
network is compared with two classical rules of seismology: the trigger STA/LTA, and AIC, which
refines the picks of the trigger. Finally, all three are run on continuous data.

    python examples/pick_arrivals.py
    python examples/pick_arrivals.py --hours 24

[Your records](_shared/your_records.py) can be used to train a network and to pick. The picks are
printed, [written to a file](_shared/results.py), and compared with the picks of a catalog:

    python examples/pick_arrivals.py records.npz
    python examples/pick_arrivals.py records/ --picks picks.xml --length 3000
    python examples/pick_arrivals.py --pick day.mseed --model figures/picker.npz
    python examples/pick_arrivals.py --pick days/ --channels HH? --out picks.csv --out picks.xml
    python examples/pick_arrivals.py --pick days/ --catalog theirs.xml --tolerance 0.2
"""

import sys
from pathlib import Path

import numpy as np

import numpycnn as nn
from _shared.options import Options, at_least, end
from _shared.readers import Problems
from _shared.results import (
    add_pick_options,
    comparison,
    peaks,
    picks_of,
    require_format,
    samples,
    write_picks,
)
from _shared.your_records import (
    RATE,
    kind_of,
    onsets_in,
    read_catalog,
    read_picked,
    read_records,
    require_kind,
    require_some,
    to_pick,
)
from numpycnn.layers.storage import load_notes
from numpycnn.seismology import pick_aic, pick_triggers, sta_lta
from numpycnn.seismology.long_records import cut
from numpycnn.seismology.picking import compare_picks, noise_of, onset_targets
from numpycnn.system.progress import progress

# The options
# -----------

options = Options(
    "Train a small U-Net to pick the onsets of arrivals.", files=["picks.png", "picker.npz"]
)
add = options.add_argument
add("data", nargs="?", type=Path, help="your records, to train on")
add("--picks", type=Path, metavar="FILE", help="picks of records that ObsPy reads")
add("--length", type=at_least(1), help="with --picks: samples to use of each record")
add("--seed", type=at_least(0), default=0, help="seed of all random numbers")
add("--records", type=at_least(16), default=800, help="number of generated training records")
add("--epochs", type=at_least(1), default=24, help="passes over the training set")
add("--hours", type=at_least(0), default=1, help="hours of continuous data to pick after training")
add("--pick", type=Path, metavar="FILE", help="records to pick; no training")
add("--model", type=Path, default="figures/picker.npz", help="network for --pick")
add("--channels", help="channels of records: Z or HH? or HHZ,HHN,HHE; all if not given")
add_pick_options(options)
args = options.parse_args()
rng = np.random.default_rng(args.seed)
problems = Problems()  # the files and records that are left out

# The curve and its peaks
# -----------------------
# Each record is divided by [the magnitude of its
# noise](../numpycnn/seismology/picking.py#the-unit-of-a-record), so the result does not depend on
# the unit of the instrument.
#
# The network shortens the record by a factor of 16 and restores its length. Zeros are appended to
# make the length a multiple of 16. A long record is processed in pieces, so that only one piece at
# a time is stored in float32.

STEP = 16  # samples


def in_units(x, noise, n_samples):
    """Return a part of a record (L, C) in units of its noise, float32, with zeros appended."""
    middle, size = noise
    return np.pad((x - middle) / size, ((0, n_samples - len(x)), (0, 0))).astype(np.float32)


def up_to_step(length):
    """Return the length including the appended zeros."""
    return length + -length % STEP


def prepared(x):
    """Return records x (N, L, C) in units of their noise, float32, with zeros appended."""
    return np.stack([in_units(record, noise_of(record), up_to_step(len(record))) for record in x])


def curve_of(model, x):
    """Return the probability of an onset at each sample of a record x (L, C): (L,)."""
    noise, parts = noise_of(x), []
    for piece in cut(model, up_to_step(len(x))):
        here = piece.samples
        scores = model(in_units(x[here], noise, here.stop - here.start)[None])
        parts.append(nn.Softmax()(scores)[0, piece.wanted, 1])
    return np.concatenate(parts)[: len(x)]


def pick_all(path, model, notes):
    """Print the picks in all records in a file or a folder; return them.

    Returns a list of `Pick`, and a list of pairs: a stretch without its samples, and its picks.
    """
    picks, records = [], []
    for name, found in to_pick(path, problems, args.channels):
        n_before = len(picks)
        for stretch in found:
            try:
                kind = kind_of(stretch.x.shape[1], stretch.rate, stretch.channels)
                require_kind(kind, notes, args.model)
            except ValueError as error:
                problems.add(name, error)
                break
            with np.errstate(over="ignore", invalid="ignore"):
                curve = curve_of(model, stretch.x)
            if not np.isfinite(curve).all():
                largest = float(abs(stretch.x).max())
                problems.add(name, f"samples must fit float32, got {largest:.3g}. Scale them.")
                break
            here = peaks(curve, stretch.rate or RATE)
            picks += picks_of(name, stretch, here, curve)
            empty = np.empty((len(stretch.x), 0))  # the samples are not kept
            records.append((stretch._replace(x=empty), here))
            for pick in picks[len(picks) - len(here) :]:
                print(f"{name}, {pick.time}, probability {pick.probability:.2f}")
        else:
            if len(picks) == n_before:
                print(f"{name}, no picks")
    if not records and not path.is_dir() and problems:
        raise ValueError(problems[0])
    return picks, records


def compare(records, theirs):
    """Compare the picks in records with those of a catalog, and print the result."""
    stretches, found = zip(*records, strict=True)
    if any(stretch.start is None for stretch in stretches):
        raise ValueError(f"{args.pick}: with --catalog records must have a start time, got none")
    onsets = [onsets_in(stretch, theirs) for stretch in stretches]
    require_some(onsets, theirs, stretches, args.catalog)
    rate, of = stretches[0].rate, len(theirs)
    print(*comparison(found, onsets, rate, args.tolerance, of), sep="\n")


if (args.out or args.catalog) and not args.pick:
    options.error("--out and --catalog require --pick: the records to pick")
if args.picks and not args.data:
    options.error("--picks requires records: pick_arrivals.py records/ --picks picks.xml")

if args.pick:
    try:
        outs = [require_format(out) for out in args.out]
        theirs = args.catalog and read_catalog(args.catalog)
        model, notes = nn.Sequential.load(args.model), load_notes(args.model)
        picks, records = pick_all(args.pick, model, notes)
        for out in outs:
            write_picks(out, picks)
            print(f"saved {out}, {len(picks)} picks")
        if theirs and records:
            compare(records, theirs)
    except (OSError, ValueError) as error:
        options.error(str(error))
    end(problems)
    sys.exit()
options.try_output(args)

# The records
# -----------
# The training records are six seconds long and have signal-to-noise ratios from 4 to 40. Each test
# set has records of half a minute with a single ratio, of which the first is below the range of the
# training set. Of your records, a fifth is the test set.

RATIOS = 3, 4, 5, 6, 8, 12, 20
FEWEST = 20  # samples of a record: both windows of AIC

if args.data:
    try:
        channels = ()
        if args.picks:
            found = read_picked(args.data, args.picks, args.length, problems, args.channels)
            x, onsets, known, channels = found
        else:
            x, onsets, known = read_records(args.data)
        if onsets is None or len(x) < 5:
            raise ValueError(f"{args.data}: expected onsets or labels, and 5 records or more")
        if x.shape[1] < FEWEST:
            raise ValueError(
                f"{args.data}: records must have {FEWEST} samples or more, got {x.shape[1]}"
            )
        order = rng.permutation(len(x))
        held, kept = np.split(order, [len(x) // 5])
        if not any(len(onsets[n]) for n in kept):
            raise ValueError(
                f"{args.data}: expected onsets in the {len(kept)} records that are not held out, "
                "got none. Add records with onsets."
            )
    except (OSError, ValueError) as error:
        options.error(str(error))
    test_sets = {"held out": (x[held], [onsets[n] for n in held])}
    x, onsets = x[kept], [onsets[n] for n in kept]
else:
    known, channels, longer = None, (), {"n_samples": 3200, "arrivals": (0, 4), "rng": rng}
    x, onsets = nn.make_records(args.records, rng=rng)
    test_sets = {
        f"{ratio}": nn.make_records(args.records // 8, snr=(ratio, ratio), **longer)
        for ratio in RATIOS
    }
rate = known or RATE

# The network
# -----------
# The network is a U-Net with two levels of pooling, as in [Landmark
# networks](../docs/4-engineering/2-landmark-networks.md). Each level keeps the maximum of four
# samples, applies filters and upsamples by four. Its output is concatenated with its input. A
# filter of seven taps therefore covers 7 samples of the record at the top, 28 after one level and
# 112 after two. This is more than a second, which is long enough to distinguish an arrival from a
# short spike.


def conv(n_in, n_out=8):
    """Return filters of seven taps, batch normalization and ReLU."""
    filters = nn.Conv1D(n_in, n_out, 7, padding="same", rng=rng)
    return filters, nn.BatchNorm(n_out), nn.ReLU()


def step_down(*layers):
    """Return a layer that applies these layers at a quarter of the resolution."""
    return nn.SkipConcat(nn.MaxPool1D(4), *layers, nn.Upsample1D(4))


deepest = step_down(*conv(8), *conv(8))
deeper = step_down(*conv(8), deepest, *conv(16))
model = nn.Sequential(*conv(x.shape[2]), deeper, *conv(16), nn.Dense(8, 2, rng=rng))
n_weights = sum(array.size for array in model.params.values())
print(f"{len(x)} records of {x.shape[1]} samples, channels: {x.shape[2]}, weights: {n_weights:,}")

# Training
# --------
# The target is a bell curve of a few samples around each onset. The step size is large at first and
# small at the end. The network is saved directly after training.

ready = prepared(x)
targets = onset_targets(onsets, ready.shape[1], width=4)
adam = nn.Adam(model.params)
for lr, epochs in (5e-3, args.epochs), (1e-3, args.epochs // 4 + 1):
    adam.lr = lr
    plan = {"epochs": epochs, "optimizer": adam, "batch_size": 8, "rng": rng}
    try:
        history = nn.fit(model, ready, targets, **plan)
    except FloatingPointError as error:
        options.error(f"the training diverged. {error}")
print(f"cross-entropy {history.loss[-1]:.4f}")
model.save(args.output / "picker.npz", kind_of(x.shape[2], known, channels))
print(f"saved {args.output / 'picker.npz'}, for --pick")

# Three pickers
# -------------
# The trigger compares the energy of windows of 0.3 and 3 seconds. AIC is computed from one second
# before the trigger to half a second after it. At a low sampling rate the windows have the minimum
# length that the rules require. The level of the trigger is the best of six on the training set.

TOLERANCE = 5  # samples
LEVELS = 1.5, 2, 2.5, 3, 4, 5


def triggered(x, level):
    """Return the picks in each record by STA/LTA."""
    sta = samples(0.3, rate)
    ratios = sta_lta(x, sta, samples(3, rate, fewest=10 * sta))
    return [pick_triggers(ratio, level, level / 2) for ratio in ratios]


def refined(x, level):
    """Return the picks in each record by AIC, around those by STA/LTA."""
    fewest = FEWEST // 2
    around = {"before": samples(1, rate, fewest), "behind": samples(0.5, rate, fewest)}
    triggers = triggered(x, level)
    return [pick_aic(record, here, **around) for record, here in zip(x, triggers, strict=True)]


def score(level):
    """Return the score of a level on the training set."""
    return compare_picks(refined(x, level), onsets, TOLERANCE).score


level = max(LEVELS, key=score)
pickers = {
    "U-Net": lambda x: [peaks(curve_of(model, record), rate) for record in x],
    f"STA/LTA, from {level} on": lambda x: triggered(x, level),
    "  and AIC": lambda x: refined(x, level),
}

# Test
# ----
# An onset is found if there is a pick within five samples of it. A pick is false if it belongs to
# no onset.


def test_pickers(batches):
    """Run all three pickers on batches of records; return their results and the hours."""
    picks, onsets, hours = {name: [] for name in pickers}, [], 0.0
    for x, here in batches:
        hours += x.shape[0] * x.shape[1] / rate / 3600
        onsets += here
        for name, picker in pickers.items():
            picks[name] += picker(x)
    return {name: (compare_picks(p, onsets, TOLERANCE), hours) for name, p in picks.items()}


def print_tables(results, over):
    """Print a table for each measure, with a column for each test set."""
    cells = {
        "fraction of onsets found": lambda result, hours: f"{result.share_found:.3f}",
        "false picks an hour": lambda result, hours: f"{result.n_false / hours:.0f}",
        "mean error, samples": lambda result, hours: f"{result.mean_error:.1f}",
        "spread of the error": lambda result, hours: f"{result.spread:.1f}",
    }  # NaN, if there are no picks, is printed as none
    print(f"\n{over:24}" + "".join(f"{name:>8}" for name in results))
    for title, cell in cells.items():
        print(title)
        for name in pickers:
            row = [cell(*column[name]).replace("nan", "none") for column in results.values()]
            print(f"  {name:22}" + "".join(f"{text:>8}" for text in row))


results = {name: test_pickers([records]) for name, records in test_sets.items()}
print_tables(results, "" if args.data else "signal-to-noise ratio")

# Continuous data
# ---------------
# A station records continuously and writes one file per hour. Here an hour contains 60 arrivals and
# 300 spikes. Each hour is read, picked and discarded, and within an hour the network processes one
# piece at a time. A day therefore requires no more memory than an hour.


def some_hours():
    """Yield the data hour by hour; show the progress in a terminal."""
    hour = {"n_samples": round(3600 * rate), "arrivals": (60, 60), "spikes": (300, 300)}
    for _ in progress("hour", args.hours):
        yield nn.make_records(1, **hour, rng=rng)


if args.hours and not args.data:
    print_tables({f"{args.hours} h": test_pickers(some_hours())}, "continuous data")

# The figure
# ----------
# The figure shows one record, the curve and the picks.

x, onsets = test_sets["held out" if args.data else "6"]
most = int(np.argmax([len(here) for here in onsets]))
curve = curve_of(model, x[most])

# Discussion
# ----------
# From a ratio of 5 on, the U-Net finds nearly every onset within five samples. The trigger alone
# finds few of the weak ones, because the ratio exceeds the level only some time after the onset.
# With AIC, its precision is similar to that of the network, and higher for strong arrivals.
# However, it misses one onset in five at a ratio of 5, and two in a hundred at a ratio of 12. At a
# ratio of 3, which is below the range of the training set, the network finds nearly half of the
# onsets and the rules find one in ten.
#
# A level that is low enough for weak arrivals is also exceeded by spikes, because the mean energy
# does not depend on the shape of the signal. At a ratio of 20, with spikes of the same magnitude,
# the rules pick about a hundred false onsets per hour and the network a few. A higher level would
# avoid these and miss more weak arrivals. At a ratio of 8, the spikes are too small for the
# trigger, and both AIC and the network pick almost no false onsets.

options.finish(args, picks=nn.plots.plot_picks(x[most], curve, peaks(curve, rate), onsets[most]))
end(problems)
