"""The explorer: what is drawn follows the controls, and without a screen it is saved."""

import numpy as np
import pytest
from matplotlib.backend_bases import MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image, ImageSequence
from scripts import complaint, run_example


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """All names of the script after a run that saved its files in the folder `figures`."""
    folder = tmp_path_factory.mktemp("run")
    names = run_example("explore_trace", folder, "--output", "figures")
    return names | {"folder": folder / "figures"}


@pytest.fixture
def explorer(names):
    """The window, its controls where they are at the start."""
    explorer = names["explorer"]
    FigureCanvasAgg(explorer.figure)
    for slider in explorer.sliders.values():
        slider.reset()
    explorer.polarity.set_active(1)
    explorer.head.set_active(0)
    return explorer


def drawn(explorer):
    trace, gradient = explorer.trace_line.get_ydata(), explorer.gradient_line.get_ydata()
    return trace, explorer.maps_image.get_array().copy(), gradient


def test_the_arrival_follows_the_slider(explorer):
    for centre in 5, 20, 60:
        explorer.sliders["centre"].set_val(centre)
        trace, maps, _ = drawn(explorer)
        assert abs(trace.argmax() + 1 - centre) <= 1
        assert abs(maps.max(axis=0).argmax() + 1 - centre) <= 3


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
    explorer.sliders["centre"].set_val(10)
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
    explorer.sliders["centre"].set_val(41)
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
    assert names["CLASS_NAMES"][scores.argmax()] in explorer.trace_panel.get_title()


def test_the_heads_differ(explorer):
    one = drawn(explorer)
    explorer.head.set_active(1)
    other = drawn(explorer)
    np.testing.assert_array_equal(one[0], other[0])
    assert not np.array_equal(one[1], other[1])
    assert not np.array_equal(one[2], other[2])


@pytest.mark.parametrize("control", ["slider", "polarity", "head"])
def test_what_is_drawn_quickly_is_what_would_be_drawn_anew(explorer, control):
    canvas = explorer.figure.canvas
    canvas.draw()
    before = np.array(canvas.buffer_rgba())
    if control == "slider":
        explorer.sliders["centre"].set_val(20)
    else:
        getattr(explorer, control).set_active(0 if control == "polarity" else 1)
    quickly = np.array(canvas.buffer_rgba())
    canvas.draw()
    anew = np.array(canvas.buffer_rgba())
    assert (before != anew).any()
    np.testing.assert_array_equal(quickly, anew)


def test_nothing_lies_outside_the_axes(explorer):
    for name, dial in ((name, slider) for name, slider in explorer.sliders.items()):
        assert dial.valmin < dial.valinit < dial.valmax, name
    assert explorer.chances_panel.get_xlim() == (0, 1)
    assert explorer.trace_panel.get_xlim() == (0.5, 64.5)
    assert explorer.sliders["centre"].valmin == -8
    assert explorer.sliders["centre"].valmax == 72


@pytest.mark.parametrize("name", ["centre", "width", "amplitude", "noise"])
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


def test_a_picture_and_a_walk_for_each_head_are_saved(names):
    assert (names["folder"] / "explore_trace.png").read_bytes().startswith(b"\x89PNG")
    with Image.open(names["folder"] / "explore_trace.gif") as animation:
        frames = [frame.copy() for frame in ImageSequence.Iterator(animation)]
        assert animation.info["duration"] == pytest.approx(1000 / names["FRAMES_PER_SECOND"], abs=9)
    steps = range(-8, 73, names["STEP"])
    assert len(frames) == 2 * len(steps)
    assert np.any(np.asarray(frames[3].convert("L")) != np.asarray(frames[9].convert("L")))
    assert (names["folder"] / "explore_trace.gif").stat().st_size < 1.5e6


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seed=-1"], "--seed must be 0 or more, got -1"),
        (["--output=a_file"], "--output must be a folder"),
        ([], "expected a screen"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(options, words, tmp_path, capsys):
    import matplotlib as mpl

    mpl.use("agg")
    (tmp_path / "a_file").write_text("in the way")
    assert words in complaint("explore_trace", tmp_path, capsys, *options)
