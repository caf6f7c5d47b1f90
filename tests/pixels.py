"""Pixels: what a reader sees of a figure, whatever Matplotlib was called with."""

import io

import numpy as np
from matplotlib import image
from matplotlib.text import Text

TEXT, CURVE = 3.0, 2.5  # contrast with the background, in the measure of WCAG 2


def picture(figure, **options):
    """Return the pixels of a figure as it is saved: red, green and blue, 0 to 1, (H, W, 3)."""
    file = io.BytesIO()
    figure.savefig(file, format="png", **options)
    file.seek(0)
    return image.imread(file)[..., :3]


def luminance(pixels):
    """Return the relative luminance of colors (..., 3), 0 for black and 1 for white."""
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def contrast(light):
    """Return the contrast ratio of the lightest and the darkest of some luminances: 1 to 21."""
    return (light.max() + 0.05) / (light.min() + 0.05)


def around(light, box, margin=0):
    """Return the luminances in a box of Matplotlib's, which counts from the lower left corner."""
    height, width = light.shape
    left, right = max(0, int(box.x0) - margin), min(width, int(np.ceil(box.x1)) + margin)
    top, bottom = max(0, height - int(np.ceil(box.y1)) - margin), height - int(box.y0) + margin
    return light[top : max(bottom, 0), left:right]


def unreadable(figure, light):
    """Return the texts of a figure that do not contrast with their background, or are outside."""
    height, width = light.shape
    hidden, bad = beyond_the_ends(figure), []
    for text in figure.findobj(Text):
        if not text.get_text().strip() or not text.get_visible() or text in hidden:
            continue
        box = text.get_window_extent()
        is_inside = min(box.x0, box.y0) > -1 and box.x1 < width + 1 and box.y1 < height + 1
        if not is_inside or contrast(around(light, box, margin=1)) < TEXT:
            bad.append(text.get_text())
    return bad


def beyond_the_ends(figure):
    """Return the labels of ticks that are not drawn: beyond the ends of an axis, or of no axis."""
    hidden = set()
    for panel in figure.axes:
        for axis in panel.xaxis, panel.yaxis:
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not (panel.axison and low <= tick.get_loc() <= high):
                    hidden |= {tick.label1, tick.label2}
    return hidden


def visible_fraction(line, light):
    """Return the fraction of a curve's finite points at which there is something to see."""
    points = np.ma.filled(np.ma.asarray(line.get_xydata(), float), np.nan)
    points = line.get_transform().transform(points[np.isfinite(points).all(axis=1)])
    box = line.axes.bbox
    inside = [p for p in points if box.padded(1).contains(*p)]
    seen = 0
    for x, y in map(np.ndarray.tolist, inside):
        row, column = light.shape[0] - round(y), round(x)
        part = light[max(row - 4, 0) : row + 5, max(column - 4, 0) : column + 5]
        seen += (1.05 / (part.min() + 0.05)) > CURVE
    return seen / max(1, len(inside))
