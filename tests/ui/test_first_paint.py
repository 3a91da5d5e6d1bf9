"""What the browser is given before Streamlit draws: the page's own styles, at every address of a page."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit import file_util

from ui import first_paint
from ui.navigation import NAMES, pages

STYLE = (Path(first_paint.__file__).parent / "style.css").read_text(encoding="utf-8")
SCRIPT = (Path(first_paint.__file__).parent / "early.js").read_text(encoding="utf-8")
INDEX = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=first_paint.routes()))


@pytest.mark.parametrize("path", ["", *NAMES])
def test_every_page_has_its_styles_from_the_first_byte_on(client: TestClient, path: str) -> None:
    answer = client.get(f"/{path}?project=x")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache", "a new version is seen at once"
    assert "<title>Bespoke</title>" in answer.text
    head, _, body = answer.text.partition("</head>")
    assert STYLE in body, "after whatever Streamlit adds to the head, so that ours wins"
    assert SCRIPT in body
    assert body.index(STYLE) < body.index('<div id="root">')
    for line in INDEX.splitlines():
        if "<script" in line or "stylesheet" in line:
            assert line in head, "Streamlit's own parts stay as they are"


def test_what_most_pages_are_drawn_with_is_fetched_ahead(client: TestClient) -> None:
    said = client.get("/compare").text
    ahead = re.findall(r'rel="modulepreload" crossorigin href="\./([^"]+)"', said)
    assert len(ahead) == len(set(ahead)), "each once"
    for file in ahead:
        assert (Path(file_util.get_static_dir()) / file).is_file(), file
    names = {Path(file).name.split(".")[0] for file in ahead}
    assert {"Html", "TextInput", "BidiComponent", "Button"} <= names
    assert "PlotlyChart" not in names, "what one page needs is left to it"


def test_other_addresses_are_left_to_streamlit(client: TestClient) -> None:
    assert client.get("/static/js/index.js").status_code == 404
    assert client.get("/compare/_stcore/health").status_code == 404
    assert list(pages()) == list(NAMES)
