"""What a project's own queries make of a column's scores: fitted once, until something changes, and no ranking moves."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from search.corpus.corpus import current_corpus
from search.corpus.filters import Condition, Scope
from search.corpus.ingest import add_documents
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.parts import PartsOnce
from search.evaluation.relevance.fit_relevance import evidence_of, fit_missing_relevance
from search.evaluation.relevance.made_up import questions_of_documents
from search.projects.project import Project
from search.retrieval.columns import parse_column
from search.retrieval.relevance import judge
from search.retrieval.relevance.calibration import find_calibration
from search.retrieval.relevance.shares import NOT_ABOUT, UNANSWERED
from search.retrieval.search import compare, search
from tests.conftest import tiny_text


@pytest.fixture
def tiny(tmp_path, import_tiny) -> Project:
    made = Project(tmp_path / "workspace" / "p")
    import_tiny(made)
    return made


def test_a_column_is_fitted_once_and_its_ranking_stays(tiny):
    before = compare(tiny, "dust in the knee", ["bm25"], 5).results[0]
    made = fit_missing_relevance(tiny, ["bm25"])["bm25"]
    (report,) = tiny.manifests("reports")
    assert set(report.made_from) == {"corpus", "pairs", "queries"}
    assert fit_missing_relevance(tiny, ["bm25"]) == {"bm25": made}
    assert len(tiny.manifests("reports")) == 1
    after = compare(tiny, "dust in the knee", ["bm25"], 5)
    assert after.results[0].hits == before.hits and before.relevance is None
    hits = after.as_json()["results"]["bm25"]["hits"]
    assert [hit["probability"] for hit in hits] == [
        round(share, 4) for share in after.results[0].relevance.shares
    ]
    tiny.remove(tiny.newest("queries"))
    assert find_calibration(tiny, parse_column("bm25"), tiny.newest("corpora")) is None


def test_without_queries_of_people_it_is_rough(tiny):
    for manifest in tiny.manifests("pairs"):
        tiny.remove(manifest)
    made = fit_missing_relevance(tiny, ["bm25"])["bm25"]
    assert made.rough
    said = compare(tiny, "dust in the knee", ["bm25"], 2).results[0].relevance
    assert "roughly" in said.described(0)


@pytest.mark.parametrize(
    "texts", [[f"shoe {n}" for n in range(20)], [tiny_text(n) for n in range(9)]]
)
def test_of_texts_that_ask_too_few_questions_nothing_is_said(tmp_path, texts):
    made = corpus_of(tmp_path, texts)
    assert fit_missing_relevance(made, ["bm25"]) == {}
    assert compare(made, "shoe frost", ["bm25"], 2).results[0].relevance is None
    assert not list(made.manifests("reports"))


def test_a_corpus_in_another_script_than_the_general_questions_has_no_line(tmp_path):
    made = corpus_of(tmp_path, [f"यह लाल जूता संख्या {n} पर रखा गया है" for n in range(20)])
    fitted = fit_missing_relevance(made, ["bm25"])["bm25"]
    assert fitted.foreign.at is None and all(np.isfinite(fitted.hit.weights))
    (found,) = compare(made, "लाल जूता", ["bm25"], 2).results
    assert found.relevance.line == "" and len(found.relevance.shares) == 2


def corpus_of(folder, texts) -> Project:
    made = Project(folder / "workspace" / "of")
    lines = [json.dumps({"id": f"d{n}", "text": text}) for n, text in enumerate(texts)]
    (folder / "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    add_documents(made.create(), [folder / "texts.jsonl"])
    return made


def test_what_a_server_reads_is_not_asked_for_unasked(tiny, monkeypatch):
    paid = SimpleNamespace(is_metered=True)
    monkeypatch.setattr(PartsOnce, "dense", lambda self, info, progress: paid)
    assert fit_missing_relevance(tiny, ["generic"]) == {}


def test_questions_of_documents_are_words_that_their_document_has(tiny):
    _, corpus = current_corpus(tiny)
    made = questions_of_documents(corpus)
    texts = {d.id: d.text.casefold() for d in corpus.documents_at(range(len(corpus)))}
    assert made.queries
    for identity, text in made.queries.items():
        assert all(word in texts[identity] for word in text.casefold().split())
        assert made.relevant(identity) == {identity: 1}


def test_the_evidence_without_the_answers_is_that_of_a_corpus_without_them(tiny):
    manifest, corpus = current_corpus(tiny)
    words = PartsOnce(tiny, manifest, corpus).bm25()
    (first, second, *_) = words.rank(["dust in the knee"], 50)[0]
    ids = corpus.ids()
    asked = QuerySet({"q": "dust in the knee"}, {"q": {ids[first.document]: 1}})
    (one,) = evidence_of(words, words, corpus, asked, {})
    assert one.relevant.tolist() == [True] + [False] * (len(one.hits) - 1)
    assert (one.evidence.scores[0], one.gone.scores[0]) == (first.score, second.score)
    (left_out,) = evidence_of(words, words, corpus, asked, {"q": {ids[first.document]}})
    assert np.array_equal(left_out.evidence.question(), one.gone.question())


def test_one_line_at_most_and_none_within_filters(tiny):
    manifest, corpus = current_corpus(tiny)
    made = fit_missing_relevance(tiny, ["bm25"])["bm25"]
    words = PartsOnce(tiny, manifest, corpus).bm25()
    for at, other, said in (
        (1e9, 1e9, NOT_ABOUT),
        (None, 1e9, UNANSWERED),
        (None, None, ""),
    ):
        foreign, unanswered = replace(made.foreign, at=at), replace(made.unanswered, at=other)
        one = judge.Judge(replace(made, foreign=foreign, unanswered=unanswered), words)
        line = search(words, corpus, "dust", 3, judge=one).relevance.line
        assert line.startswith(said) and bool(line) == bool(said)
        assert ("are noticed" in line) == (said == UNANSWERED)
    one = judge.Judge(replace(made, foreign=replace(made.foreign, at=1e9)), words)
    filtered = SimpleNamespace(rank=lambda queries, k, scope: words.rank(queries, k))
    hits = words.rank(["dust"], 3)[0]
    some = Scope((Condition("year", "=", ("2020",)),))
    said = one.judged(filtered, "dust", hits, some)
    assert len(said.shares) == len(hits) and said.line == ""
