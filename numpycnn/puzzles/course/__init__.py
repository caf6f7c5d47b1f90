"""The course: which puzzles there are, in the order in which they are done.

They stand under the chapter that leads to them. A new one is a file in this folder, and its
name in this list.
"""

COURSE = {
    "01-question": ["shape_of_a_batch", "largest_sample"],
    "02-convolution": ["zeros_of_same", "count_the_weights", "convolve_by_taps"],
    "03-relu-and-pooling": ["what_comes_out", "far_enough", "pool_without_loops"],
    "04-scores-and-loss": ["softmax_of_rows", "loss_is_nan", "cross_entropy"],
    "05-backwards": [
        "slope",
        "chain_of_two",
        "two_ways",
        "a_maximum",
        "shared_weight",
        "leaky_relu",
        "tanh",
        "bias",
        "scale_and_shift",
        "dense",
        "softmax",
        "max_pool",
        "convolution",
    ],
    "05b-transpose": ["average_pool", "prove_by_transpose"],
    "06-adam": ["adam", "bug_in_adam"],
    "07-training": ["does_not_learn", "bug_in_chain"],
    "07b-choosing": ["early_stopping"],
    "08-is-it-right": [
        "bug_in_dense",
        "bug_in_relu",
        "bug_in_loss",
        "bug_in_softmax",
        "bug_in_pool",
        "bug_in_ties",
        "prove_by_differences",
        "prove_the_cases",
    ],
    "09-what-did-it-learn": ["saliency"],
    "10-fast": ["phases", "bug_in_convolution"],
    "11-architectures": ["residual", "upsample", "bug_in_skip_concat", "picker"],
    "12-moving-on": ["carry_the_weights"],
    "13-two-dimensions": ["stacked_rows"],
    "14-training-and-use": ["batch_norm"],
}
"""The names of the puzzles' files, by chapters."""
