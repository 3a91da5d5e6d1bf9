"""A loop around points of the map, drawn with the mouse."""

import re

from driving import settled
from playwright.sync_api import Page, expect

# What each view of the map shows, and what is chosen in it, as positions of documents.
POINTS = """() => [...document.querySelectorAll('.js-plotly-plot')].map(plot => {
  const traces = plot.data.filter(trace => trace.customdata);
  return {
    documents: traces.flatMap(trace => [...trace.customdata]),
    selected: traces.flatMap(trace => [...(trace.selectedpoints ?? [])].map(n => trace.customdata[n])),
  };
})"""
_CORNERS = ((0.02, 0.1), (0.98, 0.1), (0.98, 0.55), (0.02, 0.55), (0.02, 0.12))


def lasso(page: Page) -> int:
    """Loop the upper half of the first view; the other one marks the same documents.

    :returns: how many were chosen.
    """
    box = page.locator(".js-plotly-plot").first.bounding_box()
    assert box is not None
    x, y, width, height = (box[k] for k in ("x", "y", "width", "height"))
    page.mouse.move(x + 0.02 * width, y + 0.1 * height)
    page.mouse.down()
    for right, down in _CORNERS:
        page.mouse.move(x + right * width, y + down * height, steps=4)
    page.mouse.up()
    said = page.get_by_text(re.compile(r"^[\d,]+ documents? selected$"))
    expect(said).to_be_visible()
    settled(page)
    count = int(said.inner_text().split()[0].replace(",", ""))
    page.wait_for_function(f"({POINTS})().every(one => one.selected.length === {count})")
    chosen = [sorted(one["selected"]) for one in page.evaluate(POINTS)]
    assert chosen[0] == chosen[-1]
    return count
