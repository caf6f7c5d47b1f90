"""The landmark networks: sizes as in the papers, correct gradients, and training."""

import numpy as np
import pytest

import numpycnn as nn
from numpycnn.architectures import fcn, lenet, resnet, unet
from numpycnn.inspection.explain import activations

ALL = [lenet, fcn, resnet, unet]
SMALL = {
    lenet: {"n_samples": 16},
    fcn: {"filters": 2},
    resnet: {"filters": 2},
    unet: {"filters": 2, "depth": 2},
}


def n_weights(model):
    return sum(array.size for array in model.params.values())


def convolution(taps, n_in, n):
    return taps * n_in * n  # without a bias, which the batch normalization makes superfluous


def test_the_fully_convolutional_network_has_the_sizes_of_its_paper():
    # Wang, Yan and Oates 2017, section II B: 128 filters of 8, 256 of 5, 128 of 3, each with
    # batch normalization (two numbers a channel) and ReLU, then a mean and a softmax layer.
    for n_channels, n_classes in ((1, 2), (3, 37)):
        model = fcn(n_channels, n_classes)
        assert n_weights(model) == sum(
            [
                *(convolution(8, n_channels, 128), 2 * 128),
                *(convolution(5, 128, 256), 2 * 256),
                *(convolution(3, 256, 128), 2 * 128),
                128 * n_classes + n_classes,
            ]
        )
        assert maps(model, 30, n_channels) == [128, 256, 128]


def maps(model, length, n_channels):
    """The channels of every map that a convolution makes, each as long as the trace."""
    seen = activations(model, np.zeros((1, length, n_channels)))
    assert {y.shape[1] for _, _, y in seen if y.ndim == 3} == {length}
    return [y.shape[2] for _, layer, y in seen if isinstance(layer, nn.Conv1D)]


def test_the_residual_network_has_the_sizes_of_its_paper():
    # Section II C: three blocks of 64, 128 and 128 filters, each of convolutions of 8, 5 and 3;
    # where the number of channels changes the way around has a convolution of 1.
    for n_channels, n_classes in ((1, 2), (3, 37)):
        model = resnet(n_channels, n_classes)
        blocks = [(n_channels, 64), (64, 128), (128, 128)]
        assert n_weights(model) == (
            sum(
                convolution(8, n_in, n) + convolution(5, n, n) + convolution(3, n, n) + 3 * 2 * n
                for n_in, n in blocks
            )
            + sum(convolution(1, n_in, n) + 2 * n for n_in, n in blocks[:2])
            + 128 * n_classes
            + n_classes
        )
        assert maps(model, 30, n_channels) == [*4 * [64], *4 * [128], *3 * [128]]


def test_unet_has_the_levels_of_its_paper_and_filters_three_wide():
    # Figure 1: two convolutions on each of five levels, 64 filters on the first and 1,024 on the
    # last. What comes up keeps its channels here, so 2 n of them lie beside n.
    levels = [64, 128, 256, 512, 1024]
    down = [(1, 64), (64, 64), *((n_in, n) for n in levels[1:] for n_in in (n // 2, n))]
    up = [(n_in, n) for n in reversed(levels[:-1]) for n_in in (3 * n, n)]
    model = unet(1, 2)
    filters = sum(convolution(3, n_in, n) + n for n_in, n in down + up)
    assert n_weights(model) == filters + 64 * 2 + 2
    assert model.receptive_field(160).n_outputs == 160


@pytest.mark.parametrize("make", ALL)
def test_the_gradients_are_correct_in_training_and_at_inference(make):
    model = make(2, 3, rng=0, **SMALL[make])
    x = np.random.default_rng(0).standard_normal((2, 16 if make is lenet else 8, 2))
    for mode in {model, model.for_training(0)}:  # the same without layers of two modes
        nn.assert_gradients(mode, x, tolerance=1e-10, rng=0)


@pytest.mark.parametrize("make", ALL)
def test_the_networks_learn_and_are_saved(make, tmp_path):
    x, labels = nn.make_traces(60, rng=0)
    options = {lenet: {}, fcn: {"filters": 8}, resnet: {"filters": 4}, unet: {"filters": 4}}[make]
    model = make(1, 3, rng=0, **options)
    if make is unet:
        model = nn.Sequential(model, nn.GlobalMaxPool1D())
    history = nn.fit(model, x, labels, epochs=8, batch_size=10, lr=1e-2, rng=0)
    assert history.loss[-1] < 0.7 * history.loss[0]
    model.save(tmp_path / "model.npz")
    assert (nn.Sequential.load(tmp_path / "model.npz")(x) == model(x)).all()


# A shortcut
# ----------


def test_a_residual_adds_the_output_of_its_shortcut():
    rng = np.random.default_rng(0)
    conv, around = nn.Conv1D(2, 3, 3, padding="same", rng=rng), nn.Conv1D(2, 3, 1, rng=rng)
    block = nn.Residual(conv, shortcut=around)
    x = rng.standard_normal((4, 9, 2))
    np.testing.assert_array_equal(block(x), around(x) + conv(x))
    assert list(block.params) == ["0.w", "0.b", "shortcut.w", "shortcut.b"]
    assert [place for place, _ in block.walk()] == ["0", "shortcut", ""]
    nn.assert_gradients(block, x, rng=0)
    assert repr(block).endswith(", shortcut=Conv1D(2, 3, 1))")
    copy = block.astype(np.float64)
    assert copy.shortcut is copy.children["shortcut"]
    assert copy.shortcut.params["w"].dtype == np.float64
