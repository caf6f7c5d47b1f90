"""What a reader sees in a notebook, by a real kernel."""

import base64
import io

import numpy as np
import pytest
from matplotlib import image

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

BEGIN = """
import os, signal, time
import numpy as np
import numpycnn as nn
from numpycnn import plots
x, labels = nn.make_traces(30, rng=0)

def network():
    return nn.Sequential(
        nn.Conv1D(1, 2, 5, rng=0), nn.ReLU(), nn.GlobalMaxPool1D(), nn.Dense(2, 3, rng=1)
    )

model = network()
history = nn.fit(model, x, labels, epochs=30, rng=0)
"""
OBJECTS = {
    "report": "nn.check_gradients(network(), x[:2].astype(float), rng=0)",
    "diagnosis": "nn.diagnose(network(), x, labels)",
    "history": "history",
    "fields": "nn.explain.receptive_fields(model, 64)[0]",
    "model": "model",
}
CELLS = {
    "begin": BEGIN,
    "figure": "plots.plot_traces(x[:1], labels[:1])",
    "dark": (
        "import matplotlib.pyplot as plt\n"
        "plt.style.use('dark_background')\n"
        "plots.plot_traces(x[:1], labels[:1])"
    ),
    **{name: f"{name} = {code}\n{name}" for name, code in OBJECTS.items()},
    **{f"printed {name}": f"print({name})" for name in OBJECTS},
    "progress": (
        "history = nn.fit(network(), x, labels, epochs=8, rng=0, "
        "on_epoch=lambda *_: time.sleep(0.6))"
    ),
    "interrupt": (
        "def interrupt(epoch, history):\n"
        "    if epoch == 3:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(10)\n"
        "before = model.params['3.w'].copy()\n"
        "nn.fit(model, x, labels, epochs=1000, rng=0, on_epoch=interrupt)"
    ),
    "after": (
        "print(np.isfinite(model.predict(x)).all(), (model.params['3.w'] != before).any())\n"
        "nn.fit(model, x, labels, epochs=2, rng=0)\n"
        "model.save('model.npz')\n"
        "print((nn.Sequential.load('model.npz').predict(x) == model.predict(x)).all())"
    ),
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """The outputs of each cell, from one run of all of them."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code) for code in CELLS.values()]
    )
    folder = {"metadata": {"path": str(tmp_path_factory.mktemp("notebook"))}}
    nbclient.NotebookClient(notebook, timeout=120, allow_errors=True, resources=folder).execute()
    cells = dict(zip(CELLS, (cell["outputs"] for cell in notebook["cells"]), strict=True))
    errors = {name: of for name, found in cells.items() for of in found if "ename" in of}
    assert errors.pop("interrupt")["ename"] == "KeyboardInterrupt"
    assert errors == {}
    return cells


def written(outputs, stream="stdout"):
    return "".join(one["text"] for one in outputs if one.get("name") == stream)


@pytest.mark.parametrize("cell", ["figure", "dark"])
def test_a_figure_as_the_last_line_of_a_cell_shows_itself(outputs, cell):
    (shown,) = outputs[cell]
    pixels = image.imread(io.BytesIO(base64.b64decode(shown["data"]["image/png"])))
    light = pixels[..., :3].mean(axis=-1)
    assert np.median(light) == 1
    assert (light < 0.2).sum() > 500  # the curve and the text


@pytest.mark.parametrize("name", OBJECTS)
def test_a_result_as_the_last_line_of_a_cell_is_shown_as_it_is_printed(outputs, name):
    (shown,) = outputs[name]
    printed = written(outputs[f"printed {name}"]).rstrip("\n")
    assert "".join(shown["data"]["text/plain"].split()) == "".join(printed.split())


def test_reports_and_histories_have_a_line_for_each_of_their_parts(outputs):
    assert "Gradients of Sequential: correct" in written(outputs["printed report"])
    assert "Diagnosis: " in written(outputs["printed diagnosis"])
    first, *rows = written(outputs["printed history"]).splitlines()
    assert first.split() == ["epoch", "loss", "accuracy"]
    assert rows[0].split()[0] == "1"
    assert rows[-1].split()[0] == "30"
    assert len(rows) <= 10


def test_a_training_of_seconds_shows_its_progress_and_clears_the_line(outputs):
    text = written(outputs["progress"], "stderr")
    assert "of 8, loss" in text
    assert text.split("\r")[-2].strip() == ""


def test_an_interrupted_training_leaves_a_model_that_works(outputs):
    assert written(outputs["after"]).split() == ["True", "True", "True"]
