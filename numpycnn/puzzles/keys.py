"""Keys: what the reader types while a file is being watched.

On a terminal each key counts at once. Where there is none, as in a pipe or a notebook, a line
does, and of it the first letter. The two systems that Python runs on have different doors to
the same room: `termios` on Linux and macOS, `msvcrt` on Windows.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread


@contextmanager
def typed_keys() -> Iterator["SimpleQueue[str]"]:
    """A queue of the keys as they are typed; when the input ends, a `q`."""
    typed: SimpleQueue[str] = SimpleQueue()
    if sys.platform == "win32" and sys.stdin.isatty():
        import msvcrt

        _listen(typed, msvcrt.getwch)
        yield typed
    elif sys.platform != "win32" and sys.stdin.isatty():
        import termios
        import tty

        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        tty.setcbreak(terminal)  # keys at once, and Ctrl-C as always
        try:
            _listen(typed, lambda: os.read(terminal, 1).decode(errors="ignore") or "q")
            yield typed
        finally:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
    else:
        _listen(typed, lambda: _first_letter(sys.stdin.fileno()))
        yield typed


def _listen(typed: "SimpleQueue[str]", read: Callable[[], str]) -> None:
    """Put what `read` returns into the queue, up to a `q`, while the rest goes on."""

    def listen() -> None:
        key = ""
        while key != "q":
            key = read()
            typed.put(key)

    Thread(target=listen, daemon=True).start()


def _first_letter(file: int) -> str:
    """The first letter of the next line; `q` at the end.

    Read byte by byte from the file itself: a thread that waits inside `sys.stdin` would hold
    its lock when Python ends.
    """
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(file, 1)
        if not byte:
            return "q" if not line else line.decode(errors="ignore")[:1]
        line += byte
    return line.decode(errors="ignore").strip()[:1]
