"""Why a model ranked a document as it did: against the searcher's own scores, and lessons against brute force."""

import json
from pathlib import Path

import numpy as np
import pytest

from indexes.vector_index import normalised
from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.query_sets.trained_on import trained_pairs
from search.insight import vector_cache
from search.insight.attribution import MOST_VARIANTS, by_terms, matcher, term_contributions
from search.insight.explain import ABSENT, UNKNOWN, attribute, explain, position_of, soon
from search.insight.training_neighbours import TrainedOn, is_ready
from search.models.registry import find_model
from search.projects.errors import Refused
from search.projects.project import Project, project_to_be
from search.retrieval.bm25.index import TermIndex, build
from search.retrieval.bm25.tokenizer import Analysis
from search.retrieval.search import retrievers_for
from training.train import train

QUERY = "what helps against velkorin in the hand"


@pytest.mark.parametrize("model", ["tuned", "words", "bm25"])
def test_the_score_is_the_one_that_the_search_shows(tiny: Project, model: str) -> None:
    (retriever,), corpus = retrievers_for(tiny, [model])
    found = {f.document: f.score for f in retriever.rank([QUERY], 40)[0]}
    for document in list(found)[:3]:
        told = attribute(retriever, corpus, QUERY, document)
        assert told.attribution is not None
        assert told.attribution.score == pytest.approx(found[document], abs=1e-5)
        assert told.attribution.passage == corpus.embedded_texts(document, document + 1)[0]


def test_keyword_parts_add_up_and_stand_where_the_words_do(tiny: Project) -> None:
    (retriever,), corpus = retrievers_for(tiny, ["bm25"])
    told = attribute(retriever, corpus, "velkorin affecting HANDS", 0).attribution
    assert told is not None
    assert sum(p.pull for p in told.words) == pytest.approx(told.score)
    assert {p.text for p in told.words if p.pull > 0} == {"Velkorin", "velkorin", "affects", "hand"}


def test_nothing_to_explain(tiny: Project) -> None:
    (keyword, words), corpus = retrievers_for(tiny, ["bm25", "words"])
    assert attribute(keyword, corpus, "xylophone", 0).note == ABSENT
    assert attribute(words, corpus, "xylophone", 0).note == UNKNOWN
    with pytest.raises(Refused, match="no document 'nope'"):
        position_of(corpus, "nope")
    assert position_of(corpus, "d7") == 7


def test_a_position_is_looked_up_and_no_other_id_is_read(tiny: Project, monkeypatch) -> None:
    _, corpus = current_corpus(tiny)
    monkeypatch.delattr(Corpus, "ids")
    assert position_of(corpus, "d7") == 7
    with pytest.raises(Refused, match="no document 'nope'"):
        position_of(corpus, "nope")


def test_the_best_of_several_passages_is_explained(workspace: Path, tmp_path: Path) -> None:
    from search.corpus.ingest import IngestChoices, add_documents

    text = " ".join(f"Filler number {n} says nothing at all here." for n in range(60))
    path = tmp_path / "book.txt"
    path.write_text(text + " The kidney hurts badly. " + text, encoding="utf-8")
    other = tmp_path / "other.txt"
    other.write_text("Something else entirely.", encoding="utf-8")
    made = project_to_be("book")
    add_documents(made, [path, other], IngestChoices(tokens=60, overlap=0))
    train(
        made,
        "word2vec",
        "words",
        {"min_count": 1, "epochs": 2, "vector_size": 8, "pooling": "mean"},
    )
    (keyword, words), corpus = retrievers_for(made, ["bm25", "words"])
    document = position_of(corpus, "book.txt") if "book.txt" in corpus.ids() else 0
    told = attribute(keyword, corpus, "kidney", document).attribution
    assert told is not None
    assert "kidney" in told.passage
    assert len(told.passage) < 600
    by_vectors = attribute(words, corpus, "kidney hurts", document).attribution
    (best,) = words.rank(["kidney hurts"], 1)
    assert by_vectors is not None
    assert by_vectors.passage == corpus.embedded_at([best[0].passage])[0]


def test_matching_uses_the_stemming_of_the_index() -> None:
    matches = matcher(Analysis(stems=("en",)), "run down", "Running runs; RAN, run-down")
    assert matches("run") == [True, True, False, True, False]
    assert matches("down") == [False, False, False, False, True]
    assert matcher(Analysis(), "run", "Running runs; run")("run") == [False, False, True]


def test_letters_in_capitals_are_explained_where_they_stand(tmp_path: Path) -> None:
    analysis = Analysis(("en",), ("en",))
    texts = ["A week of hepatitis A, a rash", "A week of hepatitis B, a rash", "frost in gold"]
    build(texts, analysis, tmp_path)
    index = TermIndex.load(tmp_path, analysis, len(texts))
    query = "What is hepatitis A?"
    best, parts = term_contributions(index, query, [1, 0, 2])
    score = index.score(index.weights(analysis.terms(query), 99))[0]
    assert best == 0
    assert sum(part for _, part in parts) == pytest.approx(score)
    assert {word for word, part in parts if part > 0} == {"hepatitis", "a"}
    told = by_terms(query, texts[0], parts, matcher(analysis, query, texts[0]))
    assert [(part.text, part.pull > 0) for part in told.words] == [
        ("A", False), ("week", False), ("of", False), ("hepatitis", True), ("A", True), ("a", False), ("rash", False),
    ]  # fmt: skip
    assert sum(part.pull for part in told.words) == pytest.approx(score)


def test_words_that_share_a_term_or_are_said_twice_share_its_part(tiny: Project) -> None:
    (retriever,), _ = retrievers_for(tiny, ["bm25"])
    best, parts = term_contributions(retriever.index, "velkorin the VELKORIN hand", [3, 0])
    assert best == 0
    alone = dict(term_contributions(retriever.index, "velkorin", [0])[1])
    assert dict(parts)["velkorin"] == pytest.approx(2 * alone["velkorin"])
    (ranking,) = retriever.rank(["velkorin the VELKORIN hand"], 1)
    assert sum(part for _, part in parts) == pytest.approx(ranking[0].score)


def test_lessons_against_brute_force(tiny: Project) -> None:
    (searcher,), corpus = retrievers_for(tiny, ["tuned"])
    pairs = trained_pairs(tiny, find_model(tiny, "tuned"))
    assert len(pairs) > 20
    taught = TrainedOn.load(tiny, corpus, searcher)
    assert taught is not None
    passage = corpus.embedded_texts(3, 4)[0]
    told = taught.nearest(QUERY, 3, passage)
    encoder = searcher.encoder
    asked = normalised(encoder.encode_query([QUERY]))[0]
    near = normalised(encoder.encode_query([p.query for p in pairs])) @ asked
    best = [pairs[place].query for place in np.argsort(-near, kind="stable")]
    assert told.pairs == len(pairs)
    assert [one.query for one in told.like_query] == list(dict.fromkeys(best))[:3]
    assert [one.nearness for one in told.like_query] == pytest.approx(
        sorted(dict(zip([p.query for p in pairs], near, strict=True)).values(), reverse=True)[:3],
        abs=1e-5,
    )
    assert {one.document for one in told.about} == {"d3"}
    assert len(told.about) == 3 or len(told.about) == sum(p.document == "d3" for p in pairs)
    texts = {p.document: corpus.document(p.document).embedded for p in pairs if p.document != "d3"}
    seen = normalised(encoder.encode_document([passage]))[0]
    likeness = {
        d: float(normalised(encoder.encode_document([t]))[0] @ seen) for d, t in texts.items()
    }
    nearest = max(likeness, key=likeness.__getitem__)
    assert told.like_document[0].document == nearest
    assert told.like_document[0].nearness == pytest.approx(likeness[nearest], abs=1e-5)
    assert told.like_document[0].title == corpus.document(nearest).title


def test_answers_that_are_not_in_the_corpus_are_lessons_too(tiny: Project) -> None:
    from search.corpus.labels import Pair

    (searcher,), corpus = retrievers_for(tiny, ["tuned"])
    passage = corpus.embedded_texts(3, 4)[0]
    pairs = [Pair("a question", passage), Pair("another", "who files the deed", "gone")]
    encoder = searcher.encoder
    taught = TrainedOn(
        pairs,
        corpus,
        searcher,
        normalised(encoder.encode_query(["a question", "another"])),
        normalised(encoder.encode_document([passage, "who files the deed"])),
    )
    told = taught.nearest(QUERY, 3, passage)
    assert [one.query for one in told.like_document] == ["a question", "another"]
    assert told.like_document[0].nearness == pytest.approx(1.0, abs=1e-5)
    assert told.about == ()


def test_models_without_pairs_have_no_lessons(tiny: Project) -> None:
    (searcher,), corpus = retrievers_for(tiny, ["words"])
    assert TrainedOn.load(tiny, corpus, searcher) is None
    assert trained_pairs(tiny, find_model(tiny, "generic")) == []


def test_many_questions_are_encoded_once_and_kept(
    tiny: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (searcher,), corpus = retrievers_for(tiny, ["tuned"])
    info = searcher.info
    assert is_ready(tiny, corpus, info)
    monkeypatch.setattr(vector_cache, "SOON", 1)
    assert not is_ready(tiny, corpus, info)
    first = TrainedOn.load(tiny, corpus, searcher)
    assert is_ready(tiny, corpus, info)
    calls: list[object] = []
    monkeypatch.setattr(
        type(searcher.encoder), "encode_query", lambda *given, **more: calls.append(given)
    )
    again = TrainedOn.load(tiny, corpus, searcher)
    assert not calls
    assert first is not None
    assert again is not None
    assert np.array_equal(first._queries, again._queries)


def test_explain_tells_every_model_and_what_it_learned_from(tiny: Project) -> None:
    words, tuned, keyword = explain(tiny, QUERY, "d0", ["words", "tuned", "bm25"])
    assert [one.model for one in (words, tuned, keyword)] == ["words", "tuned", "bm25"]
    assert words.training_neighbours is None
    assert keyword.training_neighbours is None
    assert tuned.training_neighbours is not None
    assert tuned.training_neighbours.about[0].document == "d0"
    assert tuned.nearest_neighbours[0] == tuned.training_neighbours.about[0]
    assert "“velkorin”" in keyword.sentence.lower()
    with pytest.raises(Refused, match="query is empty"):
        explain(tiny, " ", "d0")


@pytest.mark.slow
def test_the_command_prints_the_same(tiny: Project, call_cli) -> None:
    done = call_cli("explain", "tiny", QUERY, "d0", "--model", "bm25", "--model", "tuned", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    expected = [one.as_json() for one in explain(tiny, QUERY, "d0", ["bm25", "tuned"])]
    assert told[0] == json.loads(json.dumps(expected[0]))
    assert told[1]["attribution"]["score"] == pytest.approx(
        expected[1]["attribution"]["score"], abs=1e-5
    )
    assert told[1]["learned_from"]["about"][0]["document"] == "d0"
    plain = call_cli("explain", "tiny", QUERY, "d0", "--model", "bm25")
    assert "bm25: drawn by" in plain.out
    refused = call_cli("explain", "tiny", QUERY, "nope", "--model", "bm25")
    assert refused.status == 2
    assert "no document 'nope'" in refused.err


def test_a_hybrid_is_explained_by_both_of_its_sides(tiny: Project) -> None:
    told = explain(tiny, QUERY, "d0", ["hybrid:words", "tuned", "words"])
    assert [one.model for one in told] == ["bm25", "words", "tuned"]


def test_long_passages_are_taken_apart_less_finely_so_that_all_are_explained_soon() -> None:
    assert soon("word " * 60, MOST_VARIANTS) == MOST_VARIANTS
    assert soon("word " * 200, MOST_VARIANTS) == 25
    assert soon("word " * 100, MOST_VARIANTS, among=2) == 25, "two models share the time"
    assert soon("word " * 2_000, MOST_VARIANTS) == 12
    assert soon("", MOST_VARIANTS) == MOST_VARIANTS
    assert soon("word", 4) == 4
