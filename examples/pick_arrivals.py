"""Pick arrivals: at which sample of a record does an arrival begin?

Records of three channels hold noise, spikes, and one arrival, several or none. A small
U-Net learns to give each sample the probability that it is an onset, and its picks are
the peaks of that curve. It is judged as seismologists judge a picker, beside the two rules
that they have used for half a century: a trigger, STA/LTA, and a second look at what it
found, AIC. Then the same network runs over hours of data.

    python examples/pick_arrivals.py
    python examples/pick_arrivals.py --hours 24
    python examples/pick_arrivals.py records.npz
    python examples/pick_arrivals.py --pick more.npz --model figures/picker.npz
"""

import sys
from pathlib import Path

import numpy as np

import numpycnn as nn
from numpycnn.baselines import pick_aic, pick_triggers, sta_lta
from numpycnn.picking import compare_picks, onset_targets, pick_peaks
from numpycnn.plots import plot_picks
from options import Options, at_least

options = Options("Teach a small U-Net to pick the onsets of arrivals.")
add = options.add_argument
add("--seed", type=at_least(0), default=0, help="where all the randomness starts")
add("--records", type=at_least(20), default=800, help="how many to learn from")
add("--epochs", type=at_least(1), default=20, help="how often all records go through")
add("--hours", type=at_least(0), default=1, help="of continuous data, to run over in the end")
args = options.read()
rng = np.random.default_rng(args.seed)

# The records
# -----------
# Those to learn from have arrivals of every signal-to-noise ratio from 3 to 30. The
# examination is on others, longer ones, at one ratio after the other.

RATE = 100  # samples a second
RATIOS = 3, 4, 5, 6, 8, 12, 20
x, onsets = nn.make_records(args.records, rng=rng)
longer = {"n_samples": 3200, "arrivals": (0, 4), "rng": rng}
exams = [nn.make_records(args.records // 8, snr=(ratio, ratio), **longer) for ratio in RATIOS]

# The network
# -----------
# A [U-Net](../docs/11-architectures.md) ...


def conv(n_in, n_out):
    """Seven samples wide, and the bend."""
    return nn.Conv1D(n_in, n_out, 7, padding="same", rng=rng), nn.ReLU()


def down_and_up(n_in, n_out, *deeper):
    return nn.Beside(nn.MaxPool1D(4), *conv(n_in, 8), *deeper, *conv(n_out, 8), nn.Upsample1D(4))


inner = down_and_up(8, 8)
outer = down_and_up(8, 16, inner)
model = nn.Sequential(*conv(3, 8), outer, *conv(16, 8), nn.Dense(8, 2, rng=rng))


def scaled(x):
    x = x - np.median(x, axis=1, keepdims=True)
    return x / np.median(abs(x), axis=(1, 2), keepdims=True) * 0.6745


learn = scaled(x), onset_targets(onsets, x.shape[1], width=4)
adam = nn.Adam(model.params, lr=5e-3)
import time
began=time.process_time()
nn.fit(model, *learn, epochs=args.epochs, optimizer=adam, batch_size=8, rng=rng)
adam.lr = 1e-3
history = nn.fit(model, *learn, epochs=max(1, args.epochs // 3), optimizer=adam, batch_size=8, rng=rng)
print("cpu", time.process_time()-began, history.loss[-1])

# Three pickers
# -------------

TOLERANCE = 5  # samples
APART = 50
THRESHOLD = 0.3
STA, LTA = 30, 300
LEVELS = 1.5, 2, 2.5, 3, 4, 5
softmax = nn.Softmax()


def curves_of(x):
    return softmax(nn.predict_long(model, scaled(x)))[..., 1]


def by_network(x):
    return [pick_peaks(curve, THRESHOLD, APART) for curve in curves_of(x)]


def by_trigger(x, level=None):
    level = level or LEVEL
    return [pick_triggers(ratio, level, level / 2) for ratio in sta_lta(x, STA, LTA)]


def by_aic(x, level=None):
    return [pick_aic(r, t, 100, 50) for r, t in zip(x, by_trigger(x, level), strict=True)]


def merit(level):
    c = compare_picks(by_aic(x, level), onsets, TOLERANCE)
    return len(c.errors) / (2 * len(c.errors) + c.n_missed + c.n_false)


LEVEL = max(LEVELS, key=merit)
print("level", LEVEL, [round(2*merit(l), 3) for l in LEVELS])
table = {}
for name, picker in {"U-Net": by_network, "STA/LTA": by_trigger, "and AIC": by_aic}.items():
    table[name] = [compare_picks(picker(x), onsets, TOLERANCE) for x, onsets in exams]
hours = len(exams[0][0]) * 3200 / RATE / 3600
print("ratio   " + "".join(f"{r:8}" for r in RATIOS))
for name, marks in table.items():
    print(f"{name:8}" + "".join(f"{m.share_found:8.3f}" for m in marks))
for name, marks in table.items():
    print(f"{name:8}" + "".join(f"{m.n_false / hours:8.0f}" for m in marks))
for name, marks in table.items():
    print(f"{name:8}" + "".join(f"{m.errors.mean():8.1f}" for m in marks))
    print(f"{name:8}" + "".join(f"{m.errors.std():8.1f}" for m in marks))
for th in (.2,.3,.4,.5,.6):
    THRESHOLD=th
    m=[compare_picks(by_network(x), onsets, TOLERANCE) for x, onsets in exams]
    print("th",th,"".join(f"{m.share_found:8.3f}/{m.n_false / hours:3.0f}" for m in m))
