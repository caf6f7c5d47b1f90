"""The whole thing on one page: it stands alone, and what it learns is what the package learns."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scripts import EXAMPLES
from task import task_network

from numpycnn import fit, make_traces, train_test_split

SOURCE = (EXAMPLES / "one_page.py").read_text(encoding="utf-8")


def names_after_running(seed):
    names = {}
    exec(SOURCE.replace("default_rng(0)", f"default_rng({seed})"), names)
    return names


@pytest.mark.parametrize("seed", range(2))
def test_its_losses_are_those_of_fit_on_the_same_traces_from_the_same_weights(seed, capsys):
    page = names_after_running(seed)
    rng = np.random.default_rng(seed)
    x_train, x_test, y_train, y_test = train_test_split(*make_traces(180, rng=rng), rng=rng)
    assert_array_equal(page["x_train"], x_train)
    assert_array_equal(page["x_test"], x_test)
    assert_array_equal(page["labels_test"], y_test)

    model = task_network(rng)
    history = fit(model, x_train, y_train, epochs=60)
    assert_allclose(page["losses"], history.loss, rtol=0, atol=1e-5)
    right = model.predict(x_test).argmax(axis=-1) == y_test
    assert page["accuracy"] == right.mean()

    printed = capsys.readouterr().out
    for epoch, loss in re.findall(r"^epoch +(\d+) .* (\d\.\d{4})$", printed, re.MULTILINE):
        assert float(loss) == pytest.approx(history.loss[int(epoch) - 1], abs=6e-5)
    assert printed.count("epoch") == 5
    assert f"accuracy {right.mean():.3f}" in printed
