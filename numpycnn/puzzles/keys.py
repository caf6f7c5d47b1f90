"""Read the keys that are typed while a file is watched.

On a terminal, each key takes effect at once. In a pipe or a notebook, a line does. Keys are read
with `termios` on POSIX systems and with `msvcrt` on Windows.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Thread

from numpycnn.puzzles.screen import is_interactive


class Keys:
    """The typed keys, one at a time; `"q"` at the end of the input.

    A key that is read during another task can be returned to `back`.
    """

    def __init__(self) -> None:
        self.back: deque[str] = deque()

    def get(self, timeout: float) -> str:
        """Return the next key, or `""` if none is typed within `timeout` seconds."""
        return self.back.popleft() if self.back else self.read(timeout)

    def read(self, timeout: float) -> str:
        """Wait for a key and return it."""
        raise NotImplementedError

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to another program, such as an editor."""
        yield


class _Lines(Keys):
    """Lines of a pipe."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: SimpleQueue[str] = SimpleQueue()
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        """Read from the file descriptor; a thread in `sys.stdin` would hold its lock at exit."""
        line = b""
        if sys.stdin is None:  # it was closed
            self.lines.put("q")
            return
        while byte := os.read(sys.stdin.fileno(), 1):
            line += byte
            if byte == b"\n":
                self.lines.put(line.decode(errors="ignore").strip() or "\n")
                line = b""
        if line.strip():
            self.lines.put(line.decode(errors="ignore").strip())
        self.lines.put("q")

    def read(self, timeout: float) -> str:
        try:
            return self.lines.get(timeout=timeout)
        except Empty:
            return ""


if sys.platform == "win32":
    import msvcrt

    class _Terminal(Keys):
        """Keys of a Windows terminal."""

        def read(self, timeout: float) -> str:
            end = time.monotonic() + timeout
            while not msvcrt.kbhit():
                if time.monotonic() > end:
                    return ""
                time.sleep(0.02)
            return msvcrt.getwch().replace("\r", "\n")

else:
    import termios
    import tty

    class _Terminal(Keys):
        """Keys of a POSIX terminal."""

        def __init__(self) -> None:
            super().__init__()
            self.terminal = sys.stdin.fileno()
            self.before = termios.tcgetattr(self.terminal)
            self.begin()

        def begin(self) -> None:
            """Deliver each key at once; Ctrl-C works as usual."""
            tty.setcbreak(self.terminal)
            signal.signal(signal.SIGTSTP, self.stop)

        def end(self) -> None:
            """Restore the terminal."""
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            termios.tcsetattr(self.terminal, termios.TCSADRAIN, self.before)

        def stop(self, *_: object) -> None:
            """Leave the terminal to the shell at Ctrl-Z, until `fg`."""
            with self.paused():
                signal.raise_signal(signal.SIGTSTP)

        def read(self, timeout: float) -> str:
            if not select.select([self.terminal], [], [], timeout)[0]:
                return ""
            return os.read(self.terminal, 1).decode(errors="ignore") or "q"

        @contextmanager
        def paused(self) -> Iterator[None]:
            self.end()
            try:
                yield
            finally:
                self.begin()


@contextmanager
def typed_keys() -> Iterator[Keys]:
    """Yield the typed keys, and restore the terminal afterwards."""
    if not is_interactive(sys.stdin):
        yield _Lines()
        return
    keys = _Terminal()
    try:
        yield keys
    finally:
        if sys.platform != "win32":
            keys.end()
