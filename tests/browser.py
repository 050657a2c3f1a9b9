"""A real browser: Debian's chromium and chromium-driver, spoken to in the WebDriver protocol."""

import contextlib
import json
import shutil
import subprocess
import time
import urllib.request

import pytest


class Browser:
    """One window of a headless chromium that notes every request and every message on the console."""

    def __init__(self, port):
        self.address = f"http://127.0.0.1:{port}"
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,1800"]
        wanted = {
            "goog:chromeOptions": {"binary": shutil.which("chromium"), "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        self.address += (
            "/session/" + self.call("/session", capabilities={"alwaysMatch": wanted})["sessionId"]
        )

    def call(self, path, **body):
        request = urllib.request.Request(self.address + path, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def run(self, script, *arguments):
        return self.call("/execute/sync", script=script, args=arguments)

    def log(self, kind):
        return self.call("/se/log", type=kind)

    def requests(self):
        events = [json.loads(each["message"])["message"] for each in self.log("performance")]
        return [
            each["params"]["request"]["url"]
            for each in events
            if each["method"] == "Network.requestWillBeSent"
        ]


@contextlib.contextmanager
def open_browser():
    """Start a window, or skip the test where there is no chromium."""
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            pytest.skip(f"no {program} here; Debian has it in the packages chromium and chromium-driver")
    driver = subprocess.Popen(
        ["chromedriver", "--port=9516"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                window = Browser(9516)
                break
            time.sleep(0.1)
        yield window
        urllib.request.urlopen(urllib.request.Request(window.address, method="DELETE"), timeout=30)
    finally:
        driver.terminate()
        driver.wait()
