"""Keyword indexes of a project: built once, built again for another corpus, refused when damaged."""

import pytest

from search.corpus.corpus import current_corpus
from search.corpus.ingest import IngestChoices, add_documents
from search.projects.errors import Failed
from search.projects.project import project_to_be
from search.retrieval.bm25.store import find_keyword_index
from search.retrieval.search import compare, retrievers_for

LAW = "id,title,text\na,Torts,A tort is a civil wrong.\nb,,The court hears the running appeal.\n"


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "law.csv"
    path.write_text(LAW + "c,Crème brûlée,Not law at all\n", encoding="utf-8")
    made = project_to_be("lab")
    add_documents(made, [path])
    return made


def _ids(home, query, k=10):
    return [hit.id for hit in compare(home, query, ["bm25"], k).results[0].hits]


def test_built_at_the_first_search_and_found_again(home):
    manifest, _ = current_corpus(home)
    assert find_keyword_index(home, manifest) is None
    assert _ids(home, "TORTS") == ["a"]
    index = find_keyword_index(home, manifest)
    assert home.manifests("indexes") == [index]
    assert index.details["passages"] == 3
    assert index.details["bytes"] == sum(record.size for record in index.files.values())
    assert _ids(home, "creme brulee") == ["c"]
    assert home.manifests("indexes") == [index]


@pytest.mark.parametrize(
    "query", ['"', "a OR b", "NEAR(a b)", "title:x", "*", "a'b", "-a", "NOT court", "😀", "قانون"]
)
def test_no_query_has_a_syntax(home, query):
    (result,) = compare(home, query, ["bm25"]).results
    assert (result.note is None) == bool(result.hits)


def test_thousands_of_words(home):
    assert _ids(home, " ".join(["court", *(f"w{n}" for n in range(1500))])) == ["b"]


def test_a_new_version_of_the_corpus_has_a_new_index(home, tmp_path):
    _ids(home, "court")
    more = tmp_path / "more.csv"
    more.write_text("id,text\nd,A court of appeal sits.\n")
    add_documents(home, [more])
    assert _ids(home, "appeal sits") == ["d", "b"]
    assert len(home.manifests("indexes")) == 2


def test_another_way_of_making_terms_is_another_index(home, monkeypatch):
    _ids(home, "court")
    monkeypatch.setattr("search.retrieval.bm25.store.MADE_SO", "bm25/next")
    manifest, _ = current_corpus(home)
    assert find_keyword_index(home, manifest) is None
    assert _ids(home, "court") == ["b"]
    assert len(home.manifests("indexes")) == 2


@pytest.mark.parametrize("name", ["terms.npy", "starts.npy", "passages.npy", "scores.npy"])
def test_damage_is_a_failure_that_says_what_to_do(home, name):
    _ids(home, "court")
    (index,) = home.manifests("indexes")
    path = home.folder_of(index) / name
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(Failed, match=rf"{name} has [\d,]+ bytes instead of .*Delete the folder"):
        compare(home, "court", ["bm25"])


def test_a_corpus_that_was_cut(tmp_path):
    text = "".join(f"The tenant number {n} pays the rent. " for n in range(40))
    path = tmp_path / "long.txt"
    path.write_text(text.replace("number 17", "number 17 with a spaniel"))
    other = tmp_path / "short.txt"
    other.write_text("A poodle.")
    home = project_to_be("cut")
    add_documents(home, [path, other], IngestChoices(tokens=40, overlap=0))
    (hit,) = compare(home, "spaniel tenant", ["bm25"]).results[0].hits
    assert "spaniel" in hit.passage.text
    assert hit.passage.of > 3


def test_the_terminal_builds_and_asks_it(home, call_cli):
    done = call_cli("index", "lab", "--model", "bm25")
    assert done.status == 0, done.err
    assert "different words of 3 passages" in done.out
    found = call_cli("search", "lab", "court", "--model", "bm25")
    assert "b" in found.out
    assert len(home.manifests("indexes")) == 1
    retrievers, _ = retrievers_for(home, ["bm25"])
    assert retrievers[0].name == "bm25"
