"""Whose a file or an upload is, as Streamlit's own manager of files notes it."""

from types import SimpleNamespace
from typing import Any

import pytest
from signin_help import ANNA, BEN, OIDC, PROXY, claims, cookies
from streamlit.runtime import media_file_manager
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.runtime import Runtime
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from ui.signin import sessions
from ui.signin.identity import Person
from ui.signin.sessions import is_own_file, is_own_session


def opened(headers: Any = (), jar: Any = None) -> SimpleNamespace:
    context = SimpleNamespace(headers=headers, cookies=jar or {})
    return SimpleNamespace(client=SimpleNamespace(client_context=context))


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> MediaFileManager:
    """What was drawn; the sessions are Anna's and Ben's."""
    known = {
        "annas": opened(jar=cookies(claims(ANNA, iat=claims()["iat"] - 600))),
        "bens": opened(jar=cookies(claims(BEN))),
        "over": opened(jar=cookies(claims(ANNA, iat=1))),
        "proxied": opened([("x-forwarded-email", ANNA), ("cookie", "x")]),
    }
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))
    manage = SimpleNamespace(get_active_session_info=known.get)
    made = SimpleNamespace(media_file_mgr=manager, _session_mgr=manage)
    monkeypatch.setattr(sessions.runtime, "exists", lambda: True)
    monkeypatch.setattr(sessions.runtime, "get_instance", lambda: made)
    return manager


def draw(
    files: MediaFileManager, session: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> str:
    monkeypatch.setattr(media_file_manager, "_get_session_id", lambda: session)
    url = files.add(content, "text/csv", "0.1", file_name="a.csv", is_for_static_download=True)
    return url.removeprefix("/media/")


def test_a_file_is_for_whom_it_was_drawn(files, monkeypatch):
    hers, his = draw(files, "annas", b"a", monkeypatch), draw(files, "bens", b"b", monkeypatch)
    assert [is_own_file(OIDC, file, Person(ANNA, 5.0)) for file in (hers, his)] == [True, False]
    assert [is_own_file(OIDC, file, Person(BEN, 5.0)) for file in (hers, his)] == [False, True]
    both = draw(files, "bens", b"a", monkeypatch)
    assert both == hers and is_own_file(OIDC, both, Person(BEN, 5.0)), (
        "the same file, drawn for both"
    )
    assert not is_own_file(OIDC, "unknown.csv", Person(ANNA, 5.0))
    assert not is_own_file(OIDC, draw(files, "over", b"c", monkeypatch), Person(ANNA, 5.0))


def test_an_upload_goes_into_ones_own_session(files):
    owners = [
        is_own_session(OIDC, name, Person(ANNA, 5.0)) for name in ("annas", "bens", "over", "none")
    ]
    assert owners == [True, False, False, False]
    assert is_own_session(PROXY, "proxied", Person(ANNA)) and not is_own_session(
        PROXY, "proxied", Person(BEN)
    )


def test_streamlit_still_has_what_this_asks():
    assert hasattr(WebsocketSessionManager, "get_active_session_info")
    assert "_session_mgr" in Runtime.__init__.__code__.co_names
