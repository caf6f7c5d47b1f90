"""Pick arrivals: at which sample of a record does an arrival begin?

Records of three channels hold noise, spikes, and one arrival, several or none. A small
U-Net learns to give each sample the probability that it is an onset; its picks are
the peaks of that curve. It is judged as seismologists judge a picker, beside the two rules
that they have used for decades: a trigger, STA/LTA, and a second look at what it
found, AIC. Then it runs over continuous data.

    python examples/pick_arrivals.py
    python examples/pick_arrivals.py --hours 24

With [records of your own](_shared/your_records.py), train a network and pick other records. The
picks are printed, [written to a file](_shared/results.py), and compared with the picks of others:

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
from _shared.results import comparison, peaks, picks_of, require_format, samples, write_picks
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
from numpycnn.training.progress import progress

# The options
# -----------

options = Options(
    "Teach a small U-Net to pick the onsets of arrivals.", files=["picks.png", "picker.npz"]
)
add = options.add_argument
add("data", nargs="?", type=Path, help="records of your own, to learn from")
add("--picks", type=Path, metavar="FILE", help="of their picks, if ObsPy is to read both")
add("--length", type=at_least(1), help="samples to take of each record then, from its first")
add("--seed", type=at_least(0), default=0, help="where all the randomness starts")
add("--records", type=at_least(16), default=800, help="how many to learn from, if made here")
add("--epochs", type=at_least(1), default=24, help="how often all records go through")
add("--hours", type=at_least(0), default=1, help="of continuous data, to run over in the end")
add("--pick", type=Path, metavar="FILE", help="records to pick; no training")
add("--model", type=Path, default="figures/picker.npz", help="to pick them with")
add("--channels", help="channels of records: Z or HH? or HHZ,HHN,HHE; all if not given")
add("--out", action="append", default=[], metavar="FILE", help="for the picks, .csv or .xml")
add("--catalog", type=Path, metavar="FILE", help="picks of others, with which to compare")
add("--tolerance", type=at_least(0, float), default=0.5, help="seconds between the same picks")
args = options.parse_args()
rng = np.random.default_rng(args.seed)
problems = Problems()  # the files and records that are left out

# A curve, and its peaks
# ----------------------
# Each record is divided by [the size of its
# noise](../numpycnn/seismology/picking.py#the-unit-of-a-record), so it does not matter in which
# unit an instrument counts.
#
# The network below makes the record 16 times shorter, and as long again. Zeros at the end make its
# length a multiple of that. A long record goes through it a piece at a time, so that no more than a
# piece has to be kept in float32.

STEP = 16  # samples


def in_units(x, noise, n_samples):
    """Return a part of a record (L, C) in units of its noise, in float32, with zeros behind it."""
    middle, size = noise
    return np.pad((x - middle) / size, ((0, n_samples - len(x)), (0, 0))).astype(np.float32)


def up_to_step(length):
    """Return the length with the zeros at the end."""
    return length + -length % STEP


def prepared(x):
    """Return records x (N, L, C) in units of their noise, in float32, with zeros at the end."""
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

    Returns a list of `Pick`, and a list of each stretch, without its samples, and its picks.
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
            empty = np.empty((len(stretch.x), 0))  # a year of days is not kept
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
    """Print how the picks in records agree with those of a catalog."""
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
# Those to learn from are six seconds long and have arrivals of every signal-to-noise ratio from
# 4 to 40. Those of the examination are half a minute long, and have one ratio at a time; the
# first of these is lower than any that was learned from. Of records of your own a fifth is held
# out.

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
    exams = {"held out": (x[held], [onsets[n] for n in held])}
    x, onsets = x[kept], [onsets[n] for n in kept]
else:
    known, channels, longer = None, (), {"n_samples": 3200, "arrivals": (0, 4), "rng": rng}
    x, onsets = nn.make_records(args.records, rng=rng)
    exams = {
        f"{ratio}": nn.make_records(args.records // 8, snr=(ratio, ratio), **longer)
        for ratio in RATIOS
    }
rate = known or RATE

# The network
# -----------
# A U-Net, as in [Landmark networks](../docs/4-engineering/2-landmark-networks.md), two steps deep.
# Each step keeps the largest of four samples, looks around and says everything four times; what
# comes of it goes beside what went in. So a filter of seven samples sees 7 of the record at the
# top, 28 one step down and 112 two steps down: more than a second, enough to tell an arrival,
# which goes on, from a spike, which does not.


def conv(n_in, n_out=8):
    """Return filters of seven samples, and what keeps their answers in order."""
    filters = nn.Conv1D(n_in, n_out, 7, padding="same", rng=rng)
    return filters, nn.BatchNorm(n_out), nn.ReLU()


def step_down(*layers):
    """Return what these layers make of a record a fourth as long, beside the record."""
    return nn.SkipConcat(nn.MaxPool1D(4), *layers, nn.Upsample1D(4))


deepest = step_down(*conv(8), *conv(8))
deeper = step_down(*conv(8), deepest, *conv(16))
model = nn.Sequential(*conv(x.shape[2]), deeper, *conv(16), nn.Dense(8, 2, rng=rng))
n_weights = sum(array.size for array in model.params.values())
print(f"{len(x)} records of {x.shape[1]} samples, channels: {x.shape[2]}, weights: {n_weights:,}")

# Training
# --------
# What is learned is a bell of a few samples around each onset. Big steps first, then small ones.
# The network is saved before anything else is done with it.

ready = prepared(x)
targets = onset_targets(onsets, ready.shape[1], width=4)
adam = nn.Adam(model.params)
for lr, epochs in (5e-3, args.epochs), (1e-3, args.epochs // 4 + 1):
    adam.lr = lr
    plan = {"epochs": epochs, "optimizer": adam, "batch_size": 8, "rng": rng}
    try:
        history = nn.fit(model, ready, targets, **plan)
    except FloatingPointError as error:
        options.error(f"the training did not survive. {error}")
print(f"cross-entropy {history.loss[-1]:.4f}")
model.save(args.output / "picker.npz", kind_of(x.shape[2], known, channels))
print(f"saved {args.output / 'picker.npz'}, for --pick")

# Three pickers
# -------------
# The trigger compares 0.3 seconds with 3. The second look is at one second before it and half a
# second after. At a low rate these are the fewest samples that the rules require. At which level
# the trigger goes on is learned as well: of six, the one that does best on the records that the
# network learned from.

TOLERANCE = 5  # samples
LEVELS = 1.5, 2, 2.5, 3, 4, 5


def triggered(x, level):
    """Return the picks in each record by STA/LTA."""
    sta = samples(0.3, rate)
    ratios = sta_lta(x, sta, samples(3, rate, at_least=10 * sta))
    return [pick_triggers(ratio, level, level / 2) for ratio in ratios]


def looked_at(x, level):
    """Return the picks in each record by AIC, around those by STA/LTA."""
    fewest = FEWEST // 2
    around = {"before": samples(1, rate, fewest), "behind": samples(0.5, rate, fewest)}
    triggers = triggered(x, level)
    return [pick_aic(record, here, **around) for record, here in zip(x, triggers, strict=True)]


def score(level):
    """Return how well a level does on the records that were learned from."""
    return compare_picks(looked_at(x, level), onsets, TOLERANCE).score


level = max(LEVELS, key=score)
pickers = {
    "U-Net": lambda x: [peaks(curve_of(model, record), rate) for record in x],
    f"STA/LTA, from {level} on": lambda x: triggered(x, level),
    "  and AIC": lambda x: looked_at(x, level),
}

# The examination
# ---------------
# An onset is found if a pick lies within five samples of it, and a pick is false if it belongs to
# no onset.


def examine(batches):
    """Let all three pick batches of records, and return what came of it, and in how many hours."""
    picks, onsets, hours = {name: [] for name in pickers}, [], 0.0
    for x, here in batches:
        hours += x.shape[0] * x.shape[1] / rate / 3600
        onsets += here
        for name, picker in pickers.items():
            picks[name] += picker(x)
    return {name: (compare_picks(p, onsets, TOLERANCE), hours) for name, p in picks.items()}


def tell(marks, over):
    """Print a table for each measure, with a column for each examination."""
    cells = {
        "share of onsets found": lambda mark, hours: f"{mark.share_found:.3f}",
        "false picks an hour": lambda mark, hours: f"{mark.n_false / hours:.0f}",
        "mean error, samples": lambda mark, hours: f"{mark.mean_error:.1f}",
        "spread of the error": lambda mark, hours: f"{mark.spread:.1f}",
    }  # of nothing: none
    print(f"\n{over:24}" + "".join(f"{name:>8}" for name in marks))
    for title, cell in cells.items():
        print(title)
        for name in pickers:
            row = [cell(*column[name]).replace("nan", "none") for column in marks.values()]
            print(f"  {name:22}" + "".join(f"{text:>8}" for text in row))


marks = {name: examine([exam]) for name, exam in exams.items()}
tell(marks, "" if args.data else "signal-to-noise ratio")

# Continuous data
# ---------------
# A station writes on and on, an hour to a file. Here an hour has 60 arrivals, and 300 spikes. Each
# is read, picked and forgotten; and within an hour the network's maps are those of one
# piece at a time. So a day takes no more memory than an hour.


def some_hours():
    """Give one hour of data after the other; in a terminal, show how many are done."""
    hour = {"n_samples": round(3600 * rate), "arrivals": (60, 60), "spikes": (300, 300)}
    for _ in progress("hour", args.hours):
        yield nn.make_records(1, **hour, rng=rng)


if args.hours and not args.data:
    tell({f"{args.hours} h": examine(some_hours())}, "continuous data")

# The figure
# ----------
# One record, the curve and the picks.

x, onsets = exams["held out" if args.data else "6"]
most = int(np.argmax([len(here) for here in onsets]))
curve = curve_of(model, x[most])

# What it says
# ------------
# From a ratio of 5 on the U-Net finds nearly every onset within five samples. The trigger alone
# finds few of the weak ones: it needs a while to notice, and by then the onset is over. With the
# second look it is about as exact as the network, and for strong arrivals more exact. But at 5 it
# misses one onset in five, and at 12 still two in a hundred. At 3, lower than all that the network
# learned from, the network finds nearly half, and the rules one in ten.
#
# A level low enough to catch weak arrivals is reached by a spike as well: the mean energy does not
# know how the energy came. At 20, where the spikes are as large, the rules pick about a hundred
# false onsets an hour, and the network a few. A higher level would spare these, and miss more of
# the weak arrivals. At 8, where the spikes are too small for the trigger, both the second look and
# the network pick next to none.

options.finish(args, picks=nn.plots.plot_picks(x[most], curve, peaks(curve, rate), onsets[most]))
end(problems)
