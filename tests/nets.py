"""Random networks that run along a record: chains and nested skip connections of every stride."""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from numpycnn import (
    AveragePool1D,
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    MaxPool1D,
    ReLU,
    Residual,
    Sequential,
    SkipConcat,
    Softmax,
    Upsample1D,
)
from numpycnn.checks.strategies import distinct, paddings, sizes, with_random_params


@st.composite
def keeping(draw, n_channels, depth):
    """Layers that keep a length divisible by 4 and return `n_channels` channels."""
    kernel_size, dilation = draw(sizes(1, 4)), draw(sizes(1, 3))
    beyond = dilation * (kernel_size - 1)
    left = draw(sizes(0, beyond))
    padding = draw(st.sampled_from(["same", "causal", (left, beyond - left)]))
    layers = [Conv1D(n_channels, 2, kernel_size, padding=padding, dilation=dilation)]
    if depth and draw(st.booleans()):
        factor = draw(st.sampled_from([2, 4]) if depth > 1 else st.just(2))
        inside = draw(keeping(2, depth - 1)) if draw(st.booleans()) and factor == 2 else [ReLU()]
        layers += [MaxPool1D(factor), *inside, Upsample1D(factor)]
    elif depth and draw(st.booleans()):
        layers += [Residual(*draw(keeping(2, depth - 1)))]
    elif depth and draw(st.booleans()):
        layers += [SkipConcat(*draw(keeping(2, depth - 1))), Dense(4, 2)]
    else:
        layers += [ReLU()]
    return [*layers, Dense(2, n_channels)]


@st.composite
def blocks(draw):
    """A chain of layers that keep the shape of x, in float64, and an input for it."""
    n_channels = draw(sizes(1, 3))
    inner = draw(with_random_params(Sequential(*draw(keeping(n_channels, depth=2)))))
    return inner, draw(distinct((draw(sizes(1, 2)), 4 * draw(sizes(1, 4)), n_channels)))


@st.composite
def ways_around(draw):
    """Residual or SkipConcat, in float64, and an input for it."""
    inner, x = draw(blocks())
    return draw(st.sampled_from([Residual, SkipConcat]))(*inner), x


@st.composite
def along_the_record(draw, lengthening=True):
    """A chain of up to four parts of every kind, in float64, and its number of input channels."""
    layers, n_channels = [], draw(sizes(1, 2))
    first_channels = n_channels
    kinds = ["conv", "conv", "pool", "plain", "chain", "residual", "beside", "longer"]
    depth = 2 if lengthening else 0
    for _ in range(draw(sizes(1, 4))):
        kind = draw(st.sampled_from(kinds if lengthening else kinds[:-1]))
        if kind == "conv":
            options = {
                "stride": draw(sizes(1, 3)),
                "padding": draw(paddings),
                "dilation": draw(sizes(1, 3)),
            }
            layers.append(Conv1D(n_channels, draw(sizes(1, 3)), draw(sizes(1, 4)), **options))
            n_channels = layers[-1].out_channels
        elif kind == "pool":
            kind = draw(st.sampled_from([MaxPool1D, AveragePool1D]))
            layers.append(kind(draw(sizes(1, 3)), stride=draw(sizes(1, 4))))
        elif kind == "plain":
            layers.append(ReLU())
        elif kind == "chain":
            layers.append(Sequential(Dense(n_channels, 2), Softmax()))
            n_channels = 2
        elif kind == "residual":
            layers.append(Residual(*draw(keeping(n_channels, depth))))
        elif kind == "beside":
            layers.append(SkipConcat(*draw(keeping(n_channels, depth))))
            n_channels *= 2
        else:
            layers.append(Upsample1D(draw(sizes(2, 3))))
    return draw(with_random_params(Sequential(*layers))), first_channels


@st.composite
def classifiers(draw):
    """Classifiers with every layer between filters and scores, in float64, and an input."""
    n_channels, n_filters = draw(sizes(1, 3)), draw(sizes(1, 3))
    x = draw(distinct((draw(sizes(1, 2)), draw(sizes(2, 9)), n_channels)))
    options = {"stride": draw(sizes(1, 2)), "dilation": draw(sizes(1, 2))}
    maps = [Conv1D(n_channels, n_filters, draw(sizes(1, 4)), padding="same", **options)]
    pools = [ReLU(), MaxPool1D(1), MaxPool1D(2, stride=1), AveragePool1D(1), Upsample1D(2)]
    conv = Conv1D(n_filters, n_filters, 2, padding="same")
    around = Sequential(Conv1D(n_filters, n_filters, 1), BatchNorm(n_filters))
    block = Residual(conv, BatchNorm(n_filters), shortcut=around)
    some = st.sampled_from([block, BatchNorm(n_filters), Dropout(0.5), *pools])
    maps += draw(st.lists(some, max_size=3, unique_by=id))
    bridge = draw(st.sampled_from([Flatten, GlobalMaxPool1D, GlobalAveragePool1D]))()
    try:
        n_features = Sequential(*maps, bridge)(x).shape[1]
    except ValueError:  # a window of two on one sample
        assume(False)
    between = st.sampled_from([BatchNorm(n_features), Dropout(0.5), ReLU(), Softmax()])
    head = [*draw(st.lists(between, max_size=2, unique_by=id)), Dense(n_features, 3)]
    inner = [Sequential(*maps, bridge), *head] if draw(st.booleans()) else [*maps, bridge, *head]
    model = draw(with_random_params(Sequential(*inner, Softmax())))
    for array in model.state.values():
        array[...] = np.linspace(0.5, 2, array.size)
    return model.astype(np.float64), x


def in_use(layers_and_inputs):
    """Without the copies for training."""
    return layers_and_inputs.filter(lambda drawn: not type(drawn[0]).__name__.endswith("Training"))


def lengths(at_most):
    """Any length, and often one that can be halved twice."""
    return st.integers(1, at_most) | st.integers(1, at_most // 4).map(lambda n: 4 * n)


def is_same(model, other):
    """Whether two models have the same layers and the same arrays, to the bit and the type."""
    ours, theirs = ({**one.params, **one.state} for one in (model, other))
    return (
        repr(model) == repr(other)
        and ours.keys() == theirs.keys()
        and all(
            array.dtype == theirs[name].dtype
            and array.shape == theirs[name].shape
            and array.tobytes() == theirs[name].tobytes()
            for name, array in ours.items()
        )
    )


def changed(model):
    """The same network with other values in all its arrays."""
    return model.with_params({name: a + 1 for name, a in {**model.params, **model.state}.items()})


def picker(rng=0):
    """A dense predictor, two scores for every sample, with both skip connections."""
    rng = np.random.default_rng(rng)
    conv = {"padding": "same", "rng": rng}
    return Sequential(
        Conv1D(1, 4, 7, **conv),
        ReLU(),
        Residual(Conv1D(4, 4, 5, dilation=4, **conv), ReLU()),
        SkipConcat(MaxPool1D(2), Conv1D(4, 4, 3, **conv), Upsample1D(2)),
        Dense(8, 2, rng=rng),
    )
