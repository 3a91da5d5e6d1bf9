"""Adding files: what is chosen, what is kept from before, and what is refused."""

import json

import pytest

from search.corpus import ingest
from search.corpus.corpus import Corpus, current_corpus
from search.corpus.filters import parse_tiers
from search.corpus.ingest import IngestChoices, add_documents, remove_documents
from search.corpus.passages import WHOLE, Chunking
from search.corpus.readers.documents import DocumentColumns
from search.projects import room
from search.projects.errors import AlreadyThere, Failed, Refused
from search.projects.project import project_to_be

LONG = " ".join(f"The tenant number {n} pays the rent in month {n % 12}." for n in range(60))


@pytest.fixture
def home():
    return project_to_be("lab")


@pytest.fixture
def file(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    return write


def test_an_empty_file_is_refused_and_nothing_is_there(home, file, workspace, tree):
    with pytest.raises(Refused, match=r"empty\.csv is empty"):
        add_documents(home, [file("empty.csv", "")])
    assert tree(workspace) == {}


def test_the_cutting_is_kept_and_changed_by_halves(home, file):
    first = file("a.csv", f"id,text\na,{LONG}\nb,short\n")
    add_documents(home, [first], IngestChoices(tokens=500, overlap=60))
    assert current_corpus(home)[1].chunking == Chunking(500, 60)
    add_documents(home, [file("b.csv", "id,text\nc,more\n")])
    assert current_corpus(home)[1].chunking == Chunking(500, 60)
    made = add_documents(home, [file("c.csv", "id,text\nd,more\n")], IngestChoices(overlap=20))
    assert current_corpus(home)[1].chunking == Chunking(500, 20)
    assert made.corpus.details["passages"] == made.passages
    add_documents(home, [file("d.csv", "id,text\ne,more\n")], IngestChoices(tokens=0))
    _, corpus = current_corpus(home)
    assert corpus.chunking == WHOLE
    assert corpus.passages == len(corpus) == 5


def test_two_tables_without_ids_and_of_one_name_both_come_in_with_replace(home, file):
    paths = [file("a/data.csv", "text\none\ntwo\n"), file("b/data.csv", "text\nthree\nfour\n")]
    made = add_documents(home, paths, IngestChoices(replace_changed=True))
    assert (made.added.written, made.added.replaced, made.total) == (4, 0, 4)


def test_a_rule_that_no_document_meets_is_refused_with_what_there_is(home, file):
    path = file("a.csv", "id,text,type\na,one,case\nb,two,statute\n")
    with pytest.raises(Refused, match=r"has, for example: 'case', 'statute'"):
        add_documents(home, [path], IngestChoices(tiers=parse_tiers("type=cases,statutes")))
    with pytest.raises(Refused, match="'kind', which no document has"):
        add_documents(home, [path], IngestChoices(tiers=parse_tiers("kind=case")))
    columns = DocumentColumns(metadata=())
    with pytest.raises(Refused, match="'type', which no document has"):
        add_documents(home, [path], IngestChoices(columns, tiers=parse_tiers("type=case")))
    assert home.newest("corpora") is None


def test_tiers_may_go_by_what_prose_brings(home, file):
    paths = [file("case.md", "# Case\n\nHeld."), file("blog.md", "# Blog\n\nSaid.")]
    add_documents(home, paths, IngestChoices(tiers=parse_tiers("file=case.md,blog.md")))
    assert current_corpus(home)[1].tier_sizes() == [(0, 1), (1, 1)]


def test_a_new_rule_alone_is_a_new_version(home, file):
    path = file("a.csv", "id,text,type\na,one,case\nb,two,statute\n")
    add_documents(home, [path])
    made = add_documents(home, [path], IngestChoices(tiers=parse_tiers("type=statute,case")))
    assert (made.added.written, made.added.unchanged) == (0, 2)
    assert current_corpus(home)[1].tier_sizes() == [(0, 1), (1, 1)]


def test_progress_follows_the_bytes_of_the_file(home, file):
    rows = "\n".join(f"d{n},{'дело о наследстве ' * 20},{'note ' * 40}" for n in range(2_000))
    path = file("a.csv", f"id,text,note\n{rows}\n")
    told = []

    def progress(done, total, message, metrics=None):
        if message.startswith("reading"):
            told.append((int(message.split(":")[1].split()[0].replace(",", "")), done / total))

    add_documents(home, [path], progress=progress)
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    for number, share in told:
        assert share == pytest.approx(0.8 * number / 2_000, abs=0.1)


def test_beir_metadata_is_taken_apart(home, file):
    lines = [
        {"_id": "a", "title": "", "text": "one", "metadata": {"year": 2019, "url": ""}},
        {"_id": "b", "title": "", "text": "two", "metadata": {}},
    ]
    path = file("corpus.jsonl", "\n".join(map(json.dumps, lines)))
    add_documents(home, [path])
    _, corpus = current_corpus(home)
    assert corpus.document("a").metadata == {"year": "2019"}
    assert corpus.document("b").metadata == {}


def test_a_corpus_of_before_passages_says_so(home, file):
    add_documents(home, [file("a.csv", "id,text\na,one\nb,two\n")])
    manifest = home.newest("corpora")
    old = manifest.model_copy(
        update={"details": {k: v for k, v in manifest.details.items() if k != "passages"}}
    )
    with pytest.raises(Failed, match="made by an earlier version of Bespoke"):
        Corpus.of(home, old)


def test_what_the_disk_has_no_room_for_is_refused_before_it_is_read(home, file, monkeypatch):
    rows = file("a.csv", f"id,text\na,{LONG}\nb,short\n")
    add_documents(home, [rows])
    enough = 64_000_000 + 1.7 * rows.stat().st_size + current_corpus(home)[1].path.stat().st_size
    monkeypatch.setattr(room, "free_bytes", lambda _path: enough - 1)
    with pytest.raises(Refused, match=r"^The reading needs about .* on the disk mounted at /"):
        add_documents(home, [rows])
    monkeypatch.setattr(room, "free_bytes", lambda _path: enough)
    with pytest.raises(AlreadyThere):
        add_documents(home, [rows])


def test_long_reading_says_what_it_needs(home, file, monkeypatch):
    monkeypatch.setattr(ingest, "_SPEED", 0.1)
    said = []
    rows = file("a.csv", f"id,text\na,{LONG}\nb,short\n")
    add_documents(home, [rows], progress=lambda *told: said.append(told[2]))
    assert said[0].startswith("The reading will take about ") and "memory" not in said[0]


def test_documents_are_taken_out_in_a_version_that_is_what_was_never_given_them(home, file):
    rows = [f"a,{LONG},law", "b,Two.,law", f"c,{LONG.replace('tenant', 'owner')},blog"]
    given = file("a.csv", "\n".join(["id,text,kind", *rows]))
    rule = parse_tiers("kind=law,blog")
    add_documents(home, [given], IngestChoices(tokens=40, overlap=0, tiers=rule))
    before, old = current_corpus(home)
    remove_documents(home, ["b"])
    made, corpus = current_corpus(home)
    other = project_to_be("other")
    fewer = file("b.csv", "\n".join(["id,text,kind", rows[0], rows[2]]))
    add_documents(other, [fewer], IngestChoices(tokens=40, overlap=0, tiers=rule))
    _, wanted = current_corpus(other)
    assert corpus.documents_at([0, 1]) == wanted.documents_at([0, 1])
    assert list(corpus.embedded_keys()) == list(wanted.embedded_keys())
    assert (corpus.chunking, corpus.tiers) == (wanted.chunking, wanted.tiers)
    assert corpus.tier_sizes() == [(0, 1), (1, 1)]
    assert made.details["documents"] == 2 and made.details["passages"] == corpus.passages
    assert made.made_from == {"corpus": before.id} and old.ids() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("ids", "says"),
    [(["x"], "No document of 'lab' has the id 'x'"), (["a"], "at least 2 documents")],
)
def test_what_is_not_there_or_would_leave_too_little_is_not_taken_out(home, file, ids, says):
    add_documents(home, [file("a.csv", "id,text\na,one\nb,two\n")])
    with pytest.raises(Refused, match=says):
        remove_documents(home, ids)
    assert len(home.manifests("corpora")) == 1


def test_documents_are_looked_for_by_what_stands_in_them(home, file):
    rows = ["id,title,text", "a-1,Rent,Paid %monthly_", "b,Lease,The RENT falls due", "c,,nothing"]
    add_documents(home, [file("a.csv", "\n".join(rows))])
    _, corpus = current_corpus(home)
    assert corpus.containing("rent", 10) == (2, [0, 1])
    assert corpus.containing("rent", 1) == (2, [0])
    assert corpus.containing("%MONTHLY_", 10) == (1, [0])
    assert corpus.containing("A-1", 10) == (1, [0])
    assert corpus.containing("x_", 10) == (0, [])
