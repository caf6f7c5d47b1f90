"""The picture of a circuit: every value and every gradient at its place, an arrow for each use."""

import pytest
from refusals import refused

from docs.figures import plot_circuit

STEPS = [("u", "\N{MULTIPLICATION SIGN}", ["w", "x"]), ("y", "+", ["u", "w"])]
VALUES = {"w": 3.0, "x": -0.5, "u": -1.5, "y": 1.5}
GRADIENTS = {"w": 0.5, "x": 3.0, "u": 1.0, "y": 1.0}
PLACES = {"w": (0, 0), "x": (0, 1.5), "u": (1, 1), "y": (4, 0.5)}


def words(figure):
    (panel,) = figure.axes
    return [text.get_text().replace("\N{MINUS SIGN}", "-") for text in panel.texts]


def test_every_number_has_its_value_and_its_gradient():
    found = words(plot_circuit(STEPS, VALUES, GRADIENTS, PLACES))
    for name, value in VALUES.items():
        assert f"{name} = {value:g}" in found
        assert f"d{name} = {GRADIENTS[name]:g}" in found


def test_there_is_an_arrow_for_each_use_of_a_number():
    (panel,) = plot_circuit(STEPS, VALUES, GRADIENTS, PLACES).axes
    arrows = [text for text in panel.texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == sum(len(sources) for _, _, sources in STEPS)
    assert all(arrow.xyann[0] < arrow.xy[0] for arrow in arrows)  # from left to right


def test_a_gradient_of_minus_nothing_is_nothing():
    assert "dx = 0" in words(plot_circuit(STEPS, VALUES, GRADIENTS | {"x": -0.0}, PLACES))


def test_the_words_lie_within_the_boxes_and_the_boxes_within_the_page():
    figure = plot_circuit(STEPS, VALUES, GRADIENTS, PLACES)
    figure.draw_without_rendering()
    (panel,) = figure.axes
    boxes = [patch.get_window_extent() for patch in panel.patches]
    for text in panel.texts:
        if text.get_text():
            extent = text.get_window_extent()
            assert any(
                box.x0 <= extent.x0 and extent.x1 <= box.x1 and box.y0 <= extent.y0 for box in boxes
            )
    width, height = figure.get_size_inches() * figure.dpi
    assert all(box.x0 >= 0 and box.x1 <= width for box in boxes)
    assert all(box.y0 >= 0 and box.y1 <= height for box in boxes)


@pytest.mark.parametrize("place", [1, 2, 3])
def test_names_that_do_not_agree_are_told(place):
    arguments = [STEPS, dict(VALUES), dict(GRADIENTS), dict(PLACES)]
    arguments[place].pop("u")
    what = ("", "values", "gradients", "places")[place]
    with refused(ValueError, "plot_circuit", what, "u, w, x, y", "w, x, y"):
        plot_circuit(*arguments)
