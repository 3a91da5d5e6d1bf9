"""Driving the app in a real browser: a server of its own, a page that is watched, pictures that can be read."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, expect
from playwright.sync_api import TimeoutError as TimeoutReached

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE = 120_000.0
# What Streamlit's page says when its server goes away for a moment (one part of the story makes it do
# so), and when it looks for its server below a page's own path first.
HARMLESS = re.compile(
    r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket"
    r"|Is Streamlit still running|when disconnected from server|No response received when attempting to reach|404 .*/[a-z]+/_stcore/(health|host-config)"
)

CONTRAST = """() => {
  const parse = c => { let m = c.match(/[\\d.]+/g).map(Number);
    if (c.startsWith('color(srgb')) m = m.map((v, i) => i < 3 ? 255 * v : v); // What color-mix() computes to.
    return m.length < 4 ? [...m, 1] : m; };
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > 0.99) return c; }
    return [255, 255, 255, 1]; };
  const bad = [];
  const all = '.b-card, .b-card *, .b-column *, .b-bar *, .b-soft, [data-testid=stCaptionContainer] p';
  for (const e of document.querySelectorAll(all)) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700);
    const under = ground(e), ink = parse(style.color);
    let cover = ink[3];
    for (let p = e; p; p = p.parentElement) cover *= +getComputedStyle(p).opacity;
    if (cover === 0) continue; // Comes up where a pointer or the keys are.
    const seen = [0, 1, 2].map(i => cover * ink[i] + (1 - cover) * under[i]);
    const [a, b] = [light(seen), light(under.slice(0, 3))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) bad.push(`${ratio.toFixed(2)}: ${e.className} ${e.textContent.slice(0, 40)}`);
  }
  return bad;
}"""


# What goes on for ever (a skeleton's shimmer) moves nothing.
STILL = """() => document.getAnimations().every(
  a => a.playState !== 'running' || a.effect.getComputedTiming().endTime === Infinity)"""


class Server:
    """The app on a port of its own.

    :param options: what else Streamlit is told.
    """

    def __init__(self, log: Path, *options: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.log = log
        self.options = options
        self.headers: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        command += ["--server.port", str(self.port), "--server.headless", "true", *self.options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=REPOSITORY, env=dict(os.environ), stdout=log, stderr=log
            )
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                asked = urllib.request.Request(f"{self.url}/_stcore/health", headers=self.headers)
                with urllib.request.urlopen(asked, timeout=2):
                    return
            except OSError:
                assert self._process.poll() is None, self.log.read_text()
                time.sleep(0.2)
        raise AssertionError(f"the app did not start: {self.log.read_text()}")

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(20)


class Witness:
    """Remembers what a page complained about and whom it asked."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.strangers: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        said = f"{message.text} {message.location['url']}"
        if message.type == "error" and not HARMLESS.search(said):
            self.errors.append(said)

    def _asked(self, request: Request) -> None:
        where = urlsplit(request.url)
        if where.scheme not in ("data", "blob") and where.hostname not in (
            "localhost",
            "127.0.0.1",
        ):
            self.strangers.append(request.url)


def count_clicks(page: Page) -> None:
    """Count what is clicked in a page's tab from now on, however often it is loaded anew; see `clicks`."""
    page.add_init_script(
        "addEventListener('click', e => { if (e.isTrusted)"
        " sessionStorage.clicks = 1 + Number(sessionStorage.clicks || 0); }, true)"
    )


def clicks(page: Page) -> int:
    """How often somebody clicked since they are counted; a press on a label counts as two, so it is an upper bound."""
    return int(page.evaluate("Number(sessionStorage.clicks || 0)"))


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def visit(page: Page, name: str, heading: str) -> None:
    if name in ("Map", "Words", "Judge", "Models"):
        page.get_by_role("button", name="More", exact=True).click()
        page.get_by_role("menuitem", name=name, exact=True).click()
    else:
        page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    settled(page)


def settled(page: Page) -> None:
    """Wait until the page has drawn what it was asked to, and nothing moves any more.

    A person waits for that, too: while a part unfolds, a button may be gone from under the mouse before it is let go.
    """
    page.wait_for_selector("h1")
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_function(STILL)
    assert page.get_by_test_id("stException").count() == 0, page.inner_text("body")
    assert page.get_by_text("This page failed").count() == 0, page.inner_text("body")


def picture(page: Page, folder: Path, name: str) -> None:
    """Keep a picture, and see that everything in it can be read."""
    settled(page)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    with suppress(TimeoutReached):  # Styles may come a moment after the texts.
        page.wait_for_function(f"({CONTRAST})().length === 0", timeout=5_000)
    unreadable = page.evaluate(CONTRAST)
    assert not unreadable, f"{name}: contrast below WCAG AA"
