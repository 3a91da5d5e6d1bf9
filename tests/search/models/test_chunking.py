"""Documents are cut to what the project's models read, counted as the model that reads least counts."""

import json

import pytest

from search.corpus.corpus import current_corpus
from search.corpus.ingest import IngestChoices, add_documents, cut_again
from search.corpus.passages import WHOLE, Chunking
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.models.chunking import chunking_for, smallest_reader
from search.models.pretrained.add import Choices, add_model
from search.models.registry import BUILT_IN, choose_generic, find_model
from search.models.tokenizers import reader_of
from search.projects.errors import Refused
from search.projects.project import Project, project_to_be
from tests.multilingual import HINDI, write_multilingual
from training.data.intake import add_pairs, import_beir


@pytest.fixture(scope="module")
def multilingual(tmp_path_factory, tiny_model):
    return write_multilingual(tmp_path_factory.mktemp("many") / "many", tiny_model)


@pytest.fixture
def project(workspace):
    return project_to_be("p").create()


@pytest.fixture
def rows(tmp_path):
    """Two long documents in Hindi."""
    path = tmp_path / "rows.jsonl"
    texts = [" ".join(HINDI * 4), " ".join(reversed(HINDI * 5))]
    path.write_text(
        "".join(json.dumps({"id": f"d{n}", "text": t}) + "\n" for n, t in enumerate(texts)), "utf-8"
    )
    return path


def added(project: Project, path, **given):
    chunking, pieces = chunking_for(project, **given)
    add_documents(project, [path], IngestChoices(chunking=chunking, pieces=pieces))
    return current_corpus(project)[1]


def longest(project, corpus, name):
    counter = reader_of(project, find_model(project, name)).counter
    return max(map(counter.of, corpus.embedded_texts(0, corpus.passages)))


def test_without_another_model_nothing_is_other_than_before(project):
    assert (
        chunking_for(project)[0] == Chunking() == Chunking(250, 30, "generic", "all-MiniLM-L6-v2")
    )
    assert chunking_for(project_to_be("not-there"))[0] == Chunking()
    assert chunking_for(project, 100, 10)[0] == Chunking(100, 10)
    assert chunking_for(project, 0)[0] == WHOLE


def test_passages_fit_the_smallest_window_in_its_own_pieces(project, multilingual, rows):
    add_model(project, str(multilingual), Choices(name="many", default=True))
    add_model(project, "static", Choices(name="quick"))
    identity, reader = smallest_reader(project)
    assert (identity, reader.title) == (find_model(project, "many").id, "many")
    corpus = added(project, rows)
    assert corpus.chunking == Chunking(42, 10, identity, "many"), (
        "48 less two ends and four to spare"
    )
    assert 35 <= longest(project, corpus, "many") <= 42
    assert longest(project, corpus, "all-MiniLM-L6-v2") > 100
    # Another file is cut in the same way, though the default is another one by now.
    choose_generic(project, "all-MiniLM-L6-v2")
    assert chunking_for(project)[0] == corpus.chunking


def test_a_model_that_reads_less_and_cutting_again(project, multilingual, rows, call_cli):
    whole = added(project, rows)
    before, _ = current_corpus(project)
    assert whole.chunking == Chunking()
    with project.publish("queries", {"corpus": before.id}) as draft:
        QuerySet({"q": "मधुमेह"}, {"q": {"d0": 1}}).save(draft)
    add_model(project, str(multilingual), Choices(name="many"))
    assert chunking_for(project)[0] == Chunking(), "a corpus goes on as it was begun"
    assert smallest_reader(project)[1].title == "many"
    done = call_cli("cut", "p")
    assert done.status == 0, done.err
    assert "passages of at most 42 word pieces of many" in done.out
    manifest, corpus = current_corpus(project)
    assert manifest.made_from == {"corpus": before.id}
    assert corpus.ids() == whole.ids()
    assert corpus.passages > whole.passages
    assert longest(project, corpus, "many") <= 42
    assert current_query_set(project)[1].judgments == {"q": {"d0": 1}}
    again = call_cli("cut", "p")
    assert again.status != 0
    assert "are cut so already: passages of at most 42 word pieces of many" in again.err
    assert call_cli("cut", "p", "--passage-tokens", "0").status == 0
    assert current_corpus(project)[1].chunking == WHOLE
    assert current_corpus(project)[1].passages == 2


def test_responses_are_cut_as_the_corpus_is(project, multilingual, tmp_path):
    add_model(project, str(multilingual), Choices(name="many", default=True))
    pairs = [
        {
            "query": f"{'abcdefghijkl'[n] * 4} due",
            "response": " ".join(f"w{n}x{i}" for i in range(30)),
        }
        for n in range(12)
    ]
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps(pairs), encoding="utf-8")
    add_pairs(project, path)
    corpus = current_corpus(project)[1]
    assert corpus.chunking.counted_as == "many"
    assert longest(project, corpus, "many") <= 42
    assert corpus.passages > 2 * len(corpus) == 24


def test_a_model_that_is_gone_makes_way_for_those_that_are_there(project, multilingual, rows):
    info = add_model(project, str(multilingual), Choices(name="many", default=True)).info
    assert added(project, rows).chunking.counted_by == info.id
    project.change(lambda _: {"generic": BUILT_IN})
    project.remove(project.artifact("models", info.id))
    assert chunking_for(project)[0] == Chunking()


def test_a_beir_set_stays_whole_unless_asked(tiny_beir, workspace, call_cli):
    one, other = project_to_be("one"), project_to_be("other")
    import_beir(one, tiny_beir)
    assert current_corpus(one)[1].chunking == WHOLE
    done = call_cli("import", "other", str(tiny_beir), "--passage-tokens", "24")
    assert done.status == 0, done.err
    corpus = current_corpus(other)[1]
    assert corpus.chunking == Chunking(24, 6)
    assert corpus.passages > len(corpus) == 40
    with pytest.raises(Refused, match="are cut so already: each document is one passage"):
        cut_again(one, WHOLE)


def test_passages_of_another_model_are_not_counted_as_the_built_in_ones(tmp_path):
    from search.corpus.passages import Chunker

    with pytest.raises(ValueError, match="word pieces of many"):
        Chunker(Chunking(42, 10, "m-1", "many"))
