"""The gate: who may ask, and where a server listens at all."""

import socket

import pytest

from search.projects.errors import Refused
from serving.listening import bound, may_listen

KEY = "a-key-of-the-tests-7f3a9c"
BODY = {"model": "generic", "input": "frost"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "192.168.1.7:8600"},
        {"Origin": "https://evil.example"},
        {"X-Forwarded-For": "1.2.3.4"},
        {"Forwarded": "for=1.2.3.4"},
    ],
)
def test_without_a_key_this_machine_alone_is_answered(asking, headers):
    for path in ("/health", "/v1/models"):
        answer = asking.get(path, headers=headers)
        assert answer.status_code == 403 and "this machine alone" in answer.text
    assert asking.get("/v1/models", headers={"Origin": "http://localhost:3000"}).status_code == 200


def test_with_a_key_nothing_but_health_is_answered_without_it(
    project, running, monkeypatch, caplog, capfd
):
    monkeypatch.setenv("BESPOKE_SERVE_KEY", KEY)
    with running(project) as asking:
        for path in ("/v1/models", "/metrics", "/docs", "/openapi.json", "/v1/status"):
            for given in (
                {},
                {"Authorization": f"Bearer {KEY}x"},
                {"Authorization": f"Basic {KEY}"},
            ):
                answer = asking.get(path, headers=given)
                assert answer.status_code == 401, path
                assert answer.json()["error"]["code"] == "invalid_api_key"
                assert answer.headers["www-authenticate"] == "Bearer"
        unlike = {"Authorization": "Bearer \u00fcnknown".encode()}
        refused = asking.post("/v1/embeddings", BODY, headers=unlike)
        assert refused.status_code == 401
        assert asking.get("/health").json() == {"status": "ok"}
        # Whoever has it may come by any name, and through a proxy.
        given = {
            "Authorization": f"Bearer {KEY}",
            "Host": "ask.example",
            "X-Forwarded-For": "1.2.3.4",
        }
        assert asking.post("/v1/embeddings", BODY, headers=given).status_code == 200
    said = caplog.text + "".join(capfd.readouterr())
    assert KEY not in said and "frost" not in said


def test_every_answer_forbids_guessing_types_and_keeping(asking):
    for path in ("/docs", "/health", "/nowhere"):
        headers = asking.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
    page = asking.get("/docs").text
    assert "POST /v1/search" in page and "input_type" in page
    assert "http://" not in page and "https://" not in page and "<script" not in page
    assert "/v1/rerank" in asking.get("/openapi.json").json()["paths"]


def test_what_is_asked_is_counted(asking):
    def counted(line):
        page = asking.get("/metrics").text
        return sum(float(one.split()[-1]) for one in page.splitlines() if one.startswith(line))

    lines = (
        'bespoke_requests_total{path="/v1/embeddings",status="200"}',
        'bespoke_requests_total{path="other",status="404"}',
        'bespoke_tokens_total{model="generic"}',
        "bespoke_batch_texts_count",
    )
    before = [counted(line) for line in lines]
    asking.post("/v1/embeddings", BODY)
    asking.get("/somewhere/else")
    after = [counted(line) for line in lines]
    assert [b - a for a, b in zip(before, after, strict=True)][:2] == [1, 1]
    assert after[2] > before[2] and after[3] == before[3] + 1


@pytest.mark.parametrize("host", ["0.0.0.0", "", "192.168.1.7", "example.org", "::"])
def test_beyond_this_machine_nothing_listens_without_a_key(monkeypatch, host):
    with pytest.raises(Refused, match="BESPOKE_SERVE_KEY"):
        may_listen(host)
    monkeypatch.setenv("BESPOKE_LISTENS", "loopback")
    may_listen(host)
    monkeypatch.delenv("BESPOKE_LISTENS")
    monkeypatch.setenv("BESPOKE_BEYOND_LOOPBACK", "")
    monkeypatch.setenv("BESPOKE_SERVE_KEY", KEY)
    may_listen(host)
    from search.projects.settings import settings

    assert settings().beyond_loopback, "others ask: no server of this network is asked for them"


@pytest.mark.parametrize("key", ["short", "a key with spaces in it", "schlüssel-von-allen-leuten"])
def test_a_key_that_would_not_hold_is_refused_unseen(monkeypatch, key):
    monkeypatch.setenv("BESPOKE_SERVE_KEY", key)
    with pytest.raises(Refused, match="BESPOKE_SERVE_KEY holds no key") as refused:
        may_listen("localhost")
    assert key not in str(refused.value)


def test_where_it_cannot_listen_or_has_no_such_model_is_one_sentence(project, call_cli):
    def refused(*arguments):
        done = call_cli("serve", "lab", *arguments)
        assert (done.status, done.out) == (2, "")
        (line,) = done.err.splitlines()
        return line

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused("--host", "127.0.0.1", "--port", port)
    assert said.startswith(f"Nothing can listen on 127.0.0.1:{port} (Address already in use)")
    assert "choose another --port" in said
    with pytest.raises(Refused, match="is no address of this machine"):
        bound("no.such.host.invalid", 0)
    assert "BESPOKE_SERVE_KEY" in refused("--host", "0.0.0.0")
    said = refused("--port", 0, "--model", "nope")
    assert said.startswith("There is no model 'nope' in 'lab'.")
