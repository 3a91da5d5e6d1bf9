"""The frequent words of a corpus: counted by hand, kept once, and where to start from."""

from pathlib import Path

import pytest

from search.corpus.corpus import current_corpus
from search.corpus.ingest import IngestChoices, add_documents
from search.insight.vocabulary import collect, vocabulary_of
from search.projects.project import Project, project_to_be


def corpus_of(texts: list[str], folder: Path) -> Project:
    path = folder / "texts.jsonl"
    import json

    path.write_text("\n".join(json.dumps({"id": f"t{n}", "text": t}) for n, t in enumerate(texts)))
    made = project_to_be("p")
    add_documents(made, [path], IngestChoices(tokens=0))
    return made


TEXTS = [
    "The BP rises. High blood pressure, says the CFPB; BP again: hydrochlorothiazide helps.",
    "Blood pressure falls. The bp of an elder and a zorblax, zorblax, zorblax.",
    "blood pressure\nBlood, pressure 2024 x",
]


def test_words_phrases_and_how_they_are_written(tmp_path: Path) -> None:
    _, corpus = current_corpus(corpus_of(TEXTS, tmp_path))
    found = collect(corpus)
    counts = dict(zip(found.words, found.counts, strict=True))
    # "Blood" and "blood" stand there twice each: the first met stays.
    assert {w.lower(): n for w, n in counts.items()}.items() >= {
        "blood": 4, "pressure": 4, "bp": 3, "zorblax": 3, "the": 3, "blood pressure": 3,
    }.items()  # fmt: skip
    assert counts["BP"] == 3
    assert not {"2024", "x", "a"} & set(counts)
    assert "pressure falls" not in counts
    assert list(found.counts) == sorted(found.counts, reverse=True)
    assert found.abbreviations == ("BP", "CFPB")
    assert "zorblax" in found.new
    assert "pressure" not in found.new
    pieces = {one.word: one.subwords for one in found.over_segmented}
    assert "".join(pieces["hydrochlorothiazide"]) == "hydrochlorothiazide"
    assert len(pieces["hydrochlorothiazide"]) >= 3
    assert "pressure" not in pieces


def test_no_more_than_the_bound(tmp_path: Path) -> None:
    _, corpus = current_corpus(corpus_of(TEXTS, tmp_path))
    whole = collect(corpus)
    some = collect(corpus, most=8)
    assert len(some.words) == 8
    assert set(some.words) <= set(whole.words)
    assert "blood pressure" in some.words


def test_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = corpus_of(TEXTS, tmp_path)
    manifest, corpus = current_corpus(project)
    first = vocabulary_of(project, manifest)
    assert first == collect(corpus)
    monkeypatch.setattr("search.insight.vocabulary.collect", lambda *_: pytest.fail("again"))
    assert vocabulary_of(project, manifest) == first


def test_hindi_words_keep_their_marks(tmp_path: Path) -> None:
    _, corpus = current_corpus(corpus_of(["रक्तचाप बहुत अधिक", "रक्तचाप कम"], tmp_path))
    assert collect(corpus).words[0] == "रक्तचाप"
