"""Writing a corpus: passages, metadata to filter by, source tiers, documents replaced, cutting again."""

import json
import sqlite3

import pytest

from search.corpus.corpus import CORPUS_FILE, Corpus
from search.corpus.document import Document, Heading
from search.corpus.filters import EVERYTHING, Scope, parse_condition, parse_tiers
from search.corpus.passages import WHOLE, Chunking
from search.corpus.readers.report import Report
from search.corpus.writer import CorpusWriter
from search.projects.errors import Cancelled, Failed, Refused

LONG = " ".join(f"The tenant number {n} pays the rent in month {n % 12}." for n in range(20))
SMALL = Chunking(tokens=40, overlap=0)


@pytest.fixture
def written(tmp_path):
    """Writes documents into a corpus of their own, or after those of an earlier one."""
    count = 0

    def write(documents, earlier=None, **options):
        nonlocal count
        count += 1
        folder = tmp_path / f"corpus-{count}"
        folder.mkdir()
        writer = CorpusWriter(folder, earlier, **options)
        writer.add(documents)
        writer.close()
        return Corpus(folder / CORPUS_FILE)

    return write


def _scope(*conditions):
    return Scope(tuple(map(parse_condition, conditions)))


def _ids(corpus, scope):
    allowed = corpus.within(scope)
    if allowed is None:
        return corpus.ids()
    return [corpus.ids()[corpus.owners[p]] for p in allowed]


def test_passages_know_their_document(written):
    corpus = written([Document("a", "", "Short."), Document("b", "Rent", LONG)], chunking=SMALL)
    assert len(corpus) == 2
    assert corpus.passages == 1 + len(corpus.passages_of(1))
    assert corpus.owners.tolist() == [0] + [1] * (corpus.passages - 1)
    assert corpus.chunking == SMALL
    texts = corpus.embedded_texts(0, 100)
    assert texts[0] == "Short."
    assert all(text.startswith("Rent The tenant number") for text in texts[1:])
    assert corpus.embedded_at([2, 0]) == [texts[2], texts[0]]
    first, second = corpus.passages_at([1, 2])
    assert (first.start, second.start) == (0, LONG.index("The tenant number 3"))
    assert corpus.texts(0, 9) == ["Short.", f"Rent {LONG}"]


def test_whole_documents_are_passages_of_the_same_number(written):
    corpus = written([Document("a", "", LONG), Document("b", "", "Short.")])
    assert (corpus.passages, len(corpus)) == (2, 2)
    assert corpus.chunking == WHOLE
    assert corpus.owners.tolist() == [0, 1]


def test_runs_of_passages_are_those_of_each_document(written):
    corpus = written(
        [Document("a", "", "Short."), Document("b", "", LONG), Document("c", "", LONG)],
        chunking=SMALL,
    )
    runs = corpus.passage_runs([2, 0, 1])
    for document, (first, count) in runs.items():
        assert corpus.passages_of(document) == list(range(first, first + count))
    assert runs[0] == (0, 1) and runs[2][1] > 1
    assert corpus.passage_runs([]) == {}


def test_marks_are_kept(written):
    marks = (Heading(0, "Duties", 1), Heading(9, "Duties > Rent", 2))
    corpus = written([Document("a", "t", "x" * 20, marks=marks), Document("b", "", "y")])
    assert corpus.document("a").marks == marks


def test_match_finds_a_passage_too(written):
    corpus = written([Document("a", "", "Short."), Document("b", "Rent", LONG)], chunking=SMALL)
    passage = corpus.passages_at([3])[0]
    assert corpus.match(LONG[passage.start : passage.stop].upper()) == "b"
    assert corpus.match(LONG) == "b"
    assert corpus.match("Rent " + LONG) == "b"
    assert corpus.match("The tenant number 3") is None


CASES = [
    Document("a", "", "one", {"type": "Case", "year": "1999", "tags": '["tort", "duty"]'}),
    Document(
        "b", "", "two", {"type": "statute", "year": "2015", "date": "2015-03-01", "mg": "[1.50]"}
    ),
    Document("c", "", "three", {"type": "blog", "year": "2020", "tags": '["duty"]'}),
    Document("d", "", "four", {}),
]


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        ([], ["a", "b", "c", "d"]),
        (["type=case"], ["a"]),
        (["type=case,blog"], ["a", "c"]),
        (["type!=case"], ["b", "c", "d"]),
        (["year>=2015"], ["b", "c"]),
        (["year<2000"], ["a"]),
        (["year>1999", "type=blog"], ["c"]),
        (["tags=duty"], ["a", "c"]),
        (["mg=1.50"], ["b"]),
        (["mg=1.5"], []),
        (["mg>=1.5"], ["b"]),
        (["date>=2015-01-01"], ["b"]),
        (["date>2016-01-01"], []),
        (["type=nothing"], []),
        (["type=CASE"], ["a"]),
        (["date>2014"], ["b"]),
        (["date>2016"], []),
    ],
)
def test_filters(written, conditions, wanted):
    assert _ids(written(CASES), _scope(*conditions)) == wanted


def test_an_unknown_column_is_refused(written):
    with pytest.raises(
        Refused, match=r"no metadata 'colour' to filter by\. It has: date, mg, tags"
    ):
        written(CASES).within(_scope("colour=red"))


def test_columns_tell_their_values(written):
    columns = {column.name: column for column in written(CASES).columns()}
    assert list(columns) == ["date", "mg", "tags", "type", "year"]
    assert columns["tags"].values == [("duty", 2), ("tort", 1)]
    assert (columns["year"].low, columns["year"].high) == (1999.0, 2020.0)
    assert columns["type"].low is None
    assert columns["type"].distinct == 3


def test_what_is_nearly_unique_or_long_is_no_filter(written):
    documents = [
        Document(str(n), "", "x", {"url": f"http://a/{n}", "note": "y" * 101, "year": str(n)})
        for n in range(1_200)
    ]
    assert written(documents).column_names() == ["year"]


def test_tiers_are_kept_and_can_be_given_later(written):
    tiers = parse_tiers("type=case,statute")
    corpus = written(CASES, tiers=tiers)
    assert corpus.tiers == tiers
    assert corpus.tier_sizes() == [(0, 1), (1, 1), (2, 2)]
    assert _ids(corpus, Scope(tier=2)) == ["c", "d"]
    plain = written(CASES)
    assert (plain.tiers, plain.tier_sizes()) == (None, [])
    later = written([Document("e", "", "five", {"type": "case"})], plain, tiers=tiers)
    assert later.tier_sizes() == [(0, 2), (1, 1), (2, 2)]
    kept = written([Document("f", "", "six", {"type": "statute"})], later)
    assert (kept.tiers, kept.tier_sizes()) == (tiers, [(0, 2), (1, 2), (2, 2)])


def test_a_replaced_document_takes_its_old_place(written):
    old = written([Document("a", "", LONG), Document("b", "", "Short.")], chunking=SMALL)
    new = written([Document("a", "", "Now short.", {"year": "2026"})], old, replace_changed=True)
    assert new.ids() == ["a", "b"]
    assert new.document("a").text == "Now short."
    assert new.embedded_texts(0, 9) == ["Now short.", "Short."]
    assert new.owners.tolist() == [0, 1]
    assert _ids(new, _scope("year=2026")) == ["a"]
    assert new.match("now short") == "a"


def test_cutting_otherwise_cuts_everything_again(written):
    old = written([Document("a", "", LONG), Document("b", "", "Short.")])
    new = written([Document("c", "", LONG)], old, chunking=SMALL)
    assert new.chunking == SMALL
    assert len(new.passages_of(0)) == len(new.passages_of(2)) > 1
    assert sorted(new.owners.tolist()) == new.owners.tolist()


def test_embedded_keys_tell_what_is_new(written):
    old = written([Document("a", "", LONG), Document("b", "", "Short.")], chunking=SMALL)
    new = written([Document("c", "", "Third.")], old)
    assert list(new.embedded_keys())[:-1] == list(old.embedded_keys())
    assert len(set(new.embedded_keys())) == new.passages


def test_what_a_refused_file_wrote_is_undone(tmp_path):
    writer = CorpusWriter(tmp_path)
    writer.add([Document("a", "", "one")])

    def broken():
        yield Document("b", "", "two")
        raise Refused("row 2 is broken")

    with pytest.raises(Refused), writer.together():
        writer.add(broken())
    writer.add([Document("c", "", "three")])
    writer.close()
    corpus = Corpus(tmp_path / CORPUS_FILE)
    assert corpus.ids() == ["a", "c"]
    assert corpus.owners.tolist() == [0, 1]
    assert corpus.embedded_texts(0, 9) == ["one", "three"]


@pytest.mark.parametrize("replace_changed", [False, True])
def test_ids_that_were_made_up_give_way(tmp_path, replace_changed):
    writer = CorpusWriter(tmp_path, replace_changed=replace_changed)
    for text in ("one", "two", "two!"):
        writer.add([Document("notes-1", "", text)], Report("notes.txt"))
    writer.close()
    corpus = Corpus(tmp_path / CORPUS_FILE)
    assert corpus.ids() == ["notes-1", "notes-1-2", "notes-1-3"]
    assert [d.text for d in corpus.sample(9)] == ["one", "two", "two!"]


def test_what_stood_before_under_a_made_up_id_is_known_by_its_content(written, tmp_path):
    old = written([Document(f"rows-{n}", "", f"row number {n}") for n in range(1, 21)])
    folder = tmp_path / "again"
    folder.mkdir()
    writer = CorpusWriter(folder, old)
    rows = ["a row on top", *(f"row number {n}" for n in range(1, 21))]
    documents = [Document(f"rows-{n}", "", text) for n, text in enumerate(rows, start=1)]
    added = writer.add(documents, Report("rows.csv"))
    writer.close()
    assert (added.written, added.unchanged, added.replaced) == (1, 20, 0)
    assert len(Corpus(folder / CORPUS_FILE)) == 21


def test_other_metadata_is_not_the_same_document(written, tmp_path):
    old = written([Document("a", "", "one"), Document("b", "", "two")])
    for replace_changed, counts in ((False, (0, 0)), (True, (0, 1))):
        folder = tmp_path / f"other-{replace_changed}"
        folder.mkdir()
        writer = CorpusWriter(folder, old, replace_changed=replace_changed)
        report = Report("b.csv", roles={"id": "id"})
        added = writer.add([Document("b", "", "two", {"type": "case"}, where="row 7")], report)
        assert (added.written, added.replaced) == counts
        if not replace_changed:
            ((where, reason),) = [(r.where, r.reason) for r in report.refused]
            assert where == "row 7"
            assert "is in the corpus already, with other metadata (--replace" in reason


def test_facts_that_only_look_like_numbers_are_none(written):
    rows = [("2024-03-01", "21-484", "1.2.3"), ("2024-05-02", "22-1", "1.2.4")]
    corpus = written(
        [
            Document(str(n), "", "x", {"date": d, "docket": k, "version": v})
            for n, (d, k, v) in enumerate(rows)
        ]
    )
    assert [column.low for column in corpus.columns()] == [None, None, None]
    assert _ids(corpus, _scope("date>2024-04")) == ["1"]
    assert _ids(corpus, _scope("docket>21")) == ["0", "1"]


def test_capitals_of_every_script_are_folded(written):
    corpus = written(
        [Document("a", "", "x", {"art": "Übersicht"}), Document("b", "", "y", {"art": "ДЕЛО"})]
    )
    assert _ids(corpus, _scope("art=übersicht")) == ["a"]
    assert _ids(corpus, _scope("art=дело")) == ["b"]


def test_many_different_dates_stay_a_filter(written):
    documents = [
        Document(str(n), "", "x", {"sent": f"2024-01-{n % 28 + 1:02}T{n:06}"}) for n in range(1_200)
    ]
    assert written(documents).column_names() == ["sent"]


def test_a_long_document_costs_no_more_than_its_length(tmp_path):
    """Its text was once cut out of the whole for each of its passages, in two places."""
    document = Document("a", "", " ".join(f"Sentence number {n} is here." for n in range(60_000)))
    writer = CorpusWriter(tmp_path, chunking=Chunking(64, 0))
    writer.add([document])
    writer.close()
    corpus = Corpus(tmp_path / CORPUS_FILE)
    read = []
    connect = sqlite3.connect

    def counting(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.set_trace_callback(read.append)
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.corpus.corpus.sqlite3.connect", counting)
        texts = corpus.embedded_texts(0, 1_000)
    assert len(texts) == 1_000
    assert sum("FROM documents" in statement for statement in read) <= 2 + 1_000 // 500


def test_a_cancel_interrupts_sqlite_at_work(tmp_path, monkeypatch):
    monkeypatch.setattr("search.corpus.writer._TICK", 100)
    writer = CorpusWriter(tmp_path)
    writer.add([Document(str(n), "", f"{LONG} {n}") for n in range(300)])
    heard = []

    def cancel(done, total, message, metrics=None):
        heard.append(message)
        if heard.count("sorting what came in") == 3:  # Once at its start, then inside SQLite.
            raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled, match="Nothing was published"):
        writer.close(cancel)


def test_a_full_disk_is_a_clear_failure(tmp_path):
    writer = CorpusWriter(tmp_path)
    writer._connection.execute("PRAGMA max_page_count = 30")
    with pytest.raises(Failed, match="could not be written: database or disk is full"):
        writer.add([Document(str(n), "", LONG) for n in range(300)])


def test_metadata_with_quotes_is_data(written):
    documents = [Document("a", "", "x", {'we"ird': "it's"}), Document("b", "", "y")]
    corpus = written(documents)
    assert _ids(corpus, _scope("we\"ird=it's")) == ["a"]
    assert json.dumps(corpus.column_names()) == '["we\\"ird"]'


def test_everything_is_no_filter(written):
    assert written(CASES).within(EVERYTHING) is None
