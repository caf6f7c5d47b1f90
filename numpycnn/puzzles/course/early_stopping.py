"""Early stopping

After each epoch the loss is measured on traces that are not trained on. Training ends when it has
not fallen below its lowest for `patience` epochs in a row. The weights that are kept are those of
the epoch with the lowest loss so far.

    losses     1.0   0.7   0.8   0.6   0.9   0.8   0.5        patience 2
    kept                          3                           and the last 0.5 is never reached
"""

import numpy as np


def epoch_to_keep(losses, patience):
    """The number, from 0, of the epoch whose weights are kept."""
    lowest, kept = np.inf, 0
    for epoch, loss in enumerate(losses):
        ...  # a new lowest? remember it, and its epoch. Else: for too long? return kept
    return kept


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_function

HINTS = (
    "For how many epochs has there been no new lowest? epoch - kept.",
    "If the loss is below the lowest, remember both; if not, and epoch - kept >= patience, return.",
)
SOLUTION = """\
if loss < lowest:
    lowest, kept = loss, epoch
elif epoch - kept >= patience:
    return kept"""
WRONG = {
    "if loss < lowest:\n    lowest, kept = loss, epoch": "it should be",
    "if loss < lowest:\n    lowest, kept = loss, epoch\nelif epoch - kept > patience:\n    return kept": (
        "it should be"
    ),
    "if loss < lowest:\n    lowest, kept = loss, epoch\nelif epoch - kept >= patience:\n    return epoch": (
        "it should be"
    ),
    "if loss < lowest:\n    kept = epoch\nelif epoch - kept >= patience:\n    return kept\nlowest = loss": (
        "it should be"
    ),
    "if loss < lowest:\n    lowest, kept = loss, epoch\nelse:\n    return kept": "it should be",
}
LESSON = "Patience lets it climb over a hump. And the weights kept are not the last ones."


def check(answer, right):
    def arguments(draw):
        n = draw(3, 9)
        return (draw.rng.permutation(n) / 10).tolist(), draw(1, 3)

    check_function(answer.epoch_to_keep, right.epoch_to_keep, arguments)
