"""Random networks that run along a record: chains and nested skip connections of every stride."""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

import numpycnn as nn
from numpycnn.checks.strategies import distinct, paddings, sizes, with_random_params


@st.composite
def keeping(draw, n_channels, depth):
    """Layers that keep a length divisible by 4 and return `n_channels` channels."""
    kernel_size, dilation = draw(sizes(1, 4)), draw(sizes(1, 3))
    beyond = dilation * (kernel_size - 1)
    left = draw(sizes(0, beyond))
    padding = draw(st.sampled_from(["same", "causal", (left, beyond - left)]))
    layers = [nn.Conv1D(n_channels, 2, kernel_size, padding=padding, dilation=dilation)]
    if depth and draw(st.booleans()):
        factor = draw(st.sampled_from([2, 4]) if depth > 1 else st.just(2))
        inside = draw(keeping(2, depth - 1)) if draw(st.booleans()) and factor == 2 else [nn.ReLU()]
        layers += [nn.MaxPool1D(factor), *inside, nn.Upsample1D(factor)]
    elif depth and draw(st.booleans()):
        layers += [nn.Residual(*draw(keeping(2, depth - 1)))]
    elif depth and draw(st.booleans()):
        layers += [nn.SkipConcat(*draw(keeping(2, depth - 1))), nn.Dense(4, 2)]
    else:
        layers += [nn.ReLU()]
    return [*layers, nn.Dense(2, n_channels)]


@st.composite
def blocks(draw):
    """A chain of layers that keep the shape of x, in float64, and an input for it."""
    n_channels = draw(sizes(1, 3))
    inner = draw(with_random_params(nn.Sequential(*draw(keeping(n_channels, depth=2)))))
    return inner, draw(distinct((draw(sizes(1, 2)), 4 * draw(sizes(1, 4)), n_channels)))


@st.composite
def ways_around(draw):
    """Residual or SkipConcat, in float64, and an input for it."""
    inner, x = draw(blocks())
    return draw(st.sampled_from([nn.Residual, nn.SkipConcat]))(*inner), x


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
            layers.append(nn.Conv1D(n_channels, draw(sizes(1, 3)), draw(sizes(1, 4)), **options))
            n_channels = layers[-1].out_channels
        elif kind == "pool":
            kind = draw(st.sampled_from([nn.MaxPool1D, nn.AveragePool1D]))
            layers.append(kind(draw(sizes(1, 3)), stride=draw(sizes(1, 4))))
        elif kind == "plain":
            layers.append(nn.ReLU())
        elif kind == "chain":
            layers.append(nn.Sequential(nn.Dense(n_channels, 2), nn.Softmax()))
            n_channels = 2
        elif kind == "residual":
            layers.append(nn.Residual(*draw(keeping(n_channels, depth))))
        elif kind == "beside":
            layers.append(nn.SkipConcat(*draw(keeping(n_channels, depth))))
            n_channels *= 2
        else:
            layers.append(nn.Upsample1D(draw(sizes(2, 3))))
    return draw(with_random_params(nn.Sequential(*layers))), first_channels


@st.composite
def classifiers(draw):
    """Classifiers with every layer between filters and scores, in float64, and an input."""
    n_channels, n_filters = draw(sizes(1, 3)), draw(sizes(1, 3))
    x = draw(distinct((draw(sizes(1, 2)), draw(sizes(2, 9)), n_channels)))
    options = {"stride": draw(sizes(1, 2)), "dilation": draw(sizes(1, 2))}
    maps = [nn.Conv1D(n_channels, n_filters, draw(sizes(1, 4)), padding="same", **options)]
    pools = [
        nn.ReLU(),
        nn.MaxPool1D(1),
        nn.MaxPool1D(2, stride=1),
        nn.AveragePool1D(1),
        nn.Upsample1D(2),
    ]
    conv = nn.Conv1D(n_filters, n_filters, 2, padding="same")
    around = nn.Sequential(nn.Conv1D(n_filters, n_filters, 1), nn.BatchNorm(n_filters))
    block = nn.Residual(conv, nn.BatchNorm(n_filters), shortcut=around)
    some = st.sampled_from([block, nn.BatchNorm(n_filters), nn.Dropout(0.5), *pools])
    maps += draw(st.lists(some, max_size=3, unique_by=id))
    bridge = draw(st.sampled_from([nn.Flatten, nn.GlobalMaxPool1D, nn.GlobalAveragePool1D]))()
    try:
        n_features = nn.Sequential(*maps, bridge)(x).shape[1]
    except ValueError:  # a window of two on one sample
        assume(False)
    between = st.sampled_from([nn.BatchNorm(n_features), nn.Dropout(0.5), nn.ReLU(), nn.Softmax()])
    head = [*draw(st.lists(between, max_size=2, unique_by=id)), nn.Dense(n_features, 3)]
    inner = [nn.Sequential(*maps, bridge), *head] if draw(st.booleans()) else [*maps, bridge, *head]
    model = draw(with_random_params(nn.Sequential(*inner, nn.Softmax())))
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
    return nn.Sequential(
        nn.Conv1D(1, 4, 7, **conv),
        nn.ReLU(),
        nn.Residual(nn.Conv1D(4, 4, 5, dilation=4, **conv), nn.ReLU()),
        nn.SkipConcat(nn.MaxPool1D(2), nn.Conv1D(4, 4, 3, **conv), nn.Upsample1D(2)),
        nn.Dense(8, 2, rng=rng),
    )


def with_two_modes(rng=0):
    """A classifier with BatchNorm and Dropout in the chain and within skip connections."""
    rng = np.random.default_rng(rng)
    conv = {"padding": "same", "rng": rng}
    return nn.Sequential(
        nn.Conv1D(1, 4, 5, **conv),
        nn.BatchNorm(4),
        nn.ReLU(),
        nn.Residual(nn.Conv1D(4, 4, 3, **conv), nn.BatchNorm(4), nn.ReLU(), nn.Dropout(0.2)),
        nn.SkipConcat(nn.Sequential(nn.Conv1D(4, 2, 3, **conv), nn.BatchNorm(2))),
        nn.GlobalAveragePool1D(),
        nn.Dropout(0.1),
        nn.Dense(6, 3, rng=rng),
    )


def assert_close(actual, expected):
    """Within 1e-5 of the largest output; NaN in the same places."""
    assert actual.shape == expected.shape
    largest = np.nan_to_num(abs(expected)).max(initial=1)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * largest)
