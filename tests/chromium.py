"""What the tests in a browser share: a check for Chromium, and a server for the site."""

import functools
import http.server
import os
import shutil
import threading
from contextlib import contextmanager

import pytest


def unless_there(is_required):
    """Skip the module without selenium or Chromium, or raise if they are required."""
    try:
        import axe_core_python  # noqa: F401
        import selenium  # noqa: F401
        import sphinx  # noqa: F401
    except ModuleNotFoundError as error:
        if is_required:
            raise
        reason = f"no {error.name}: python -m pip install -e '.[browser]'"
        pytest.skip(reason, allow_module_level=True)
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        reason = "no browser: install chromium and chromedriver, on Debian chromium-driver"
        if is_required:
            raise RuntimeError(reason)
        pytest.skip(reason, allow_module_level=True)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """Serve a folder on a free port of this machine; give its address."""
    handler = functools.partial(Quiet, directory=os.fspath(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
