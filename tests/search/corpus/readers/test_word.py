"""Word files: made by python-docx."""

import io
import random
import zipfile
from dataclasses import replace
from datetime import datetime

import docx
import pytest
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn

from search.corpus.document import Heading
from search.corpus.readers import word
from search.corpus.readers.documents import preview_documents
from search.projects.errors import Refused
from search.projects.settings import LIMITS


def saved(document, path):
    document.save(str(path))
    return path


def test_paragraphs_tables_and_headings_in_order(tmp_path):
    made = docx.Document()
    made.core_properties.title = "Lease"
    made.core_properties.author = "A. Nother"
    made.core_properties.created = datetime(2021, 5, 4)
    made.add_heading("Terms", 1)
    made.add_paragraph("A ").add_run("bold").bold = True
    table = made.add_table(2, 2)
    for cell, text in zip(table._cells, ("Item", "Price", "Rent", "900"), strict=True):
        cell.text = text
    made.add_heading("Liability", 2)
    made.add_paragraph("None.\tAt\nall.")
    made.add_paragraph("   ")
    (found,), report = preview_documents(saved(made, tmp_path / "lease.docx"))
    assert found.text == (
        "Terms\n\nA bold\n\nItem | Price\n\nRent | 900\n\nLiability\n\nNone.\tAt\nall."
    )
    assert found.marks == (Heading(0, "Terms"), Heading(41, "Terms > Liability"))
    assert (found.id, found.title) == ("lease.docx", "Lease")
    assert found.metadata == {"author": "A. Nother", "created": "2021-05-04", "file": "lease.docx"}
    assert (report.format, report.accepted, report.notes) == ("Word", 1, [])


def test_the_title_style_is_the_title(tmp_path):
    made = docx.Document()
    made.add_paragraph("Preface")
    made.add_heading("The Title", 0)
    made.add_paragraph("Text.")
    (found,), _ = preview_documents(saved(made, tmp_path / "a.docx"))
    assert (found.title, found.text, found.marks) == (
        "The Title",
        "Preface\n\nThe Title\n\nText.",
        (),
    )


def test_styles_based_on_headings_and_outline_levels_are_headings(tmp_path):
    made = docx.Document()
    style = made.styles.add_style("Clause", 1)
    style.base_style = made.styles["Heading 2"]
    made.add_paragraph("Own style", style="Clause")
    outlined = made.add_paragraph("Outlined")
    level = OxmlElement("w:outlineLvl")
    level.set(qn("w:val"), "2")
    outlined._p.get_or_add_pPr().append(level)
    (found,), _ = preview_documents(saved(made, tmp_path / "a.docx"))
    assert [mark.heading for mark in found.marks] == ["Own style", "Own style > Outlined"]


def test_tracked_changes_content_controls_boxes_and_footnotes(tmp_path):
    made = docx.Document()
    made.element.body.insert(
        0,
        parse_xml(
            f"<w:p {nsdecls('w')}><w:r><w:t>Rent is </w:t></w:r><w:del><w:r><w:delText>800</w:delText>"
            "</w:r></w:del><w:ins><w:r><w:t>900</w:t></w:r></w:ins><w:r><w:instrText>PAGE</w:instrText>"
            "<w:noBreakHyphen/><w:t>euro</w:t></w:r></w:p>"
        ),
    )
    made.element.body.insert(
        1,
        parse_xml(
            f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>In a control</w:t></w:r></w:p>"
            "</w:sdtContent></w:sdt>"
        ),
    )
    made.element.body.insert(
        2,
        parse_xml(
            f"<w:p {nsdecls('w')} xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'>"
            "<w:r><w:t>Beside</w:t><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>a box"
            "</w:t></w:r></w:p></w:txbxContent></mc:Choice><mc:Fallback><w:t>twice</w:t></mc:Fallback>"
            "</mc:AlternateContent></w:r></w:p>"
        ),
    )
    path = with_part(saved(made, tmp_path / "a.docx"), "word/footnotes.xml", (
        f"<w:footnotes {nsdecls('w')}><w:footnote><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote>"
        "</w:footnotes>"
    ))  # fmt: skip
    assert preview_documents(path)[0][0].text == (
        "Rent is 900-euro\n\nIn a control\n\nBeside\na box\n\nA note."
    )


def with_part(path, name, content, kind="footnotes"):
    """The file with one more part, that the document refers to."""
    raw = io.BytesIO(path.read_bytes())
    relation = (
        f'<Relationship Id="rIdX" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        f'{kind}" Target="{kind}.xml"/></Relationships>'
    )
    override = (
        f'<Override PartName="/{name}" ContentType="application/vnd.openxmlformats-officedocument.'
        f'wordprocessingml.{kind}+xml"/></Types>'
    )
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.namelist():
            text = old.read(item)
            if item == "word/_rels/document.xml.rels":
                text = text.replace(b"</Relationships>", relation.encode())
            if item == "[Content_Types].xml":
                text = text.replace(b"</Types>", override.encode())
            new.writestr(item, text)
        new.writestr(name, content)
    return path


def test_pictures_are_not_unpacked(tmp_path):
    """A picture that would unpack to a gigabyte costs nothing: only text is read."""
    made = docx.Document()
    made.add_paragraph("Text.")
    path = saved(made, tmp_path / "a.docx")
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/media/image1.png", "w", force_zip64=True) as stream,
    ):
        for _ in range(100):
            stream.write(bytes(1024 * 1024))
    assert preview_documents(path)[0][0].text == "Text."


def test_a_bomb_is_stopped(tmp_path, monkeypatch):
    made = docx.Document()
    made.add_paragraph("a" * 2_000_000)
    path = saved(made, tmp_path / "bomb.docx")
    monkeypatch.setattr(word, "LIMITS", replace(LIMITS, prose_bytes=1_000_000))
    with pytest.raises(Refused, match=r"^bomb\.docx unpacks to more than 1,000,000 bytes of text"):
        preview_documents(path)


def test_entities_are_not_expanded(tmp_path):
    made = docx.Document()
    path = with_part(saved(made, tmp_path / "a.docx"), "word/endnotes.xml", (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">'
        f']><w:endnotes {nsdecls("w")}><w:endnote><w:p><w:r><w:t>note &b; &f;</w:t></w:r></w:p></w:endnote>'
        "</w:endnotes>"
    ), "endnotes")  # fmt: skip
    try:
        (found,), _ = preview_documents(path)
    except Refused as error:
        assert str(error).startswith("a.docx is a damaged Word file")
    else:
        assert "aaa" not in found.text
        assert "root:" not in found.text


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (OLE + "EncryptedPackage".encode("utf-16-le"), "is an Office file that is protected with a pass"),
        (OLE + "WordDocument".encode("utf-16-le"), "is an old Word document (.doc). Open it, save it as"),
        (b"%PDF-1.7", "is a PDF file, not Word (.docx)"),
        (b"{\\rtf1 hello}", "is an RTF document, not Word (.docx)"),
        (b"hello", "is not a Word file that can be read: File is not a zip file"),
        (b"PK\x03\x04" + bytes(60), "is a ZIP file that is truncated or damaged"),
    ],
)  # fmt: skip
def test_what_is_no_word_file(documents, content, message):
    with pytest.raises(Refused) as caught:
        documents("a.docx", content)
    assert str(caught.value).startswith(f"a.docx {message}")


def test_other_zips_are_refused(documents):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(Refused, match=r"^a\.docx is a damaged Word file"):
        documents("a.docx", buffer.getvalue())


def test_an_empty_document(tmp_path):
    with pytest.raises(Refused, match=r"^a\.docx holds no text\.$"):
        preview_documents(saved(docx.Document(), tmp_path / "a.docx"))


def test_damaged_files_are_read_or_refused(tmp_path, rng: random.Random):
    made = docx.Document()
    made.add_heading("One", 1)
    made.add_paragraph("Text of the document.")
    whole = saved(made, tmp_path / "a.docx").read_bytes()
    path = tmp_path / "damaged.docx"
    refused = 0
    for number in range(60):
        raw = bytearray(whole)
        if number % 4 == 0:
            raw = raw[: rng.randrange(1, len(raw))]
        for _ in range(rng.randint(1, 40)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        path.write_bytes(raw)
        try:
            assert preview_documents(path)[0][0].text
        except Refused as error:
            assert str(error).startswith("damaged.docx ")
            refused += 1
    assert refused > 10


def test_what_a_library_says_of_its_blank_file_is_not_said_of_a_document(tmp_path):
    made = docx.Document()
    assert made.core_properties.author == "python-docx"
    made.add_paragraph("Some text.")
    (found,), _ = preview_documents(saved(made, tmp_path / "made.docx"))
    assert found.metadata == {"file": "made.docx"}
