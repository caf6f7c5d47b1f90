"""Early stopping

After each epoch the loss is measured on the validation data. Training ends when the loss has not
fallen below its lowest value so far for `patience` epochs in a row. The weights that are kept are
those of the epoch with the lowest loss; of equal losses, the first.

    losses     1.0   0.7   0.8   0.6   0.9   0.8   0.5        patience 2
    kept                          3                           and the last 0.5 is never reached
"""

import numpy as np


def epoch_to_keep(losses, patience):
    """Return the number, from 0, of the epoch whose weights are kept."""
    lowest, kept = np.inf, 0
    for epoch, loss in enumerate(losses):
        ...  # a new lowest loss? store it and its epoch. Else, after `patience` epochs, return kept
    return kept


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import function

SECTION = "Early stopping"
HINTS = (
    "For how many epochs has there been no new lowest loss? epoch - kept.",
    "If the loss is below the lowest, store both; if not, and epoch - kept >= patience, return.",
)
SOLUTION = """\
if loss < lowest:
    lowest, kept = loss, epoch
elif epoch - kept >= patience:
    return kept"""
FORMS = (
    "if loss < lowest:\n    lowest, kept, waited = loss, epoch, 0\nelse:\n    waited += 1\n"
    "    if waited == patience:\n        break",
    "if epoch - kept > patience:\n    break\nif loss < lowest:\n    lowest, kept = loss, epoch",
    "lowest = min(losses[: epoch + 1])\nkept = list(losses).index(lowest)\n"
    "if epoch - kept >= patience:\n    return kept",
)
_COUNTER = "n = 0 if epoch == 0 else n\n"
WRONG = {
    "if loss < lowest:\n    lowest, kept = loss, epoch": "never stops: it never stops early, and finds the "
    "lowest loss of all epochs.",
    "if loss < lowest:\n    lowest, kept = loss, epoch\nelif epoch - kept > patience:\n    return kept": (
        "one epoch late: it stops one epoch late: `>=`, not `>`."
    ),
    "if loss < lowest:\n    lowest, kept = loss, epoch\nelif epoch - kept >= patience - 1:\n    return kept": (
        "one epoch early: it stops one epoch early."
    ),
    "if loss < lowest:\n    lowest, kept = loss, epoch\nelif epoch - kept >= patience:\n    return epoch": (
        "last epoch: it returns the last epoch, not the one with the lowest loss."
    ),
    "if loss <= lowest:\n    lowest, kept = loss, epoch\nelif epoch - kept >= patience:\n    return kept": (
        "ties: an equal loss counts as a new lowest one. It must be below the lowest: `<`."
    ),
    "if loss < lowest:\n    kept = epoch\nelif epoch - kept >= patience:\n    return kept\nlowest = loss": (
        "previous loss: each loss is compared with the one before, not with the lowest so far."
    ),
    "if loss < lowest:\n    lowest, kept = loss, epoch\nelse:\n    return kept": "patience ignored: it "
    "stops at the first epoch without a new lowest loss.",
    "if epoch == 0:\n    n = 0\nif loss < lowest:\n    lowest, kept = loss, epoch\nelse:\n    n += 1\n"
    "    if n >= patience:\n        return kept": "counter not reset: the epochs without a new lowest loss "
    "are counted in all; they must be in a row. Reset the counter at a new lowest loss.",
    "if epoch == 0:\n    n = 0\nif loss < lowest:\n    lowest, kept = loss, epoch\nelse:\n    n += 1\n"
    "    if n > patience:\n        return kept": "counter not reset: the epochs without a new lowest loss "
    "are counted in all, and one too many; they must be in a row.",
    "if loss < lowest:\n    lowest = loss\nelif epoch - kept >= patience:\n    return kept": "always 0: "
    "it returns 0 whatever the losses are.",
    "if loss < lowest:\n    kept = epoch\nelif epoch - kept >= patience:\n    return kept": "lowest not "
    "stored: the lowest loss is not stored, so every loss counts as a new lowest one.",
    "if loss > lowest:\n    lowest, kept = loss, epoch\nelif epoch - kept >= patience:\n    return kept": (
        "always 0"
    ),
    "if loss < lowest:\n    lowest, kept = loss, epoch\nelif epoch >= patience:\n    return kept": "from "
    "the start: it counts all epochs from the start, not those since the lowest loss.",
    "if loss < lowest:\n    lowest, kept = loss, epoch\nelif epoch - kept >= patience:\n    return loss": (
        "loss: it returns the loss, not the epoch."
    ),
    "if loss < lowest:\n    lowest, kept = loss, epoch\nelif epoch - kept >= patience:\n    print(kept)\n"
    "    return": "printed",
    "if loss < lowest:\n    lowest, kept = loss, epoch\nelif epoch - kept >= patience:\n    return": "None",
}
LESSON = "Patience lets the loss rise for a while. The weights kept are not the last ones."
N_CASES = 150


def case(draw):
    n, patience = draw(3, 12), draw(1, 3)
    falling = -np.arange(n) * draw.rng.choice([0.0, 0.1, 0.2])
    zigzag = draw.rng.integers(0, 4, n) / 10
    losses = (2 + falling + zigzag).round(1).tolist()
    return function("epoch_to_keep", {"losses": losses, "patience": patience})
