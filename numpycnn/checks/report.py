"""The report of the gradient checker.

A gradient has one of three statuses. It is *correct* if it agrees, entry by entry, with a
derivative that was computed without `backward`. It is *incorrect* if it does not. It is
*undecided* where rounding hides the answer: after a softmax whose scores are 0 and 1000 the
true gradient is 1e-434, a float computes 0, and an error in it would look the same. Then the
report asks for values at which the question has an answer.
"""

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
    """A known mistake: its short name, and what is incorrect in a sentence."""

    name: str
    sentence: str


class GradientResult(NamedTuple):
    """The result for the input or one parameter."""

    name: str
    status: Status
    method: Method
    error: float  # the largest difference found, relative to the size of the gradient
    worst: tuple[int, ...] | None = None  # index of the entry with the largest error
    actual: float = float("nan")  # what backward returned there
    expected: float = float("nan")  # the derivative there
    kinks: int = 0  # entries at which there is no derivative
    mistake: Mistake | None = None
    notes: tuple[str, ...] = ()  # the reason for the method, and the values used

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
        text = [f"  {self.name:<8} {status} relative error {self.error:.1e} by {how}"]
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
            text.append(f"{self.mistake.name}: {self.mistake.sentence}")
        text += self.notes
        return "\n".join([text[0], *(fill(note, 92, **INDENT) for note in text[1:])])


class GradientReport(NamedTuple):
    """The report of `check_gradients`: a result for the input and for each parameter.

    Attributes
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
    layers: dict[str, "GradientReport"] = {}  # noqa: RUF012 - replaced, never changed
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """Incorrect if any result is, else undecided if any result is, else correct."""
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
        """One line for each incorrect gradient of a layer inside: where, and what is wrong."""
        for inside, layer in self.layers.items():
            yield from layer.causes(f"{place}{inside}.")
            if layer.layers:
                continue
            found = [] if layer.breach is None else [("", layer.breach)]
            found += [(f"{r.name}, ", r.mistake) for r in layer.results if r.mistake is not None]
            for name, mistake in found:
                what = f"{name}{mistake.name}: {mistake.sentence}"
                yield f"layer {place}{inside} ({layer.subject}): {what}"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as values that `json.dumps` accepts; NaN and infinity become None."""
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
        text = [f"Gradients of {self.subject}: {PRINTED[self.status]}"]
        text += [fill(line, 92, **CAUSE) for line in self.causes()]
        text += map(str, self.results)
        if self.breach is not None:
            text.append(fill(f"{self.breach.name}: {self.breach.sentence}", 92, **INDENT))
        text += [fill(f"note: {note}", 92, **INDENT) for note in self.notes]
        return "\n".join(text)


def _plain(value: Any) -> Any:
    """Return nested dicts and lists of strings, booleans, integers, finite floats and None."""
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
    """What a check found that compares no gradients."""

    check: str  # its name
    subject: str  # what it looked at
    mistakes: list[Mistake]  # what is wrong; empty where nothing is
    measured: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.mistakes

    def __str__(self) -> str:
        text = [f"{self.subject}: {'correct' if self.ok else 'INCORRECT'}"]
        text += [f"  {self.measured}"] if self.measured else []
        text += [f"  {mistake.name}: {mistake.sentence}" for mistake in self.mistakes]
        return "\n".join(text)


class GradientError(AssertionError):
    """Raised by `assert_gradients`; `report` is the `GradientReport`."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report
