"""Lining up: what is kept equals a search, nothing is asked twice, other columns and corpora are told apart."""

import pytest

from search.corpus.corpus import current_corpus
from search.corpus.ingest import add_documents
from search.evaluation.query_sets.query_set import current_query_set
from search.judging.prepare import KEPT, are_prepared, prepare_questions, rank_now
from search.judging.setup import Setup, default_setup, save_setup, saved_setup
from search.judging.store import JudgmentStore
from search.judging.study import Study
from search.models.cross_encoders import add_reranker, remove_reranker
from search.projects.errors import Refused
from search.retrieval.columns import parse_column
from search.retrieval.fingerprint import column_fingerprint
from search.retrieval.search import retrievers_for, search


def _version(lab, name, manifest):
    return column_fingerprint(lab, parse_column(name), manifest)


def _rankings(lab, name):
    manifest, _ = current_corpus(lab)
    return JudgmentStore.of(lab).rankings(name, _version(lab, name, manifest))


def test_what_is_kept_is_what_a_search_finds(lab, setup):
    made = prepare_questions(lab, setup)
    queries = current_query_set(lab)[1].queries
    assert (made.questions, made.searched, made.notes) == (len(queries), len(queries), [])
    retrievers, corpus = retrievers_for(lab, ["bm25", "words"])
    for retriever in retrievers:
        kept = _rankings(lab, retriever.name)
        assert kept.keys() == queries.keys()
        for query, text in list(queries.items())[:6]:
            hits = search(retriever, corpus, text, KEPT).hits
            assert [place.id for place in kept[query]] == [hit.id for hit in hits]
            documents = corpus.documents_at([place.document for place in kept[query]])
            assert [document.id for document in documents] == [hit.id for hit in hits]


def test_nothing_is_searched_twice_and_what_is_new_is(lab, setup):
    prepare_questions(lab, setup)
    assert prepare_questions(lab, setup).searched == 0
    more = prepare_questions(lab, setup, ["what helps against frost?"])
    assert (more.questions, more.searched) == (21, 1)
    assert JudgmentStore.of(lab).questions()[-1].origin == "typed"
    assert prepare_questions(lab, Setup("hybrid:words", "bm25")).searched == 21
    assert saved_setup(lab).pair.first == "bm25"


def test_a_question_typed_now(lab, setup):
    prepare_questions(lab, setup)
    store = JudgmentStore.of(lab)
    question = store.ask_typed("dust in the shoulder")
    made, corpus = retrievers_for(lab, ["bm25", "words"])
    rank_now(lab, question, {r.name: r for r in made}, corpus.ids())
    assert [p.id for p in _rankings(lab, "bm25")[question.id]] == [
        hit.id for hit in search(made[0], corpus, "dust in the shoulder", KEPT).hits
    ]


def test_another_corpus_is_another_version(lab, setup, tmp_path):
    prepare_questions(lab, setup)
    before = _version(lab, "bm25", current_corpus(lab)[0])
    assert _version(lab, "words", current_corpus(lab)[0]) != before
    path = tmp_path / "more.txt"
    path.write_text("A new document about velkorin and frost.")
    add_documents(lab, [path])
    manifest, _ = current_corpus(lab)
    assert _version(lab, "bm25", manifest) != before
    assert _rankings(lab, "bm25") == {}
    assert Study.of(lab, setup, manifest).questions == {}
    assert prepare_questions(lab, setup).searched == 20


def test_an_id_that_stood_for_another_question_is_not_taken(lab, setup):
    store = JudgmentStore.of(lab)
    from search.judging.store import Question

    taken = next(iter(current_query_set(lab)[1].queries))
    store.ask([Question(taken, "quite another question", "imported")])
    prepare_questions(lab, setup)
    texts = [q.text for q in store.questions()]
    assert set(current_query_set(lab)[1].queries.values()) <= set(texts)
    assert len(texts) == len(set(texts)) == 21
    assert next(q for q in store.questions() if q.id == taken).text == "quite another question"


def test_setups(lab):
    assert default_setup(lab) == Setup("generic", "words")
    assert saved_setup(lab) is None
    assert save_setup(lab, Setup("hybrid:words@0.50", "bm25")) == Setup("hybrid:words", "bm25")
    assert saved_setup(lab) == Setup("hybrid:words", "bm25")
    lab.remove(lab.newest("models"))
    assert saved_setup(lab) is None, "a set-up whose model is gone must be made anew"
    assert default_setup(lab) == Setup("generic", "bm25")


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        (Setup("bm25", "bm25"), "Two different columns"),
        (Setup("bm25", "nobody"), "no model 'nobody'"),
        (Setup("bm25", "words", depth=2), "3 to 10 documents"),
        (Setup("bm25", "words", goal=0), "1 to 500 questions"),
        (Setup("bm25", "words", layout="pile"), "lists or mixed"),
    ],
)
def test_setups_that_cannot_be(lab, setup, said):
    with pytest.raises(Refused, match=said):
        prepare_questions(lab, setup)
    assert saved_setup(lab) is None


def test_nothing_to_ask(lab, setup):
    lab.remove(lab.newest("queries"))
    with pytest.raises(Refused, match="nothing to ask yet"):
        prepare_questions(lab, setup)
    assert prepare_questions(lab, setup, ["frost?"]).questions == 1


def test_another_reranker_under_the_same_name_is_another_version(lab, tiny_cross_encoder):
    add_reranker(lab, str(tiny_cross_encoder), "ce", depth=8)
    asked = Setup("bm25", "rerank:bm25@ce")
    assert prepare_questions(lab, asked).searched == 20
    remove_reranker(lab, "ce")
    add_reranker(lab, str(tiny_cross_encoder), "ce", depth=8)
    assert are_prepared(lab, asked, current_corpus(lab)[0]), "the same reranker ranks the same"
    remove_reranker(lab, "ce")
    add_reranker(lab, str(tiny_cross_encoder), "ce", depth=3)
    assert not are_prepared(lab, asked, current_corpus(lab)[0])
    assert _rankings(lab, "rerank:bm25@ce") == {}
    assert prepare_questions(lab, asked).searched == 20


def test_other_settings_of_keyword_search_are_another_version(lab, monkeypatch):
    manifest, _ = current_corpus(lab)
    names = ("bm25", "hybrid:words", "words")
    before = {name: _version(lab, name, manifest) for name in names}
    monkeypatch.setattr("search.retrieval.sparse.SETTINGS", ("bm25/2", 1.2, 0.75, 1000))
    changed = {name for name in names if _version(lab, name, manifest) != before[name]}
    assert changed == {"bm25", "hybrid:words"}
