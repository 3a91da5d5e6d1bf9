"""XML: prose, TEI, and lists of records."""

import gzip

import pytest

from search.corpus.document import Document, Heading
from search.corpus.readers.documents import DocumentColumns, preview_documents
from search.projects.errors import Refused

TEI = """<?xml version="1.0" encoding="utf-8"?>
<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><fileDesc><titleStmt><title>Letters &amp; Notes</title>
<author>A. Nother</author></titleStmt><sourceDesc><p>Not the text</p></sourceDesc></fileDesc></teiHeader>
<text><body><pb n="4"/><div><head>One</head><p>A <hi>bold</hi>er<lb/>step<pb n="5"/> on.</p>
<div><head>Deeper</head><p>Below.</p><list><item>x</item><item>y</item></list></div></div></body></text></TEI>
"""


def test_tei(documents):
    (found,), report = documents("letters.xml", TEI)
    assert (found.id, found.title) == ("letters.xml", "Letters & Notes")
    assert found.text == "One\n\nA bolder step on.\n\nDeeper\n\nBelow.\n\nx\n\ny"
    assert found.marks == (Heading(0, "One", 4), Heading(24, "One > Deeper", 5))
    assert found.metadata == {"author": "A. Nother", "file": "letters.xml"}
    assert (report.format, report.accepted) == ("XML", 1)


def test_other_prose(documents):
    (found,), _ = documents(
        "a.xml",
        "<article><front><title>On Frost</title></front><body><sec><title>Intro</title><p>Frost "
        "<i>bites</i>.</p></sec><sec><title>More</title><p>It <b>does</b></p><p/></sec></body></article>",
    )
    assert found.title == "On Frost"
    assert found.text == "On Frost\n\nIntro\n\nFrost bites.\n\nMore\n\nIt does"
    assert [mark.heading for mark in found.marks] == ["On Frost", "Intro", "More"]


TREC = (
    "<DOC>\n<DOCNO> FT-1 </DOCNO>\n<HEADLINE>Frost</HEADLINE><TEXT><P>One.</P><P>Two &amp; three.</P></TEXT>"
    "</DOC>\n<DOC><DOCNO>FT-2</DOCNO><DATE>1999</DATE><TEXT>Four.</TEXT></DOC>\n"
)


@pytest.mark.parametrize(
    "content", [TREC, f"<DOCS>{TREC}</DOCS>", f'<?xml version="1.0"?><a><b>{TREC}</b></a>']
)
def test_trec_records(documents, content):
    found, report = documents("trec.xml", content)
    assert found == [
        Document("FT-1", "Frost", "One.\n\nTwo & three."),
        Document("FT-2", "", "Four.", {"DATE": "1999"}),
    ]
    assert report.roles == {"id": "DOCNO", "title": "HEADLINE", "text": "TEXT"}
    assert set(report.columns) == {"DOCNO", "HEADLINE", "TEXT", "DATE"}


def test_records_with_nested_and_named_fields(documents):
    found, _ = documents(
        "a.xml",
        '<add><doc year="2001"><field name="id">1</field><field name="title">T</field>'
        '<field name="text">body</field></doc><doc><field name="id">2</field><meta><kind>a</kind>'
        "<place>b</place></meta><field name='text'>more</field><tag>x</tag><tag>y</tag></doc></add>",
    )
    assert found == [
        Document("1", "T", "body", {"year": "2001"}),
        Document("2", "", "more", {"kind": "a", "place": "b", "tag": "x; y"}),
    ]


def test_records_of_any_name_that_look_like_records(documents):
    found, report = documents(
        "a.xml",
        "<laws><law><name>Rent</name><content>Rents are due.</content></law>"
        "<law><name>Heat</name><content>Heat is due.</content></law><law><name>Empty</name><x/></law></laws>",
    )
    assert [(d.id, d.title, d.text) for d in found] == [
        ("a-1", "Rent", "Rents are due."),
        ("a-2", "Heat", "Heat is due."),
        ("a-3", "Empty", ""),
    ]
    assert report.refused_count == 0


def test_references_at_the_end_of_an_article_are_not_its_records(documents):
    references = "".join(f"<ref><label>{n}</label><cite>Someone {n}</cite></ref>" for n in range(9))
    found, _ = documents(
        "a.xml",
        f"<book><body><p>{'Long text of the book. ' * 40}</p></body><back><refs>{references}</refs></back></book>",
    )
    assert len(found) == 1
    assert found[0].text.endswith("7 Someone 7\n\n8 Someone 8")


def test_refused_records_are_named(documents):
    _, report = documents(
        "a.xml", "<r><doc><id>1</id><text>x</text></doc><doc><id>1</id><text>y</text></doc></r>"
    )
    assert [(row.where, row.reason) for row in report.refused] == [
        ("record 2", "the id '1' was used by an earlier row")
    ]


def test_many_records_and_gzip(file):
    rows = "".join(f"<doc id='{n}'><text>number {n}</text></doc>" for n in range(30_000))
    path = file("a.xml.gz", gzip.compress(f"<docs>{rows}</docs>".encode()))
    found, report = preview_documents(path, DocumentColumns(metadata=()), 1_000_000)
    assert [found[n].text for n in (0, 29_999)] == ["number 0", "number 29999"]
    assert (len(found), report.accepted, found[7].id) == (30_000, 30_000, "7")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "defines entities or refers to other files"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "defines entities or refers"),
        (
            '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]><a>&c;</a>',
            "defines entities or refers",
        ),
        ('<!DOCTYPE a [<!ENTITY % p SYSTEM "http://localhost:1/x">%p;]><a/>', "defines entities or refers"),
        ("<a><b></a>", "is not XML: mismatched tag: line 1, column 8."),
        ("<a>text", "is not XML: no element found: line 1, column 7."),
        ("text", "is not XML: syntax error: line 1, column 0."),
        ("<a/><b/>", "is not XML: there is more after its end."),
        ("<a>&nope;</a>", "is not XML: undefined entity: line 1, column 3."),
        ('<?xml version="1.0" encoding="nope"?><a>x</a>', "is not XML that can be read"),
        ("<a>" * 300, "has elements inside one another, more than 200 deep."),
        ("<a><b/><c></c></a>", "holds no text."),
        (b"%PDF-1.7", "is a PDF file, not XML"),
        (b"<a>\x00</a>", "is not XML: not well-formed (invalid token): line 1, column 3."),
        ("<r><doc><t>1</t></doc><doc><t>2</t></doc>", "is not XML: no element found"),
    ],
)  # fmt: skip
def test_what_is_not_read(documents, content, message):
    with pytest.raises(Refused) as caught:
        documents("a.xml", content)
    assert str(caught.value).startswith(f"a.xml {message}")


def test_entities_of_html_where_a_doctype_allows_them(documents):
    (found,), _ = documents("a.xml", '<!DOCTYPE a SYSTEM "a.dtd"><a><p>caf&eacute;&nbsp;x</p></a>')
    assert found.text == "café x"


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "windows-1252"])
def test_encodings(documents, encoding):
    content = f'<?xml version="1.0" encoding="{encoding}"?><a><p>café</p></a>'.encode(encoding)
    assert documents("a.xml", content)[0][0].text == "café"
