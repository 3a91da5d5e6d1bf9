"""Cutting the documents again, on the page Corpus: offered where today's models would have them cut otherwise."""

from app_help import TINY, labels, open_page, press, shown

from search.corpus.corpus import current_corpus
from search.corpus.ingest import IngestChoices, add_documents, cut_again
from search.corpus.passages import WHOLE
from search.models.chunking import chunking_for
from search.projects.project import Project


def test_documents_that_came_whole_can_be_cut_to_what_the_models_read(
    data: Project, started: list[list[str]]
) -> None:
    wanted, _ = chunking_for(data, again=True)
    assert current_corpus(data)[1].chunking == WHOLE != wanted
    at = open_page("corpus", TINY)
    assert wanted.tokens == 250
    assert (
        "Each document is one passage. For the models of this project: documents are cut to passages of about 190 words at "
        "most. Cutting again makes a new version; judgments are of documents, so they stay."
    ) in shown(at)
    press(at, "cut-again")
    assert started == [["cut", TINY]]


def test_what_is_cut_as_the_models_read_it_is_not_offered_again(
    empty: Project, tmp_path, started: list[list[str]]
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("id,text\na,The tenant pays the rent.\nb,The owner mends the roof.\n")
    add_documents(empty, [rows], IngestChoices(tokens=20, overlap=0))
    at = open_page("corpus", TINY)
    assert "Documents are cut to passages of about 20 words at most." in shown(at)
    wanted, pieces = chunking_for(empty, again=True)
    cut_again(empty, wanted, pieces)
    at = open_page("corpus", TINY)
    assert "Cut again" not in labels(at)
    assert "Documents are cut to passages" not in shown(at)
    assert not started
