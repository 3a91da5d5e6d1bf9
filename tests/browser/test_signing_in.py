"""Signing in with a real provider, in a real browser: walls, signing out, the end of the day, and what is forged."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from driving import Server, press, settled
from playwright.sync_api import Browser, BrowserContext, Page, expect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from search.projects import audit, members
from search.projects.project import project, project_to_be
from tests.openid_provider import CLIENT, SECRET, Provider
from ui.signin.identity import DAY

ANNA, BEN = "anna@firm.example", "ben@firm.example"
COOKIE_SECRET = "more than thirty-two characters that nobody guesses"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as made:
        yield made


@pytest.fixture
def served(workspace: Path, tmp_path: Path, provider: Provider) -> Iterator[Server]:
    """The app on every address of this machine, with sign-in."""
    secrets = tmp_path / "secrets.toml"
    made = Server(
        tmp_path / "server.log", "--server.address", "0.0.0.0", "--secrets.files", str(secrets)
    )
    said = {
        "redirect_uri": f"{made.url}/oauth2callback", "cookie_secret": COOKIE_SECRET, "client_id": CLIENT,
        "client_secret": SECRET, "server_metadata_url": f"{provider.url}/.well-known/openid-configuration",
    }  # fmt: skip
    secrets.write_text(
        "[auth]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
    )
    made.start()
    yield made
    made.kill()


def sign_in(
    browser: Browser, served: Server, provider: Provider, mail: str
) -> tuple[BrowserContext, Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.goto(served.url)
    provider.mail = mail
    press(page, "Sign in")
    return context, page


def is_out(page: Page) -> None:
    expect(page.get_by_text("Sign in to open your projects.")).to_be_visible()


def status(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=20
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def elsewhere() -> str:
    """An address of this machine that is not its own alone."""
    known = (
        a for each in psutil.net_if_addrs().values() for a in each if a.family == socket.AF_INET
    )
    return next(a.address for a in known if not a.address.startswith("127."))


@pytest.mark.slow
def test_people_sign_in_see_their_own_and_sign_out(
    served: Server, provider: Provider, browser: Browser, tmp_path: Path
) -> None:
    annas, page = sign_in(browser, served, provider, ANNA)
    page.get_by_label("Name of the project").fill("Ward 7")
    press(page, "Create")
    expect(page.get_by_role("heading", name="What is in your corpus?")).to_be_visible()
    bens, other = sign_in(browser, served, provider, BEN)
    expect(other.get_by_role("button", name="Create")).to_be_visible()
    assert "Ward 7" not in other.inner_text("body")
    other.goto(f"{served.url}/corpus?project=Ward+7")
    expect(other.get_by_text("No project is open")).to_be_visible()

    page.goto(served.url)
    page.get_by_role("button", name="more_horiz").click()
    page.get_by_role("button", name="People and log").click()
    page.get_by_label("Address that they sign in with").click()
    page.get_by_label("Address that they sign in with").fill("Ben@Firm.example")
    press(page, "Add")
    expect(page.get_by_role("dialog").locator("b", has_text=BEN)).to_be_visible()
    settled(page)
    page.screenshot(path=tmp_path / "people.png")
    other.goto(f"{served.url}/corpus?project=Ward+7")
    expect(other.get_by_text("You are here to judge")).to_be_visible()
    other.screenshot(path=tmp_path / "judge.png")

    before = annas.cookies()
    second = annas.new_page()
    second.goto(served.url)
    settled(second)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=ANNA).click()
    press(page, "Sign out")
    is_out(page)
    page.screenshot(path=tmp_path / "out.png")
    second.get_by_label("Name of the project").fill("Secret")
    press(second, "Create")
    is_out(second)
    assert not project_to_be("Secret").exists
    annas.add_cookies(before)  # Somebody copied them before.
    page.goto(f"{served.url}/corpus?project=Ward+7")
    is_out(page)
    bens.close()
    assert provider.refused == []
    done = {(entry.who, entry.what) for entry in audit.entries()}
    assert done >= {
        (ANNA, "came in"), (BEN, "came in"), (ANNA, "made the project"), (ANNA, "added to the project"),
        (ANNA, "signed out"),
    }  # fmt: skip
    assert members.role_of(project("Ward 7"), BEN) == "judge"
    assert "Traceback" not in served.log.read_text()


@pytest.mark.slow
def test_what_is_forged_or_over_lets_nobody_in(
    served: Server, provider: Provider, browser: Browser
) -> None:
    project_to_be("Ward 7").create()
    members.add(project("Ward 7"), ANNA, "owner")
    for harm in (
        {"audience": "another"},
        {"own_key": False},
        {"age": DAY + 1.0},
        {"extra": {"nonce": "x"}},
    ):
        usual = {key: getattr(provider, key) for key in harm}
        for key, value in harm.items():
            setattr(provider, key, value)
        context, page = sign_in(browser, served, provider, ANNA)
        page.wait_for_url(f"{served.url}/")
        is_out(page)
        context.close()
        for key, value in usual.items():
            setattr(provider, key, value)

    forged = {
        "email": ANNA,
        "email_verified": True,
        "iat": int(time.time()),
        "origin": served.url,
        "is_logged_in": True,
    }
    context = browser.new_context()
    for secret in (COOKIE_SECRET + "x", ""):
        value = create_signed_value(secret, USER_COOKIE_NAME, json.dumps(forged)).decode()
        context.add_cookies([{"name": USER_COOKIE_NAME, "value": value, "url": served.url}])
        page = context.new_page()
        page.goto(served.url)
        is_out(page)
    context.close()

    provider.age = DAY - 25  # Time enough to be let in on a busy machine.
    context, page = sign_in(browser, served, provider, ANNA)
    expect(page.get_by_text("Ward 7")).to_be_visible()
    is_out(page)  # The open page turns to it by itself when the day is over.
    context.close()

    away = f"http://{elsewhere()}:{served.port}"
    assert status(f"{away}/_stcore/health") == 200
    for path in ("metrics", "script-health-check", "agent/openapi.json"):
        assert status(f"{away}/_stcore/{path}") == 404
    provider.age = 0.0


@pytest.mark.slow
def test_a_proxy_names_who_asks_and_nobody_goes_around_it(
    workspace: Path, tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BESPOKE_PROXY_USER_HEADER", "X-Forwarded-Email")
    project_to_be("Ward 7").create()
    members.add(project("Ward 7"), ANNA, "owner")
    made = Server(tmp_path / "server.log")
    made.headers = {"X-Forwarded-Email": ANNA}
    made.start()
    try:
        assert status(made.url) == 403
        with pytest.raises(urllib.error.URLError):  # Nothing listens there.
            urllib.request.urlopen(f"http://{elsewhere()}:{made.port}", timeout=5)
        for person, sees in ((ANNA, True), (BEN, False)):
            context = browser.new_context(extra_http_headers={"X-Forwarded-Email": person})
            page = context.new_page()
            page.goto(made.url)
            expect(page.get_by_role("button", name=person)).to_be_visible()
            settled(page)
            assert ("Ward 7" in page.inner_text("body")) is sees
            context.close()
    finally:
        made.kill()
