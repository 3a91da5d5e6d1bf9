"""Ways in, and refusing to start where none would hold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from signin_help import ORIGIN, SECRET

from search.projects.errors import Refused
from search.projects.loopback import is_loopback
from ui.signin import ways
from ui.signin.ways import may_start, start_or_exit, way_in

AUTH: dict[str, Any] = {
    "redirect_uri": f"{ORIGIN}/oauth2callback", "cookie_secret": SECRET, "client_id": "bespoke",
    "client_secret": "s", "server_metadata_url": "https://id.example/.well-known/openid-configuration",
}  # fmt: skip


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    def say(section: dict[str, Any]) -> None:
        monkeypatch.setattr(ways, "get_secrets_auth_section", lambda: section)

    say({})
    return say


@pytest.fixture(autouse=True)
def no_secrets(secrets: Callable[[dict[str, Any]], None], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BESPOKE_LISTENS", "BESPOKE_PROXY_USER_HEADER", "BESPOKE_PEOPLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "address",
    ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "LOCALHOST.", "::ffff:127.0.0.1"],
)
def test_alone_on_this_machine_nobody_signs_in(address):
    assert is_loopback(address) and may_start(address).way == "alone"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "0.0.0.0",
        "::",
        "10.1.2.3",
        "::ffff:10.1.2.3",
        "bespoke.example",
        "localhost.example",
        "127.0.0.1.example",
        "0",
    ],
)
def test_beyond_it_the_app_refuses_to_start_without_sign_in(address):
    with pytest.raises(
        Refused,
        match=r"let everybody in: set up sign-in .* BESPOKE_LISTENS=loopback. See SECURITY.md.",
    ):
        may_start(address)


@pytest.mark.parametrize("address", ["localhost", "0.0.0.0"])
def test_what_keeps_other_pages_out_cannot_be_switched_off(address, secrets, monkeypatch):
    secrets(AUTH)
    assert may_start(address).way == "oidc"
    option = ways.st.get_option
    off = ("server.enableXsrfProtection", "server.enableCORS")
    monkeypatch.setattr(ways.st, "get_option", lambda name: name not in off and option(name))
    with pytest.raises(Refused, match=r"server\.enableXsrfProtection"):
        may_start(address)


def test_a_container_whose_port_is_published_on_loopback_starts(monkeypatch):
    monkeypatch.setenv("BESPOKE_LISTENS", "loopback")
    assert may_start("0.0.0.0").published
    for other in ("all", "Loopback", "127.0.0.1", "1"):
        monkeypatch.setenv("BESPOKE_LISTENS", other)
        with pytest.raises(Refused, match="BESPOKE_LISTENS is"):
            may_start("localhost")


def test_with_openid_connect_it_starts_anywhere(secrets):
    secrets(AUTH)
    way = may_start("0.0.0.0")
    assert (way.way, way.providers, way.origin, way.any_mail) == ("oidc", (None,), ORIGIN, False)
    one = {key: AUTH[key] for key in ("client_id", "client_secret", "server_metadata_url")}
    shared = {key: value for key, value in AUTH.items() if key not in one}
    secrets({**shared, "google": one, "okta": one, "any_mail": True})
    way = may_start("0.0.0.0")
    assert (way.providers, way.any_mail) == (("google", "okta"), True)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"cookie_secret": "short"}, "cookie_secret of at least 32"),
        ({"cookie_secret": None}, "cookie_secret"),
        ({"client_id": ""}, r"\[auth\] in secrets.toml lacks client_id"),
        ({"client_secret": None}, "lacks client_secret"),
        ({"server_metadata_url": "http://id.example/x"}, "must begin with https"),
        ({"server_metadata_url": "http://localhost.example/x"}, "must begin with https"),
        ({"redirect_uri": "http://bespoke.example/oauth2callback"}, "must begin with https"),
        ({"redirect_uri": ORIGIN}, "ends in /oauth2callback"),
        ({"redirect_uri": None}, "ends in /oauth2callback"),
        ({"okta": {"client_id": "x"}}, r"\[auth.okta\] in secrets.toml lacks client_secret"),
    ],
)
def test_a_sign_in_that_would_not_hold_is_refused_even_on_loopback(secrets, change, why):
    secrets({**AUTH, **change})
    with pytest.raises(Refused, match=why):
        may_start("localhost")


def test_no_provider_is_refused(secrets):
    secrets({"redirect_uri": AUTH["redirect_uri"], "cookie_secret": SECRET})
    with pytest.raises(Refused, match="names no provider"):
        may_start("localhost")


@pytest.mark.parametrize("header", ["Host", "cookie", "User-Agent", "Origin", "X Y", "a:b"])
def test_a_header_that_anybody_writes_names_nobody(header, monkeypatch):
    monkeypatch.setenv("BESPOKE_PROXY_USER_HEADER", header)
    with pytest.raises(Refused, match="BESPOKE_PROXY_USER_HEADER is"):
        may_start("localhost")


def test_behind_a_proxy_it_listens_on_this_machine_alone(monkeypatch, secrets):
    monkeypatch.setenv("BESPOKE_PROXY_USER_HEADER", "X-Forwarded-Email")
    assert (may_start("localhost").way, way_in().header) == ("proxy", "x-forwarded-email")
    with pytest.raises(Refused, match="could go around the proxy"):
        may_start("0.0.0.0")
    monkeypatch.setenv("BESPOKE_LISTENS", "loopback")
    with pytest.raises(Refused, match="could go around the proxy"):
        may_start("0.0.0.0")
    secrets(AUTH)
    with pytest.raises(Refused, match="Two ways to sign in"):
        may_start("localhost")


@pytest.mark.parametrize("header", ["X User", "a:b", "X-User\n", "é", "x" * 81])
def test_what_is_no_header_is_refused(monkeypatch, header):
    monkeypatch.setenv("BESPOKE_PROXY_USER_HEADER", header)
    with pytest.raises(Refused, match="must name a header"):
        may_start("localhost")


@pytest.mark.parametrize("people", ["anna", "a b@c", "@", "anna@firm.example;ben@firm.example x"])
def test_what_is_no_address_is_refused(monkeypatch, people):
    monkeypatch.setenv("BESPOKE_PEOPLE", people)
    with pytest.raises(Refused, match="BESPOKE_PEOPLE names"):
        way_in()


@pytest.mark.parametrize("content", [b"[auth\nclient_id=", b"\xff\xfe"])
def test_secrets_that_cannot_be_read_never_mean_no_sign_in(monkeypatch, tmp_path: Path, content):
    file = tmp_path / "secrets.toml"
    file.write_bytes(content)
    monkeypatch.setattr(
        ways.st, "get_option", lambda name: [str(file)] if name == "secrets.files" else None
    )
    with pytest.raises(Refused, match="cannot be read, and may hold who signs in"):
        may_start("localhost")


def test_the_process_ends_with_one_sentence(monkeypatch, capsys):
    chosen = {"server.address": "0.0.0.0", "server.enableXsrfProtection": True}
    monkeypatch.setattr(ways.st, "get_option", chosen.get)
    with pytest.raises(SystemExit) as end:
        start_or_exit()
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("Bespoke would listen on 0.0.0.0") and said.count("\n") == 1
