"""What a model does not read of the passages: told when it is added, indexed and measured."""

import json

import pytest

from search.corpus.corpus import current_corpus
from search.evaluation.evaluate import evaluate
from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model
from search.models.registry import find_model
from search.models.window import truncation_at_server, truncation_of
from search.projects.project import project_to_be
from search.retrieval.columns import parse_column
from search.retrieval.indexing.build import index_model
from search.retrieval.shares_read import share_read, truncations, unequal_note


@pytest.fixture
def project(import_tiny):
    made = project_to_be("lab")
    import_tiny(made)
    return made


def test_the_shares_are_those_of_the_models_own_tokenizer(project, tiny_model):
    made = add_model(project, str(tiny_model), Choices(name="short", max_length=12))
    _, corpus = current_corpus(project)
    encoder = load_encoder(project, made.info)
    counts = [
        len(encoder.tokenizer(text)["input_ids"])
        for text in corpus.embedded_texts(0, corpus.passages)
    ]
    cut = truncation_of(encoder, corpus)
    assert (cut.window, cut.looked_at, cut.passages) == (12, 40, 1.0)
    assert cut.tokens == pytest.approx(sum(n - 12 for n in counts) / sum(counts))
    assert cut.sentence("short") in made.notes
    assert f"--passage-tokens {cut.fits}" in cut.sentence("short")
    index = index_model(project, "short")
    assert cut.sentence("short") in index.details["encoding"]["notes"]
    assert cut.sentence("short") in evaluate(project, ["generic", "short"]).notes
    columns = [parse_column(name) for name in ("generic", "bm25", "short", "hybrid:short@0.3")]
    cuts = truncations(project, columns, project.newest("corpora"))
    assert cuts == {"short": cut, "hybrid:short@0.3": cut}
    read = f"reads {100 * (1 - cut.tokens):.0f} % of the passages' words"
    assert [share_read(column, cuts) for column in columns] == ["", "", read, f"its model {read}"]
    assert f"(short {read})" in unequal_note(columns, cuts)
    assert f"at most {cut.fits} word pieces" in unequal_note(columns, cuts)
    assert unequal_note(columns[2:], cuts) is None, "both read as much"
    other = {"generic": "generic", "short": "another model of that name"}
    assert truncations(project, columns, project.newest("corpora"), other) == {}


def test_passages_of_the_length_that_is_named_are_read_to_their_ends(project, tmp_path, tiny_model):
    add_model(project, str(tiny_model), Choices(name="short", max_length=24))
    _, corpus = current_corpus(project)
    fits = truncation_of(load_encoder(project, find_model(project, "short")), corpus).fits
    from search.corpus.ingest import IngestChoices, add_documents

    rows = [{"title": d.title, "text": d.text} for d in corpus.documents_at(range(40))]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    cut = project_to_be("cut")
    add_documents(cut, [tmp_path / "rows.json"], IngestChoices(tokens=fits, overlap=0))
    made = add_model(cut, str(tiny_model), Choices(name="short", max_length=24))
    assert not any("never read" in note for note in made.notes)
    left = truncation_of(load_encoder(cut, made.info), current_corpus(cut)[1])
    assert left.passages <= 0.01


def test_who_reads_everything_says_nothing(project, tiny_model):
    made = add_model(project, str(tiny_model), Choices(name="tiny"))
    _, corpus = current_corpus(project)
    whole = truncation_of(load_encoder(project, made.info), corpus)
    assert not whole.is_short and whole.fits is None
    assert not any("never read" in note for note in made.notes)
    assert truncation_of(load_encoder(project, add_model(project, "static").info), corpus) is None
    assert truncation_at_server(None, corpus) is None
    assert truncation_at_server(10, corpus).passages == 1.0
