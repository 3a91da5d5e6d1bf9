"""A server as an encoder: prompts, batches, memory, estimate and cap. Requests are counted."""

import math
import threading

import numpy as np
import pytest
from bad_server import DIMENSION, KEY, vector

from search.corpus.tokenizer import generic_subwords
from search.models.api.client import Caller, RateLimiter
from search.models.api.encoder import AnswerCache, ApiEncoder
from search.models.api.token_count import Estimate, cut_to, estimate, tokens_of
from search.models.encoder import Encoder, Metered
from search.models.prompts import Prompts
from search.projects.errors import Failed, Refused


@pytest.fixture
def encoder(settings, workspace):
    """Makes an encoder; each has its own connection, all share what was paid for."""

    def make(max_tokens=None, prompts=Prompts(), sleep=lambda seconds: None, **more):
        chosen = settings(**{"retries": 2, **more})
        return ApiEncoder(
            "bad", "lab", chosen, prompts, DIMENSION, Caller(chosen, sleep),
            AnswerCache(chosen.fingerprint(prompts), DIMENSION), max_tokens,
        )  # fmt: skip

    return make


def test_vectors_of_queries_and_documents(server, encoder):
    made = encoder()
    assert isinstance(made, Metered)
    plain: Encoder = made
    texts = ["one", "two", "one", "", "  \n", "three"]
    for encode in (plain.encode_query, plain.encode_document):
        found = encode(texts)
        assert found.dtype == np.float32 and found.shape == (6, DIMENSION)
        zero = np.zeros(DIMENSION)
        wanted = [vector("one"), vector("two"), vector("one"), zero, zero, vector("three")]
        np.testing.assert_array_equal(found, wanted)
    assert server.texts == ["one", "two", "three"], "each text once, and none without letters"
    assert plain.encode_document([]).shape == (0, DIMENSION)
    assert plain.encode_document(("", " ")).any() == np.False_
    assert len(server.requests) == 1


def test_prompts_are_sent(server, encoder):
    made = encoder(prompts=Prompts("query: ", "passage: "))
    np.testing.assert_array_equal(made.encode_query(["frost"]), [vector("query: frost")])
    np.testing.assert_array_equal(made.encode_document(["frost"]), [vector("passage: frost")])
    assert not made.encode_query([""]).any()
    assert server.texts == ["query: frost", "passage: frost"]


def test_requests_are_bounded_by_texts_and_by_tokens(server, encoder):
    texts = [f"text number {n}" for n in range(23)]
    encoder(batch_texts=5).encode_document(texts)
    assert [len(r.texts) for r in server.requests] == [5, 5, 5, 5, 3]
    server.requests.clear()
    texts = [f"another text {n} " + "word " * (10 * n) for n in range(12)]
    encoder(batch_tokens=150).encode_document(texts)
    sums = [sum(tokens_of(text) for text in r.texts) for r in server.requests]
    assert server.texts == texts
    assert all(total <= 150 for total in sums)
    assert all(
        a + tokens_of(r.texts[0]) > 150 for a, r in zip(sums, server.requests[1:], strict=False)
    )


def test_a_text_longer_than_a_request_goes_alone(server, encoder):
    long = "word " * 500
    encoder(batch_tokens=100).encode_document(["a", long, "b"])
    assert [r.texts for r in server.requests] == [["a"], [long], ["b"]]


def test_long_texts_are_cut_to_what_the_server_reads(server, encoder):
    long = "word " * 500
    made = encoder(max_length=64)
    found = made.encode_document([long, "short"])
    sent = server.texts[0]
    assert long.startswith(sent) and 40 < tokens_of(sent) <= 64
    np.testing.assert_array_equal(found[0], vector(sent))
    encoder(max_length=64).encode_document([long])
    assert len(server.requests) == 1, "what was cut is remembered, too"


def test_nothing_is_paid_for_twice(server, encoder):
    texts = [f"text {n}" for n in range(10)]
    first = encoder()
    found = first.encode_document(texts)
    np.testing.assert_array_equal(first.encode_document(texts[::-1]), found[::-1])
    later = encoder()
    np.testing.assert_array_equal(later.encode_document([*texts, "new"])[:10], found)
    np.testing.assert_array_equal(later.encode_query(texts), found)
    assert server.texts == [*texts, "new"]
    other = encoder(dimensions=DIMENSION)
    other.encode_document(["text 0"])
    assert server.texts[-1] == "text 0", "other settings, other vectors"


def test_what_was_answered_outlives_a_failure(server, encoder):
    texts = [f"text {n}" for n in range(20)]
    server.script.extend(["good", "good", *["500"] * 3])
    with pytest.raises(Failed, match=r"asked 3 times: status 500.*goes on from there"):
        encoder(batch_texts=4).encode_document(texts)
    assert len(server.requests) == 2 + 3 and server.answered == texts[:8]
    server.requests.clear()
    found = encoder(batch_texts=4).encode_document(texts)
    np.testing.assert_array_equal(found, [vector(text) for text in texts])
    assert server.texts == texts[8:], "nothing that was answered is sent again"


@pytest.mark.parametrize(
    "wrong", ["few", "dimension", "nan", "dead", "half", "401", "quota", "html"]
)
def test_a_wrong_answer_is_never_remembered(server, encoder, wrong):
    server.always = wrong
    with pytest.raises(Failed):
        encoder().encode_document(["one", "two"])
    server.always = None
    server.requests.clear()
    found = encoder().encode_document(["one", "two"])
    np.testing.assert_array_equal(found, [vector("one"), vector("two")])
    assert len(server.requests) == 1


def test_more_than_allowed_is_refused_before_the_first_call(server, encoder):
    texts = ["word " * 100] * 3 + ["other " * 100, "third " * 200]
    needed = estimate(set(texts))
    made = encoder(max_tokens=needed.tokens - 1, price=0.02)
    with pytest.raises(Refused) as told:
        made.admit(texts)
    said = str(told.value)
    assert f"about {needed.tokens:,} tokens in 3 texts, less than a cent at $0.02 for a mil" in said
    assert server.url in said and "at most 580 tokens are allowed" in said
    assert "Nothing was sent." in said
    assert "python cli.py index lab --model bad --max-tokens 590." in said
    assert server.requests == []
    encoder(max_tokens=needed.tokens).admit(texts)
    assert server.requests == []


def test_what_is_remembered_costs_nothing(server, encoder):
    texts = [f"text {n} " + "word " * 50 for n in range(10)]
    made = encoder(max_tokens=10_000)
    whole = made.estimate(texts)
    assert whole == (10, estimate(texts).tokens)
    made.encode_document(texts[:6])
    assert made.estimate(texts) == (4, estimate(texts[6:]).tokens)
    assert encoder(max_tokens=300).estimate(texts).texts == 4
    encoder(max_tokens=estimate(texts[6:]).tokens).admit(texts)
    assert made.estimate(["", " "]) == (0, 0)


def test_the_cap_holds_while_it_goes_on(server, encoder):
    """Queries, too, are sent under the cap; what was answered before it was reached is kept."""
    made = encoder(max_tokens=40, batch_texts=2)
    with pytest.raises(
        Refused, match=r"has sent about 36 tokens .* 40 allowed.*BESPOKE_MAX_TOKENS"
    ):
        made.encode_query([f"query {n}" for n in range(30)])
    assert len(server.requests) == 6, "the server counts 3 tokens a text, 4 were expected"
    assert made.sent == 36
    encoder(max_tokens=10_000).encode_query([f"query {n}" for n in range(12)])
    assert len(server.requests) == 6


def test_the_environment_moves_the_cap(server, encoder, monkeypatch):
    monkeypatch.setenv("BESPOKE_MAX_TOKENS", "3")
    with pytest.raises(Refused, match="at most 3 tokens are allowed"):
        encoder().admit(["some words here"])
    encoder(max_tokens=100).admit(["some words here"])
    for odd in ("many", "-1", "0", "1.5"):
        monkeypatch.setenv("BESPOKE_MAX_TOKENS", odd)
        with pytest.raises(Refused, match="BESPOKE_MAX_TOKENS is"):
            encoder()


def test_the_pace_is_kept(settings, server, workspace):
    chosen = settings(batch_texts=1)
    slept = []
    clock = iter(range(10_000))
    rate_limiter = RateLimiter(2, None, lambda: float(next(clock)), slept.append)
    made = ApiEncoder(
        "bad", "lab", chosen, Prompts(), DIMENSION, Caller(chosen), AnswerCache("f", DIMENSION),
        rate_limiter=rate_limiter,
    )  # fmt: skip
    made.encode_document(["a", "b", "c"])
    assert slept and len(server.requests) == 3


def test_several_threads_send_each_text_once(server, encoder):
    made = encoder(batch_texts=3)
    texts = [f"text {n}" for n in range(12)]
    found, errors = {}, []

    def work(number):
        try:
            found[number] = made.encode_document(texts)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for vectors in found.values():
        np.testing.assert_array_equal(vectors, [vector(text) for text in texts])
    assert server.texts == texts


def test_the_key_is_nowhere_on_disk(server, encoder, workspace):
    encoder().encode_document(["one", "two"])
    files = [path for path in workspace.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    assert KEY not in repr(vars(encoder())) + repr(encoder().settings)


def test_tokens_are_counted_on_the_high_side():
    pieces = generic_subwords()
    english = "How do I dispute a charge on my credit card? It was 42.50 dollars."
    assert pieces.of(english) + 2 <= tokens_of(english) <= pieces.of(english) * 1.5 + 2
    assert tokens_of("x" * 4_000) >= 1_000
    hindi = "मुझे घर का रास्ता बताओ"
    assert tokens_of(hindi) >= len(hindi.replace(" ", "")), "about a token a letter, at least"
    assert tokens_of("") == 2


def test_cutting_ends_and_keeps_the_beginning():
    for text in ("word " * 1_000, "x" * 5_000, "東京" * 1_000, "🙂" * 500, "मुझे घर " * 300, "a"):
        short = cut_to(text, 50)
        assert text.startswith(short) and tokens_of(short) <= 50
        assert short and (short == text or tokens_of(short) > 15)
    assert cut_to("word " * 1_000, None) == "word " * 1_000


def test_an_estimate_with_its_cost():
    found = estimate(["word " * 500, " ", "a"])
    assert found.texts == 2
    assert math.isclose(found.cost(0.13), found.tokens * 0.13 / 1e6)
    assert found.cost(None) is None
    assert Estimate(40, 1_200).in_words(None) == "about 1,200 tokens in 40 texts"
    told = Estimate(2_000_000, 500_000_000).in_words(0.13)
    assert told == (
        "about 500,000,000 tokens in 2,000,000 texts, about $65.00 at $0.13 for a million"
    )
