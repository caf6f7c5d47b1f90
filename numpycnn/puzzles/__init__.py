"""The puzzles: small steps from one derivative to a network, and a grader that names the mistake.

    python -m numpycnn.puzzles

makes a folder of small files. Each has a task, an equation, given code, and one `...` to replace.
Save the file, and it is judged; if it is incorrect, the mistake and a case that fails are shown. In
a notebook, `check` judges a function, a class or source text:

    numpycnn.puzzles.check("dense", Dense)

Each puzzle is one file in the folder `course`. Of the modules, `puzzle` reads it, `cases` runs an
answer on drawn cases, `compare`, `reasons` and `shown` find, name and show what differs, and
`grader` puts these together. `process` does it in a process of its own, `folder` keeps the reader's
files, and `runner` is what the reader sees.
"""

from __future__ import annotations

from numpycnn.puzzles.grader import Result, check
from numpycnn.puzzles.runner import check_file, main

__all__ = ["Result", "check", "check_file", "main"]
