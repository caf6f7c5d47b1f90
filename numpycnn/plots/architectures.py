"""Architectures: four networks that made history, drawn to scale.

Each row shows the size of a map, its number of channels, and the layer that computes it. The
sizes are computed. A window of `K` samples that moves by `S`, over a side of `L`
samples with `P` zeros at both ends, fits

    M = floor((L + 2 P - K) / S) + 1

times. Only the windows, strides, zeros and channels are listed, as in the papers, and the sizes
follow from them. A dense layer is a window as large as the map.

Sources:

- `lenet`: LeNet-5. Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning
  applied to document recognition", Proceedings of the IEEE 86 (1998), figure 2.
- `alexnet`: A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep
  convolutional neural networks", NIPS 2012, figure 2, its two halves taken as one.
- `unet`: O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for
  biomedical image segmentation", MICCAI 2015, figure 1.
- `resnet`: the one of 34 layers. K. He, X. Zhang, S. Ren, J. Sun, "Deep residual
  learning for image recognition", CVPR 2016, table 1.
"""

from __future__ import annotations

from math import log2
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.path import Path

from numpycnn.plots.figure import (
    AMBER,
    FONT,
    GRAY,
    GREEN,
    PURPLE,
    SKY,
    WIDTH,
    own_style,
    pixel_figure,
)


class Window(NamedTuple):
    """A sliding window: its side, its stride, and the zeros at each end of the map."""

    size: int
    stride: int = 1
    padding: int = 0

    def fits(self, length: int) -> int:
        """How often the window fits along a side of this length.

        >>> Window(5).fits(32)
        28
        """
        return (length + 2 * self.padding - self.size) // self.stride + 1


class Row(NamedTuple):
    """One row of a drawing: windows one after the other, and how many channels they leave.

    `up` is how many times longer each side is made before that. `skip` is how many rows
    above a second input comes from, besides the one from the row before; 0 is none.
    """

    kind: str
    words: str
    channels: int
    windows: tuple[Window, ...] = ()
    up: int = 1
    skip: int = 0


class Architecture(NamedTuple):
    """The side of the picture that goes in, and the rows, the first of which is that picture."""

    side: int
    rows: tuple[Row, ...]


COLORS = {
    "input": GRAY,
    "convolution": SKY,
    "pooling": AMBER,
    "upsampling": PURPLE,
    "dense": GREEN,
}

# The four
# --------
# The picture that goes into AlexNet has a side of 224 in the paper, which with windows
# of 11 that move by 4 does not give its 55. With 227 it does.

HALVE = Window(2, stride=2)
OVERLAPPING = Window(3, stride=2)
TWICE = Window(3), Window(3)


def _residual(channels: int, n_blocks: int, first_stride: int) -> list[Row]:
    """Return blocks of two convolutions, each with a skip connection."""
    rows = []
    for block in range(n_blocks):
        stride = first_stride if block == 0 else 1
        words = f"{n_blocks} blocks of 2 convs 3" if block == 0 else ""
        windows = Window(3, stride, padding=1), Window(3, padding=1)
        rows.append(Row("convolution", words, channels, windows, skip=1))
    return rows


ARCHITECTURES = {
    "lenet": Architecture(
        32,
        (
            Row("input", "a written digit", 1),
            Row("convolution", "convolution 5", 6, (Window(5),)),
            Row("pooling", "halve", 6, (HALVE,)),
            Row("convolution", "convolution 5", 16, (Window(5),)),
            Row("pooling", "halve", 16, (HALVE,)),
            Row("convolution", "convolution 5", 120, (Window(5),)),
            Row("dense", "dense", 84, (Window(1),)),
            Row("dense", "10 digits", 10, (Window(1),)),
        ),
    ),
    "alexnet": Architecture(
        227,
        (
            Row("input", "a photograph", 3),
            Row("convolution", "convolution 11, stride 4", 96, (Window(11, stride=4),)),
            Row("pooling", "pool 3, stride 2", 96, (OVERLAPPING,)),
            Row("convolution", "convolution 5", 256, (Window(5, padding=2),)),
            Row("pooling", "pool 3, stride 2", 256, (OVERLAPPING,)),
            Row("convolution", "convolution 3", 384, (Window(3, padding=1),)),
            Row("convolution", "convolution 3", 384, (Window(3, padding=1),)),
            Row("convolution", "convolution 3", 256, (Window(3, padding=1),)),
            Row("pooling", "pool 3, stride 2", 256, (OVERLAPPING,)),
            Row("dense", "dense", 4096, (Window(6),)),
            Row("dense", "dense", 4096, (Window(1),)),
            Row("dense", "1000 classes", 1000, (Window(1),)),
        ),
    ),
    "unet": Architecture(
        572,
        (
            Row("input", "a microscope image", 1),
            Row("convolution", "2 convolutions 3", 64, TWICE),
            Row("pooling", "halve, 2 convs 3", 128, (HALVE, *TWICE)),
            Row("pooling", "halve, 2 convs 3", 256, (HALVE, *TWICE)),
            Row("pooling", "halve, 2 convs 3", 512, (HALVE, *TWICE)),
            Row("pooling", "halve, 2 convs 3", 1024, (HALVE, *TWICE)),
            Row("upsampling", "double, join, 2 convs 3", 512, TWICE, up=2, skip=2),
            Row("upsampling", "double, join, 2 convs 3", 256, TWICE, up=2, skip=4),
            Row("upsampling", "double, join, 2 convs 3", 128, TWICE, up=2, skip=6),
            Row("upsampling", "double, join, 2 convs 3", 64, TWICE, up=2, skip=8),
            Row("dense", "2 classes, each pixel", 2, (Window(1),)),
        ),
    ),
    "resnet": Architecture(
        224,
        (
            Row("input", "a photograph", 3),
            Row("convolution", "convolution 7, stride 2", 64, (Window(7, 2, padding=3),)),
            Row("pooling", "pool 3, stride 2", 64, (Window(3, 2, padding=1),)),
            *_residual(64, 3, first_stride=1),
            *_residual(128, 4, first_stride=2),
            *_residual(256, 6, first_stride=2),
            *_residual(512, 3, first_stride=2),
            Row("pooling", "mean over the map", 512, (Window(7),)),
            Row("dense", "1000 classes", 1000, (Window(1),)),
        ),
    ),
}
"""Each network by its name."""


def map_sizes(name: str) -> list[tuple[int, int]]:
    """Return the side of each row's map and its channels, for one of `ARCHITECTURES`.

    >>> map_sizes("lenet")[:3]
    [(32, 1), (28, 6), (14, 6)]

    Raises `ValueError` for a name that is not known.
    """
    side, rows = _known("map_sizes", name)
    sizes = []
    for row in rows:
        side *= row.up
        for window in row.windows:
            side = window.fits(side)
        sizes.append((side, row.channels))
    return sizes


def _known(caller: str, name: str) -> Architecture:
    """Return the architecture of this name, or raise."""
    if name not in ARCHITECTURES:
        raise ValueError(f"{caller}: name must be one of {list(ARCHITECTURES)}, got {name!r}.")
    return ARCHITECTURES[name]


# The drawing
# -----------
# A box for each map, from the top down: as wide as the map's side, and thicker the more
# channels it has, by the same amount for each doubling. Sizes left, words right, and
# between the sizes and the boxes the skip connections. All lengths are in pixels.

PITCH = 33  # from one row to the next
SIZES_END, LANES_BEGIN = 118, 186
BOXES = 290  # the middle of the boxes
WIDEST, NARROWEST = 190, 5
WORDS_BEGIN = 397
LANE = 14  # from one skip connection to the next


@own_style()
def plot_architecture(name: str) -> Figure:
    """Draw one of `ARCHITECTURES`, from the input at the top to the output.

    Parameters
    ----------
    name : str
        "lenet", "alexnet", "unet" or "resnet".

    Returns
    -------
    Figure
        Each row shows the shape of a map, its side squared and the number of channels, a box as
        wide as the map and thicker for more channels, and the layer. Arrows are skip connections.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> figure = plot_architecture("lenet")
    >>> [text.get_text() for text in figure.axes[0].texts[2:4]]
    ['28² × 6', 'convolution 5']
    """
    rows = _known("plot_architecture", name).rows
    sizes = map_sizes(name)
    height = PITCH * len(rows) + 20
    figure, panel = pixel_figure(WIDTH, height)

    scale = WIDEST / max(side for side, _ in sizes)
    widths = [max(NARROWEST, scale * side) for side, _ in sizes]
    for place, (row, (side, channels), width) in enumerate(zip(rows, sizes, widths, strict=True)):
        y = _level(place)
        thickness = 4 + 1.6 * log2(channels)
        corner = BOXES - width / 2, y - thickness / 2
        panel.add_patch(
            Rectangle(corner, width, thickness, facecolor=COLORS[row.kind], edgecolor="black")
        )
        size = f"{side}² \N{MULTIPLICATION SIGN} {channels}"
        panel.text(SIZES_END, y, size, fontsize=FONT, ha="right", va="center")
        panel.text(WORDS_BEGIN, y, row.words, fontsize=FONT, va="center")
        if row.skip:
            _draw_way_around(panel, place - row.skip, place, widths)
    return figure


def _level(place: int) -> float:
    """Return the distance of the middle of a row from the top."""
    return 10 + PITCH * (place + 0.5)


def _draw_way_around(panel: Axes, start: int, end: int, widths: list[float]) -> None:
    """Draw an arrow from one row's box to another's: out to the left, down, and back."""
    lane = LANES_BEGIN - LANE * (end - start - 1) / 2
    left_of = {place: BOXES - widths[place] / 2 for place in (start, end)}
    away, back = _level(start) + 3, _level(end) - 3  # apart from arrows that end and begin here
    if end - start == 1:
        lane = min(left_of.values()) - LANE
    corners = [(left_of[start], away), (lane, away), (lane, back), (left_of[end], back)]
    panel.add_patch(
        FancyArrowPatch(path=Path(corners), arrowstyle="-|>", mutation_scale=10, color="black")
    )
