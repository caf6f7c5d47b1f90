"""Read traces of one length with their classes from a file or a folder.

- `.npz`, as `np.savez("data.npz", x=x, labels=labels)` writes it: an array `x` of shape
  `(N, L)`, or `(N, L, C)` for several channels, and `labels` of shape `(N,)`, integers
  or texts.
- [Tables](tables.py): `.csv`, and `.tsv` and `.ts` of the UCR and UEA archives.
- [Records](readers.py) in any format that ObsPy reads, in one folder for each class; or one file,
  without classes, such as a SEG-Y gather.

Traces to classify require no labels. Files from other programs often have another layout, so each
error states the expected and the actual content and its position.
"""

import io
import zipfile

import numpy as np

from _shared.readers import (
    Problems,
    Stretch,
    components,
    from_files,
    of_one_kind,
    of_one_length,
    read_folder,
    without_gaps,
)
from _shared.tables import Table, label_of, read_table, read_ts
from numpycnn._validation import require_array

TAPS = 5  # of a filter, and the minimum length of a trace
LARGEST = 1e38  # about the largest number of float32, which the network uses
TABLES = ".csv", ".tsv"


def read_traces(
    path, labeled=True, length=None, *, problems=None, channels=None, table=None, kind=None
):
    """Return the traces (N, L, C) in a file or a folder, and the class of each, "" for none.

    `problems` receives the files of a folder that are left out, the dict `kind` the sampling rate
    and the components of records. Raises `ValueError` if the traces
    cannot be read, or if a label is missing and `labeled` is true.
    """
    problems = Problems() if problems is None else problems
    before = len(problems)
    try:
        x, names = _read(path, problems, channels, table or Table())
        if len(x) and isinstance(x[0], Stretch):
            if kind is not None:
                kind |= {"sampling_rate": x[0].rate, "components": components(x[0].channels)}
            x = [one.x.astype(float) for one in x]
        if labeled and path.is_dir() and any(names):
            for name in names:
                if not name:
                    problems.add(path, "a record outside the folders of the classes has no class")
            x = [one for one, name in zip(x, names, strict=True) if name]
            names = [name for name in names if name]
        if not len(x) and len(problems) > before:
            raise ValueError(f"expected records, got none. {'; '.join(problems[before:])}")
        if not len(x):
            raise ValueError("expected traces, got none")
        if isinstance(x, np.ndarray):
            require_array("read_traces", "x", x, "N L C")
        x = of_one_length(x, length)
        _require_samples(x)
        if labeled:
            _require_classes(names)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return x, names


def _read(path, problems, channels, table):
    """Return the traces, an array or a list of arrays or records, and the names of the classes."""
    suffix = path.suffix.lower()
    if path.is_dir():
        return read_folder(path, problems, channels)
    if suffix == ".ts":
        return read_ts(path)
    if suffix in TABLES or table.delimiter:
        return read_table(path, table)
    if suffix == ".npz" or not path.exists() or _is_npz(path):
        return read_npz(path)
    if suffix in OTHERS:
        raise ValueError(f"expected a format that is listed in trace_files.py. {OTHERS[suffix]}")
    failed = Problems()
    found = [(name, without_gaps(one)) for name, _, one in from_files(path, failed, channels)]
    if failed and not found:
        reason = failed[0].removeprefix(f"{path}: ")
        raise ValueError(
            f"expected an .npz, .csv, .tsv or .ts file, or a record, got {reason}. A table with "
            "another ending is read with --delimiter."
        )
    problems += failed
    kept = of_one_kind(found, problems)
    return [one for _, one in kept], [""] * len(kept)


# Files of other programs are read by other libraries, in one line of code.

SAVE = "Save it with np.savez('data.npz', x=x, labels=labels)"
OTHERS = {
    ".npy": f"{SAVE} after x = np.load(file).",
    ".mat": f"{SAVE} after x = scipy.io.loadmat(file)['x'].",
    ".h5": f"{SAVE} after x = h5py.File(file)['x'][:].",
    ".hdf5": f"{SAVE} after x = h5py.File(file)['x'][:].",
    ".parquet": "Save it with pandas.read_parquet(file).to_csv('data.csv', index=False).",
    ".xlsx": "Save it with pandas.read_excel(file).to_csv('data.csv', index=False).",
    ".arff": f"{SAVE} after x, labels = aeon.datasets.load_from_arff_file(file).",
}


def _is_npz(path):
    with path.open("rb") as file:
        return zipfile.is_zipfile(file)


def _require_samples(x):
    """Raise unless all samples are finite numbers, and as many as a filter needs."""
    wrong = np.argwhere(~(abs(x) <= LARGEST))  # NaN is neither larger nor smaller
    if len(wrong):
        n, sample, c = wrong[0]
        raise ValueError(
            f"x must hold finite numbers up to {LARGEST:.0e}, got {x[n, sample, c]} as sample "
            f"{sample + 1} of trace {n + 1}. Remove that trace from the file, or fill the gap."
        )
    if x.shape[1] < max(TAPS, x.shape[2]):
        raise ValueError(
            f"traces must have {TAPS} samples or more, and no fewer than channels, got "
            f"{x.shape[1]} of {x.shape[2]}. In x channels go last: x.transpose(0, 2, 1)."
        )


def _require_classes(names):
    """Raise unless every trace has a class, of two or more."""
    if not any(names):
        raise ValueError(
            f"every trace must have a label, got none for all {len(names)}. Add labels, store "
            "records in one folder for each class, or classify them with --classify."
        )
    if "" in names:
        unlabeled = [n for n, name in enumerate(names, 1) if not name]
        raise ValueError(
            f"every trace must have a label, got none for {len(unlabeled)} of {len(names)}, the "
            f"first of them trace {unlabeled[0]}. Remove these traces from the file, or classify "
            "them with --classify."
        )
    if len(set(names)) < 2:
        raise ValueError(f"expected two classes or more, got {sorted(set(names))}")


def read_npz(path):
    """Return `x` and, if they are there, `labels` of an archive of arrays."""
    data = path.read_bytes()
    try:
        if not zipfile.is_zipfile(io.BytesIO(data)):
            raise ValueError("a file that is not an .npz archive, or is incomplete")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:  # a pickle could run code
            x = file["x"].astype(float, casting="same_kind")
            labels = file["labels"] if "labels" in file else np.full(len(x), "")
    except Exception as error:  # a damaged file can raise any exception
        raise ValueError(
            f"expected arrays x and labels, got {error}. Write them with np.savez('data.npz', "
            "x=x, labels=labels), from x.astype(float), in which all traces are of one length, "
            "and labels.astype(str)."
        ) from error
    if labels.shape != x.shape[:1] or labels.dtype.kind not in "iuU":
        raise ValueError(
            f"labels must be integers or texts of shape {x.shape[:1]}, got {labels.dtype} of "
            f"shape {labels.shape}. Use labels.astype(int), or of one-hot rows "
            "labels.argmax(axis=1)."
        )
    return x[..., None] if x.ndim == 2 else x, [label_of(label) for label in labels]
