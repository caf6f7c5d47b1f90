"""Chromium without a window, for the tests that need a browser."""

import functools
import http.server
import os
import shutil
import threading
from contextlib import contextmanager

import pytest

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
    --disable-background-networking --disable-component-update --allow-file-access-from-files"""


def unless_there(is_required):
    """Skip the module without selenium or Chromium, or raise if they are required."""
    try:
        import axe_core_python  # noqa: F401
        import selenium  # noqa: F401
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


def start(profile):
    """Start a browser that logs what it fetches and what the console shows."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    driver.command_executor.client_config.timeout = 900
    driver.get("about:blank")  # in place of Chromium's own page, which fetches things
    return driver


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
