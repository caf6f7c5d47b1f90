"""Read traces from text files of spreadsheets and archives of time series.

- `.csv`: a header, then one trace per line: a column `label`, and the samples. Text in UTF-8.
- `.tsv` of the UCR archive: no header; the class first, then the samples, separated by tabs. A
  series that is shorter than others ends in `NaN`.
- `.ts` of the UEA archive: lines that begin with `@` and describe the data, then one series per
  line. Channels are separated by colons, samples by commas, the class is last, and a question mark
  is a
  missing sample.

Tables with another layout are read with `--label-column`, `--delimiter`, `--decimal` and
`--no-header`. The layout is not guessed, because a comma may be a separator or a decimal sign. A
file with another layout is refused, and the error names the option that reads it.

**Labels are text.** `0012` and `12` are two classes. There is one exception: some programs write
the integer 1 as `1.0` or `1.0000000e+00`, so a number with a decimal point and an integer value is
read as this integer. An empty label, `NaN`, `None` and `?` are missing.
"""

import csv
import io
import re
import sys
from decimal import Decimal
from typing import NamedTuple

import numpy as np

# Labels
# ------

MISSING = {"", "nan", "none", "?", "<na>"}
INTEGER_WITH_POINT = re.compile(r"[+-]?(0|[1-9]\d*)\.\d*(e[+-]?\d{1,3})?", re.IGNORECASE)


def label_of(text):
    """Return the label that a cell holds, "" for a missing one.

    >>> [label_of(text) for text in ["0012", "1E2", "1.0000000e+00", "0.0", "1.5", " up ", "NaN"]]
    ['0012', '1E2', '1', '0', '1.5', 'up', '']
    """
    name = str(text).strip()
    if name.casefold() in MISSING:
        return ""
    if INTEGER_WITH_POINT.fullmatch(name) and Decimal(name) == Decimal(name).to_integral_value():
        return str(int(Decimal(name)))
    return name


# Reading a table
# ---------------


class Table(NamedTuple):
    """The layout of a table; values of None follow from the file name."""

    label: str | None = None  # the name of the column, "first", "last" or "none"
    delimiter: str | None = None  # "space" is any number of blanks
    decimal: str = "."
    header: bool | None = None


NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " "}
OPTIONS = {"\t": "tab", ";": "';'", ",": "','", " ": "space"}


def read_table(path, table=None):
    """Return the series in a text file, each (L, 1), and the label of each, "" for none.

    Raises `ValueError` for a file that is written in another way.
    """
    table, is_tsv = table or Table(), path.suffix.lower() == ".tsv"
    text = _text(path)
    delimiter = NAMES.get(table.delimiter, table.delimiter) or ("\t" if is_tsv else ",")
    if len(delimiter) != 1 or delimiter == table.decimal:
        raise ValueError(
            f"--delimiter must be one character and differ from --decimal, got {delimiter!r}"
        )
    has_header = not is_tsv if table.header is None else table.header
    lines = _cells(text, delimiter)
    if not lines:
        raise ValueError("expected one trace per line, got an empty file")
    _require_delimiter(lines[0][1], delimiter)
    header = [cell.strip() for cell in lines.pop(0)[1]] if has_header else None
    width = len(header) if header else max((len(row) for _, row in lines), default=0)
    label = table.label or ("first" if is_tsv or not has_header else "label")
    counting = _counting_column(header, lines, label)
    column = _label_column(header, width, label, counting)
    _require_lines(lines, width, ragged=is_tsv and label != "last", has_header=has_header)
    samples = [c for c in range(width) if c not in (column, counting)]
    series = [_numbers(number, row, samples, table, is_tsv) for number, row in lines]
    labels = ["" if column is None else label_of(row[column]) for _, row in lines]
    if table.label is None and not has_header:
        _require_classes(lines)
    return series, labels


def _text(path):
    """Return the text of a file."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"expected text in UTF-8, got {error}. Save the file in UTF-8.") from error
    if "\0" in text:
        raise ValueError("expected text in UTF-8, got NUL bytes, as UTF-16 has. Save it in UTF-8.")
    return text


def _cells(text, delimiter):
    """Return (line number, cells) of each line that is not empty."""
    if delimiter == " ":
        rows = ((n, line.split()) for n, line in enumerate(text.splitlines(), 1))
        return [(n, row) for n, row in rows if row]
    rows = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter, strict=True)
    try:
        return [(rows.line_num, row) for row in rows if any(map(str.strip, row))]
    except csv.Error as error:
        sign = OPTIONS.get(delimiter, delimiter)
        raise ValueError(
            f"line {rows.line_num}: expected values separated by {sign}, got {error}"
        ) from error


def _require_delimiter(cells, delimiter):
    """Raise if the first line is a comment, or one cell with another delimiter in it."""
    if cells[0].startswith("#"):
        raise ValueError(f"line 1 must not be a comment, got {cells[0]!r:.40}. Remove comments.")
    others = [sign for sign in "\t;, " if sign != delimiter and sign in cells[0].strip()]
    if len(cells) == 1 and others:
        raise ValueError(
            f"line 1 must have values separated by {OPTIONS.get(delimiter, delimiter)}, got "
            f"{cells[0]!r:.40}. Read it with --delimiter {OPTIONS[others[0]]}."
        )


# Many programs number the lines of a table in a first column without a name. These numbers are not
# samples. If the lines are sorted, a network could learn the class from them.


def _counting_column(header, lines, label):
    """Return 0 if the first column counts the lines, else None."""
    unnamed = header is not None and (
        header[0] in ("", "index") or header[0].startswith("Unnamed: 0")
    )
    first = [row[0].strip() for _, row in lines]
    begins = {"0": 0, "1": 1}.get(first[0]) if first else None
    counts = begins is not None and first == [str(begins + n) for n in range(len(first))]
    if unnamed and not counts:
        raise ValueError(
            f"line 1 must name every column, got {header[0]!r} for the first, which does not count "
            "the lines. Give it a name, label for example."
        )
    if unnamed or (header is None and counts and len(first) > 2 and label != "first"):
        print("note: the first column counts the lines and is left out", file=sys.stderr)
        return 0
    return None


def _label_column(header, width, label, counting):
    """Return the number of the column of labels, or None."""
    if header is not None and "" in header[(counting is not None) :]:
        raise ValueError(
            f"line 1 must name every column, got {','.join(header)!r:.40}. Remove commas at the "
            "ends of lines, and lines above the names."
        )
    if header is not None and label in header:
        if header.count(label) > 1:
            raise ValueError(f"line 1 must have one column {label!r}, got {header.count(label)}")
        return header.index(label)
    if label in ("first", "last"):
        return width - 1 if label == "last" else int(counting is not None)
    if label == "none":
        return None
    if header is None:
        raise ValueError(
            f"--label-column must be first, last or none without a header, got {label}"
        )
    raise ValueError(
        f"line 1 must name a column {label!r}, got {','.join(header)!r:.40}. " + _advice(header)
    )


def _advice(header):
    """Return the option that reads a table with this first line."""
    if all(map(_is_number, header[1:])) or all(map(_is_number, header[:-1])):
        return (
            "If this is a trace, read it with --no-header and --label-column first, last or none."
        )
    return "Choose it with --label-column NAME, first, last or none."


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _require_lines(lines, width, ragged, has_header):
    """Raise unless each line has as many cells as the header, or as the longest line."""
    for number, row in lines:
        if "\n" in "".join(row):
            raise ValueError(f"line {number} must close a quote where it opens one, got {row[0]!r}")
        if len(row) != width and not ragged:
            other = "line 1" if has_header else "the longest line"
            raise ValueError(
                f"line {number} must have {width} values, as {other}, got {len(row)}. If a comma "
                "is the decimal sign, use --decimal , and --delimiter ';'."
            )


def _numbers(number, row, samples, table, ragged):
    """Return the samples of a line as a series (L, 1)."""
    cells = [row[c] for c in samples if c < len(row)]
    try:
        if table.decimal != ".":
            cells = [_with_point(cell, table.decimal) for cell in cells]
        x = np.array([float(cell) for cell in cells])
    except ValueError as error:
        commas = any("," in cell for cell in cells)
        advice = " Read decimal commas with --decimal ,." if commas and table.decimal == "." else ""
        raise ValueError(
            f"line {number} must hold numbers with a decimal {table.decimal}, got {error}.{advice}"
        ) from error
    if ragged:
        known = np.flatnonzero(~np.isnan(x))
        x = x[: known[-1] + 1] if len(known) else x
    return x[:, None]


def _with_point(cell, decimal):
    if "." in cell:
        raise ValueError(f"a point in {cell!r}")
    return cell.replace(decimal, ".")


def _require_classes(lines):
    """Raise if the first column, which nothing names, holds numbers that are not integers."""
    for number, row in lines:
        name = label_of(row[0])
        if _is_number(name) and not re.fullmatch(r"[+-]?\d+", name):
            raise ValueError(
                f"line {number} must begin with a class, got {row[0].strip()}. If it is a sample, "
                "use --label-column none; if it is a class, --label-column first."
            )


# The .ts format
# --------------


def read_ts(path):
    """Return the series in a .ts file, each (L, C), and the label of each, "" for none."""
    lines = [(n, line.strip()) for n, line in enumerate(_text(path).splitlines(), 1)]
    lines = [(n, line) for n, line in lines if line and not line.startswith(("#", "%"))]
    pairs = (line.lower().split(maxsplit=2) for _, line in lines if line.startswith("@"))
    described = {words[0]: words[1] for words in pairs if len(words) > 1}
    if "@classlabel" not in described and "@targetlabel" not in described:
        raise ValueError(
            "expected a line @classLabel true or false before the data, got none. Add it, and a "
            "line @data; or save a table as .csv or .tsv."
        )
    if "true" in (described.get("@timestamps"), described.get("@targetlabel")):
        raise ValueError(
            "expected samples without time stamps, and classes, not numbers to predict"
        )
    has_classes = described.get("@classlabel") != "false"
    series, names = [], []
    for number, line in lines:
        if line.startswith("@"):
            continue
        parts = line.split(":")
        names.append(label_of(parts.pop()) if has_classes else "")
        series.append(_channels(number, [part.split(",") for part in parts]))
    return series, names


def _channels(number, channels):
    """Return the channels in line `number`, lists of texts, as a series (L, C)."""
    try:
        columns = [[np.nan if text.strip() == "?" else float(text) for text in c] for c in channels]
        x = np.array(columns).T
    except ValueError as error:
        raise ValueError(
            f"line {number}: expected numbers, as many in each channel, got {error}"
        ) from error
    known = np.flatnonzero(~np.isnan(x).all(axis=1))
    return x[: known[-1] + 1] if len(known) else x
