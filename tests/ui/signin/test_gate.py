"""The gate before the server: what is answered to whom, from where, and with what headers."""

import re
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

import pytest
from signin_help import ALONE, ANNA, BEN, OIDC, ORIGIN, PROXY, PUBLISHED, claims, cookies
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocket, WebSocketDisconnect

from search.projects import audit, members
from search.projects.project import project_to_be
from search.projects.renaming import rename_project
from search.retrieval.deletion import delete_project
from ui import first_paint
from ui.page_names import NAMES
from ui.signin import gate, sessions
from ui.signin.gate import Gate
from ui.signin.identity import Person
from ui.signin.security_headers import policy

STREAM = "ws://localhost:8501/_stcore/stream"
PEOPLE_SEE = ("media/abc.png", "_stcore/upload_file/session/file", "component/x/y.js")
NOBODY_SEES = (
    "_stcore/metrics", "_stcore/script-health-check", "_stcore/agent/openapi.json", "_stcore/agent/mcp",
    "_stcore/agent/interact", "app/static/secret.txt", "compare/_stcore/metrics", "_stcore", "workspace",
)  # fmt: skip


async def _echo(socket: WebSocket) -> None:
    await socket.accept(subprotocol="streamlit" if socket.scope["subprotocols"] else None)
    await socket.send_text(",".join(socket.scope["subprotocols"]))
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        pass


@pytest.fixture
def asked(workspace, monkeypatch) -> Callable[..., TestClient]:
    """A client of what is behind a gate, which connects to an address of the machine."""
    monkeypatch.setattr(gate, "is_own_file", lambda way, file, person: person.name == ANNA)
    monkeypatch.setattr(gate, "is_own_session", lambda way, session, person: person.name == ANNA)

    async def anything(request: Any) -> PlainTextResponse:
        return PlainTextResponse("behind", headers={"x-frame-options": "ALLOWALL"})

    behind = Starlette(
        routes=[WebSocketRoute("/_stcore/stream", _echo), Route("/{path:path}", anything)]
    )

    def connect(
        way: Any, at: str = "127.0.0.1", host: str = "localhost:8501", **more: Any
    ) -> TestClient:
        guarded = Gate(behind, way)

        async def connected(scope: Any, receive: Any, send: Any) -> None:
            await guarded(
                {**scope, "server": (at, 8501)} if "server" in scope else scope, receive, send
            )

        client = TestClient(connected, base_url=f"http://{host}", **more)
        client.cookies.clear()
        return client

    return connect


def signed_in(client: TestClient, mail: str = ANNA, **more: Any) -> TestClient:
    for name, value in cookies(claims(mail, **more)).items():
        client.headers["cookie"] = f"{name}={value}"
    return client


def begins_anew(socket: WebSocketTestSession) -> None:
    """The browser is told to load the app again, and nothing more is said."""
    assert b"/" in socket.receive_bytes()
    with pytest.raises(WebSocketDisconnect):
        socket.receive_bytes()


def test_alone_on_this_machine_everything_is_answered(asked):
    client = asked(ALONE)
    for path in ("", *NAMES, *PEOPLE_SEE, "static/js/x.js", "_stcore/health", "_stcore/metrics"):
        assert client.get(f"/{path}").text == "behind", path
    for path in ("_stcore/agent/mcp", "app/static/secret.txt"):
        assert client.get(f"/{path}").status_code == 404
    for at in ("::1", "127.0.0.2", "::ffff:127.0.0.1"):
        assert asked(ALONE, at).get("/").text == "behind"


@pytest.mark.parametrize(
    ("at", "host", "headers"),
    [
        ("10.1.2.3", "localhost", {}),
        ("::", "localhost", {}),
        ("/run/bespoke.sock", "localhost", {}),
        ("127.0.0.1", "evil.example", {}),
        ("127.0.0.1", "127.0.0.1.evil.example", {}),
        ("127.0.0.1", "localhost.evil.example", {}),
        ("127.0.0.1", "localhost", {"x-forwarded-for": "203.0.113.9"}),
        ("127.0.0.1", "localhost", {"forwarded": "for=203.0.113.9"}),
        ("127.0.0.1", "localhost", {"via": "1.1 proxy"}),
        ("127.0.0.1", "localhost", {"x-forwarded-host": "bespoke.example"}),
        ("127.0.0.1", "localhost", {"x-forwarded-proto": "https"}),
        ("127.0.0.1", "localhost", {"cf-connecting-ip": "203.0.113.9"}),
    ],
)
def test_without_sign_in_nothing_from_elsewhere_is_answered(asked, at, host, headers):
    client = asked(ALONE, at, host, headers=headers)
    answer = client.get("/")
    assert answer.status_code == 403 and "SECURITY.md" in answer.text
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"ws://{host}:8501/_stcore/stream", headers=headers),
    ):
        pass


def test_a_published_container_answers_at_localhost_alone(asked):
    assert asked(PUBLISHED, "172.17.0.2").get("/").text == "behind"
    assert asked(PUBLISHED, "172.17.0.2").get("/_stcore/metrics").status_code == 404
    assert asked(PUBLISHED, "172.17.0.2", "evil.example").get("/").status_code == 403


def test_another_pages_script_opens_nothing(asked):
    for way, good, bad in (
        (ALONE, "http://localhost:8501", "http://evil.example"),
        (OIDC, ORIGIN, "https://evil.example"),
    ):
        client = signed_in(asked(way))
        with client.websocket_connect(STREAM, headers={"origin": good}) as socket:
            assert socket.receive_text() == ""
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect(STREAM, headers={"origin": bad}),
        ):
            pass


def test_before_anybody_is_signed_in_only_the_empty_page_is_answered(asked):
    client = asked(OIDC, "10.1.2.3", "bespoke.example")
    for path in (
        "",
        *NAMES,
        "static/js/x.js",
        "_stcore/health",
        "_stcore/host-config",
        "auth/login",
        "oauth2callback",
    ):
        assert client.get(f"/{path}").text == "behind", path
    for path in (*PEOPLE_SEE, *NOBODY_SEES):
        assert client.get(f"/{path}").status_code == 404, path
        assert client.put(f"/{path}").status_code in (404, 405), path
    for path in (
        "/_stcore//metrics",
        "/%5fstcore/metrics",
        "/_STCORE/metrics",
        "/x/../media/abc.png",
    ):
        assert client.get(path).status_code == 404, path


def test_a_file_and_an_upload_are_their_own_persons(asked):
    for path in PEOPLE_SEE[:2]:
        assert signed_in(asked(OIDC, "10.1.2.3")).get(f"/{path}").text == "behind"
        assert signed_in(asked(OIDC, "10.1.2.3"), BEN).get(f"/{path}").status_code == 404
    for path in NOBODY_SEES:
        assert signed_in(asked(OIDC, "10.1.2.3")).get(f"/{path}").status_code == 404
    for harm in ({"iat": 1}, {"origin": "https://evil.example"}, {"email_verified": False}):
        assert signed_in(asked(OIDC), **harm).get("/media/abc.png").status_code == 404


@pytest.mark.parametrize(
    ("at", "headers"),
    [
        ("10.1.2.3", [("x-forwarded-email", ANNA)]),
        ("10.1.2.3", [("x-forwarded-email", ANNA), ("x-forwarded-for", "127.0.0.1")]),
        ("/run/bespoke.sock", [("x-forwarded-email", ANNA)]),
        ("127.0.0.1", []),
        ("127.0.0.1", [("x-forwarded-email", "")]),
        ("127.0.0.1", [("x-forwarded-email", ANNA), ("x-forwarded-email", BEN)]),
        ("127.0.0.1", [("x-forwarded-email", ANNA), ("X-Forwarded-Email", "")]),
        ("127.0.0.1", [("x-forwarded-email", f"{ANNA},{BEN}")]),
        ("127.0.0.1", [("x_forwarded_email", ANNA)]),
    ],
)
def test_what_did_not_come_through_the_proxy_is_refused(asked, at, headers):
    client = asked(PROXY, at)
    for path in ("/", "/static/js/x.js", "/_stcore/health", "/media/abc.png"):
        assert client.get(path, headers=headers).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(STREAM, headers=type(client.headers)(headers)),
    ):
        pass


def test_what_came_through_the_proxy_is_answered(asked):
    client = asked(
        PROXY,
        host="bespoke.example",
        headers={"x-forwarded-email": ANNA, "x-forwarded-for": "203.0.113.9"},
    )
    assert client.get("/").text == "behind" and client.get("/media/abc.png").text == "behind"
    with client.websocket_connect(STREAM, headers={"x-forwarded-email": ANNA}) as socket:
        socket.receive_text()
        socket.send_text("hello")
        assert socket.receive_text() == "hello"


def test_signing_out_ends_what_is_open_and_is_noted(asked):
    client = signed_in(asked(OIDC, headers={"origin": ORIGIN}))
    with client.websocket_connect(STREAM) as socket:
        socket.receive_text()
        socket.send_text("hello")
        assert socket.receive_text() == "hello"
        assert client.get("/auth/logout").text == "behind"
        socket.send_text("more")
        begins_anew(socket)
    assert [(entry.what, entry.who, entry.known) for entry in audit.entries()] == [
        ("signed out", ANNA, "signed in")
    ]
    assert client.get("/media/abc.png").status_code == 404


def test_a_page_that_nobody_touches_closes_when_its_day_is_over(asked, monkeypatch):
    lasts = chain([100.0], repeat(0.01))  # First for who connects, then for the open page.
    monkeypatch.setattr(Person, "lasts", property(lambda _: next(lasts)))
    client = signed_in(asked(OIDC, headers={"origin": ORIGIN}))
    with client.websocket_connect(STREAM) as socket:
        socket.receive_text()
        begins_anew(socket)


def test_who_is_signed_out_takes_up_no_session(asked):
    client = asked(OIDC, headers={"origin": ORIGIN})
    wanted = ["streamlit", "token", "old-session"]
    with client.websocket_connect(STREAM, subprotocols=wanted) as socket:
        assert socket.receive_text() == "streamlit,token"


def test_who_is_shut_out_begins_anew_and_takes_up_no_session(asked):
    lab = project_to_be("lab").create()
    members.add(lab, BEN, "owner")
    client = signed_in(asked(OIDC, headers={"origin": ORIGIN}))
    wanted = ["streamlit", "token", "old-session"]
    sessions.note_person("old-session", ANNA)
    with client.websocket_connect(STREAM, subprotocols=wanted) as socket:
        assert socket.receive_text() == "streamlit,token,old-session", (
            "a short break of the line costs nothing"
        )
        members.add(lab, ANNA, "judge")
        socket.send_text("more")
        begins_anew(socket)
    with client.websocket_connect(STREAM, subprotocols=wanted) as socket:
        assert socket.receive_text() == "streamlit,token"


@pytest.mark.parametrize("way", [OIDC, PROXY])
def test_nobody_takes_up_another_persons_session(asked, way):
    """On a computer that people share, a page may ask for the session of who was there before."""
    sessions.note_person("annas", ANNA)
    wanted = ["streamlit", "token", "annas"]
    for person, took in ((ANNA, "streamlit,token,annas"), (BEN, "streamlit,token")):
        headers = {"origin": ORIGIN} if way is OIDC else {"x-forwarded-email": person}
        client = asked(way, headers=headers)
        if way is OIDC:
            signed_in(client, person)
        with client.websocket_connect(STREAM, subprotocols=wanted) as socket:
            assert socket.receive_text() == took
        with client.websocket_connect(STREAM, subprotocols=["streamlit", "token", "x"]) as socket:
            assert socket.receive_text() == "streamlit,token", "what nobody knows is nobody's"


def test_an_origin_that_is_no_address_is_refused(asked):
    for origin in ("http://[::1", "null", "http://", "localhost"):
        with (
            pytest.raises(WebSocketDisconnect),
            asked(ALONE).websocket_connect(STREAM, headers={"origin": origin}),
        ):
            pass


@pytest.mark.parametrize("done", ["deleted", "renamed"])
def test_what_is_open_of_a_project_that_is_gone_begins_anew(asked, done, monkeypatch):
    """Somebody else may call a new project so the next moment, and what is open would be taken for a part of it."""
    lab = project_to_be("lab").create()
    for person in (ANNA, BEN):
        members.add(lab, person, "owner")
    monkeypatch.setattr(audit, "_face", [lambda: audit.Actor(BEN, "signed in")])
    client = signed_in(asked(OIDC, headers={"origin": ORIGIN}))
    own = signed_in(asked(OIDC, headers={"origin": ORIGIN}), BEN)
    with client.websocket_connect(STREAM) as socket, own.websocket_connect(STREAM) as his:
        socket.receive_text(), his.receive_text()
        if done == "deleted":
            delete_project(lab)
        else:
            rename_project(lab, "ward")
        socket.send_text("more")
        begins_anew(socket)
        his.send_text("go on")
        assert his.receive_text() == "go on", "who did it is told so"


@pytest.mark.parametrize(
    "path", ["/", "/compare", "/static/js/x.js", "/_stcore/agent/mcp", "/media/abc.png"]
)
def test_each_answer_says_what_a_browser_may_do(asked, path):
    headers = asked(ALONE).get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers.get_list("x-frame-options") == ["DENY"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store", "where nothing else is said of it"
    said = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert said["img-src"] == "'self' data:" and said["frame-ancestors"] == "'none'"
    assert said["default-src"] == said["connect-src"] == said["form-action"] == "'self'"
    assert said["object-src"] == said["base-uri"] == said["frame-src"] == "'none'"
    assert "'unsafe-inline'" not in said["script-src"] and "http" not in policy()


def test_an_answer_that_fails_says_nothing_and_is_guarded_like_all_others(
    workspace, monkeypatch, caplog
):
    said = "a text of a document"

    async def failing(*_given: Any) -> None:
        raise ValueError(said)

    monkeypatch.setattr(gate, "_check_machine", lambda *given: None)
    answer = TestClient(Gate(failing, ALONE)).get("/compare")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["content-security-policy"] == policy()
    (log,) = workspace.rglob("*.log")
    assert "ValueError" in log.read_text() and str(log) in caplog.text
    assert "of a document" not in log.read_text() + caplog.text


def test_each_script_of_the_document_is_allowed_by_its_own_hash():
    inline = re.findall(r"<script>", first_paint.document())
    assert len(inline) == policy().count("'sha256-") == 2
