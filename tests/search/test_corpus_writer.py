"""Writing a corpus: passages, metadata to filter by, source tiers, documents replaced, cutting again."""

import json

import pytest

from search.corpus import CORPUS_FILE, Corpus
from search.corpus_writer import CorpusWriter
from search.documents import Document, Mark
from search.errors import Cancelled, Failed, Refused
from search.filters import EVERYTHING, Scope, parse_condition, parse_tiers
from search.passages import WHOLE, Cutting
from search.readers.report import Report

LONG = " ".join(f"The tenant number {n} pays the rent in month {n % 12}." for n in range(20))
SMALL = Cutting(tokens=40, overlap=0)


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
    corpus = written([Document("a", "", "Short."), Document("b", "Rent", LONG)], cutting=SMALL)
    assert len(corpus) == 2
    assert corpus.passages == 1 + len(corpus.passages_of(1))
    assert corpus.owners.tolist() == [0] + [1] * (corpus.passages - 1)
    assert corpus.cutting == SMALL
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
    assert corpus.cutting == WHOLE
    assert corpus.owners.tolist() == [0, 1]


def test_marks_are_kept(written):
    marks = (Mark(0, "Duties", 1), Mark(9, "Duties > Rent", 2))
    corpus = written([Document("a", "t", "x" * 20, marks=marks), Document("b", "", "y")])
    assert corpus.document("a").marks == marks


def test_keyword_search_finds_a_document_once_by_its_best_passage(written):
    text = LONG.replace("number 17", "number 17 with a spaniel")
    corpus = written([Document("a", "", text), Document("b", "", "A poodle.")], cutting=SMALL)
    (found,) = corpus.keyword_search("spaniel tenant", 10)
    assert found.document == 0
    (passage,) = corpus.passages_at([found.passage])
    assert "spaniel" in text[passage.start : passage.stop]


def test_match_finds_a_passage_too(written):
    corpus = written([Document("a", "", "Short."), Document("b", "Rent", LONG)], cutting=SMALL)
    passage = corpus.passages_at([3])[0]
    assert corpus.match(LONG[passage.start : passage.stop].upper()) == "b"
    assert corpus.match(LONG) == "b"
    assert corpus.match("Rent " + LONG) == "b"
    assert corpus.match("The tenant number 3") is None


CASES = [
    Document("a", "", "one", {"type": "Case", "year": "1999", "tags": '["tort", "duty"]'}),
    Document("b", "", "two", {"type": "statute", "year": "2015", "date": "2015-03-01"}),
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
        (["date>=2015-01-01"], ["b"]),
        (["date>2016-01-01"], []),
        (["type=nothing"], []),
    ],
)
def test_filters(written, conditions, wanted):
    assert _ids(written(CASES), _scope(*conditions)) == wanted


def test_keyword_search_stays_within_its_filter(written):
    corpus = written([Document(d.id, "", "rent", d.metadata) for d in CASES])
    assert [f.document for f in corpus.keyword_search("rent", 9, _scope("year>=2015"))] == [1, 2]


def test_an_unknown_column_is_refused(written):
    with pytest.raises(Refused, match=r"no metadata 'colour' to filter by\. It has: date, tags"):
        written(CASES).within(_scope("colour=red"))


def test_columns_tell_their_values(written):
    columns = {column.name: column for column in written(CASES).columns()}
    assert list(columns) == ["date", "tags", "type", "year"]
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
    old = written([Document("a", "", LONG), Document("b", "", "Short.")], cutting=SMALL)
    new = written([Document("a", "", "Now short.", {"year": "2026"})], old, replace_changed=True)
    assert new.ids() == ["a", "b"]
    assert new.document("a").text == "Now short."
    assert new.embedded_texts(0, 9) == ["Now short.", "Short."]
    assert new.owners.tolist() == [0, 1]
    assert new.keyword_search("tenant", 5) == []
    assert _ids(new, _scope("year=2026")) == ["a"]
    assert new.match("now short") == "a"


def test_cutting_otherwise_cuts_everything_again(written):
    old = written([Document("a", "", LONG), Document("b", "", "Short.")])
    new = written([Document("c", "", LONG)], old, cutting=SMALL)
    assert new.cutting == SMALL
    assert len(new.passages_of(0)) == len(new.passages_of(2)) > 1
    assert sorted(new.owners.tolist()) == new.owners.tolist()


def test_embedded_keys_tell_what_is_new(written):
    old = written([Document("a", "", LONG), Document("b", "", "Short.")], cutting=SMALL)
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


def test_ids_that_were_made_up_give_way(tmp_path):
    writer = CorpusWriter(tmp_path)
    report = Report("notes.txt")
    for text in ("one", "two", "one"):
        writer.add([Document("notes-1", "", text)], report)
    writer.close()
    ids = Corpus(tmp_path / CORPUS_FILE).ids()
    assert len(ids) == 2
    assert ids[1].startswith("notes-1-")


def test_a_cancel_interrupts_the_indexing_of_words(tmp_path, monkeypatch):
    monkeypatch.setattr("search.corpus_writer._TICK", 1_000)
    writer = CorpusWriter(tmp_path)
    writer.add([Document(str(n), "", f"{LONG} {n}") for n in range(300)])
    heard = []

    def cancel(done, total, message, metrics=None):
        heard.append(message)
        if (
            heard.count("indexing words") == 3
        ):  # In the middle of it: once at its start, then by ticks.
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
