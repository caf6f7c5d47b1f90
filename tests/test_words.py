"""Docstrings, comments, messages and pages use the terms of the field: no retired word returns.

The chapters stay short.
"""

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RETIRED = {  # what to write instead; an ordinary use of an ordinary word does not match
    r"twins?": "copy for training, equivalent model",
    r"verdicts?": "result, status",
    r"winners?|won": "maximum, argmax",
    r"owe[sd]?": "receives",
    r"mend(s|ed|ing)?": "fix",
    r"spoil(s|t|ed|ing)?": "corrupt, change",
    r"nudge[sd]?": "perturbation",
    r"whoever|nobody": "you, or the passive",
    r"heaps?": "set",
    r"by heart|crammed": "memorized, overfitted",
    r"turned round": "flipped",
    r"way (back|around)": "backward pass, skip connection",
    r"gradients? from above": "upstream gradient",
    r"hand(s|ed|ing)? (on|out|back)": "pass",
    r"held (against|to)": "compared with",
    r"dealt|deals? (out|it|the)": "split, polyphase components",
    r"first weights": "initial weights",
    r"whole numbers?": "integer",
    r"chances": "probabilities",
    r"of (its|one's|their|his) own|of your own(?=[.,:;)])": "custom, separate, or nothing",
    r"so (many|much|few) (at|of|samples|numbers|epochs)": "the variable",
    r"(beside|behind) (it|a|an|the|two|one|that|what|py\w+)": "compared with, after",
    r"(has|have|is|are) to be": "must, or the imperative",
    r"may be (asked|told|given)": "can",
    r"(?<!there\s)(is|are|was|were) no (?!longer|more|less|need|way|such)\w+": "is not a",
    r"(loss|layer|network|filter|backward|forward|head) (wants|asks|knows|answers)": "requires",
    r"(is|are|was|were|been) (told|asked|wanted)": "is given, must",
    r"(it|that|what) came": "the actual value",
    r"(never|was|is|are) remembered": "updated, recorded",
    r"zoo(?!\.md)|animals?": "planted bugs",
    r"sick": "failing",
    r"stands? (still|there|here|under|beside|alone)": "is, represents",
    r"lets? (it|through|pass)": "pass",
    r"what (comes|came) (in|out|back|from)": "the input, the output, the gradient",
    r"every(thing| one) that": "all",
    r"as a rule|for certain|to the ground": "usually, certainly, or nothing",
}


def pattern(words):
    """Return the pattern of a phrase, which may go on in the next line of a comment."""
    return re.compile(rf"\b(?:{words})\b".replace(" ", r"[\s#]+"), re.IGNORECASE)


PATTERNS = {pattern(words): instead for words, instead in RETIRED.items()}
PLACES = (
    "*.py",
    "README.md",
    "CONTRIBUTING.md",
    "numpycnn/**/*.py",
    "examples/**/*.py",
    "docs/**/*.*",
)
FILES = [
    path
    for names in PLACES
    for path in sorted(ROOT.glob(names))
    if path.suffix in (".py", ".md") and "_build" not in path.parts
]


def prose(path):
    """Return a page, or the comments and strings of a program, each in its line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    lines = [""] * (text.count("\n") + 2)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        is_text = name == "COMMENT" or ("STRING" in name and " " in token.string)
        if is_text and not token.line.startswith("SECTION = "):  # a heading, read in its chapter
            for number, line in enumerate(token.string.split("\n"), token.start[0]):
                lines[number] += f" {line}"
    return "\n".join(lines[1:])


def retired_words(text):
    text = re.sub(r"https?://\S+", "", text)
    return [
        f"line {1 + text.count(chr(10), 0, hit.start())}: {hit.group()!r}; write: {instead}"
        for pattern, instead in PATTERNS.items()
        for hit in pattern.finditer(text)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_text_contains_a_retired_word(path):
    assert retired_words(prose(path)) == []


@pytest.mark.parametrize(
    "text", ["the twin", "it has to\n    # be", "is no layer", "what came out"]
)
def test_a_retired_word_is_found(text):
    assert retired_words(text)


@pytest.mark.parametrize("text", ["a pull request", "the right side", "There is no file"])
def test_an_ordinary_use_is_allowed(text):
    assert not retired_words(text)


BUDGETS = {  # the largest number of words, counted as `wc -w` does
    "1-evening": 12_000,
    "1-evening/1": 1_000,
    "1-evening/2": 1_400,
    "1-evening/3": 900,
    "1-evening/4": 1_500,
    "1-evening/5": 2_900,
    "1-evening/6": 1_300,
    "1-evening/7": 1_400,
    "1-evening/8": 1_300,
    "2-does-it-work": 8_500,
    "3-derivatives": 5_200,
    "4-engineering": 6_800,
}


@pytest.mark.parametrize("start", BUDGETS)
def test_chapters_are_within_their_budget_of_words(start):
    pages = [
        path
        for path in (ROOT / "docs").glob("*/*.md")
        if path.relative_to(ROOT / "docs").as_posix().startswith(start)
    ]
    assert pages
    assert sum(len(path.read_text(encoding="utf-8").split()) for path in pages) <= BUDGETS[start]


def test_the_first_chapter_trains_within_600_words():
    page = (ROOT / "docs" / "1-evening" / "1-the-problem.md").read_text(encoding="utf-8")
    before, call, _ = page.partition("nn.fit(")
    assert call
    assert len(before.split()) <= 600
