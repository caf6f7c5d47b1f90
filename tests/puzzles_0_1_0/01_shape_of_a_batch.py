# Puzzle 1, after docs/01-question.md
"""The shape of a batch

A seismometer with two components wrote 40 records, each of 30 seconds at 50 samples a second.
They go into one array. What is its shape?
"""

shape = (40, 1500, 2)  # three whole numbers, in the order in which this project puts the axes


if __name__ == "__main__":
    import numpycnn.puzzles

    numpycnn.puzzles.check_file(__file__)
