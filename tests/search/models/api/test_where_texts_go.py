"""What is sent to a server goes there and nowhere else, with what is meant and nothing else; its answers are bounded."""

import json
import logging
import socket

import pytest
from bad_server import DIMENSION, KEY, bad_server

from search.models.api.client import Caller
from search.models.api.settings import ApiSettings, api_settings
from search.models.prompts import prompts_of
from search.projects import outgoing
from search.projects.errors import Failed, Refused

LEAKS = {
    "OPENAI_ORG_ID": "org-leak", "OPENAI_PROJECT_ID": "proj-leak", "OPENAI_ADMIN_KEY": "admin-leak",
    "OPENAI_API_KEY": "sk-leak", "OPENAI_BASE_URL": "http://127.0.0.1:9/leak",
    "OPENAI_CUSTOM_HEADERS": "X-Leak: custom-leak\nAuthorization: Bearer custom-leak",
    "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "",
}  # fmt: skip
SENT = {
    "Host", "Accept", "Content-Type", "Content-Length", "Connection", "Accept-Encoding", "User-Agent", "Authorization",
}  # fmt: skip


@pytest.fixture(autouse=True)
def fresh(workspace):
    outgoing._note_once.cache_clear()


@pytest.fixture
def ask(settings):
    """Ask the server for one vector, with some other settings."""

    def asked(**more):
        chosen = settings(**{"retries": 0, **more})
        return Caller(chosen, project="lab").embed(["frost"], DIMENSION)

    return asked


def addresses(monkeypatch, *found):
    """Let every name have these addresses."""

    def looked_up(host, port, *given, **more):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)


def test_nothing_of_the_environment_goes_along(server, ask, monkeypatch, caplog):
    for name, value in LEAKS.items():
        monkeypatch.setenv(name, value)
    for name in ("openai", "httpx2", "httpcore2"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        ask()
    (request,) = server.requests
    assert {name.title() for name in request.headers} <= SENT
    assert "leak" not in str(request.headers) and request.key == KEY
    assert request.headers["user-agent"] == "bespoke"
    assert "frost" not in caplog.text
    with bad_server() as open_to_all:
        ask(base_url=open_to_all.url, key_variable=None)
        assert "Authorization" not in open_to_all.requests[0].headers


def test_no_redirect_is_followed(server, ask):
    with bad_server() as other:
        server.script.append(f"to:{other.url}/embeddings")
        host = other.url.split("/")[2]
        with pytest.raises(Failed, match=rf"sends on to {host} \(status 307\)"):
            ask()
        server.script.append("to:/elsewhere")
        with pytest.raises(Failed, match="sends on to another path"):
            ask()
        assert other.requests == [] and len(server.requests) == 2


@pytest.mark.parametrize("variable", ["HOME", "AWS_SECRET_ACCESS_KEY", "BESPOKE_MILVUS_TOKEN"])
def test_only_variables_that_hold_keys_for_servers_are_sent(server, ask, monkeypatch, variable):
    monkeypatch.setenv(variable, KEY)
    with pytest.raises(Refused, match=r"holds no key for servers.*BESPOKE_KEYS") as said:
        ask(key_variable=variable)
    assert KEY not in str(said.value) and server.requests == []
    monkeypatch.setenv("BESPOKE_KEYS", f"OTHER_API_KEY, {variable}")
    ask(key_variable=variable)
    assert server.requests[0].key == KEY


def test_openais_key_goes_to_openai_alone(server, ask, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for url in (server.url, "http://api.openai.com/v1", "https://api.openai.com.evil.example/v1"):
        with pytest.raises(Refused, match="The key in OPENAI_API_KEY is not sent to"):
            ApiSettings(base_url=url, model="m", key_variable="OPENAI_API_KEY").key()
    assert api_settings({"model": "text-embedding-3-small"}).key() == KEY
    monkeypatch.setenv("BESPOKE_SERVERS", server.url.split("/")[2])
    ask(key_variable="OPENAI_API_KEY")
    assert len(server.requests) == 1


def test_a_key_is_one_line(ask, server, monkeypatch):
    monkeypatch.setenv("BESPOKE_KEY_TEST", "sk-1\r\nX-More: 1")
    with pytest.raises(Refused, match="holds no key: one is a line"):
        ask()
    assert server.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "168.63.129.16", "192.0.0.192", "::1", "::", "fe80::1%eth0", "fd00:ec2::254", "fec0::1", "3fff::1", "5f00::1",
        "::ffff:127.0.0.1", "::ffff:8.8.8.8%1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "ff02::1", "2001:0:1::f5ff:fffe",
    ],
)  # fmt: skip
def test_addresses_of_this_network_are_not_asked_by_an_app_that_is_open_to_others(
    address, monkeypatch
):
    public = address == "::ffff:8.8.8.8%1"
    assert outgoing.is_public(address) == public
    addresses(monkeypatch, "93.184.216.34", address)
    assert outgoing.addresses_of("http://box.example/v1") == ["93.184.216.34", address]
    monkeypatch.setenv("BESPOKE_BEYOND_LOOPBACK", "1")
    if public:
        assert len(outgoing.addresses_of("http://box.example/v1")) == 2
        return
    with pytest.raises(Refused, match=r"box.example:80 is a server of this machine or network"):
        outgoing.addresses_of("http://box.example/v1")
    monkeypatch.setenv("BESPOKE_SERVERS", "box.example:8080, BOX.example:80")
    assert outgoing.addresses_of("http://Box.example./v1") == ["93.184.216.34", address]
    with pytest.raises(Refused, match=r"box.example:443"):
        outgoing.addresses_of("https://box.example/v1")


def test_other_spellings_of_this_machine_are_seen_through(server, ask, monkeypatch):
    port = server.url.split(":")[2].split("/")[0]
    monkeypatch.setenv("BESPOKE_BEYOND_LOOPBACK", "1")
    for host in ("2130706433", "127.1", "0x7f.1", "localhost", "[::ffff:127.0.0.1]"):
        with pytest.raises(Refused, match="a server of this machine or network"):
            ask(base_url=f"http://{host}:{port}/v1", key_variable=None)
    with pytest.raises(Refused, match="is no address of a server"):
        ask(base_url=f"http://0177.0.0.1:{port}/v1", key_variable=None)
    with pytest.raises(Refused, match="The key in BESPOKE_KEY_TEST is not sent"):
        ask()
    assert server.requests == []
    monkeypatch.setenv("BESPOKE_SERVERS", f"127.0.0.1:{port}")
    ask()
    assert len(server.requests) == 1


def test_a_name_that_means_another_address_a_moment_later_is_asked_at_the_one_looked_at(
    server, ask, monkeypatch
):
    """The connection goes to the number that was looked at; nothing looks the name up again."""
    real, looked = socket.getaddrinfo, []

    def turning(host, port, *given, **more):
        if host == "box.example":
            looked.append(host)
            host = "127.0.0.1" if len(looked) == 1 else "192.0.2.1"
        return real(host, port, *given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", turning)
    ask(base_url=server.url.replace("127.0.0.1", "box.example"))
    assert looked == ["box.example"]
    assert server.requests[0].headers["Host"].startswith("box.example:")


def test_the_next_address_is_tried_where_one_does_not_connect(server, ask, monkeypatch):
    addresses(monkeypatch, "127.0.0.2", "127.0.0.1")
    ask(base_url=server.url.replace("127.0.0.1", "box.example"))
    assert len(server.requests) == 1


def test_every_host_is_one_line_that_people_see(server, ask, workspace, monkeypatch):
    ask()
    ask()
    (line,) = outgoing.contacts()
    assert (line.host, line.address) == (server.url.split("/")[2], "127.0.0.1")
    assert (line.what, line.project) == ("embeddings", "lab")
    assert outgoing.contacts("lab") == [line] and outgoing.contacts("other") == []
    log = workspace / ".logs" / outgoing.LOG_FILE
    assert log.stat().st_mode & 0o777 == 0o600
    with log.open("a") as stream:
        stream.write('{"time": "half a li')
    outgoing.note_contact("https://hub.example/x", "a model of the hub")
    assert [c.host for c in outgoing.contacts()] == ["hub.example:443", line.host]
    # Where it cannot be written down, nothing is sent.
    outgoing._note_once.cache_clear()
    log.unlink()
    log.mkdir()
    with pytest.raises(Refused, match="was not asked: that it is asked cannot be written"):
        ask()
    assert len(server.requests) == 2


def test_what_a_server_says_is_short_and_cannot_move_what_stands_around_it(server, ask):
    said = "sorry \x1b[31m \u202e \x00 \r\n" + "text " * 5_000 + KEY
    server.script.append(f"said:{said}")
    with pytest.raises(Failed) as error:
        ask()
    words = str(error.value)
    assert words.isprintable() and len(words) < 600 and "sorry [31m text text" in words


def test_answers_are_bounded_while_they_are_read(server, ask):
    for script, why in (
        ("huge", "more than any vectors of these texts"),
        ("zipped", "compressed"),
        ("deep", "cut short or is not JSON"),
    ):
        server.script.append(script)
        with pytest.raises(Failed, match=why):
            ask()
    server.script.append("drip:0.02")
    with pytest.raises(Failed, match=r"no answer within 0.1 seconds"):
        ask(timeout=0.1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"base_url": "http://host/v1\nX: 1"}, "no space, line break"),
        ({"base_url": "http://ho\tst/v1"}, "no space, line break"),
        ({"base_url": "http://host\\@other/v1"}, "backslash"),
        ({"base_url": "http://host:99999/v1"}, "is no address"),
        ({"base_url": "http://[::1/v1"}, "is no address"),
        ({"base_url": "http://host/" + "v" * 3_000}, "at most 2000"),
        ({"model": "a\nb"}, "must be one line"),
        ({"model": "a\u202eb"}, "must be one line"),
        ({"price": float("inf")}, "finite"),
        ({"price": float("nan")}, "finite|greater"),
        ({"price": -0.01}, "greater"),
        ({"price": 1e9}, "less than"),
        ({"timeout": float("nan")}, "finite|greater"),
        ({"max_tokens": 10**15}, "less than"),
    ],
)
def test_what_no_server_needs_is_refused(change, said):
    with pytest.raises(Refused, match=said) as error:
        api_settings({"base_url": "http://localhost:1/v1", "model": "m", **change})
    assert json.dumps(str(error.value)).count("\\n") == 0 and len(str(error.value)) < 300


def test_a_prompt_of_megabytes_is_refused():
    for given in ({"query": "x" * 5_000}, {"document": "x" * 10**6}):
        with pytest.raises(Refused, match="at most 4,000 characters"):
            prompts_of({}, ("m",), **given)
    with pytest.raises(Refused, match="at most 4,000 characters"):
        prompts_of({"query": "x" * 10**6}, ("m",))
