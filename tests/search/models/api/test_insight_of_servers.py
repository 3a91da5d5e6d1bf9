"""What explaining and preparing send to a server that is paid by tokens: bounded, and told before anything is sent."""

import pytest

from search.corpus.corpus import current_corpus
from search.insight import explain
from search.insight.attribution import MOST_QUERY_WORDS, MOST_VARIANTS
from search.insight.explain import affordable, attribute
from search.insight.prepare import prepare
from search.insight.vocabulary import vocabulary_of
from search.models.api.token_count import estimate, tokens_of
from search.models.pretrained.add import Choices, add_model
from search.projects.errors import Refused
from search.projects.project import project_to_be
from search.projects.settings import LIMITS
from search.retrieval.search import retrievers_for

LONG = "what helps against velkorin in the hand and in the shoulder"


@pytest.fixture
def served(import_tiny, server):
    project = project_to_be("lab")
    import_tiny(project)
    add_model(project, "bad", Choices(server={"base_url": server.url, "key_variable": "BESPOKE_KEY_TEST"}))  # fmt: skip
    return project


def test_an_explanation_costs_no_more_than_its_share() -> None:
    assert affordable("short", "a short passage", MOST_VARIANTS) == (
        MOST_VARIANTS,
        MOST_QUERY_WORDS,
    )
    for passage, query in (("word " * 250, "late fee"), ("word " * 2_000, "late " * 40)):
        variants, asked = affordable(query, passage, MOST_VARIANTS)
        assert 4 <= variants <= MOST_VARIANTS
        spent = variants * tokens_of(passage) + asked * tokens_of(query)
        assert spent <= LIMITS.explanation_tokens
    assert affordable("word " * 9_000, "word " * 9_000, MOST_VARIANTS) == (4, 1)


def test_what_is_sent_for_an_explanation(served, server, monkeypatch) -> None:
    (retriever,), corpus = retrievers_for(served, ["bad"])
    sent = {}
    for tokens in (30_000, 400):
        monkeypatch.setattr(explain, "LIMITS", type(LIMITS)(explanation_tokens=tokens))
        server.requests.clear()
        told = attribute(retriever, corpus, LONG, 0).attribution
        assert told is not None
        sent[tokens] = told.scored
        assert told.words, "fewer words or longer phrases, but some"
    assert sent[400] < sent[30_000]
    # One passage and one query are sent by themselves, besides their variants.
    (passage,) = corpus.embedded_at([0])
    assert sent[400] <= 400 // tokens_of(passage) + 400 // tokens_of(LONG) + 2


def test_reading_the_words_is_refused_before_anything_is_sent(served, server, monkeypatch) -> None:
    manifest, _ = current_corpus(served)
    needed = estimate(vocabulary_of(served, manifest).words).tokens
    monkeypatch.setenv("BESPOKE_MAX_TOKENS", str(needed // 2))
    before = len(server.texts)
    with pytest.raises(Refused, match="Nothing was sent"):
        prepare(served, ["bad"])
    assert len(server.texts) == before
    monkeypatch.setenv("BESPOKE_MAX_TOKENS", str(needed * 20))
    assert "are ready to be asked of 'bad'" in prepare(served, ["bad"])[0]
    assert len(server.texts) > before
