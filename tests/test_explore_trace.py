"""The explorer: what is drawn follows the controls, and without a screen it is saved."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scripts import run_example

from numpycnn import CLASS_NAMES


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """All names of the script after a run that saved its files in the folder `figures`."""
    folder = tmp_path_factory.mktemp("run")
    names = run_example("explore_trace", folder, "--output", "figures")
    return names | {"folder": folder / "figures"}


@pytest.fixture
def explorer(names):
    """The window, its controls where they are at the start; it is drawn where a test says so."""
    explorer = names["explorer"]
    canvas = FigureCanvasAgg(explorer.figure)
    canvas.draw_idle = lambda: None
    for slider in explorer.sliders.values():
        slider.reset()
    explorer.polarity.set_active(1)
    explorer.head.set_active(0)
    return explorer


def drawn(explorer):
    trace, gradient = explorer.trace_line.get_ydata(), explorer.gradient_line.get_ydata()
    return trace, explorer.maps_mesh.get_array().copy(), gradient


def test_the_arrival_follows_the_slider(explorer):
    for center in 5, 20, 60:
        explorer.sliders["center"].set_val(center)
        trace, maps, _ = drawn(explorer)
        assert abs(trace.argmax() + 1 - center) <= 1
        assert abs(maps.max(axis=0).argmax() + 1 - center) <= 3


def test_amplitude_noise_and_width_act(explorer):
    before = drawn(explorer)[0]
    explorer.sliders["amplitude"].set_val(0.5)
    assert drawn(explorer)[0].max() == pytest.approx(before.max() - 0.4, abs=0.05)
    explorer.sliders["noise"].set_val(0.3)
    assert np.diff(drawn(explorer)[0]).std() > 5 * np.diff(before[:20]).std()
    explorer.sliders["noise"].set_val(0)
    explorer.sliders["width"].set_val(8)
    assert (drawn(explorer)[0] > 0.1).sum() > 1.5 * (before > 0.1).sum()


def test_only_what_the_reader_moves_moves(explorer):
    """The noise is the same draw, whatever the arrival does."""
    explorer.sliders["amplitude"].set_val(0)
    quiet = drawn(explorer)[0].copy()
    explorer.sliders["center"].set_val(10)
    np.testing.assert_allclose(drawn(explorer)[0], quiet, atol=1e-6)


def test_the_polarity_turns_the_arrival_over(explorer):
    positive = drawn(explorer)[0].copy()
    explorer.polarity.set_active(2)
    negative = drawn(explorer)[0].copy()
    assert negative.argmin() == pytest.approx(positive.argmax(), abs=1)
    explorer.polarity.set_active(0)
    assert abs(drawn(explorer)[0]).max() < 0.3


@pytest.mark.parametrize("head", [0, 1])
def test_maps_saliency_and_probabilities_are_those_of_the_network(explorer, names, head):
    explorer.head.set_active(head)
    explorer.sliders["center"].set_val(41)
    model = list(names["models"].values())[head]
    _, maps, gradient = drawn(explorer)
    chances = [bar.get_width() for bar in explorer.bars]
    scores = model.predict(explorer.x)[0]
    np.testing.assert_allclose(chances, np.exp(scores) / np.exp(scores).sum(), rtol=1e-5)
    relu = model.layers[1].forward(model.layers[0].forward(explorer.x)[0])[0]
    np.testing.assert_array_equal(maps, relu[0].T)
    upstream = np.eye(3, dtype=np.float32)[[scores.argmax()]]
    expected, _ = model.backward(upstream, model.forward(explorer.x)[1])
    np.testing.assert_array_equal(gradient, expected[0, :, 0])
    assert CLASS_NAMES[scores.argmax()] in explorer.panels["trace"].get_title()


@pytest.mark.parametrize("control", ["slider", "polarity", "head"])
def test_the_window_asks_to_be_drawn_when_a_control_is_moved(explorer, control, monkeypatch):
    asked = []
    monkeypatch.setattr(explorer.figure.canvas, "draw_idle", lambda: asked.append(control))
    if control == "slider":
        explorer.sliders["center"].set_val(20)
    else:
        getattr(explorer, control).set_active(0 if control == "polarity" else 1)
    assert asked


def test_the_axes_stay_where_they_are_while_an_arrival_moves(explorer):
    def limits():
        explorer.figure.canvas.draw()
        boxes = [panel.get_position().bounds for panel in explorer.panels.values()]
        return boxes, explorer.panels["saliency"].get_ylim(), explorer.maps_mesh.get_clim()

    before = limits()
    explorer.sliders["center"].set_val(3)
    explorer.sliders["amplitude"].set_val(1.5)
    assert limits() == before


def test_a_picture_is_saved(names):
    assert (names["folder"] / "explore_trace.png").read_bytes().startswith(b"\x89PNG")
