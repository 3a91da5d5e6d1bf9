"""Files that cannot be documents are refused whole, by name; careless ones come in, bad rows listed."""

import json

import making
import pytest

from search.corpus.corpus import current_corpus
from search.projects.project import project

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<doc><p>&b;&b;&b;</p></doc>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><doc>&x;</doc>'
)
DEEP = "[" * 100_000 + "]" * 100_000

# A name, its content, and what the one line must say beside the name.
REFUSED = {
    "0 bytes": ("a.csv", b"", "is empty (0 bytes)"),
    "0 bytes of PDF": ("a.pdf", b"", "is empty (0 bytes)"),
    "only blanks": ("a.txt", b"  \n\n \n", "holds no documents"),
    "header only": ("a.csv", "id,text\n", "holds no documents: it is empty"),
    "every row refused": ("a.csv", "id,text\na,\nb,\nc,\n", "all 3 rows were refused (row 2"),
    "an open quotation mark": ("a.csv", 'id,text\na,x\nb,"never closed\n', "row 3"),
    "cut in a quoted field": ("a.csv", 'id,text\na,"one"\nb,"tw', "row 3"),
    "10,000 columns": (
        "a.csv",
        ",".join(f"c{n}" for n in range(10_000)) + "\n1\n",
        "10,000 columns",
    ),
    "two columns of one name": ("a.csv", "id,text,text\na,b,c\n", "two columns named 'text'"),
    "NUL bytes": ("a.csv", b"id,text\na,x\x00y\nb,z\n", "line 2"),
    "NUL bytes in text": ("a.txt", b"one\ntwo\x00\n", "line 2"),
    "binary junk": ("a.csv", bytes(range(1, 32)) * 50, "a.csv"),
    "one line of 50 MB": ("a.csv", b"id,text\na," + b"x" * 50_000_000, "longer than"),
    "PNG as CSV": ("a.csv", making.PNG, "is a PNG image"),
    "PNG as text": ("a.txt", making.PNG, "is a PNG image"),
    "workbook as CSV": ("a.csv", making.xlsx(), "is an Excel"),
    "PDF as CSV": ("a.csv", making.pdf(), "is a PDF"),
    "gzip as CSV": ("a.csv", making.gz(making.CSV), "gzip"),
    "CSV as workbook": ("a.xlsx", making.CSV, "a.xlsx"),
    "CSV as Parquet": ("a.parquet", making.CSV, "a.parquet"),
    "HTML as PDF": ("a.pdf", "<html><p>x</p></html>", "a.pdf"),
    "HTML as CSV": ("a.csv", "<!doctype html><html><body><p>x</p></body></html>", "HTML"),
    "text as Word": ("a.docx", "just text", "a.docx is not a Word file"),
    "a zip that is no Word file": ("a.docx", making.zipped({"x.txt": "x"}), "a.docx"),
    "old Word": ("a.doc", making.OLE + bytes(600), ".doc cannot be read"),
    "old Excel": ("a.xls", making.OLE + bytes(600), "a.xls"),
    "RTF": ("a.rtf", "{\\rtf1 x}", ".rtf cannot be read"),
    "Outlook": ("a.msg", making.OLE + bytes(600), ".msg cannot be read"),
    "presentation": ("a.pptx", making.zipped({"ppt/x.xml": "x"}), ".pptx cannot be read"),
    "no ending": ("README", "text", "README"),
    "locked workbook": ("a.xlsx", making.encrypted_xlsx(), "password"),
    "locked PDF": ("a.pdf", making.pdf(locked=True), "locked with a password"),
    "scanned PDF": ("a.pdf", making.pdf(scanned=True), "holds 1 scanned page and no text"),
    "cut workbook": ("a.xlsx", making.half(making.xlsx()), "a.xlsx"),
    "cut Parquet": ("a.parquet", making.half(making.parquet()), "a.parquet"),
    "cut Word file": ("a.docx", making.half(making.word()), "a.docx"),
    "cut PDF": ("a.pdf", making.pdf()[:200], "a.pdf"),
    "cut gzip": ("a.csv.gz", making.half(making.gz(making.CSV * 50)), "a.csv.gz"),
    "cut JSON": ("a.json", json.dumps([{"text": "one"}, {"text": "two"}])[:-9], "is not JSON"),
    "deep JSON": ("a.json", DEEP, "a.json"),
    "JSON that is one value": ("a.json", "42", "a.json"),
    "JSON of numbers": ("a.json", "[1, 2, 3]", "all 3 rows were refused"),
    "JSON of nothing": ("a.json", "[]", "holds no documents"),
    "lone surrogates": ("a.jsonl", '{"text": "\\ud800"}\n{"text": "x\\udfff"}\n', "surrogate"),
    "an entity bomb": ("a.xml", LAUGHS, "entit"),
    "an entity from outside": ("a.xml", OUTSIDE, "entit"),
    "broken XML": ("a.xml", "<doc><p>x</doc>", "a.xml"),
    "HTML without text": ("a.html", "<html><script>x()</script></html>", "a.html"),
    "formulas never computed": ("a.xlsx", making.xlsx_of_formulas(), "formula"),
    "a folder called CSV": ("a.csv/", b"", "holds no file that can be read"),
    "numbers only": ("a.csv", "n,m\n1,2\n3,4\n", "no text column"),
}


@pytest.mark.parametrize(("name", "content", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(refused, lab, write, tmp_path, name, content, says):
    if name.endswith("/"):
        path = tmp_path / name
        path.mkdir()
    else:
        path = write(name, content)
    line = refused("add", lab, path)
    assert path.name in line
    assert says in line, line


def _added(command, *arguments):
    done = command("add", "new", *arguments)
    assert done.status == 0, done.err
    _, corpus = current_corpus(project("new"))
    return corpus.sample(100), done.err


def test_ids_that_are_numbers(command, write):
    found, _ = _added(command, write("a.csv", "id,text\n7,one\n007,two\n7.0,three\n"))
    assert [d.id for d in found] == ["7", "007", "7.0"]


def test_ids_that_are_numbers_in_json(command, write):
    found, _ = _added(
        command, write("a.json", '[{"id": 7, "text": "one"}, {"id": 8, "text": "two"}]')
    )
    assert [d.id for d in found] == ["7", "8"]


def test_ids_used_twice_are_listed(command, write):
    found, said = _added(command, write("a.csv", "id,text\na,one\na,two\nb,three\n"))
    assert [d.text for d in found] == ["one", "three"]
    assert "1 row refused (row 3: the id 'a' was used by an earlier row)" in said


def test_writing_from_right_to_left(command, write):
    text = "حكمت المحكمة بإعادة التأمين\u200f خلال ثلاثين يومًا"
    found, _ = _added(command, write("a.csv", f"id,text\na,{text}\nb,שכר דירה\n"))
    assert [d.text for d in found] == [text, "שכר דירה"]


def test_formulas_in_a_csv_are_text(command, write):
    found, _ = _added(
        command, write("a.csv", "id,text\na,=cmd|' /C calc'!A0\nb,+1-800\nc,@SUM(1)\n")
    )
    assert [d.text for d in found] == ["=cmd|' /C calc'!A0", "+1-800", "@SUM(1)"]


def test_mixed_types_in_a_column(command, write):
    rows = [
        {"text": "one"},
        {"text": 2},
        {"text": True},
        {"text": [{"x": 1}]},
        {"text": None},
        {"text": 2.5},
    ]
    found, said = _added(command, write("a.json", json.dumps(rows)))
    assert [d.text for d in found] == ["one", "2", "2.5"]
    for where in ("item 3", "item 4", "item 5"):
        assert where in said


def test_nested_objects_become_metadata(command, write):
    rows = [{"text": "one", "court": {"name": "High Court", "bench": [1, 2]}}, {"text": "two"}]
    found, _ = _added(command, write("a.json", json.dumps(rows)))
    assert json.loads(found[0].metadata["court"]) == {"name": "High Court", "bench": [1, 2]}


def test_ragged_rows_are_listed(command, write):
    found, said = _added(command, write("a.csv", "id,text\na,one\nb\nc,three,more\nd,four\n"))
    assert [d.id for d in found] == ["a", "d"]
    assert "row 3: has 1 fields, the header has 2; row 4: has 3 fields" in said


def test_a_few_broken_bytes_cost_a_few_rows(command, write):
    rows = b"id,text\n" + b"".join(f"{n},Straße {n}\n".encode() for n in range(300))
    found, said = _added(command, write("a.csv", rows + b"bad,caf\xe9\n"))
    assert len(found) == 100
    assert "1 row refused (row 302" in said
    assert len(current_corpus(project("new"))[1]) == 300


def test_letters_are_composed_and_controls_removed(command, write):
    found, _ = _added(
        command, write("a.csv", "id,text\na,Cafe\u0301 \x07bell\nb,&amp; stays in CSV\n")
    )
    assert [d.text for d in found] == ["Café bell", "&amp; stays in CSV"]


def test_scripts_and_menus_of_a_page_are_no_text(command, write):
    page = (
        "<title>Rent &amp; more</title><script>steal()</script><style>p{}</style><nav>menu</nav>"
        "<h1>Rent</h1><p>Pay &frac12; now<br>and more.</p><img src=x onerror=alert(1)>"
    )
    found, _ = _added(command, write("a.html", page), write("b.md", "# T\n\ntext"))
    assert found[0].title == "Rent & more"
    assert "Pay ½ now" in found[0].text
    assert not any(word in found[0].text for word in ("steal", "menu", "alert", "p{}"))


def test_attachments_of_an_e_mail_are_named_and_not_read(command, write):
    mail = (
        "From: a@b.c\nSubject: =?utf-8?q?Miete_f=C3=BCr_Mai?=\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nPay now.\n'
        '--b\nContent-Type: application/zip; name="bomb.zip"\nContent-Transfer-Encoding: base64\n\n'
        "UEsDBBQAAAAI\n--b--\n"
    )
    found, said = _added(command, write("a.eml", mail), write("b.md", "# T\n\ntext"))
    assert found[0].title == "Miete für Mai"
    assert "Pay now." in found[0].text
    assert "bomb.zip" in said


def test_a_name_is_data(command, write):
    found, said = _added(command, write("a\u202egpj;$(rm -rf x)`.csv", "text\none\ntwo\n"))
    assert [d.text for d in found] == ["one", "two"]
    assert "\u202e" not in said
