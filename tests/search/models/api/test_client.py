"""One request, and everything that can go wrong with it."""

import time
from email.utils import formatdate

import numpy as np
import pytest
from bad_server import DIMENSION, KEY, vector

from search.models.api.client import Caller, probe
from search.projects.errors import Failed, Refused

TEXTS = ["one", "two", "three"]
KEPT = "What was answered so far is kept"


@pytest.fixture
def waits():
    return []


@pytest.fixture
def caller(settings, waits):
    return Caller(settings(retries=3), sleep=waits.append)


def embedded(caller):
    return caller.embed(TEXTS, DIMENSION)


def test_vectors_in_the_order_of_the_texts_and_the_tokens_that_were_counted(server, caller, waits):
    for script in ("good", "backwards", "unnumbered"):
        server.script.append(script)
        answer = embedded(caller)
        assert answer.vectors.dtype == np.float32
        np.testing.assert_array_equal(answer.vectors, [vector(text) for text in TEXTS])
        assert answer.tokens == 9
    assert waits == []
    assert {r.key for r in server.requests} == {KEY}
    assert [r.body["encoding_format"] for r in server.requests] == ["float"] * 3
    assert all("dimensions" not in r.body for r in server.requests)


def test_a_server_that_does_not_count_tokens(server, caller):
    server.script.append("uncounted")
    assert embedded(caller).tokens is None


def test_vectors_of_any_length_come_as_they_are(server, caller):
    server.script.append("long")
    np.testing.assert_allclose(
        embedded(caller).vectors, [7.5 * vector(text) for text in TEXTS], rtol=1e-6
    )


@pytest.mark.parametrize("passing", ["500", "502", "503", "429", "408", "half", "dead"])
def test_what_may_pass_is_asked_again(server, caller, waits, passing):
    server.script.extend([passing, passing])
    np.testing.assert_array_equal(embedded(caller).vectors, [vector(text) for text in TEXTS])
    assert len(server.requests) == 3
    assert len(waits) == 2
    assert 0.375 <= waits[0] <= 0.625 and 0.75 <= waits[1] <= 1.25, (
        "doubled, with some chance in it"
    )


def test_it_waits_as_long_as_the_server_asks(server, caller, waits):
    in_a_minute = formatdate(time.time() + 60, usegmt=True)
    server.script.extend(["429:7", "503:0.5", f"429:{in_a_minute}"])
    embedded(caller)
    assert waits[:2] == [7.0, 0.5]
    assert 55 <= waits[2] <= 61


@pytest.mark.parametrize("odd", ["soon", "nan", "-5", "inf"])
def test_an_odd_wish_to_wait_is_not_followed(server, caller, waits, odd):
    server.script.append(f"429:{odd}")
    embedded(caller)
    assert 0.0 <= waits[0] <= 0.625


def test_it_does_not_wait_for_hours(server, caller, waits):
    server.script.append("429:7200")
    with pytest.raises(Failed, match=r"asks to wait 7,200 seconds.*Try again then"):
        embedded(caller)
    assert waits == [] and len(server.requests) == 1


def test_what_does_not_pass_is_told_after_some_tries(server, caller, waits):
    server.always = "500"
    with pytest.raises(Failed) as told:
        embedded(caller)
    said = str(told.value)
    assert said.startswith(f"The server {server.url} did not answer, asked 4 times: status 500")
    assert "scripted 500" in said and KEPT in said
    assert len(server.requests) == 4 and len(waits) == 3


def test_a_slow_server_is_not_waited_for(server, settings, waits):
    server.script.append("held")
    quick = Caller(settings(timeout=0.3, retries=0), sleep=waits.append)
    with pytest.raises(Failed, match=r"asked once: no answer within 0.3 seconds"):
        embedded(quick)
    assert len(server.requests) == 1 and not server.released.is_set(), "it never answered"
    server.released.set()


def test_a_server_that_is_not_there(settings, waits):
    nobody = Caller(settings(base_url="http://127.0.0.1:9/v1", retries=2), sleep=waits.append)
    with pytest.raises(Failed, match=r"asked 3 times: the connection failed"):
        embedded(nobody)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("few", "answered 2 vectors for 3 texts"),
        ("many", "answered 4 vectors for 3 texts"),
        ("twice", "not numbered from 0 on"),
        ("half numbered", "not numbered from 0 on"),
        ("dimension", "answered vectors of 15 dimensions instead of 16"),
        ("ragged", "answered vectors of 15, 16 dimensions instead of 16"),
        ("nan", "not finite"),
        ("infinite", "not finite"),
        ("null", "not finite|something else than vectors"),
        ("words", "something else than vectors"),
        ("html", "may not speak OpenAI's embeddings API"),
        ("other", "may not speak OpenAI's embeddings API"),
        ("quota", "no credit left: You exceeded your quota"),
        ("400", r"refused 3 texts \(status 400\): scripted 400\. .*--max-length.*--batch-texts"),
        ("422", r"status 422"),
        ("404", r"has no model 'bad', or no embeddings under this address.*ends in /v1"),
        ("403", r"refused the key \(status 403\).*environment variable BESPOKE_KEY_TEST"),
    ],
)
def test_what_will_not_pass_is_told_at_once(server, caller, waits, script, said):
    server.script.append(script)
    with pytest.raises(Failed, match=said) as told:
        embedded(caller)
    assert len(server.requests) == 1 and waits == []
    assert KEPT in str(told.value)


def test_dimensions_are_asked_for(server, settings):
    answer = Caller(settings(dimensions=8)).embed(TEXTS, 8)
    np.testing.assert_array_equal(answer.vectors, [vector(text, 8) for text in TEXTS])
    assert server.requests[0].body["dimensions"] == 8


def test_the_key_is_never_told(server, settings, monkeypatch, caller):
    server.script.append("echo")
    with pytest.raises(Failed) as told:
        embedded(caller)
    assert KEY not in str(told.value) and "bad request by ***" in str(told.value)
    assert told.value.__cause__ is None
    monkeypatch.setenv("BESPOKE_KEY_TEST", "sk-wrong-one")
    with pytest.raises(Failed) as told:
        embedded(Caller(settings()))
    said = str(told.value)
    assert "refused the key (status 401)" in said and "BESPOKE_KEY_TEST" in said
    assert "sk-wrong-one" not in said


def test_without_a_key_no_key_is_sent(server, settings, monkeypatch):
    """Not even the one of OpenAI, which its client would take out of the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    server.key = ""
    Caller(settings(key_variable=None)).embed(TEXTS, DIMENSION)
    assert "authorization" not in {name.lower() for name in server.requests[0].headers}


def test_a_variable_that_is_not_set_is_told_before_anything_is_sent(server, settings, monkeypatch):
    monkeypatch.delenv("BESPOKE_KEY_TEST")
    with pytest.raises(Refused, match="environment variable BESPOKE_KEY_TEST is not set"):
        Caller(settings())
    assert server.requests == []


def test_a_probe_finds_the_dimension(server, settings):
    assert probe(settings()) == DIMENSION
    assert probe(settings(dimensions=8)) == 8
    assert server.texts == ["probe", "probe"]


def test_a_probe_that_fails_is_a_refusal(server, settings):
    server.script.append("404")
    with pytest.raises(Refused, match=r"no model 'bad'.*No model was added\.$"):
        probe(settings())


def test_a_server_that_does_not_shorten_is_noticed(server, settings, monkeypatch):
    monkeypatch.setattr("bad_server.vector", lambda text, dimension: vector(text, 16))
    with pytest.raises(Refused, match="16 dimensions although 8 were asked for"):
        probe(settings(dimensions=8))
