"""What the child reads is what the reader reads: documents, reports, refusals, in the same order."""

import json

import pytest

from search.corpus.isolated import door
from search.corpus.labels import Pair
from search.corpus.readers import documents, judgments, pairs, qrels, queries
from search.corpus.readers.grades import UnclearGrades
from search.corpus.readers.report import BadField
from search.corpus.readers.row_documents import DocumentColumns
from search.corpus.readers.tables import open_report

FILES = {
    "a.csv": "id;text;jahr\na;Käse ist gut;2019\n;ohne Kennung;2020\na;noch einmal;2021\nb;;\nc;Öl;x\n",
    "b.jsonl": '{"_id": "1", "title": "T", "text": "one", "metadata": {"year": 2019}}\n[]\n'
    '{"_id": "2", "text": "bro\\ud800ken"}\n{"_id": "3", "text": "\\u2028 line \U0001f600"}\n',
    "c.json": json.dumps(
        {
            "rows": [
                {"name": "x", "body": {"text": f"A tenant pays the rent of year {n}."}}
                for n in range(5)
            ]
        }
    ),
    "d.html": "<h1>Rent</h1><p>A tenant pays.</p><h2>Roof</h2><p>A landlord repairs it.</p>",
    "e.md": "# Rent\n\nA tenant pays.\n\n## Roof\n\nA landlord repairs it.\n",
    "f.txt": "A tenant pays.\n\nA landlord repairs.\n",
    "g.eml": "From: a@b.example\nTo: c@d.example\nSubject: Rent\n\nA tenant pays.\n",
    "h.ris": "TY  - JOUR\nTI  - Rent\nAB  - A tenant pays.\nER  - \n",
    "i.xml": "<list><item><id>1</id><text>A tenant</text></item><item><id>2</id><text>B</text></item></list>",
}


@pytest.mark.parametrize("name", FILES)
def test_documents_and_their_report(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(FILES[name].encode("utf-8"))
    here, there = open_report(path), open_report(path)
    expected = list(documents.read_documents(path, here))
    assert list(door.read_documents(path, there)) == expected
    assert expected
    assert there == here
    assert door.preview_documents(path, rows=2) == documents.preview_documents(path, rows=2)


def test_more_rows_than_fit_one_message_and_refusals_beyond_those_listed(tmp_path):
    path = tmp_path / "many.jsonl"
    rows = [{"id": str(n), "text": "word " * 60 if n % 3 else ""} for n in range(6_000)]
    path.write_text("\n".join(map(json.dumps, rows)))
    here, there = open_report(path), open_report(path)
    counts = [
        (d.id, here.accepted, here.refused_count) for d in documents.read_documents(path, here)
    ]
    again = [(d.id, there.accepted, there.refused_count) for d in door.read_documents(path, there)]
    assert again == counts
    assert there == here
    assert (here.refused_count, len(here.refused)) == (2_000, 1_000)


def test_an_archive_and_its_bad_members(tmp_path):
    import zipfile

    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"in/{name}", text)
        archive.writestr("in/broken.pdf", b"%PDF-1.4 nothing")
        archive.writestr("in/picture.png", b"x")
    expected = documents.preview_documents(path, rows=100)
    assert door.preview_documents(path, rows=100) == expected
    assert len(expected[0]) > len(FILES)
    assert len(expected[1].refused) > 2


def test_pairs_with_the_last_word_of_whoever_knows_the_corpus(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("query,response,label\nq1,yes one,1\nq1,no one,0\nq2,,1\nq3,unknown,1\n")

    def complete(pair: Pair) -> Pair:
        if pair.response == "unknown":
            raise BadField("nobody knows it")
        return pair

    here, there = open_report(path), open_report(path)
    expected = pairs.read_pair_file(path, here, complete=complete)
    assert door.read_pair_file(path, there, complete=complete) == expected
    assert there == here
    assert [row.reason for row in here.refused] == ["the response is empty", "nobody knows it"]
    assert door.preview_pairs(path) == pairs.preview_pairs(path)


def test_labels_that_are_numbers_stay_as_they_are_written(tmp_path):
    path = tmp_path / "pairs.jsonl"
    rows = [
        f'{{"query": "q{n}", "response": "a{n}", "score": {s}}}'
        for n, s in enumerate(("1.00", "1.0", "0.50"))
    ]
    path.write_text("\n".join(rows))
    with pytest.raises(UnclearGrades) as here:
        pairs.read_pair_file(path, open_report(path))
    with pytest.raises(UnclearGrades) as there:
        door.read_pair_file(path, open_report(path))
    assert there.value.values == here.value.values
    assert set(here.value.values) == {"1.00", "1.0", "0.50"}


def test_queries_judgments_and_what_is_unclear_of_them(tmp_path):
    asked, judged, table = tmp_path / "q.tsv", tmp_path / "j.qrels", tmp_path / "t.csv"
    asked.write_text("1\twhat is rent\n2\twho repairs\n2\twho else\n")
    judged.write_text("1 0 a 2\n1 0 b 0\nbroken\n")
    table.write_text("query,document_id,grade\nrent,a,schlecht\nrent,b,gut\n")
    assert door.read_queries(asked) == queries.read_queries(asked)
    assert door.read_judgments(judged) == qrels.read_judgments(judged)
    with pytest.raises(UnclearGrades) as here:
        judgments.read_judged_queries(table)
    with pytest.raises(UnclearGrades) as there:
        door.read_judged_queries(table)
    assert vars(there.value) == vars(here.value)
    assert str(there.value) == str(here.value)
    assert here.value.values


def test_columns_to_choose_from(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(FILES["c.json"])
    assert door.columns_of(path, None, None) == ("name", "body", "body.text")


def test_a_name_relative_to_where_this_process_is(tmp_path, monkeypatch):
    (tmp_path / "e.md").write_text(FILES["e.md"])
    monkeypatch.chdir(tmp_path)
    path = tmp_path.relative_to(tmp_path) / "e.md"
    (only,) = door.read_documents(path, open_report(path), DocumentColumns())
    assert only.title == "Rent"
