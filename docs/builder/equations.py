r"""Equations: convert equations in plain text to formulas.

In an editor, on a code host and in `help()`, the plain text
`y[n,j] = sum_i x[n,i] w[i,j] + b[j]` is easiest to read; on a page of the site, a formula is. This
module converts the text:

>>> tex_of(["y[n,j] = sum_i x[n,i] w[i,j] + b[j]"])
'y_{n,j} = \\sum_{i} x_{n,i}\\, w_{i,j} + b_{j}'

The grammar is small and has a fixed list of words. A block with other content, such as a call or a
drawing, is not converted, because an incorrect formula would be worse than plain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

GREEK = {"alpha": r"\alpha", "beta": r"\beta", "gamma": r"\gamma", "eps": r"\varepsilon"}
GREEK |= {"π": r"\pi"}
FUNCTIONS = {"exp": r"\exp", "log": r"\log", "sin": r"\sin", "cos": r"\cos", "max": r"\max"}
FUNCTIONS |= {"var": r"\operatorname{var}", "Var": r"\operatorname{Var}"}
OVER = {"sum": r"\sum", "max": r"\max", "mean": r"\operatorname*{mean}"}
DERIVATIVES = {"dx", "dy", "dz", "dw", "db", "dgamma", "dbeta"}
WORDS = re.compile(  # words allowed in equations; any other word ends an equation
    "AIC|arrivals|background|energy|fan_in|fan_out|keep|left|limit|loss|lr|momentum|noise|onsets?"
    "|rate|reach|spikes|target|traces|width"
)

TOKEN = re.compile(
    r"(?P<gap>\s{3,})|(?P<space>\s+)|(?P<dots>\.\.\.|…)|(?P<number>\d+(?:\.\d+)?|½)"
    r"|(?P<name>[A-Za-zπ]+\d?(?:_[A-Za-z]+)?)|(?P<sign>[-=+/^<()\[\],·±√²])"
)


class Token(NamedTuple):
    """A word, a number or a sign, and whether it directly follows the token before."""

    kind: str
    text: str
    tucked: bool
    begin: int
    end: int


class NoEquationError(ValueError):
    """The text is not an equation of the grammar."""


def tex_of(lines: list[str]) -> str | None:
    """Return a block of equations, one per line, as one formula; None if it is not an equation.

    A line may end with a remark after three blanks or more. A line that begins with plus or minus
    continues the line before.
    """
    rows = []
    for line in lines:
        try:
            rows.append(_row(line, goes_on=bool(rows)))
        except NoEquationError:
            return None
    if len(rows) == 1:
        left, right, remark = rows[0]
        return f"{left} = {right}" + (rf" \qquad {remark}" if remark else "")
    aligned = [
        (f"{left} &= {right}" if left else rf"&\quad {right}")
        + (rf" && {remark}" if remark else "")
        for left, right, remark in rows
    ]
    return r"\begin{aligned} " + r" \\ ".join(aligned) + r" \end{aligned}"


def _row(line: str, *, goes_on: bool) -> tuple[str, str, str]:
    """Return the left side, the right side and the remark of a line."""
    reader = Reader(line)
    if goes_on and reader.next.text in ("+", "-", "±"):
        left, right = "", reader.sum()
    else:
        left, right = reader.equation()
    while reader.take(",") and reader.next.kind != "end":
        right += rf", \qquad {' = '.join(reader.equation())}"
    if reader.next.kind != "end":
        raise NoEquationError(line)
    return left, right, _remark(line[reader.next.end :].strip().removesuffix(","))


def _remark(text: str) -> str:
    if not text:
        return ""
    word, equation = re.fullmatch(r"(where )?(.*)", text).groups("")  # type: ignore[union-attr]
    if "=" in equation:
        reader = Reader(equation)
        left, right = reader.equation()
        if reader.next.kind != "end":
            raise NoEquationError(text)
        return (rf"\text{{{word}}}" if word else "") + f"{left} = {right}"
    if re.search(r"[\\{}$_^]", text):
        raise NoEquationError(text)
    return rf"\text{{{text}}}"


def split(text: str) -> list[str]:
    """Split a sentence at its equations: text, formula, text, formula, …, text.

    An equation must be followed by a comma, the end of the sentence or a short word.

    >>> split("Return dx[n,l] = dy[n] / L, and more.")
    ['Return ', 'dx_{n,l} = \\\\frac{dy_{n}}{L}', ', and more.']
    >>> split("Return dx = the part of dy that belongs to x.")
    ['Return dx = the part of dy that belongs to x.']
    """
    parts, done = [], 0
    for begin in re.finditer(r"(?<![\w`.\"])[^\W\d]\w*(?:\[[^\]]*\])? = ", text):
        if begin.start() < done:
            continue
        reader = Reader(text[begin.start() :])
        try:
            left, right = reader.equation()
        except NoEquationError:
            continue
        end = begin.start() + reader.last_end
        if re.match(r"[,.;:)]|$| (?:and|at|for|then|where|with)\b", text[end:]):
            parts += [text[done : begin.start()], f"{left} = {right}"]
            done = end
    return [*parts, text[done:]]


class Reader:
    """A recursive-descent parser of one line, which returns the formula."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        at, tucked, gap = 0, False, False
        while at < len(text):
            found = TOKEN.match(text, at)
            kind = found.lastgroup if found else "unknown"
            end = found.end() if found else len(text)
            if kind == "gap":
                gap, tucked = True, False
            elif kind == "space":
                tucked = False
            else:
                # Text after a wide gap is a remark, unless it begins with the equals sign.
                if gap and self.tokens and text[at] != "=":
                    break
                self.tokens.append(Token(kind or "", text[at:end], tucked, at, end))
                tucked, gap = True, False
            at = end
        self.tokens.append(Token("end", "", False, at, at))
        self.at = 0

    @property
    def next(self) -> Token:
        """The next token."""
        return self.tokens[self.at]

    @property
    def last_end(self) -> int:
        """The end of the last token that was read."""
        return self.tokens[self.at - 1].end

    def take(self, text: str) -> bool:
        """Read this token, if it is the next one."""
        if self.next.text == text:
            self.at += 1
            return True
        return False

    def need(self, text: str) -> None:
        """Read this token, or raise."""
        if not self.take(text):
            raise NoEquationError(f"expected {text}, got {self.next.text}")

    def equation(self) -> tuple[str, str]:
        """Read `left = right`."""
        left = self.sum()
        self.need("=")
        return left, self._entry()

    def sum(self) -> str:
        """Read terms with plus and minus between them."""
        signs = {"+": "+", "-": "-", "±": r"\pm"}
        done = signs[self._take().text] + " " if self.next.text in ("-", "±") else ""
        done += self.term()
        while self.next.text in signs:
            sign = signs[self._take().text]
            done += f" {sign} {self.term()}"
        return done.replace("- ", "-", 1) if done.startswith("- ") else done

    def term(self) -> str:
        """Read a product; the factors before a slash are divided by the factor after it."""
        factors = [self.factor()]
        while True:
            if self.take("/"):
                above = _bare(factors[0]) if len(factors) == 1 else _joined(factors)
                factors = [rf"\frac{{{above}}}{{{_bare(self.factor())}}}"]
            elif self.take("·"):
                factors += [r"\cdot", self.factor()]
            elif self._begins_a_factor():
                factors.append(self.factor())
            else:
                return _joined(factors)

    def _begins_a_factor(self) -> bool:
        token = self.next
        return token.kind == "number" or token.text in ("(", "[", "√") or self._is_name(token)

    def _is_name(self, token: Token) -> bool:
        base, _, under = token.text.partition("_")
        return token.kind == "name" and (
            len(token.text) == 1
            or token.text in {"sqrt"} | DERIVATIVES | GREEK.keys() | FUNCTIONS.keys() | OVER.keys()
            or bool(WORDS.fullmatch(token.text))
            or (base in OVER and len(under) == 1)
            or bool(re.fullmatch(r"[a-z]_hat|(alpha|beta)\d", token.text))
        )

    def factor(self) -> str:
        """Read a number, a name, a bracket or a sum, and a power of it."""
        token = self._take()
        if token.kind == "number":
            done = r"\tfrac{1}{2}" if token.text == "½" else token.text
        elif token.text == "(":
            done = self._until(")", self.sum)
            done = rf"\left( {done} \right)" if r"\frac" in done else f"({done})"
        elif token.text == "[":
            done = f"[{self._list(']')}]"
        elif token.text == "√" or (token.text == "sqrt" and self.next.tucked):
            self.need("(")
            done = rf"\sqrt{{{self._until(')', self.sum)}}}"
        elif self._is_name(token):
            done = self._named(token)
        else:
            raise NoEquationError(token.text)
        if self.take("²"):
            return f"{done}^2"
        if self.take("^"):
            return f"{done}^{{{self.factor()}}}"
        return done

    def _named(self, token: Token) -> str:
        base, _, under = token.text.partition("_")
        if base in OVER and (under or self.next.text in ("over", "of")):
            if not under:
                self.need("over")
                under = self.condition()
                self.need("of")
            what = f"(-{self.term()})" if self.take("-") else self.term()
            return rf"{OVER[base]}_{{{under}}} {what}"
        if token.text in FUNCTIONS:
            if self.next.tucked and self.take("("):
                inside = self._list(")")
                large = r"\frac" in inside
                return FUNCTIONS[token.text] + (
                    rf"\left( {inside} \right)" if large else f"({inside})"
                )
            if self._begins_a_factor():
                return f"{FUNCTIONS[token.text]} {self.factor()}"
            return rf"\mathrm{{{token.text}}}"
        done = self._letters(token.text)
        if self.next.tucked and self.take("["):
            words = re.match(r"([a-z]+ [a-z]+)\]", self.text[self.next.begin :])
            done += f"_{{{self._list(']') if not words else self._words(words[1])}}}"
        if self.next.tucked and self.take("("):
            done += f"({self._list(')')})"
        return done

    def _words(self, words: str) -> str:
        """Read an index in words: `p[true class]`."""
        self.at += len(words.split())
        self.need("]")
        return rf"\text{{{words}}}"

    @staticmethod
    def _letters(name: str) -> str:
        if name in GREEK:
            return GREEK[name]
        if found := re.fullmatch(r"(alpha|beta)(\d)", name):
            return f"{GREEK[found[1]]}_{found[2]}"
        if name.endswith("_hat"):
            return rf"\hat{{{name[0]}}}"
        if name.startswith("d") and name in DERIVATIVES:
            return "d" + GREEK.get(name[1:], name[1:])
        base, _, under = name.partition("_")
        if len(base) > 1:
            base = rf"\mathrm{{{base}}}"
        return base + (rf"_{{\mathrm{{{under}}}}}" if under else "")

    def condition(self) -> str:
        """Read the index of a sum: a letter, `j < P`, or a word."""
        left = self.factor()
        return f"{left} < {self.factor()}" if self.take("<") else left

    def _list(self, end: str) -> str:
        """Read entries of an index or arguments, with commas or dots between them."""
        entries = [self._entry()]
        while not self.take(end):
            self.need(",")
            entries.append(self._entry())
        wide = any(len(entry) > 3 for entry in entries)
        return (r",\, " if wide else ",").join(entries)

    def _entry(self) -> str:
        done = self.sum()
        if self.next.kind == "dots":
            self._take()
            done += rf" \ldots {self.sum()}"
        return done

    def _until(self, end: str, what: Callable[[], str]) -> str:
        done = what()
        self.need(end)
        return done

    def _take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]


def _joined(factors: list[str]) -> str:
    """Join factors, with a thin space between those that are longer than a letter."""
    done = factors[0]
    for before, factor in pairwise(factors):
        simple = len(before) == 1 == len(factor) or before.isdigit()
        done += (
            " " if simple or "cdot" in before + factor or factor.startswith(r"\sum") else r"\, "
        ) + factor
    return done


def _bare(factor: str) -> str:
    """Return what is below a line without the brackets around it."""
    inside = factor[1:-1]
    if factor.startswith(r"\left( "):
        inside = factor.removeprefix(r"\left( ").removesuffix(r" \right)")
        return inside if factor.endswith(r" \right)") else factor
    return inside if factor.startswith("(") and factor.endswith(")") else factor
