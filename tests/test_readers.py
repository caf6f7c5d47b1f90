"""Files of seismographs and of the archives of time series: read, or refused in plain words."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from scripts import complaint, run_example

import numpycnn as nn
from readers import of_one_length, read_folder, read_ts, read_tsv, record

# The archives
# ------------


def written(folder, text, name="a.ts"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_tsv_file_has_a_class_and_a_series_in_each_line(tmp_path):
    text = "2\t0.5\t1e-1\t-3\n\n1.0000000e+00\t1\t2\tNaN\nup\t1\tNaN\t3\n"
    series, names = read_tsv(written(tmp_path, text))
    assert names == ["2", "1", "up"]
    assert [x.shape for x in series] == [(3, 1), (2, 1), (3, 1)]  # NaN at the end is no sample
    assert series[0].ravel().tolist() == [0.5, 0.1, -3]
    assert np.isnan(series[2][1])


TWO_CHANNELS = """# about it
@problemName Two
@timeStamps false
@classLabel true a b
@data
1,2,3:4,5,6:a
1,?,3,4:?,6,7,?:b
"""


def test_a_ts_file_has_channels_parted_by_colons(tmp_path):
    series, names = read_ts(written(tmp_path, TWO_CHANNELS))
    assert names == ["a", "b"]
    assert series[0].tolist() == [[1, 4], [2, 5], [3, 6]]
    assert series[1].shape == (4, 2)  # one channel goes on where the other ends
    np.testing.assert_array_equal(series[1][1], [np.nan, 6])


def test_a_ts_file_may_be_without_classes(tmp_path):
    text = TWO_CHANNELS.replace("true a b", "false").replace(":a", "").replace(":b", "")
    series, names = read_ts(written(tmp_path, text))
    assert names == ["", ""]
    assert series[0].shape == (3, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TWO_CHANNELS.replace("4,5,6", "4,5"), "line 6: expected numbers, as many in each channel"),
        (TWO_CHANNELS.replace("4,5,6", "4,x,6"), "line 6: expected numbers"),
        (TWO_CHANNELS.replace("Stamps false", "Stamps true"), "expected samples without time"),
        (TWO_CHANNELS.replace("@classLabel", "@targetLabel"), "classes, not numbers to predict"),
    ],
)
def test_other_ts_files_are_refused(tmp_path, text, said):
    with pytest.raises(ValueError, match=said):
        read_ts(written(tmp_path, text))


def test_series_of_several_lengths_are_cut_only_if_that_was_asked_for():
    series = [np.ones((length, 1)) for length in (7, 5, 9)]
    assert of_one_length(series, 5).shape == (3, 5, 1)
    with pytest.raises(ValueError, match=r"got 5 to 9 samples; with --length 5 the first 5 of"):
        of_one_length(series)
    with pytest.raises(ValueError, match=r"expected 6 samples or more, got 5 in record 2;"):
        of_one_length(series, 6)
    with pytest.raises(ValueError, match="expected records, got none"):
        of_one_length([])


def test_a_network_learns_from_one_file_and_is_examined_on_the_other(
    tmp_path, capsys, figures_are_not_saved
):
    def lines(seed):
        x, labels = nn.make_traces(30, rng=seed)
        rows = zip(labels, x[..., 0], strict=True)
        return "".join("\t".join(map(str, (label, *trace))) + "\n" for label, trace in rows)

    written(tmp_path, lines(0), "A_TRAIN.tsv")
    written(tmp_path, lines(1), "A_TEST.tsv")
    after = run_example(
        "your_traces", tmp_path, "A_TRAIN.tsv", "--test", "A_TEST.tsv", "--length", 60
    )
    assert "60 traces of 60 samples, channels: 1, held out: 30" in capsys.readouterr().out
    x, labels = nn.make_traces(30, rng=1)
    assert (after["y_test"] == labels).all()
    np.testing.assert_allclose(after["x_test"], nn.standardise(x[:, :60]), atol=1e-5)

    written(tmp_path, lines(1).replace("\n2\t", "\n3\t"), "B_TEST.tsv")
    said = complaint("your_traces", tmp_path, capsys, "A_TRAIN.tsv", "--test", "B_TEST.tsv")
    assert "B_TEST.tsv: expected traces of shape (L, C)=(64, 1) and of the classes" in said


def test_files_of_the_archive_are_read_as_they_come():
    if not find_spec("aeon"):
        pytest.skip("python -m pip install --no-deps aeon, which has some of them")
    folder = Path(find_spec("aeon").origin).parent / "datasets" / "data"
    series, names = read_ts(folder / "GunPoint" / "GunPoint_TRAIN.ts")
    same, same_names = read_tsv(folder / "GunPoint" / "GunPoint_TRAIN.tsv")
    assert (len(series), set(names)) == (50, {"1", "2"})
    assert names == same_names
    np.testing.assert_allclose(of_one_length(series), of_one_length(same), rtol=1e-6)
    series, names = read_ts(folder / "BasicMotions" / "BasicMotions_TEST.ts")
    assert of_one_length(series).shape == (40, 100, 6)
    assert set(names) == {"Standing", "Running", "Walking", "Badminton"}
    series, _ = read_ts(folder / "JapaneseVowels" / "JapaneseVowels_TRAIN.ts")
    assert {x.shape[1] for x in series} == {12}
    assert len({len(x) for x in series}) > 10


# Seismographs
# ------------


@pytest.fixture
def obspy():
    """ObsPy, whose own warnings at its import are not ours."""
    return pytest.importorskip("obspy", reason="python -m pip install -e '.[interop]'")


no_warnings = pytest.mark.filterwarnings("ignore")


@no_warnings
def test_a_stream_becomes_a_record(obspy):
    stream = obspy.read()
    x, rate, channels = record(stream)
    assert x.shape == (3000, 3)
    assert (rate, channels) == (100.0, ["EHE", "EHN", "EHZ"])
    assert (x[:, 2] == stream.select(channel="EHZ")[0].data).all()


@no_warnings
def test_pieces_that_follow_each_other_are_joined_and_channels_cut_to_their_common_time(obspy):
    stream = obspy.read()
    start = stream[0].stats.starttime
    pieces = stream.slice(start, start + 9.99) + stream.slice(start + 10)
    np.testing.assert_array_equal(record(pieces)[0], record(stream)[0])
    late = stream.copy()
    late.select(channel="EHN")[0].trim(start + 1, start + 20)
    np.testing.assert_array_equal(record(late)[0], record(stream)[0][100:2001])


@no_warnings
def test_gaps_and_masked_samples_are_refused(obspy):
    stream = obspy.read()
    start = stream[0].stats.starttime
    gap = stream.slice(start, start + 5) + stream.slice(start + 6)
    for broken in (gap, gap.copy().merge()):
        with pytest.raises(
            ValueError, match=r"BW.RJOB..EHE has gaps or overlaps, 99 of 3000 .*8.0"
        ):
            record(broken)
    record(gap.merge(fill_value="interpolate"))  # as the error says
    data = Path(obspy.__file__).parent / "io" / "mseed" / "tests" / "data"
    with pytest.raises(ValueError, match="has gaps or overlaps"):
        record(obspy.read(data / "gaps.mseed"))


@no_warnings
def test_channels_that_do_not_fit_together_are_refused(obspy):
    stream = obspy.read()
    stream[0].decimate(2)
    with pytest.raises(ValueError, match=r"one sampling rate, got \[50.0, 100.0\] Hz; stream.res"):
        record(stream)
    stream = obspy.read()
    stream[0].stats.starttime += 3600
    with pytest.raises(ValueError, match="some time in common, got none"):
        record(stream)
    with pytest.raises(ValueError, match="a channel or more, got none"):
        record(obspy.Stream())


@no_warnings
@pytest.mark.parametrize(("kind", "n_channels"), [("MSEED", 3), ("SAC", 1)])
def test_a_folder_for_each_class_is_learned_from_and_more_records_are_sorted(
    obspy, tmp_path, capsys, figures_are_not_saved, kind, n_channels
):
    stream = obspy.read()  # noise, then an earthquake
    start = stream[0].stats.starttime
    for number in range(8):
        for name, begin in {"noise": 0.0, "quake": 5.0}.items():
            (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
            piece = stream.slice(start + begin, start + begin + 1.5 + number / 100).copy()
            piece = piece[:n_channels]
            for trace in piece:
                trace.data = trace.data + number  # no copies
            piece.write(str(tmp_path / "data" / name / f"{number}.{kind.lower()}"), format=kind)
    said = complaint("your_traces", tmp_path, capsys, "data")
    assert "data: expected records of one length, got 151 to 158 samples; with --length 151" in said
    run_example("your_traces", tmp_path, "data", "--length", 150, "--epochs", 5)
    printed = capsys.readouterr().out
    assert f"16 traces of 150 samples, channels: {n_channels}, held out: 4" in printed
    options = "--classify", tmp_path / "data" / "quake", "--length", 150
    with pytest.raises(SystemExit):
        run_example("your_traces", tmp_path, *options)
    assert len(capsys.readouterr().out.splitlines()) == 9


@no_warnings
def test_records_of_other_rates_or_channels_are_named(obspy, tmp_path):
    stream = obspy.read()
    stream.write(str(tmp_path / "a.mseed"), format="MSEED")
    stream.copy().decimate(2).write(str(tmp_path / "b.mseed"), format="MSEED")
    with pytest.raises(ValueError, match=r"got \(100.0, 'E', 'N', 'Z'\) as in a.mseed; \(50.0, 'E"):
        read_folder(tmp_path)
    (tmp_path / "b.mseed").write_text("no record")
    with pytest.raises(ValueError, match=r"b\.mseed: Unknown format"):
        read_folder(tmp_path)
