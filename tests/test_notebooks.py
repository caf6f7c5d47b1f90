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
CELLS = {
    "begin": BEGIN,
    "figure": "plots.plot_traces(x[:1], labels[:1])",
    "dark": (
        "import matplotlib.pyplot as plt\n"
        "plt.style.use('dark_background')\n"
        "plots.plot_traces(x[:1], labels[:1])"
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


def test_an_interrupted_training_leaves_a_model_that_works(outputs):
    assert written(outputs["after"]).split() == ["True", "True", "True"]
