"""The explorer: what is drawn follows the controls, and without a screen it is saved."""

import itertools

import numpy as np
import pytest
from matplotlib.backend_bases import MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scripts import complaint, run_example

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


def test_the_heads_differ(explorer):
    one = drawn(explorer)
    explorer.head.set_active(1)
    other = drawn(explorer)
    np.testing.assert_array_equal(one[0], other[0])
    assert not np.array_equal(one[1], other[1])
    assert not np.array_equal(one[2], other[2])


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


def test_nothing_stands_outside_the_window_and_no_words_overlap(explorer):
    explorer.figure.canvas.draw()
    width, height = explorer.figure.bbox.size
    box = explorer.figure.get_tightbbox().transformed(explorer.figure.dpi_scale_trans)
    assert min(box.xmin, box.ymin) >= 0
    assert box.xmax <= width
    assert box.ymax <= height
    words = [text for panel in explorer.figure.axes for text in (*panel.texts, panel.title)]
    boxes = [text.get_window_extent() for text in words if text.get_text()]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_nothing_lies_outside_the_axes(explorer):
    for name, dial in ((name, slider) for name, slider in explorer.sliders.items()):
        assert dial.valmin < dial.valinit < dial.valmax, name
    assert explorer.panels["chances"].get_xlim() == (0, 1)
    assert explorer.panels["trace"].get_xlim() == (0.5, 64.5)
    assert explorer.sliders["center"].valmin == -8
    assert explorer.sliders["center"].valmax == 72


@pytest.mark.parametrize("name", ["center", "width", "amplitude", "noise"])
def test_the_mouse_cannot_pull_a_slider_past_its_ends(explorer, name):
    slider, canvas = explorer.sliders[name], explorer.figure.canvas

    def mouse(kind, share):
        """`share` is 0 at the slider's lower end and 1 at its upper end."""
        x, y = slider.ax.transAxes.transform((share, 0.5))
        canvas.callbacks.process(kind, MouseEvent(kind, canvas, x, y, 1))

    canvas.draw()
    mouse("button_press_event", 0.5)
    assert slider.val == pytest.approx((slider.valmin + slider.valmax) / 2, abs=slider.valstep)
    for share in 0.98, 1.0, 1.3:
        mouse("motion_notify_event", share)
    assert slider.val == pytest.approx(slider.valmax, abs=slider.valstep)
    assert slider.val <= slider.valmax
    for share in 0.02, 0.0, -0.3:
        mouse("motion_notify_event", share)
    assert slider.val == pytest.approx(slider.valmin, abs=slider.valstep)
    assert slider.val >= slider.valmin
    mouse("button_release_event", 0.0)


def test_a_picture_is_saved(names):
    assert (names["folder"] / "explore_trace.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seed=-1"], "--seed: expected 0 or more, got -1"),
        (["--output=a_file"], "--output must be a folder"),
        ([], "screen"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(options, words, tmp_path, capsys):
    import matplotlib as mpl

    mpl.use("agg")
    (tmp_path / "a_file").write_text("in the way")
    assert words in complaint("explore_trace", tmp_path, capsys, *options)
