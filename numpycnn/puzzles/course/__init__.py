"""The list of puzzles in course order, by the chapter that explains them.

To add a puzzle, add a file to this folder and its name to this list.
"""

COURSE = {
    "1-evening/1-the-problem": ["shape_of_a_batch", "largest_sample"],
    "1-evening/2-convolution": ["zeros_of_same", "count_the_weights", "convolve_by_taps"],
    "1-evening/3-relu-and-pooling": ["what_comes_out", "far_enough", "pool_without_loops"],
    "1-evening/4-softmax-and-cross-entropy": ["softmax_of_rows", "loss_is_nan", "cross_entropy"],
    "1-evening/5-backpropagation": [
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
    "1-evening/6-gradient-descent-and-adam": ["adam", "bug_in_adam"],
    "1-evening/7-training": ["does_not_learn", "bug_in_chain"],
    "1-evening/8-checking-gradients": [
        "bug_in_dense",
        "bug_in_relu",
        "bug_in_loss",
        "bug_in_softmax",
        "bug_in_pool",
        "bug_in_ties",
        "prove_by_differences",
        "prove_the_cases",
    ],
    "2-does-it-work/2-inside-the-network": ["saliency"],
    "2-does-it-work/4-model-selection": ["early_stopping"],
    "2-does-it-work/5-batch-norm-and-dropout": ["batch_norm"],
    "3-derivatives/1-transpose": ["prove_by_transpose"],
    "3-derivatives/3-custom-layer": ["average_pool"],
    "4-engineering/1-fast-convolution": ["phases", "bug_in_convolution"],
    "4-engineering/2-landmark-networks": ["residual", "upsample", "bug_in_skip_concat", "picker"],
    "4-engineering/3-two-dimensions": ["stacked_rows"],
    "4-engineering/4-other-libraries": ["carry_the_weights"],
}
"""The names of the puzzles' files, by chapters."""
