"""The page before anything is drawn on it: Streamlit's own, with the style sheet in it from the first byte on.

Styles that are sent as an element of the page come after the texts they are for, and all that was drawn jumps.
"""

import json
from functools import cache
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit import file_util

from ui.page_names import NAMES
from ui.rendering import render

# What most pages are drawn with. Streamlit fetches each when it is first needed: one after another, with a gap in its
# place meanwhile.
_PARTS = (
    "Html", "Button", "ButtonGroup", "Selectbox", "TextInput", "Multiselect", "Slider", "NumberInput",
    "BidiComponent", "Checkbox", "DownloadButton",
)  # fmt: skip


def routes() -> list[Route]:
    """The addresses of the pages; everything else is Streamlit's to answer."""
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    root = f"/{base}" if base else ""
    return [Route(f"{root}/{name}", _answer) for name in ("", *NAMES)]


async def _answer(request: Request) -> HTMLResponse:
    return HTMLResponse(document(), headers={"Cache-Control": "no-cache"})


@cache
def document() -> str:
    """Streamlit's document with the title, the style sheet, a small script, and what most pages need beside them.

    The sheet stands in the body: what Streamlit adds to the head later must not come after it.
    """
    folder = Path(file_util.get_static_dir())
    made = (folder / "index.html").read_text(encoding="utf-8")
    made = made.replace("<title>Streamlit</title>", "<title>Bespoke</title>", 1)
    ahead = [file for file in _ahead(folder) if file not in made]
    made = made.replace("</head>", render("preload.html", files=ahead), 1)
    return made.replace("<body>", render("first_paint.html"), 1)


def _ahead(folder: Path) -> list[str]:
    """The files of the parts and of what these import, as Streamlit's own list of its files names them."""
    known = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    wanted = [source for source in known if Path(source).stem in _PARTS]
    files: dict[str, None] = {}
    while wanted:
        entry = known[wanted.pop()]
        if entry["file"] not in files:
            files[entry["file"]] = None
            wanted += entry.get("imports", ())
    return list(files)
