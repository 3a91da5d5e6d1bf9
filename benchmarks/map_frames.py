"""How smoothly a map of ten thousand documents moves in a browser: a Markdown table of frame times.

Run it with `make bench`, or choose: python -m benchmarks.map_frames --documents 3000. The map is that of
`benchmarks.insight`, two views of ten thousand points; a real Chromium zooms it with the wheel, drags it, draws a lasso,
and writes down how long each frame took. Drawn by the processor where the machine has no graphics card: a person's
computer is quicker.
"""

import argparse
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.common import empty_workspace, machine
from benchmarks.insight import mapped

CHROMIUM = "/usr/bin/chromium"
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader")
_PATIENCE = 120_000.0
_STEPS = 40
_SMOOTH = 50.0  # Milliseconds: twenty pictures a second.
_WATCH = """() => {
  window.frames_ = []; let last = performance.now();
  const next = (now) => { window.frames_.push(now - last); last = now; if (window.frames_) requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    chosen = parser.parse_args()
    with empty_workspace() as scratch:
        _, points = mapped(scratch, chosen.documents)
        print(f"Machine: {machine()}\n")
        print(
            f"| two views of {points:,} points | frames | median | 95 % within | over {_SMOOTH:.0f} ms |"
        )
        print("|---|---|---|---|---|", flush=True)
        with served() as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            expect.set_options(timeout=_PATIENCE)
            page.goto(f"{address}/map?project=documents&model=static&model=words")
            expect(page.locator(".js-plotly-plot .nsewdrag")).to_have_count(2)
            page.wait_for_timeout(3_000)
            for name, act in ACTS.items():
                print(row(name, frames(page, act)), flush=True)
            browser.close()


@contextmanager
def served() -> Iterator[str]:
    """The app on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    address = f"http://localhost:{port}"
    process = subprocess.Popen(
        [*command, "--server.port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + _PATIENCE / 1_000
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.2)
        yield address
    finally:
        process.kill()
        process.wait()


def frames(page: Page, act: Callable[[Page], None]) -> list[float]:
    """Milliseconds from each picture to the next while something is done to the first view."""
    page.evaluate(_WATCH)
    act(page)
    taken: list[float] = page.evaluate(
        "() => { const taken = window.frames_; window.frames_ = null; return taken; }"
    )
    page.wait_for_timeout(2_000)
    return taken[1:]


def row(name: str, taken: list[float]) -> str:
    """A line of the table."""
    worst = sorted(taken)[int(0.95 * len(taken))]
    slow = sum(one > _SMOOTH for one in taken) / len(taken)
    return f"| {name} | {len(taken)} | {statistics.median(taken):.0f} ms | {worst:.0f} ms | {slow:.0%} |"


def _middle(page: Page) -> tuple[float, float]:
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _nothing(page: Page) -> None:
    page.wait_for_timeout(2_000)


def _wheel(page: Page) -> None:
    page.mouse.move(*_middle(page))
    for step in range(_STEPS):
        page.mouse.wheel(0, -60 if step < _STEPS / 2 else 60)
        page.wait_for_timeout(30)


def _drag(page: Page) -> None:
    page.locator(".js-plotly-plot .modebar-btn[data-title='Pan']").first.click(force=True)
    x, y = _middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(_STEPS):
        page.mouse.move(x + 3 * step, y + 2 * step)
        page.wait_for_timeout(15)
    page.mouse.up()


def _lasso(page: Page) -> None:
    page.locator(".js-plotly-plot .modebar-btn[data-title='Lasso Select']").first.click(force=True)
    x, y = _middle(page)
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    for side in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        for _ in range(_STEPS // 4):
            x, y = x + 12 * side[0], y + 12 * side[1]
            page.mouse.move(x - 60, y - 60)
            page.wait_for_timeout(15)
    page.mouse.up()


ACTS: dict[str, Callable[[Page], None]] = {
    "nothing is done": _nothing,
    "zoom with the wheel": _wheel,
    "drag": _drag,
    "draw a lasso": _lasso,
}

if __name__ == "__main__":
    main()
