"""The report of the gradient checker.

A gradient has one of three statuses. It is *correct* if it agrees, entry by entry, with a
derivative that was computed without `backward`. It is *incorrect* if it does not. It is
*undecided* where rounding hides an error: after a softmax whose scores are 0 and 1000 the true
gradient is 1e-434, a float computes 0, and the result of a mistake would be the same. Then the
report suggests other values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from textwrap import fill
from typing import Any, Literal, NamedTuple

from numpycnn.checks.derivatives import Method

Status = Literal["correct", "incorrect", "undecided"]

INDENT: Any = {"initial_indent": 6 * " ", "subsequent_indent": 8 * " "}
CAUSE: Any = {"initial_indent": 2 * " ", "subsequent_indent": 4 * " "}
PRINTED: dict[Status, str] = {
    "correct": "correct",
    "incorrect": "INCORRECT",
    "undecided": "undecided",
}


class Mistake(NamedTuple):
    """A known mistake.

    Attributes
    ----------
    name : str
        A short name, such as `"sign"`.
    message : str
        A description.
    """

    name: str
    message: str


def _wrapped(text: str, indent: Any) -> str:
    """Return the text in lines of at most 92 characters.

    >>> [len(_wrapped(word * 60, INDENT).splitlines()[0]) for word in ("to ", "a ")]
    [92, 91]
    """
    return fill(text, 92, **indent)


class GradientResult(NamedTuple):
    """The result for the input or one parameter.

    Attributes
    ----------
    name : str
        `"input"`, or the name of the parameter.
    status : {"correct", "incorrect", "undecided"}
        The result.
    method : {"complex", "central"}
        The method of the derivative.
    error : float
        The largest difference found, relative to the magnitude of the gradient.
    worst : tuple of int or None
        Index of the entry with the largest error.
    actual, expected : float
        The gradient that backward returned at this index, and the derivative.
    kinks : int
        Number of entries at which no derivative exists.
    mistake : Mistake or None
        The cause, if it is known.
    notes : tuple of str
        The reason for the method, and for the values used.

    Examples
    --------
    >>> half = Mistake("factor", "too small by the factor 2")
    >>> notes = ("central differences: forward casts to float",)
    >>> print(GradientResult("w", "incorrect", "central", 0.5, (0, 2), 1.5, 3.0, 4, half, notes))
      w        INCORRECT relative error 5.0e-01 by central differences
          worst at [0, 2]: backward returned 1.5, expected 3
          the function has a kink at 4 of its entries, where no derivative exists; the gradient
            must lie between the one-sided derivatives
          factor: too small by the factor 2
          central differences: forward casts to float
    >>> result = GradientResult("input", "correct", "complex", 1e-16)
    >>> print(result)
      input    correct   relative error 1.0e-16 by complex step
    >>> result.ok, result._replace(status="undecided").ok
    (True, False)
    >>> result.to_dict()["status"], result.to_dict()["actual"]
    ('correct', None)
    """

    name: str
    status: Status
    method: Method
    error: float
    worst: tuple[int, ...] | None = None
    actual: float = float("nan")
    expected: float = float("nan")
    kinks: int = 0
    mistake: Mistake | None = None
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether this gradient was found correct."""
        return self.status == "correct"

    def to_dict(self) -> dict[str, Any]:
        """Return the result as values that `json.dumps` accepts."""
        return {name: _plain(value) for name, value in self._asdict().items()}

    def __str__(self) -> str:
        how = {"complex": "complex step", "central": "central differences"}[self.method]
        status = f"{PRINTED[self.status]:<9}"
        text = [f"  {self.name!s:<8} {status} relative error {self.error:.1e} by {how}"]
        if self.worst is not None:
            where = ", ".join(map(str, self.worst))
            text.append(
                f"worst at [{where}]: backward returned {self.actual:.6g}, "
                f"expected {self.expected:.6g}"
            )
        if self.kinks:
            text.append(
                f"the function has a kink at {self.kinks} of its entries, where no derivative "
                "exists; the gradient must lie between the one-sided derivatives"
            )
        if self.mistake is not None:
            text.append(f"{self.mistake.name}: {self.mistake.message}")
        text += self.notes
        return "\n".join([text[0], *(_wrapped(note, INDENT) for note in text[1:])])


class GradientReport(NamedTuple):
    """The report of `check_gradients`: a result for the input and for each parameter.

    Parameters
    ----------
    subject : str
        Name of the layer or loss.
    results : list of GradientResult
        Each has a `name`, `status`, `error`, `method`, `mistake` and `notes`.
    breach : Mistake or None
        How the layer breaks the contract. Then no gradient was compared.
    layers : dict of str to GradientReport
        Of a container, the reports of the layers that are incorrect on their own input.
    notes : tuple of str
        What the results do not cover.
    """

    subject: str
    results: list[GradientResult]
    breach: Mistake | None = None
    layers: dict[str, GradientReport] = {}  # noqa: RUF012 - replaced, never changed
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """Incorrect if any result is, else undecided if any result is, else correct.

        >>> def status(*each, breach=None):
        ...     results = [GradientResult(name, name, "complex", 0.0) for name in each]
        ...     return GradientReport("ReLU", results, breach).status

        >>> status("correct"), status("correct", "undecided"), status("undecided", "incorrect")
        ('correct', 'undecided', 'incorrect')
        >>> status("correct", breach=Mistake("shape", ""))
        'incorrect'
        """
        statuses = {result.status for result in self.results}
        if self.breach is not None or "incorrect" in statuses:
            return "incorrect"
        return "undecided" if "undecided" in statuses else "correct"

    @property
    def ok(self) -> bool:
        """Whether every gradient was found correct, and the contract to be kept."""
        return self.status == "correct"

    @property
    def kinks(self) -> int:
        """Number of entries of the input and the parameters at which no derivative exists."""
        return sum(result.kinks for result in self.results)

    @property
    def mistakes(self) -> list[Mistake]:
        """The mistakes that were found, in the order of the results.

        Where a layer of a container is incorrect, the mistake is that of the layer: it causes
        the errors of the gradients in front of it.
        """
        if self.layers:
            return [mistake for layer in self.layers.values() for mistake in layer.mistakes]
        found = [self.breach, *(result.mistake for result in self.results)]
        return [mistake for mistake in found if mistake is not None]

    def causes(self, place: str = "") -> Iterator[str]:
        """Yield a line for each incorrect gradient of a layer inside.

        Parameters
        ----------
        place : str
            The position of this layer, with a dot, for a layer inside another.

        Yields
        ------
        str
            The position of the layer, and the mistake.
        """
        for inside, layer in self.layers.items():
            yield from layer.causes(f"{place}{inside}.")
            if layer.layers:
                continue
            found = [] if layer.breach is None else [("", layer.breach)]
            found += [(f"{r.name}, ", r.mistake) for r in layer.results if r.mistake is not None]
            for name, mistake in found:
                what = f"{name}{mistake.name}: {mistake.message}"
                yield f"layer {place}{inside} ({layer.subject}): {what}"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as values that `json.dumps` accepts.

        Returns
        -------
        dict
            The report; NaN and infinity become None.
        """
        return {
            "subject": self.subject,
            "status": self.status,
            "ok": self.ok,
            "kinks": self.kinks,
            "mistakes": _plain(self.mistakes),
            "results": _plain(self.results),
            "layers": {place: layer.to_dict() for place, layer in self.layers.items()},
            "notes": _plain(self.notes),
        }

    def __str__(self) -> str:
        return _printed(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show in a notebook what `print` shows."""
        printer.text(str(self))


def _printed(report: GradientReport) -> str:
    """Return the report as text, with the layers that cause the errors first.

    A network with two incorrect layers, one of them in a block. The block breaks the contract as
    well, but only the layer inside is named:

    >>> from types import SimpleNamespace
    >>> sign = Mistake("sign", "the sign is reversed")
    >>> results = [GradientResult(name, "incorrect", "complex", 2.0) for name in ("input", "w")]
    >>> dense = GradientReport("Dense", [results[0], results[1]._replace(mistake=sign, kinks=3)])
    >>> shape = Mistake("shape", "dx must have the shape of x")
    >>> block = GradientReport("Block", [], shape, layers={"1": dense})
    >>> relu = GradientReport("ReLU", [], shape)
    >>> notes = ("b is not in params, so its gradient was not checked",)
    >>> report = GradientReport("Network", results[:1], None, {"0": block, "2": relu}, notes)
    >>> print(report)
    Gradients of Network: INCORRECT
      layer 0.1 (Dense): w, sign: the sign is reversed
      layer 2 (ReLU): shape: dx must have the shape of x
      input    INCORRECT relative error 2.0e+00 by complex step
          note: b is not in params, so its gradient was not checked
    >>> print(block)
    Gradients of Block: INCORRECT
      layer 1 (Dense): w, sign: the sign is reversed
    >>> print(relu)
    Gradients of ReLU: INCORRECT
          shape: dx must have the shape of x
    >>> relu._repr_pretty_(SimpleNamespace(text=print), cycle=False)  # in a notebook
    Gradients of ReLU: INCORRECT
          shape: dx must have the shape of x

    >>> [mistake.name for mistake in report.mistakes], [m.name for m in relu.mistakes]
    (['sign', 'shape'], ['shape'])
    >>> report.ok, GradientReport("ReLU", []).ok, dense.kinks
    (False, True, 3)
    >>> relu.to_dict()
    {'subject': 'ReLU', 'status': 'incorrect', 'ok': False, 'kinks': 0, 'mistakes':
    [{'name': 'shape', ...}], 'results': [], 'layers': {}, 'notes': []}
    >>> report.to_dict()["layers"]["0"]["layers"]["1"]["subject"]
    'Dense'
    """
    text = [f"Gradients of {report.subject}: {PRINTED[report.status]}"]
    text += [_wrapped(line, CAUSE) for line in report.causes()]
    text += map(str, report.results)
    if report.breach is not None and not report.layers:
        text.append(_wrapped(f"{report.breach.name}: {report.breach.message}", INDENT))
    text += [_wrapped(f"note: {note}", INDENT) for note in report.notes]
    return "\n".join(text)


def _plain(value: Any) -> Any:
    """Return nested dicts and lists of strings, booleans, integers, finite floats and None.

    >>> _plain({"a": (1, 0.5, True), "b": [float("nan"), None], "c": Mistake("sign", "minus")})
    {'a': [1, 0.5, True], 'b': [None, None], 'c': {'name': 'sign', 'message': 'minus'}}
    """
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


class Report(NamedTuple):
    """The report of a check that does not compare gradients.

    Attributes
    ----------
    check : str
        Name of the check.
    subject : str
        What was checked, such as `"Steps of Adam"`.
    mistakes : list of Mistake
        The mistakes found; empty if it is correct.
    measured : str
        A measurement, in words.

    Examples
    --------
    >>> report = Report("steps", "Steps of Adam", [Mistake("bias", "not corrected")], "10 steps")
    >>> print(report)
    Steps of Adam: INCORRECT
      10 steps
      bias: not corrected
    >>> print(Report("steps", "Steps of Adam", []))
    Steps of Adam: correct
    >>> report.ok, Report("steps", "Steps of Adam", []).ok
    (False, True)
    """

    check: str
    subject: str
    mistakes: list[Mistake]
    measured: str = ""

    @property
    def ok(self) -> bool:
        """Whether no mistake was found."""
        return not self.mistakes

    def __str__(self) -> str:
        text = [f"{self.subject}: {'correct' if self.ok else 'INCORRECT'}"]
        text += [f"  {self.measured}"] if self.measured else []
        text += [f"  {mistake.name}: {mistake.message}" for mistake in self.mistakes]
        return "\n".join(text)


class GradientError(AssertionError):
    """Raised by `assert_gradients`.

    Parameters
    ----------
    report : GradientReport
        The report, which is also the message.

    Examples
    --------
    >>> error = GradientError(GradientReport("ReLU", []))
    >>> error.args, error.report.subject
    (('Gradients of ReLU: correct',), 'ReLU')
    """

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report
