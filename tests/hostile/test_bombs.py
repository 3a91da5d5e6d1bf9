"""Small files that would become large: refused before they do, and nothing outside of them is read."""

import io
import json
import zipfile

import making
import pyarrow as pa
import pyarrow.parquet
import pytest

from search.corpus.corpus import current_corpus
from search.corpus.readers.documents import read_documents
from search.corpus.readers.tables import open_report
from search.corpus.readers.xml.parsing import XmlSource
from search.projects.errors import Refused
from search.projects.project import project

ENTITIES = '<!ENTITY h0 "ha">' + "".join(
    f'<!ENTITY h{n} "{f"&h{n - 1};" * 10}">' for n in range(1, 10)
)
LAUGHS = f"<!DOCTYPE a [{ENTITIES}]>"
SECRET = "root of all things"
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def word_with(doctype: str, text: str) -> bytes:
    body = f"<w:document {_W}><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"
    return replaced(making.word(), "word/document.xml", doctype + body)


def workbook_with(doctype: str, text: str) -> bytes:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>{cell}</t></is></c></row>'
        for n, cell in enumerate(("text", text, "two"), start=1)
    )
    sheet = f"<worksheet {_S}><sheetData>{rows}</sheetData></worksheet>"
    return replaced(making.xlsx(), "xl/worksheets/sheet1.xml", doctype + sheet)


def replaced(package: bytes, part: str, content: str) -> bytes:
    """An Office file with another part in the place of one of its own."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert part in members
    return making.zipped({**members, part: content})


def parquet_of(text: str, rows: int) -> bytes:
    """A Parquet file that holds a text once, and many rows that point to it."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))
    stream = io.BytesIO()
    pa.parquet.write_table(pa.table({"text": column}), stream, compression="zstd")
    return stream.getvalue()


# File, how its content is made (only when it is asked for: some take a second), and what is said of it.
REFUSED = {
    "laughs in XML": ("a.xml", lambda: f"{LAUGHS}<a><b>&h9;</b></a>", "defines entities"),
    "laughs in Word": ("a.docx", lambda: word_with(LAUGHS, "&h9;"), "is a damaged Word file"),
    "laughs in Excel": ("a.xlsx", lambda: workbook_with(LAUGHS, "&h9;"), "EntitiesForbidden"),
    "laughs in an Excel list of sheets": (
        "a.xlsx",
        lambda: replaced(
            making.xlsx(), "xl/workbook.xml", f"{LAUGHS}<workbook {_S}>&h9;</workbook>"
        ),
        "is not an Excel workbook that can be read",
    ),
    "a text of 60 MB in a Parquet file": (
        "a.parquet",
        lambda: parquet_of("a " * 30_000_000, 300),
        "far more than its size",
    ),
    "an Excel sheet of 90 MB": (
        "a.xlsx",
        lambda: replaced(making.xlsx(), "xl/worksheets/sheet1.xml", " " * 90_000_000),
        "unpacks to far more than its size",
    ),
    "a Word text of 90 MB": (
        "a.docx",
        lambda: replaced(making.word(), "word/document.xml", " " * 90_000_000),
        "unpacks to more than",
    ),
}


@pytest.mark.parametrize(("name", "content_of", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(refused, lab, write, name, content_of, says):
    path = write(name, content_of())
    assert path.stat().st_size < 600_000
    line = refused("add", lab, path)
    assert line.startswith(f"{name} ")
    assert says in line, line
    assert str(path.parent) not in line


@pytest.mark.parametrize("make", [word_with, workbook_with])
def test_an_entity_from_outside_brings_nothing_in(command, lab, write, make):
    secret = write("secret", SECRET)
    doctype = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    name = "a.docx" if make is word_with else "a.xlsx"
    done = command("add", lab, write(name, make(doctype, "one &x; more")))
    assert done.status in (0, 2), done.err
    assert SECRET not in done.err
    found = current_corpus(project(lab))[1].sample(100)
    assert not any(SECRET in document.text for document in found)


def test_a_beir_zip_that_is_a_bomb(refused, write):
    members = {"corpus.jsonl": b"0" * 60_000_000, "queries.jsonl": b"{}", "qrels/test.tsv": b"x"}
    line = refused("import", "new", write("set.zip", making.zipped(members)))
    assert line == "set.zip unpacks to far more than its size: not read further."


@pytest.mark.parametrize("start", [b"", b"<r><!--"], ids=["text", "comment"])
def test_one_endless_tag_is_not_looked_at_again_and_again(write, monkeypatch, start):
    """The parser starts a tag anew with each chunk, so chunks must grow: else it takes the square."""
    sizes: list[int] = []
    read = XmlSource.read

    def counted(source: XmlSource) -> bytes:
        chunk = read(source)
        sizes.append(len(chunk))
        return chunk

    monkeypatch.setattr(XmlSource, "read", lambda source, _size=0: counted(source))
    with pytest.raises(Refused, match=r"^a\.xml is not XML: "):
        path = write("a.xml", start + b"a" * 20_000_000)
        list(read_documents(path, open_report(path)))
    assert sum(sizes) >= 20_000_000
    assert len(sizes) < 40


def test_an_object_of_a_hundred_thousand_fields_of_one_name(command, write):
    fields = ", ".join('"text": "x"' for _ in range(100_000))
    rows = [json.dumps({"text": word}) for word in ("one", "two")]
    done = command("add", "new", write("a.jsonl", "\n".join([*rows, f"{{{fields}}}"])))
    assert done.status == 0, done.err
    assert "1 row refused (line 3: text is there twice in one object)" in done.err
