"""The puzzles: small steps from one derivative to a network, and a grader that says which mistake.

    python -m numpycnn.puzzles

makes a folder of small files. Each has a task, an equation, what is given, and one `...` to
replace. Save the file, and you are told whether it is right; if not, what is wrong with it.

Each puzzle is one file in the folder `course`, and the modules here are what goes around it:
`puzzle` reads it, `grading` has what its check is made of, `verdict` puts the outcome into words,
`folder` keeps the reader's files, and `runner` is what one sees.
"""

from numpycnn.puzzles.runner import check_file, main

__all__ = ["check_file", "main"]
