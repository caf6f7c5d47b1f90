"""Arrays of pandas and xarray: labels are taken as they are, and traces are told what to do."""

import pytest

import numpycnn as nn

pandas = pytest.importorskip("pandas", reason="python -m pip install -e '.[interop]'")
xarray = pytest.importorskip("xarray", reason="python -m pip install -e '.[interop]'")


def network():
    return nn.Sequential(nn.Conv1D(1, 2, 5, rng=0), nn.GlobalMaxPool1D(), nn.Dense(2, 3, rng=0))


X, LABELS = nn.make_traces(15, rng=0)
COLUMNS = [pandas.Series(LABELS, index=range(100, 115)), xarray.DataArray(LABELS)]


@pytest.mark.parametrize("labels", COLUMNS)
def test_columns_of_labels_are_labels(labels):
    loss = nn.fit(network(), X, labels, epochs=1).loss
    assert loss == nn.fit(network(), X, LABELS, epochs=1).loss
    assert nn.evaluate(network(), X, labels) == nn.evaluate(network(), X, LABELS)
    *_, same, _ = nn.train_test_split(X, labels, stratify=labels, rng=0)
    *_, ours, _ = nn.train_test_split(X, LABELS, stratify=LABELS, rng=0)
    assert (same == ours).all()


@pytest.mark.parametrize("x", [xarray.DataArray(X), pandas.DataFrame(X[..., 0])])
@pytest.mark.parametrize(
    "use",
    [
        lambda x: network().predict(x),
        lambda x: nn.fit(network(), x, LABELS, epochs=1),
        nn.standardize,
        lambda x: nn.diagnose(network(), x, LABELS),
    ],
)
def test_tables_of_traces_are_told_how_to_become_arrays(x, use):
    with pytest.raises(TypeError, match=r"a NumPy array of floats, got Data.*: x\.to_numpy\(\)"):
        use(x)
