"""What Word shows and does not keep as letters: signs of fonts, numbers of clauses, equations, hidden text."""

import io
import zipfile

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from search.corpus.readers.documents import preview_documents
from search.corpus.readers.sign_fonts import SYMBOL, signs
from search.corpus.readers.typography import lowered, raised
from search.corpus.readers.word_numbering import formatted

M = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def read(document, tmp_path):
    path = tmp_path / "made.docx"
    document.save(str(path))
    (found,), report = preview_documents(path)
    return found.text, report.notes


def paragraph(document, xml):
    document.element.body.insert_element_before(
        parse_xml(f"<w:p {nsdecls('w')} {M}>{xml}</w:p>"), "w:sectPr"
    )


def run(text, properties=""):
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        ('<w:sym w:font="Symbol" w:char="F06D"/>', "125 µg"),
        ('<w:sym w:font="Symbol" w:char="6D"/>', "125 µg"),
        ("<w:t>\uf06d</w:t>", "125 µg"),
        ('<w:rPr><w:rFonts w:ascii="Symbol" w:hAnsi="Symbol"/></w:rPr><w:t>m</w:t>', "125 µg"),
        ('<w:sym w:font="Wingdings" w:char="F0FE"/>', "125 ☑g"),
        ('<w:rPr><w:rFonts w:ascii="Arial"/></w:rPr><w:t>m</w:t>', "125 mg"),
    ],
)
def test_a_sign_of_a_font_is_that_sign(tmp_path, inside, shown):
    document = docx.Document()
    paragraph(document, f"{run('125 ')}<w:r>{inside}</w:r>{run('g')}")
    assert read(document, tmp_path) == (shown, [])


def test_a_sign_without_a_known_meaning_is_shown_as_one_and_counted(tmp_path):
    document = docx.Document()
    paragraph(
        document,
        f'{run("dose ")}<w:r><w:sym w:font="Wingdings" w:char="F023"/></w:r>{run(" once")}',
    )
    text, notes = read(document, tmp_path)
    assert text == "dose \ufffd once"
    assert notes == ["1 signs of special fonts have no known meaning and are shown as \ufffd"]


def test_the_table_of_symbol_is_that_of_the_unicode_consortium():
    # Lines of VENDORS/ADOBE/symbol.txt.
    expected = {
        0x22: 0x2200, 0x27: 0x220B, 0x40: 0x2245, 0x44: 0x0394, 0x56: 0x03C2, 0x61: 0x03B1, 0x6A: 0x03D5,
        0x70: 0x03C0, 0x76: 0x03D6, 0xA0: 0x20AC, 0xA3: 0x2264, 0xA5: 0x221E, 0xAE: 0x2192, 0xB0: 0x00B0,
        0xB1: 0x00B1, 0xB3: 0x2265, 0xB4: 0x00D7, 0xB8: 0x00F7, 0xB9: 0x2260, 0xBB: 0x2248, 0xC6: 0x2205,
        0xD6: 0x221A, 0xE0: 0x25CA, 0xE5: 0x2211, 0xF2: 0x222B,
    }  # fmt: skip
    assert {code: ord(SYMBOL[code]) for code in expected} == expected
    assert all(SYMBOL[0x30 + digit] == str(digit) for digit in range(10))
    assert signs("plain \uf0b3 4", "") == "plain ≥ 4"


@pytest.mark.parametrize(
    ("before", "above", "together"),
    [
        ("4.2 × 10", "9", "4.2 × 10⁹"),
        ("10", "-3", "10⁻³"),
        ("5000 /mm", "3", "5000 /mm³"),
        ("kg/m", "2", "kg/m²"),
        ("Ca", "2+", "Ca²⁺"),
        ("2", "nd", "2nd"),
        ("is common", "1", "is common ¹"),
        ("Cert. denied.", "12", "Cert. denied. ¹²"),
        ("the claim", "a", "the claim a"),
    ],
)
def test_raised_text_is_a_power_or_stands_apart(before, above, together):
    assert before + raised(above, before) == together


def test_raised_and_lowered_runs(tmp_path):
    document = docx.Document()
    up, down = '<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>'
    paragraph(
        document,
        f"{run('10')}{run('9', up)}{run('/L, CO')}{run('2', down)}{run(' is common')}{run('1', up)}{run('.')}",
    )
    assert read(document, tmp_path)[0] == "10⁹/L, CO₂ is common ¹."
    assert lowered("max") == "ₘₐₓ"


def with_lists(
    document, *levels, instances='<w:num w:numId="90"><w:abstractNumId w:val="90"/></w:num>'
):
    """Add list 90 to a document: levels as (format, text) pairs."""
    inside = "".join(
        f'<w:lvl w:ilvl="{i}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for i, (kind, text) in enumerate(levels)
    )
    root = document.part.numbering_part.element
    abstract = parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="90">{inside}</w:abstractNum>'
    )
    root.insert(0, abstract)
    for instance in parse_xml(f"<w:numbering {nsdecls('w')}>{instances}</w:numbering>"):
        root.append(instance)


def item(document, level, text, number=90, inside=""):
    properties = f'<w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>{inside}</w:pPr>'
    paragraph(document, properties + (run(text) if text else ""))


LEGAL = (
    ("decimal", "Clause %1."),
    ("decimal", "%1.%2"),
    ("lowerLetter", "(%3)"),
    ("lowerRoman", "(%4)"),
)


def test_clauses_are_numbered_as_word_counts_them(tmp_path):
    document = docx.Document()
    with_lists(document, *LEGAL)
    for level, text in ((0, "Rent"), (1, "Monthly"), (1, "Deposit"), (0, "End"), (1, "Notice"),
                        (2, "breach"), (2, "insolvency"), (3, "winding up"), (1, "Costs"), (2, "again")):  # fmt: skip
        item(document, level, text)
    assert read(document, tmp_path)[0].split("\n\n") == [
        "Clause 1. Rent", "1.1 Monthly", "1.2 Deposit", "Clause 2. End", "2.1 Notice",
        "(a) breach", "(b) insolvency", "(i) winding up", "2.2 Costs", "(a) again",
    ]  # fmt: skip


def test_lists_begin_anew_where_they_say_so_and_bullets_have_no_number(tmp_path):
    document = docx.Document()
    again = (
        '<w:num w:numId="90"><w:abstractNumId w:val="90"/></w:num>'
        '<w:num w:numId="91"><w:abstractNumId w:val="90"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride></w:num>'
    )
    with_lists(document, ("upperRoman", "%1)"), ("bullet", "•"), instances=again)
    item(document, 0, "first")
    item(document, 1, "point")
    item(document, 0, "second")
    item(document, 0, "fifth", number=91)
    item(document, 0, "sixth", number=91)
    item(document, 0, "none", number=0)
    assert read(document, tmp_path)[0].split("\n\n") == [
        "I) first", "point", "II) second", "V) fifth", "VI) sixth", "none",
    ]  # fmt: skip


def test_styles_number_their_paragraphs(tmp_path):
    document = docx.Document()
    document.add_paragraph("Wound check", style="List Number")
    document.add_paragraph("Bloods", style="List Number")
    document.add_paragraph("Walk", style="List Bullet")
    assert read(document, tmp_path)[0] == "1. Wound check\n\n2. Bloods\n\nWalk"


@pytest.mark.parametrize(
    ("number", "kind", "shown"),
    [
        (27, "lowerLetter", "aa"), (54, "upperLetter", "BBB"), (1994, "upperRoman", "MCMXCIV"),
        (9, "decimalZero", "09"), (10, "decimalZero", "10"), (3, "cardinalText", "Three"), (21, "ordinalText", "Twenty-first"),
            (40, "ordinalText", "Fortieth"), (112, "ordinal", "112th"), (22, "ordinal", "22nd"),
    ],
)  # fmt: skip
def test_formats_of_numbers(number, kind, shown):
    assert formatted(number, kind) == shown


def test_deleted_clauses_are_not_counted_and_a_deleted_end_joins_paragraphs(tmp_path):
    document = docx.Document()
    with_lists(document, *LEGAL)
    gone = '<w:rPr><w:del w:id="1" w:author="A" w:date="2024-01-01T00:00:00Z"/></w:rPr>'
    item(document, 0, "Rent")
    item(document, 0, "", inside=gone)
    item(document, 0, "The tenant may not sub", inside=gone)
    item(document, 0, "let.")
    assert read(document, tmp_path)[0] == "Clause 1. Rent\n\nClause 2. The tenant may not sublet."


@pytest.mark.parametrize(
    ("inside", "line"),
    [
        ("<m:r><m:t>P=r</m:t></m:r>", "P=r"),
        ("<m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>", "(a+b)/2"),
        ("<m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>", "x²"),
        ("<m:sSup><m:e><m:r><m:t>e</m:t></m:r></m:e><m:sup><m:r><m:t>kt</m:t></m:r></m:sup></m:sSup>", "e^kt"),
        ("<m:rad><m:deg/><m:e><m:r><m:t>y</m:t></m:r></m:e></m:rad>", "√(y)"),
        ("<m:d><m:e><m:r><m:t>x</m:t></m:r></m:e></m:d>", "(x)"),
    ],
)  # fmt: skip
def test_equations_are_a_line(tmp_path, inside, line):
    document = docx.Document()
    paragraph(document, f"{run('Rate: ')}<m:oMath>{inside}</m:oMath>")
    assert read(document, tmp_path)[0] == f"Rate: {line}"


def test_what_is_left_out_is_said(tmp_path):
    document = docx.Document()
    document.add_paragraph("Seen. ").add_run("SECRET").font.hidden = True
    document.sections[0].header.paragraphs[0].text = "Firm & Co"
    text, notes = read(document, tmp_path)
    assert (text, notes) == ("Seen.", ["left out: 1 pieces of hidden text, headers"])


def test_merged_cells_say_what_they_hold_in_each_row_and_deleted_rows_are_gone(tmp_path):
    document = docx.Document()
    table = document.add_table(4, 2)
    for cell, text in zip(
        table._cells,
        ("Ramipril", "2.5 mg", "", "5 mg", "Statin", "10 mg", "old", "1 mg"),
        strict=True,
    ):
        cell.text = text
    table.cell(0, 0).merge(table.cell(1, 0))
    gone = parse_xml(f'<w:trPr {nsdecls("w")}><w:del w:id="3" w:author="A"/></w:trPr>')
    table.rows[3]._tr.insert(0, gone)
    assert read(document, tmp_path)[0].split("\n\n") == [
        "Ramipril | 2.5 mg", "Ramipril | 5 mg", "Statin | 10 mg",
    ]  # fmt: skip


def test_letters_of_a_font_from_before_unicode_are_told(tmp_path):
    document = docx.Document()
    made = document.add_paragraph().add_run("ejht dks cq[kkj gS")
    made.font.name = "Kruti Dev 010"
    _, (note,) = read(document, tmp_path)
    assert "Kruti Dev 010 is not Unicode" in note


def test_a_document_without_numbering_is_read(tmp_path):
    document = docx.Document()
    document.add_paragraph("1.1 typed")
    path = tmp_path / "full.docx"
    document.save(str(path))
    bare = tmp_path / "bare.docx"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(bare, "w") as copy:
        for name in whole.namelist():
            if name != "word/numbering.xml":
                content = whole.read(name)
                if name == "word/_rels/document.xml.rels":
                    root = parse_xml(content)
                    for relation in list(root):
                        if "numbering" in relation.get("Target"):
                            root.remove(relation)
                    content = io.BytesIO()
                    root.getroottree().write(content)
                    content = content.getvalue()
                copy.writestr(name, content)
    (found,), _ = preview_documents(bare)
    assert found.text == "1.1 typed"
