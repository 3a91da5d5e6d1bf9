"""The helper that asks axe-core finds what it is there to find."""

from accessible import accessible, complaints
from playwright.sync_api import Browser

_SOUND = """<html lang="en"><title>A</title><main><h1>Results</h1>
<label>Question <input></label><button>Search</button></main></html>"""
_FLAWED = """<html lang="en"><title>A</title><main><h1>Results</h1>
<h3>of what?</h3><input><p style="color:#bbb;background:#fff">hard to read</p></main></html>"""


def test_what_axe_objects_to_is_told_with_the_element(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(_SOUND)
    accessible(page, "a sound page")
    page.set_content(_FLAWED)
    found = complaints(page)
    assert [line.split(" ")[0] for line in found] == ["color-contrast", "heading-order", "label"]
    assert "hard to read" in found[0]
    assert complaints(page, "h1") == []
