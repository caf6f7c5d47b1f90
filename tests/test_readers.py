"""Files of seismographs and of the archives of time series: read, or refused in plain words."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from scripts import complaint, run_example

import numpycnn as nn
from numpycnn.picking import noise_of, pick_peaks
from readers import Problems, of_one_length, read_folder, record, stretches
from tables import read_table, read_ts
from your_records import read_picked

# The archives
# ------------


def written(folder, text, name="a.ts"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_tsv_file_has_a_class_and_a_series_in_each_line(tmp_path):
    text = "2\t0.5\t1e-1\t-3\n\n1.0000000e+00\t1\t2\tNaN\nup\t1\tNaN\t3\n"
    series, names = read_table(written(tmp_path, text, "a.tsv"))
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
    with pytest.raises(ValueError, match=r"got 5 to 9 samples. With --length 5 the first 5 of"):
        of_one_length(series)
    with pytest.raises(ValueError, match=r"--length must be 5 or less, got 6: record 2"):
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
    same, same_names = read_table(folder / "GunPoint" / "GunPoint_TRAIN.tsv")
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
    assert (rate, channels) == (100.0, ["EHZ", "EHN", "EHE"])
    assert (x[:, 0] == stream.select(channel="EHZ")[0].data).all()


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
            ValueError, match=r"2 stretches, with nothing between 2009-.*:08.000000Z and .*:09.0000"
        ):
            record(broken)
    record(gap.merge(fill_value="interpolate"))  # as the error says
    data = Path(obspy.__file__).parent / "io" / "mseed" / "tests" / "data"
    with pytest.raises(ValueError, match="must have no gap"):
        record(obspy.read(data / "gaps.mseed"))


@no_warnings
def test_a_stretch_has_every_sample_of_every_channel(obspy):
    stream = obspy.read()
    start, whole = stream[0].stats.starttime, record(stream)[0]
    north = stream.select(channel="EHN")[0]
    north.data[700] = np.nan
    stream.select(channel="EHZ")[0].data[1500:1600] = np.inf
    east = stream.select(channel="EHE")[0]
    east.data = np.ma.masked_array(east.data, mask=np.arange(3000) >= 2990)
    late = north.copy()
    late.trim(start + 20, start + 21)
    late.data += 1  # it says otherwise than the north that there is
    found = stretches(stream + late)
    places = [(0, 700), (701, 1500), (1600, 2000), (2101, 2990)]
    assert [one.start for one in found] == [start + first / 100 for first, _ in places]
    for one, (first, stop) in zip(found, places, strict=True):
        np.testing.assert_array_equal(one.x, whole[first:stop])
        assert (one.rate, one.channels, one.station) == (100, ("EHZ", "EHN", "EHE"), "RJOB")
    assert len(stream) == 3  # as it was
    assert np.isnan(north.data).sum() == 1
    with pytest.raises(ValueError, match="have samples, got none"):
        stretches(stream.slice(start + 29.92))


@no_warnings
def test_channels_that_do_not_fit_together_are_refused(obspy):
    stream = obspy.read()
    stream[0].decimate(2)
    with pytest.raises(ValueError, match=r"one sampling rate above 0, got \[50.0, 100.0\] Hz"):
        record(stream)
    stream = obspy.read()
    stream[0].stats.starttime += 3600
    with pytest.raises(ValueError, match="have samples, got none"):
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
    assert "data: records must have one length, got 151 to 158 samples. With --length 151" in said
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
    half = stream.copy().decimate(2)
    half.write(str(tmp_path / "b.mseed"), format="MSEED")
    with pytest.raises(ValueError, match=r"got 100 Hz \['Z', 'N', 'E'\] as in a.mseed; 50 Hz"):
        read_folder(tmp_path, Problems())
    (tmp_path / "b.mseed").write_text("no record")
    problems = Problems()
    assert len(read_folder(tmp_path, problems)[0]) == 1
    assert [line.partition(": ")[0] for line in problems] == ["b.mseed"]
    assert "Unknown format" in problems[0]
    half.write(str(tmp_path / "b.mseed"), format="MSEED")
    stream.write(str(tmp_path / "c.mseed"), format="MSEED")
    problems = Problems()
    assert len(read_folder(tmp_path, problems)[0]) == 2
    assert problems == [
        "b.mseed: must be 100 Hz ['Z', 'N', 'E'] as most records, got 50 Hz ['Z', 'N', 'E']"
    ]


# Picks
# -----


def picker(folder, rate=100.0):
    """Save a network that says "an onset" where the channels together are far from the middle."""
    both_ways = np.stack([np.eye(3), -np.eye(3)], axis=1).reshape(1, 6, 3).swapaxes(1, 2)
    model = nn.Sequential(nn.Conv1D(3, 6, 1), nn.ReLU(), nn.Dense(6, 2)).with_params(
        {
            "0.w": both_ways.astype(np.float32),
            "0.b": np.zeros(6, np.float32),
            "2.w": np.array([[0, 1]] * 6, np.float32),
            "2.b": np.array([12, 0], np.float32),
        }
    )
    notes = {"channels": 3, "sampling_rate": rate, "scale": "noise"}
    model.save(folder / "picker.npz", notes)
    return "--model", folder / "picker.npz"


def picked_in(x):
    """Where that network puts its picks in x (L, 3), by other means."""
    middle, size = noise_of(x)
    score = abs((x - middle) / size).sum(axis=1) - 12
    return pick_peaks(1 / (1 + np.exp(-score)), 0.3, 50)


@no_warnings
def test_obspys_own_record_is_picked_in_any_format_and_picks_are_times(obspy, tmp_path, capsys):
    stream = obspy.read()
    x, start = record(stream)[0], stream[0].stats.starttime
    expected = [str(start + place / 100) for place in picked_in(x)]
    assert len(expected) == 3
    for trace in stream:
        trace.data = trace.data.astype(np.float32)
        trace.write(str(tmp_path / f"rjob.{trace.stats.channel}.sac"), format="SAC")
    stream.write(str(tmp_path / "rjob.mseed"), format="MSEED")
    np.savez(tmp_path / "rjob.npz", x=x[None], sampling_rate=100)
    np.save(tmp_path / "rjob.npy", x)

    def printed(name):
        with pytest.raises(SystemExit) as stop:
            run_example("pick_arrivals", tmp_path, "--pick", name, *picker(tmp_path))
        assert stop.value.code is None
        return [line.split(", ")[:2] for line in capsys.readouterr().out.splitlines()]

    assert printed("rjob.mseed") == [["rjob.mseed", time] for time in expected]
    assert printed("rjob.???.sac") == [["rjob.???.sac", time] for time in expected]
    assert printed("rjob.npz") == [["record 0", f"{p / 100:.3f} s"] for p in picked_in(x)]
    assert printed("rjob.npy") == [["rjob.npy", f"sample {p}"] for p in picked_in(x)]


@no_warnings
def test_a_folder_is_picked_file_by_file_and_around_gaps(obspy, tmp_path, capsys):
    stream = obspy.read()
    for trace in stream:
        trace.data = trace.data.astype(np.float32)
    start = stream[0].stats.starttime
    (tmp_path / "days").mkdir()
    pieces = stream.slice(start, start + 11.99), stream.slice(start + 14, start + 20)
    (pieces[0].copy() + pieces[1].copy()).write(str(tmp_path / "days" / "1.mseed"), format="MSEED")
    stream.slice(start + 5, start + 25).write(str(tmp_path / "days" / "2.mseed"), format="MSEED")
    with pytest.raises(SystemExit):
        run_example("pick_arrivals", tmp_path, "--pick", "days", *picker(tmp_path))
    expected = []
    for name, begin, stop in ("1", 0, 1200), ("1", 1400, 2001), ("2", 500, 2501):
        places = begin + picked_in(record(stream)[0][begin:stop])
        expected += [f"{name}.mseed, {start + place / 100}" for place in places]
    lines = capsys.readouterr().out.splitlines()
    assert [line.rsplit(", ", 1)[0] for line in lines] == expected


@no_warnings
def test_records_of_another_rate_or_channel_are_not_picked(obspy, tmp_path, capsys):
    stream = obspy.read()
    stream.write(str(tmp_path / "a.mseed"), format="MSEED")

    def said(*options):
        return complaint("pick_arrivals", tmp_path, capsys, "--pick", *options)

    assert "'sampling_rate': 50.0, 'scale': 'noise'}, got" in said(
        "a.mseed", *picker(tmp_path, 50.0)
    )
    stream[:2].write(str(tmp_path / "b.mseed"), format="MSEED")
    assert "b.mseed: expected a record like those" in said("b.mseed", *picker(tmp_path))
    (tmp_path / "c.mseed").write_text("no record")
    assert "c.mseed: Unknown format" in said("c.mseed", *picker(tmp_path))
    np.save(tmp_path / "d.npy", np.full((50, 3), np.nan))
    assert "d.npy: to_pick expected finite numbers" in said("d.npy", *picker(tmp_path))


@no_warnings
def test_one_can_learn_from_records_and_a_catalogue_of_picks(obspy, tmp_path, capsys):
    event_of, start = obspy.core.event, obspy.UTCDateTime("2025-03-01")
    x, onsets = nn.make_records(10, rng=0, n_samples=700, arrivals=(0, 2), snr=(20, 40))
    picks = [event_of.Pick(time=start, waveform_id=event_of.WaveformStreamID("XX", "OTHER"))]
    (tmp_path / "records").mkdir()
    for n, (record_, here) in enumerate(zip(x, onsets, strict=True)):
        header = {
            "network": "XX",
            "station": "STA",
            "sampling_rate": 50,
            "starttime": start + 60 * n,
        }
        traces = [
            obspy.Trace(data, header | {"channel": f"HH{name}"})
            for name, data in zip("ENZ", np.ascontiguousarray(record_.T), strict=True)
        ]
        obspy.Stream(traces).write(str(tmp_path / "records" / f"{n}.mseed"), format="MSEED")
        seed = event_of.WaveformStreamID("XX", "STA")
        times = [start + 60 * n + onset / 50 for onset in here]
        picks += [event_of.Pick(time=time, waveform_id=seed) for time in times]
    events = [event_of.Event(picks=picks[::2]), event_of.Event(picks=picks[1::2])]
    obspy.core.event.Catalog(events).write(str(tmp_path / "picks.xml"), format="QUAKEML")

    read, found, rate, channels = read_picked(tmp_path / "records", tmp_path / "picks.xml", 600)
    np.testing.assert_array_equal(read, x[:, :600, ::-1])  # the file has E, N, Z
    assert (rate, channels) == (50, ("HHZ", "HHN", "HHE"))
    assert sum(map(len, found)) > 5
    for ours, theirs in zip(onsets, found, strict=True):
        np.testing.assert_array_equal(theirs, ours[ours < 600])
    options = "records", "--picks", "picks.xml", "--length", 600, "--epochs", 1
    run_example("pick_arrivals", tmp_path, *options)
    assert "8 records of 600 samples, channels: 3" in capsys.readouterr().out
    (tmp_path / "picks.xml").write_text("none")
    said = complaint("pick_arrivals", tmp_path, capsys, *options)
    assert "picks.xml: expected a catalog with picks, got " in said
