"""The report: what the gradient checker found, in words.

There are three verdicts, and the third is there to keep the first one honest. A
gradient is *right* if it agrees with an independent derivative, entry by entry. It is
*wrong* if it does not. And it is *undecided* where rounding hides the answer: behind a
softmax that is sure to thirty digits the true gradient is 1e-30, a float computes 0, and
a mistake in it would look no different. Then the report says so, and asks for numbers
at which the question has an answer.
"""

from textwrap import fill
from typing import Any, Literal, NamedTuple

from numpycnn.checks.derivatives import Method
from numpycnn.checks.mistakes import Mistake

Verdict = Literal["right", "wrong", "undecided"]

INDENT: Any = {"initial_indent": 6 * " ", "subsequent_indent": 8 * " "}


class GradientLine(NamedTuple):
    """The result for the input or one parameter."""

    name: str
    verdict: Verdict
    method: Method
    error: float  # the largest difference found, relative to the size of the gradient
    worst: tuple[int, ...] | None = None  # the entry that is furthest off; None where all is well
    analytic: float = float("nan")  # what backward says it is
    numeric: float = float("nan")  # what it is
    corners: int = 0  # entries at which there is no derivative
    mistake: Mistake | None = None
    notes: tuple[str, ...] = ()  # why this method, and at which numbers

    @property
    def ok(self) -> bool:
        """Whether this gradient was seen to be right."""
        return self.verdict == "right"

    def __str__(self) -> str:
        verdict = {"right": "ok", "wrong": "WRONG", "undecided": "undecided"}[self.verdict]
        how = {"complex": "complex step", "central": "central differences"}[self.method]
        text = [f"  {self.name:<8} {verdict:<5} relative error {self.error:.1e} by {how}"]
        if self.worst is not None:
            where = ", ".join(map(str, self.worst))
            text.append(
                f"worst at [{where}]: backward says {self.analytic:.6g}, it is {self.numeric:.6g}"
            )
        if self.corners:
            text.append(
                f"at {self.corners} of its entries the function has a corner and no derivative; "
                "there the gradient has to lie between the one-sided ones"
            )
        if self.mistake is not None:
            text.append(f"{self.mistake.name}: {self.mistake.sentence}")
        text += self.notes
        return "\n".join([text[0], *(fill(note, 92, **INDENT) for note in text[1:])])


class GradientReport(NamedTuple):
    """What `check_gradients` found, a line for the input and each parameter."""

    subject: str
    lines: list[GradientLine]
    broken: Mistake | None = None  # a breach of the contract, whatever the numbers are

    @property
    def verdict(self) -> Verdict:
        """Wrong if anything is, undecided if anything is undecided, else right."""
        verdicts = {line.verdict for line in self.lines}
        if self.broken is not None or "wrong" in verdicts:
            return "wrong"
        return "undecided" if "undecided" in verdicts else "right"

    @property
    def ok(self) -> bool:
        """Whether every gradient was seen to be right, and the contract to be kept."""
        return self.verdict == "right"

    @property
    def mistakes(self) -> list[Mistake]:
        """What is wrong, in order; empty where nothing is."""
        found = [self.broken, *(line.mistake for line in self.lines)]
        return [mistake for mistake in found if mistake is not None]

    def __str__(self) -> str:
        verdict = "WRONG" if self.verdict == "wrong" else self.verdict
        text = [f"Gradients of {self.subject}: {verdict}"]
        text += map(str, self.lines)
        if self.broken is not None:
            text.append(fill(f"{self.broken.name}: {self.broken.sentence}", 92, **INDENT))
        return "\n".join(text)


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
        text = [f"{self.subject}: {'right' if self.ok else 'WRONG'}"]
        text += [f"  {self.measured}"] if self.measured else []
        text += [f"  {mistake.name}: {mistake.sentence}" for mistake in self.mistakes]
        return "\n".join(text)


class GradientError(AssertionError):
    """Raised by `assert_gradients`; `report` is the `GradientReport`."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report
