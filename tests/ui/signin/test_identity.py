"""Who asks: by a cookie that only Streamlit can have signed, or by the proxy's header."""

import json
import time

import pytest
from signin_help import ANNA, BEN, OIDC, PROXY, claims, cookies
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from search.projects import members
from ui.signin.identity import DAY, Unwelcome, person_of
from ui.signin.ways import WayIn


def of(said, way=OIDC):
    return person_of(way, {}, cookies(said))


def test_a_signed_cookie_says_who_asks():
    person = of(claims("Anna@Firm.Example"))
    assert person is not None and person.name == ANNA
    assert 0 < person.lasts <= DAY - 60
    assert person_of(OIDC, {}, {}) is None


@pytest.mark.parametrize(
    "jar",
    [
        cookies(claims(), secret="another secret that is long enough too"),
        {USER_COOKIE_NAME: json.dumps(claims())},
        {USER_COOKIE_NAME: ""},
        {USER_COOKIE_NAME: cookies(claims())[USER_COOKIE_NAME][:-2] + "xx"},
        {USER_COOKIE_NAME: create_signed_value(
            "a secret of more than thirty-two characters", "_streamlit_user_tokens", json.dumps(claims())
        ).decode()},
    ],
    ids=["another secret", "unsigned", "empty", "changed", "signed for another cookie"],
)  # fmt: skip
def test_a_forged_cookie_is_nobody(jar):
    assert person_of(OIDC, {}, jar) is None


@pytest.mark.parametrize(
    "more",
    [
        {"origin": "https://elsewhere.example"}, {"origin": None}, {"is_logged_in": False}, {"is_logged_in": "yes"},
        {"iat": None}, {"iat": True}, {"iat": "1"}, {"iat": time.time() + 3600}, {"iat": time.time() - DAY - 1},
    ],
)  # fmt: skip
def test_a_cookie_of_another_app_or_time_is_nobody(more):
    assert of(claims(**more)) is None


def test_a_sign_in_lasts_a_day():
    assert of(claims(iat=time.time() - DAY + 60)).lasts == pytest.approx(60, abs=5)


@pytest.mark.parametrize(
    "name",
    ["\N{LATIN SMALL LIGATURE FI}ona@firm.example", "\N{LATIN SMALL LETTER LONG S}am@firm.example", "\N{KELVIN SIGN}arl@firm.example",
     "stra\N{LATIN SMALL LETTER SHARP S}e@firm.example", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}da@firm.example"],
)  # fmt: skip
def test_an_address_that_is_written_otherwise_is_another_persons(name, monkeypatch):
    """A provider gives each to somebody else, though Unicode folds them into one."""
    plain = name.casefold()
    assert plain.isascii() or "i" in plain
    assert of(claims(name)).name != plain and of(claims(plain)).name == members.person_name(plain)
    monkeypatch.setenv("BESPOKE_PEOPLE", plain)
    assert of(claims(plain)) is not None
    with pytest.raises(Unwelcome, match="not among those"):
        of(claims(name))


def test_who_signed_out_is_signed_out_in_every_browser():
    before = claims()
    assert of(before) is not None
    members.sign_out(ANNA)
    assert of(before) is None, "a cookie that was copied before, too"
    assert of(claims(iat=int(time.time()))) is None, "in the same second"
    assert of(claims(iat=int(time.time()) + 1)).name == ANNA
    assert of(claims(BEN)).name == BEN


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"email": None}, "no e-mail address"),
        ({"email": ""}, "no e-mail address"),
        ({"email": ["a@b.example"]}, "no e-mail address"),
        ({"email": "a b@c.example"}, "names nobody"),
        ({"email_verified": False}, "does not say that anna@firm.example is verified"),
        ({"email_verified": None}, "any_mail = true"),
        ({"email_verified": "true"}, "does not say"),
    ],
)
def test_an_address_that_is_not_surely_theirs_is_unwelcome(more, why):
    with pytest.raises(Unwelcome, match=why):
        of(claims(**more))


def test_a_provider_that_verifies_all_addresses_may_be_believed():
    believed = WayIn("oidc", providers=(None,), origin=OIDC.origin, any_mail=True)
    assert of(claims(email_verified=None), believed).name == ANNA
    with pytest.raises(Unwelcome):
        of(claims(email_verified=False), believed)


@pytest.mark.parametrize("people", [f"{BEN},@elsewhere.example", "@example", "@irm.example"])
def test_who_is_not_listed_is_unwelcome(people, monkeypatch):
    monkeypatch.setenv("BESPOKE_PEOPLE", people)
    with pytest.raises(Unwelcome, match="not among those who may come in"):
        of(claims())
    with pytest.raises(Unwelcome, match="not among"):
        person_of(PROXY, {"x-forwarded-email": ANNA}, {})


@pytest.mark.parametrize("people", [ANNA.upper(), "@firm.example", f"@else.example, {ANNA}"])
def test_who_is_listed_comes_in(people, monkeypatch):
    monkeypatch.setenv("BESPOKE_PEOPLE", people)
    assert of(claims()).name == ANNA


def test_the_proxy_names_who_asks_and_cookies_count_for_nothing():
    assert (
        person_of(PROXY, {"x-forwarded-email": "Anna@firm.example"}, cookies(claims(BEN))).name
        == ANNA
    )
    assert person_of(PROXY, {}, cookies(claims(BEN))) is None
    assert person_of(OIDC, {"x-forwarded-email": ANNA}, {}) is None
    with pytest.raises(Unwelcome):
        person_of(PROXY, {"x-forwarded-email": f"{ANNA},{BEN}"}, {})
