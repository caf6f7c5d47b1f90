"""Programming exercises, from one derivative to a network, with a grader that names mistakes.

    python -m numpycnn.puzzles

creates a folder of small files. Each has a task, an equation, given code, and one `...` to replace.
When you save a file it is graded. If the answer is incorrect, the mistake and a failing case are
shown. In a notebook, `check` grades a function, a class or source text:

    numpycnn.puzzles.check("dense", Dense)

Each puzzle is one file in the folder `course`. Of the modules, `puzzle` reads it, `cases` runs an
answer on drawn cases, `compare`, `reasons` and `shown` find, name and show what differs, and
`grader` combines these. `process` runs the answer in a separate process, `folder` keeps the
reader's files, and `runner` is the command-line program.
"""

from __future__ import annotations

from numpycnn.puzzles.grader import Result, check
from numpycnn.puzzles.runner import check_file, main

__all__ = ["Result", "check", "check_file", "main"]
