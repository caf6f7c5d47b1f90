"""Files of seismographs and of the archives of time series: read, or refused in plain words."""

from itertools import pairwise

import numpy as np
import pytest
from scripts import run_example

import numpycnn as nn
from _shared.readers import Problems, from_files, of_one_length, record, stretches
from _shared.tables import Table, read_table, read_ts
from _shared.your_records import read_catalog, read_picked

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
    text = TWO_CHANNELS.replace("true a b", "false").replace(":a", "").replace(":b", "")
    series, names = read_ts(written(tmp_path, text))
    assert (names, series[0].shape) == (["", ""], (3, 2))


def test_series_of_several_lengths_are_cut_only_if_that_was_asked_for():
    series = [np.ones((length, 1)) for length in (7, 5, 9)]
    assert of_one_length(series, 5).shape == (3, 5, 1)
    with pytest.raises(ValueError, match=r"5 to 9 samples.*--length 5"):
        of_one_length(series)
    with pytest.raises(ValueError, match=r"--length.*6: record 2"):
        of_one_length(series, 6)
    with pytest.raises(ValueError, match="none"):
        of_one_length([])


# Seismographs
# ------------


@pytest.fixture
def obspy():
    """ObsPy, whose own warnings at its import are not ours."""
    return pytest.importorskip("obspy", reason="python -m pip install -e '.[interop]'")


no_warnings = pytest.mark.filterwarnings("ignore")


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


# Stations
# --------


def trace(obspy, data, name, begin=0.0, rate=100.0):
    """A piece called NET.STA.LOC.CHA that begins so many seconds after a time."""
    names = dict(zip(("network", "station", "location", "channel"), name.split("."), strict=True))
    start = obspy.UTCDateTime("2025-03-01") + begin
    return obspy.Trace(np.asarray(data), names | {"sampling_rate": rate, "starttime": start})


def found_in(path, **how):
    """The records in a file or folder as (name, station, stretches), and the problems."""
    problems = Problems()
    return list(from_files(path, problems, **how)), problems


@no_warnings
@pytest.mark.parametrize(
    "names",
    [
        ("XX.A..HHZ", "XX.B..HHZ", "XX.C..HHZ"),
        ("XX.A..HHZ", "YY.A..HHN", "ZZ.A..HHE"),
        ("XX.A.00.HHZ", "XX.A.10.HHN", "XX.A.20.HHE"),
        ("XX.A..HHZ", "XX.A..BHN", "XX.A..EHE"),
    ],
)
def test_a_record_is_of_one_network_station_location_and_band(names, obspy, tmp_path):
    x = np.random.default_rng(0).normal(size=(3, 500))
    stream = obspy.Stream([trace(obspy, row, name) for row, name in zip(x, names, strict=True)])
    with pytest.raises(ValueError, match="must be of one station") as refused:
        record(stream)
    for name in names:
        assert name[:-1] in str(refused.value)
    stream.write(str(tmp_path / "a.mseed"), format="MSEED")
    found, problems = found_in(tmp_path / "a.mseed")
    assert problems == []
    assert [str(station) + one[0].channels[0][-1] for _, station, one in found] == [*names]
    for (_, _, (one,)), row in zip(found, x, strict=True):
        np.testing.assert_array_equal(one.x[:, 0], row)


@no_warnings
def test_columns_are_in_one_order_however_the_pieces_come(obspy):
    rng = np.random.default_rng(0)
    names = ["XX.A..HHZ", "XX.A..HH1", "XX.A..HH2", "XX.A..HHD"]
    x = rng.normal(size=(300, 4)).astype(np.float32)
    for _ in range(20):
        pieces = []
        for c, name in enumerate(names):
            edges = [0, *np.sort(rng.choice(np.arange(1, 300), 2, replace=False)), 300]
            for first, stop in pairwise(edges):
                more = min(300, stop + rng.integers(5))  # pieces may overlap if they agree
                pieces.append(trace(obspy, x[first:more, c], name, first / 100))
        rng.shuffle(pieces)
        ours, rate, channels = record(obspy.Stream(pieces))
        assert channels == ["HHZ", "HH1", "HH2", "HHD"]
        assert rate == 100
        np.testing.assert_array_equal(ours, x)
    (one,) = stretches(obspy.Stream(pieces), "HH1,Z")
    assert one.channels == ("HHZ", "HH1")
    with pytest.raises(ValueError, match=r"--channels must select some of .*'HHD'.*, got BH"):
        stretches(obspy.Stream(pieces), "BH?")


# Tables
# ------


def same(path, table, x, names):
    series, labels = read_table(path, table)
    np.testing.assert_array_equal(np.stack(series)[..., 0], x)
    assert labels == names


def test_tables_of_other_programs_are_read_with_options(tmp_path, capsys):
    x = np.random.default_rng(0).normal(size=(4, 6)).round(3)
    names = ["up", "down", "up", "0012"]
    rows = [[*map(repr, map(float, row)), name] for row, name in zip(x, names, strict=True)]
    header = [*(f"s{n}" for n in range(6)), "kind"]

    def table(lines, sign=",", decimal="."):
        text = "".join(sign.join(line).replace(".", decimal) + "\n" for line in lines)
        return written(tmp_path, text, "a.csv")

    same(table([header, *rows]), Table(label="kind"), x, names)
    same(table([header, *rows]), Table(label="last"), x, names)
    same(table(rows), Table(label="last", header=False), x, names)
    same(table([header, *rows], ";", ","), Table("kind", ";", ","), x, names)
    same(table([header, *rows], "\t"), Table("last", "tab"), x, names)
    same(table([header, *rows], " "), Table("last", "space"), x, names)
    same(table([h[:-1] for h in [header, *rows]]), Table(label="none"), x, [""] * 4)
    first = [[line[-1], *line[:-1]] for line in [header, *rows]]
    same(table(first[1:]), Table(header=False), x, names)
    assert capsys.readouterr().err == ""
    for name in "", "index", "Unnamed: 0":
        numbered = [[name, *first[0]], *([str(n), *line] for n, line in enumerate(first[1:]))]
        same(table(numbered), Table(label="kind"), x, names)
        same(table(numbered), Table(label="first"), x, names)
        assert capsys.readouterr().err.count("the first column counts the lines") == 2


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


@no_warnings
def test_one_can_learn_from_records_and_a_catalog_of_picks(obspy, tmp_path, capsys):
    start = obspy.UTCDateTime("2025-03-01")
    x, onsets = nn.make_records(10, rng=0, n_samples=700, arrivals=(0, 2), snr=(20, 40))
    picks = [(start, "XX", "OTHER")]
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
        picks += [(start + 60 * n + onset / 50, "XX", "STA") for onset in here]
    catalog_of(obspy, tmp_path / "picks.xml", *picks)

    read, found, rate, channels = read_picked(tmp_path / "records", tmp_path / "picks.xml", 600)
    np.testing.assert_array_equal(read, x[:, :600, ::-1])  # the file has E, N, Z
    assert (rate, channels) == (50, ("HHZ", "HHN", "HHE"))
    assert sum(map(len, found)) > 5
    for ours, theirs in zip(onsets, found, strict=True):
        np.testing.assert_array_equal(theirs, ours[ours < 600])
    options = "records", "--picks", "picks.xml", "--length", 600, "--epochs", 1
    run_example("pick_arrivals", tmp_path, *options)
    assert "8 records of 600 samples, channels: 3" in capsys.readouterr().out


def catalog_of(obspy, path, *picks):
    """Write picks, each a time, a network and a station, as QuakeML, in two events."""
    event = obspy.core.event
    made = [event.Pick(time=t, waveform_id=event.WaveformStreamID(n, s)) for t, n, s in picks]
    events = [event.Event(picks=made[::2]), event.Event(picks=made[1::2])]
    event.Catalog(events).write(str(path), format="QUAKEML")


@no_warnings
def test_picks_are_written_and_compared_with_those_of_others(obspy, tmp_path, capsys):
    stream = obspy.read()
    stream.write(str(tmp_path / "a.mseed"), format="MSEED")
    outs = "--out", "picks.csv", "--out", "picks.xml"
    with pytest.raises(SystemExit) as stop:
        run_example("pick_arrivals", tmp_path, "--pick", "a.mseed", *picker(tmp_path), *outs)
    assert stop.value.code is None
    lines = capsys.readouterr().out.splitlines()[:3]
    header, *rows = (tmp_path / "picks.csv").read_text().splitlines()
    assert header == "record,network,station,location,channel,time,probability"
    picks = read_catalog(tmp_path / "picks.xml")
    for line, row, pick in zip(lines, rows, picks, strict=True):
        name, when, _ = line.split(", ")
        assert row.startswith(f"{name},BW,RJOB,,EHZ,{when},")
        assert str(pick.time) == when
        assert pick.waveform_id.get_seed_string() == "BW.RJOB..EHZ"

    # Of the other picks one is late by 0.03 s, one is missing, one is not in the record.
    theirs = [picks[0].time - 0.03, picks[1].time, stream[0].stats.starttime + 29]
    other = theirs[0], "BW", "OTHER"
    catalog_of(obspy, tmp_path / "theirs.xml", *((t, "BW", "RJOB") for t in theirs), other)
    options = "--pick", "a.mseed", *picker(tmp_path), "--catalog", "theirs.xml"
    for tolerance, found in (
        (0.1, ["precision   0.667", "recall      0.667", "+0.015 s"]),
        (0.01, ["precision   0.333"]),
    ):
        with pytest.raises(SystemExit):
            run_example("pick_arrivals", tmp_path, *options, "--tolerance", tolerance)
        out = capsys.readouterr().out
        assert all(words in out for words in found)
