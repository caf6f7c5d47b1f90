"""Firefox, driven by Selenium without geckodriver.

geckodriver translates the commands of Selenium to those of Marionette, the protocol of Firefox
itself. It is in no package index. The two have almost the same commands, so a table is enough.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.remote.command import Command

NAMES = {
    Command.NEW_SESSION: "WebDriver:NewSession",
    Command.GET: "WebDriver:Navigate",
    Command.REFRESH: "WebDriver:Refresh",
    Command.GO_BACK: "WebDriver:Back",
    Command.SET_TIMEOUTS: "WebDriver:SetTimeouts",
    Command.W3C_EXECUTE_SCRIPT: "WebDriver:ExecuteScript",
    Command.W3C_EXECUTE_SCRIPT_ASYNC: "WebDriver:ExecuteAsyncScript",
    Command.FIND_ELEMENT: "WebDriver:FindElement",
    Command.FIND_ELEMENTS: "WebDriver:FindElements",
    Command.FIND_CHILD_ELEMENTS: "WebDriver:FindElements",
    Command.W3C_GET_ACTIVE_ELEMENT: "WebDriver:GetActiveElement",
    Command.CLICK_ELEMENT: "WebDriver:ElementClick",
    Command.SEND_KEYS_TO_ELEMENT: "WebDriver:ElementSendKeys",
    Command.GET_ELEMENT_TEXT: "WebDriver:GetElementText",
    Command.GET_ELEMENT_TAG_NAME: "WebDriver:GetElementTagName",
    Command.GET_ELEMENT_ATTRIBUTE: "WebDriver:GetElementAttribute",
    Command.GET_ELEMENT_PROPERTY: "WebDriver:GetElementProperty",
    Command.IS_ELEMENT_SELECTED: "WebDriver:IsElementSelected",
    Command.IS_ELEMENT_ENABLED: "WebDriver:IsElementEnabled",
    Command.W3C_ACTIONS: "WebDriver:PerformActions",
    Command.SCREENSHOT: "WebDriver:TakeScreenshot",
    Command.SET_WINDOW_RECT: "WebDriver:SetWindowRect",
    Command.QUIT: "Marionette:Quit",
    "setContext": "Marionette:SetContext",
}
"""The commands that the tests use, in Selenium and in Marionette."""

PREFERENCES = {  # what Firefox does on its own account: nothing
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
    "marionette.port": 0,  # a free one, which is written into the profile
}


class Link:
    """Sends a command, and returns the answer as Selenium expects it."""

    def __init__(self, port):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            self.stream = connection.makefile("rwb")  # keeps it open
        self.number = 0
        self.read()  # the greeting

    def read(self):
        """Return a message: its length, a colon, and JSON."""
        length = b""
        while (byte := self.stream.read(1)) != b":":
            length += byte
        return json.loads(self.stream.read(int(length)))

    def execute(self, command, params):
        """Send a command of Selenium."""
        self.number += 1
        given = {name: value for name, value in params.items() if name != "sessionId"}
        if command == Command.NEW_SESSION:
            given = {}
        if command == Command.FIND_CHILD_ELEMENTS:
            given["element"] = given.pop("id")
        if command == Command.QUIT:
            given = {"flags": ["eForceQuit"]}
        message = json.dumps([0, self.number, NAMES[command], given]).encode()
        self.stream.write(b"%d:%s" % (len(message), message))
        self.stream.flush()
        _, _, error, result = self.read()
        if error:
            return {"status": error["error"], "value": error}
        is_wrapped = isinstance(result, dict) and result.keys() == {"value"}
        return {"value": result["value"] if is_wrapped else result}

    def close(self):
        """End the connection."""
        self.stream.close()


@contextmanager
def start_browser(profile):
    """Start Firefox without a window; it records what it fetches and complains about."""
    profile = Path(profile)
    lines = [f"user_pref({json.dumps(n)}, {json.dumps(v)});\n" for n, v in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")
    command = [shutil.which("firefox-esr") or "firefox", "--headless", "--no-remote"]
    command += ["--marionette", "-remote-allow-system-access", "--profile", os.fspath(profile)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = profile / "MarionetteActivePort"
        while not (port.exists() and port.read_text(encoding="utf-8")):
            assert process.poll() is None
            time.sleep(0.05)
        link = Link(int(port.read_text(encoding="utf-8")))
        driver = webdriver.Remote(link, options=webdriver.FirefoxOptions())
        driver._is_remote = False  # files are here
        with system(driver):
            driver.execute_script(RECORD)
        yield driver
        with suppress(OSError, ValueError):
            driver.quit()
    finally:
        process.terminate()
        process.wait()


# What it fetched, and its console
# --------------------------------

RECORD = """
window.requests = [];
const note = (channel, {triggeringPrincipal: cause} = channel.loadInfo) =>
    cause.isSystemPrincipal || window.requests.push(channel.URI.spec);
Services.obs.addObserver(
    {observe: channel => note(channel.QueryInterface(Ci.nsIHttpChannel))},
    "http-on-modify-request");
"""
COMPLAINTS = """
const errors = Services.console.getMessageArray().filter(message =>
    message instanceof Ci.nsIScriptError && !(message.flags & Ci.nsIScriptError.warningFlag));
Services.console.reset();
const ofPages = errors.filter(({sourceName}) => /^(https?|file|blob):/.test(sourceName));
return ofPages.map(message => message.errorMessage);
"""


@contextmanager
def system(browser):
    """Run scripts in the window of Firefox instead of the page."""
    browser.execute("setContext", {"value": "chrome"})
    try:
        yield
    finally:
        browser.execute("setContext", {"value": "content"})


def requests(browser):
    """Return the addresses that pages fetched since the last call."""
    with system(browser):
        return browser.execute_script("return window.requests.splice(0)")


def complaints(browser):
    """Return the errors of pages in the console since the last call."""
    with system(browser):
        return browser.execute_script(COMPLAINTS)
