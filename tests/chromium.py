"""What the tests in a browser share: a check for Chromium, a server for the site, and scripts that
measure what a reader sees.
"""

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
    """Serves files, which a browser may keep as those of a code host, and logs nothing."""

    def end_headers(self):
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()

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


# Scripts
# -------

# A theme that changes does so at once.
AT_ONCE = """
const rule = document.createElement('style');
rule.textContent = '* { transition: none !important }';
document.head.append(rule);
"""

# Contrast, as the Web Content Accessibility Guidelines 2.1 define it (1.4.3): the ratio of
# the brighter to the darker of letter and ground, at least 4.5, or 3 for large letters.

CONTRAST = """
const channels = c => c.match(/[\\d.]+/g).map(Number);
const linear = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = c => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
const grounds = new Map([[null, [255, 255, 255]]]);
function ground(e) {
    if (!grounds.has(e)) {
        const c = channels(getComputedStyle(e).backgroundColor);
        grounds.set(e, c.length < 4 || c[3] > 0.99 ? c : ground(e.parentElement));
    }
    return grounds.get(e);
}
const pale = new Set(), around = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode())
    if (walker.currentNode.textContent.trim()) around.add(walker.currentNode.parentElement);
for (const e of around) {
    const style = getComputedStyle(e);
    const hidden = !e.getClientRects().length || style.opacity < 0.1
        || style.visibility === 'hidden' || e.closest('svg, .headerlink');
    if (hidden) continue;
    const [a, b] = [light(channels(style.color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5))
        pale.add(`${e.className || e.tagName} ${style.color} ${ratio.toFixed(1)}`);
}
return [getComputedStyle(document.body).backgroundColor, [...pale]];
"""

# The smallest letters and targets of the figure `root`, in pixels, and words outside it.

SIZES = """
const box = root.querySelector('svg').getBoundingClientRect();
const scale = box.width / root.querySelector('svg').viewBox.baseVal.width;
const shown = e => e.checkVisibility() && e.getBoundingClientRect().width;
const texts = [...root.querySelectorAll('svg text')].filter(e => e.textContent.trim() && shown(e));
const inputs = 'button, select, input[type=range], fieldset label';
return {
  letters: Math.min(...texts.map(e => parseFloat(getComputedStyle(e).fontSize) * scale)),
  targets: Math.min(...[...root.querySelectorAll(inputs)]
    .filter(shown).map(e => e.getBoundingClientRect().height)),
  outside: texts.filter(e => {
    const it = e.getBoundingClientRect();
    return it.left < box.left - 1 || it.right > box.right + 1 || it.bottom > box.bottom + 1;
  }).map(e => e.textContent),
};
"""
