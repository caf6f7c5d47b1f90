"""The benchmark: what it prints and draws, and its arithmetic. No test asserts a time."""

import importlib.util
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SCRIPT = EXAMPLES / "benchmark.py"


@pytest.fixture(scope="module")
def benchmark():
    """The script as a module, under the name by which fresh processes find it too."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        yield importlib.import_module("benchmark")
    finally:
        sys.path.remove(str(EXAMPLES))
        del sys.modules["benchmark"]


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory):
    """What a quick run on one thread without PyTorch prints, and the folder it ran in."""
    folder = tmp_path_factory.mktemp("run")
    # A stand-in for importlib's answer, so that the test is the same where torch is installed.
    hide = "import importlib.util as u; find = u.find_spec; "
    hide += "u.find_spec = lambda name, *rest: None if name == 'torch' else find(name, *rest)\n"
    (folder / "sitecustomize.py").write_text(hide)
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, SCRIPT, "--quick", "--threads", "1", "--output", "out/figures"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout, folder


def lines_of(printed, start):
    """The cells of the lines that begin with `start`, one list a line."""
    lines = [line for line in printed.splitlines() if line.startswith(start)]
    return [line.removeprefix(start).split() for line in lines]


def test_it_tells_the_machine_and_how_to_install_pytorch(quick_run):
    printed, _ = quick_run
    assert f"Python {sys.version.split()[0]}, NumPy {np.__version__} with " in printed
    assert re.search(r"\d+ cores?, ", printed)
    assert "PyTorch is not installed" in printed
    assert "pip install torch" in printed


def test_every_table_has_its_lines(benchmark, quick_run):
    printed, _ = quick_run
    assert "1 thread" in printed
    for name in (benchmark.TRAINING, benchmark.TRAINING_ALONE):
        (cells,) = lines_of(printed, name)
        assert float(cells[0]) > 0
    (product,) = lines_of(printed, benchmark.LARGE_PRODUCT)
    assert product[1] == "100%"
    for case in benchmark.QUICK_CASES + benchmark.QUICK_VARIANTS:
        found = lines_of(printed, f"{case} ")
        assert any(len(cells) > 1 and cells[1].endswith("%") for cells in found), case
    assert re.search(r"The limit is \d+ GFLOP/s", printed)
    assert len(lines_of(printed, "the whole example")) == 1


def test_without_pytorch_nothing_is_compared(quick_run):
    printed, _ = quick_run
    tables = printed.split("1 thread")[1]
    assert "PyTorch" not in tables
    assert "ratio" not in tables


def test_memory_grows_with_the_data_and_not_with_the_taps(benchmark, quick_run):
    printed, _ = quick_run
    slopes = {axis: float(lines_of(printed, f"{axis} ")[0][-1]) for axis in benchmark.GROWTH}
    assert slopes["N"] == pytest.approx(1, abs=0.15)
    assert slopes["L"] == pytest.approx(1, abs=0.15)
    assert slopes["C·F"] == pytest.approx(0.5, abs=0.15)
    assert slopes["K"] == pytest.approx(0, abs=0.15)


def test_the_figure_is_saved_where_it_says(quick_run):
    printed, folder = quick_run
    saved = folder / re.search(r"saved (.*)", printed)[1]
    assert saved == folder / "out" / "figures" / "benchmark.png"
    assert saved.read_bytes().startswith(b"\x89PNG")


# The figure and the tables, of made-up measurements
# --------------------------------------------------


@pytest.fixture
def measured(benchmark, monkeypatch):
    """Times, growths and a cold start in which PyTorch takes twice as long."""
    monkeypatch.setattr(benchmark, "libraries", lambda: ["NumPy", "PyTorch"])
    row = {"NumPy": benchmark.Timing(0.01, 3.0), "PyTorch": benchmark.Timing(0.02, 5.0)}
    names = benchmark.TRAINING, benchmark.LARGE_PRODUCT, *map(str, benchmark.CASES)
    rows = dict.fromkeys(names, row)
    growths = {
        axis: benchmark.Growth([2, 4, 8], [row] * 3, [10**6, 2 * 10**6, 4 * 10**6])
        for axis in benchmark.GROWTH
    }
    return {1: rows, 2: rows}, growths, row


def test_the_figure_is_labelled_with_units(benchmark, measured):
    figure = benchmark.draw(*measured)
    jobs, convolutions, time_grows, memory_grows = figure.axes
    assert jobs.get_xlabel() == "time (s)"
    assert convolutions.get_xlabel() == "rate (% of a large matrix product)"
    assert time_grows.get_ylabel() == "forward and backward (ms)"
    assert memory_grows.get_ylabel() == "peak of a step (MB)"
    assert all(panel.get_title() and panel.get_xlabel() for panel in figure.axes)
    ticks = [label.get_text() for label in convolutions.get_yticklabels()]
    assert ticks == [str(case) for case in benchmark.CASES]
    assert jobs.get_yticklabels()[0].get_text() == "training\n1 thread"


def test_the_figure_draws_what_was_measured(benchmark, measured):
    jobs, convolutions, time_grows, memory_grows = benchmark.draw(*measured).axes
    numpy, torch = jobs.get_lines()
    assert [numpy.get_label(), torch.get_label()] == ["NumPy", "PyTorch"]
    assert list(numpy.get_xdata()) == [0.01] * 3
    assert list(torch.get_xdata()) == [0.02] * 3
    shares = [line.get_xdata()[0] for line in convolutions.get_lines()]
    assert shares[0] == pytest.approx(2 * shares[1])
    assert [list(line.get_ydata()) for line in time_grows.get_lines()] == [[10.0] * 3] * 4
    for line in memory_grows.get_lines():
        assert list(line.get_xdata()) == [1, 2, 4]
        assert list(line.get_ydata()) == [1, 2, 4]


@pytest.mark.parametrize("styles", ["STYLES", "GROWTH_STYLES"])
def test_no_two_series_share_a_colour_or_a_marker(benchmark, styles):
    for column in zip(*getattr(benchmark, styles).values(), strict=True):
        assert len(set(column)) == len(column)


def test_the_tables_with_pytorch(benchmark, measured):
    times, growths, cold = measured
    shown = benchmark.table_of_times(2, times[2])
    assert shown.startswith("2 threads")
    assert lines_of(shown, str(benchmark.CASES[0]))[0][:3] == ["10.00", "20.00", "2.00"]
    assert "7 convolutions of stride 1: geometric mean 2.00, worst 2.00" in shown
    assert lines_of(benchmark.table_of_growth(growths), "N ")[0][-3:] == ["0.00", "0.00", "1.00"]
    assert lines_of(benchmark.table_of_cold_starts(cold), "the whole example")[0][-1] == "2.00"
    peaks = {benchmark.Case(1, 1, 1, 10**6, 3): {"NumPy": 9 * 10**6, "PyTorch": 18 * 10**6}}
    cells = benchmark.table_of_memory(peaks).splitlines()[-1].split()
    assert cells[-4:] == ["8.0", "9.0", "18.0", "0.50"]


def test_columns_line_up_and_those_without_a_number_are_left_out(benchmark):
    heads = [("a", ""), ("ms", "x"), ("ms", "y")]
    shown = benchmark.table(heads, [["one", "1.0", "-"], ["three", "22.0", "-"]])
    assert shown == "a        ms\n          x\none     1.0\nthree  22.0"


# The arithmetic
# --------------


def test_the_ratio_is_of_medians_and_above_one_where_numpy_is_faster(benchmark):
    t = benchmark.Timing
    row = benchmark.medians(
        {"NumPy": [t(1.0, 0), t(2.0, 0), t(90.0, 7)], "PyTorch": [t(5.0, 1), t(6.0, 1), t(7.0, 1)]}
    )
    assert row == {"NumPy": t(2.0, 0.0), "PyTorch": t(6.0, 1.0)}
    assert benchmark.ratio(row) == 3.0
    assert math.isnan(benchmark.ratio({"NumPy": t(1.0, 0)}))


def test_twice_as_fast_and_half_as_fast_cancel(benchmark):
    assert benchmark.geometric_mean([2.0, 0.5]) == pytest.approx(1)


@pytest.mark.parametrize("power", [-1.0, 0.0, 0.5, 1.0, 2.0])
def test_the_slope_is_the_power(benchmark, power):
    sizes = [3, 6, 12, 40]
    assert benchmark.slope(sizes, [7 * n**power for n in sizes]) == pytest.approx(power)


def test_the_slope_is_a_least_squares_line(benchmark):
    # Errors of the same factor up and down at both ends of an axis cancel in the slope.
    assert benchmark.slope([1, 1, 4, 4], [0.5, 2, 2, 8]) == pytest.approx(1)


def test_the_work_is_what_the_sums_take(benchmark):
    case = benchmark.Case(2, 3, 4, 9, 5, stride=2)
    run = benchmark.convolution(case, "NumPy")
    y, dx, dw, db = run()
    assert (y.shape, dx.shape, dw.shape, db.shape) == ((2, 5, 4), (2, 9, 3), (5, 3, 4), (4,))
    assert case.work == 6 * y.size * dw.size // 4  # each output meets the taps of one filter
    assert str(case) == "(2, 3, 4, 9, 5) stride 2"


def test_differences_are_noticed(benchmark):
    x = np.array([1.0, -10.0])
    benchmark.check_same("x", x, x + 0.9e-4, 1e-5)
    with pytest.raises(AssertionError, match=r"x is not the same .* differ by 1\.1e-05"):
        benchmark.check_same("x", x, x + 1.1e-4, 1e-5)
    with pytest.raises(AssertionError, match="differ by nan"):
        benchmark.check_same("x", x, x * np.nan, 1e-5)


def test_turns_alternate_and_the_first_run_of_each_is_not_timed(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark, "PAUSE", 0)
    monkeypatch.setattr(benchmark, "TURN", 0)
    calls = []
    runs = {"NumPy": lambda: calls.append("n"), "PyTorch": lambda: calls.append("t")}
    assert list(benchmark.take_turns(runs, rounds=2)) == ["NumPy", "PyTorch"]
    assert "".join(calls) == "nnttnntt"
    calls.clear()
    benchmark.take_turns(runs, rounds=2, warm_up=False)
    assert "".join(calls) == "ntnt"


def test_a_process_gets_the_number_of_threads(benchmark, monkeypatch):
    for name in benchmark.THREAD_VARIABLES:
        monkeypatch.setenv(name, "7")  # to be put back after the test
    benchmark.set_threads(3)
    assert benchmark.in_process(os.getenv, "OPENBLAS_NUM_THREADS") == "3"


def test_a_script_that_has_not_learned_is_refused(benchmark, tmp_path):
    with pytest.raises(AssertionError, match="did not learn"):
        benchmark.check_learned("NumPy", "accuracy 0.333", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"traces\.png"):
        benchmark.check_learned("NumPy", "accuracy 1.000", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threads", "0"], "--threads must be 1 or more, got 0"),
        (["--output", str(SCRIPT)], "--output must be a folder"),
    ],
)
def test_bad_options_are_explained(benchmark, monkeypatch, capsys, arguments, message):
    monkeypatch.setattr(sys, "argv", ["benchmark.py", *arguments])
    with pytest.raises(SystemExit):
        benchmark.arguments()
    assert message in capsys.readouterr().err


def test_the_script_in_pytorch_is_a_whole_one(benchmark):
    source = benchmark.torch_script()
    compile(source, "trace_classifier_in_torch.py", "exec")
    assert source.index("def torch_network") < source.index("model = torch_network()")
