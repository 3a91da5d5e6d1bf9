"""Word as forms, fields and styles set it: ticked boxes, inserted signs, powers by a style, clauses in boxes."""

import docx
import pytest
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from search.corpus.readers.documents import preview_documents
from search.projects.errors import Refused

NAMES = (
    f'{nsdecls("w", "r", "a")} xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
)


def run(text, properties=""):
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(inside, properties=""):
    return f"<w:p><w:pPr>{properties}</w:pPr>{inside}</w:p>"


def field(instruction, result="", data=""):
    end = f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run(result)}' if result else ""
    return (
        f'<w:r><w:fldChar w:fldCharType="begin">{data}</w:fldChar></w:r>'
        f"<w:r><w:instrText> {instruction} </w:instrText></w:r>"
        f'{end}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def form(inside):
    return f"<w:ffData>{inside}</w:ffData>"


def fraction(above, below):
    return f"<m:f><m:num>{letters(above)}</m:num><m:den>{letters(below)}</m:den></m:f>"


def letters(text):
    return f"<m:r><m:t>{text}</m:t></m:r>"


@pytest.fixture
def read(tmp_path):
    """Reads a document of these paragraphs, styles and lists: its text and notes."""

    def text_of(body, styles="", lists=""):
        document = docx.Document()
        for name, root, before in (
            (styles, document.styles.element, None),
            (lists, document.part.numbering_part.element, None),
            (body, document.element.body, document.element.body[-1]),
        ):
            for one in list(parse_xml(f"<w:x {NAMES}>{name}</w:x>")):
                root.append(one) if before is None else before.addprevious(one)
        path = tmp_path / "made.docx"
        document.save(str(path))
        (found,), report = preview_documents(path)
        return found.text, report.notes

    return text_of


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        (field("FORMCHECKBOX", data=form("<w:checkBox><w:checked/></w:checkBox>")), "☒"),
        (field("FORMCHECKBOX", data=form('<w:checkBox><w:default w:val="1"/></w:checkBox>')), "☒"),
        (
            field(
                "FORMCHECKBOX",
                data=form('<w:checkBox><w:default w:val="1"/><w:checked w:val="0"/></w:checkBox>'),
            ),
            "☐",
        ),
        (
            field(
                "FORMDROPDOWN",
                data=form(
                    '<w:ddList><w:result w:val="1"/><w:listEntry w:val="oral"/><w:listEntry w:val="i.v."/></w:ddList>'
                ),
            ),
            "i.v.",
        ),
        (field("FORMTEXT", "7.5 mg"), "7.5 mg"),
        (field(r'SYMBOL 179 \f "Symbol" \s 11'), "≥"),
        (field(r"EQ \f(1,2)"), "1/2"),
        (field(r"EQ \x(5)"), "\ufffd"),
        (field("REF _Ref1", "2.1"), "2.1"),
        (field(f"IF {field('MERGEFIELD sex', 'M')} = M he she", "he"), "he"),
    ],
)
def test_a_field_shows_its_result_or_what_it_stands_for(read, inside, shown):
    inside = inside.replace("<w:instrText> IF <w:r>", "<w:instrText> IF </w:instrText></w:r><w:r>")
    inside = inside.replace("</w:r> = M", "</w:r><w:r><w:instrText> = M")
    assert read(paragraph(run("a ") + inside + run(" b")))[0] == f"a {shown} b"


@pytest.mark.parametrize(
    ("instructions", "shown"),
    [
        ([r"LISTNUM NumberDefault \l 6"] * 3, ["(i)", "(ii)", "(iii)"]),
        ([r'LISTNUM "LegalDefault" \l 1', r"LISTNUM LegalDefault \l 2", r"LISTNUM LegalDefault \l 2",
          r"listnum LegalDefault \l 1", r"LISTNUM LegalDefault \l 2"], ["1.", "1.1.", "1.2.", "2.", "2.1."]),
        ([r"LISTNUM OutlineDefault \l 2 \s 3", r"LISTNUM OutlineDefault \l 2", r"LISTNUM OutlineDefault \l4"],
         ["C.", "D.", "a)"]),
        ([r"LISTNUM LegalDefault \l 2"], ["1.1."]),
    ],
)  # fmt: skip
def test_numbers_of_fields_are_counted_where_they_are_certain(read, instructions, shown):
    body = "".join(paragraph(field(one) + run(" Rent")) for one in instructions)
    assert read(body) == ("\n\n".join(f"{number} Rent" for number in shown), [])


@pytest.mark.parametrize(
    "other", ["LISTNUM", r"LISTNUM \l 2", r"LISTNUM OutlineDefault \l 1", r"LISTNUM NumberDefault"]
)
def test_others_are_said_to_be_left_out(read, other):
    certain = paragraph(field(r"LISTNUM NumberDefault \l 1") + run("Rent"))
    text, notes = read(
        certain
        + paragraph(field(other) + run("Deposit"))
        + paragraph(field("AUTONUM") + run("Fees"))
    )
    assert text.split() == ["Rent", "Deposit", "Fees"]
    assert notes == ["left out: 3 numbers that Word counts in fields (LISTNUM, AUTONUM)"]


def test_a_title_that_is_read_twice_counts_once(read):
    numbered = field(r"LISTNUM NumberDefault \l 1")
    title = paragraph(numbered + run("Lease"), '<w:pStyle w:val="Title"/>')
    assert read(title + paragraph(numbered + run(" Rent")))[0] == "1)Lease\n\n2) Rent"


@pytest.mark.parametrize(
    ("font", "code", "shown"),
    [
        ("Wingdings", "F078", "☒"), ("Wingdings", "F082", "②"), ("Wingdings 2", "F052", "☑"),
        ("Wingdings 2", "F0A3", "☐"), ("Wingdings 3", "F068", "↑"), ("Webdings", "F061", "✓"),
        ("MS Gothic", "2612", "☒"), ("MT Extra", "F06C", "\ufffd"),
    ],
)  # fmt: skip
def test_signs_of_other_fonts_are_read_by_their_own_tables(read, font, code, shown):
    text, _ = read(paragraph(f'<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r>' + run(" yes")))
    assert text == f"{shown} yes"


def test_letters_set_in_a_font_of_signs_are_no_letters(read):
    fonts = '<w:rFonts w:ascii="Wingdings 2" w:hAnsi="Wingdings 2"/>'
    assert read(paragraph(run("R", fonts) + run(" consent")))[0] == "☑ consent"


def style(identity, properties, kind="character", base=""):
    above = f'<w:basedOn w:val="{base}"/>' if base else ""
    return (
        f'<w:style w:type="{kind}" w:styleId="{identity}"><w:name w:val="{identity}"/>{above}'
        f"<w:rPr>{properties}</w:rPr></w:style>"
    )


def test_styles_raise_lower_hide_and_set_signs(read):
    styles = (
        style("Up", '<w:vertAlign w:val="superscript"/>')
        + style("Up2", "", base="Up")
        + style("Down", '<w:vertAlign w:val="subscript"/>')
        + style("Greek", '<w:rFonts w:ascii="Symbol" w:hAnsi="Symbol"/>')
        + style("Secret", "<w:vanish/>", "paragraph")
        + style("Secret2", "", "paragraph", "Secret")
    )

    def of(name):
        return f'<w:rStyle w:val="{name}"/>'

    moved = '<w:position w:val="8"/><w:sz w:val="14"/>'
    text, notes = read(
        paragraph(
            run("10") + run("9", of("Up2")) + run("/L, 10") + run("6", moved)
            + run(", CO") + run("2", of("Down")) + run(", 125 ") + run("m", of("Greek")) + run("g")
        )
        + paragraph(run("unseen"), '<w:pStyle w:val="Secret2"/>'),
        styles,
    )  # fmt: skip
    assert text == "10⁹/L, 10⁶, CO₂, 125 µg"
    assert notes == ["left out: 1 pieces of hidden text"]


@pytest.mark.parametrize(
    ("inside", "line"),
    [
        (letters(" + 2") + fraction(1, 2), "take 2 + 2 1/2"),
        (fraction(1, 2), "take 2 1/2"),
        (
            f"<m:eqArr><m:e>{letters('x=5')}</m:e><m:e>{letters('3y=2')}</m:e></m:eqArr>",
            "take 2x=5; 3y=2",
        ),
        (
            f"<m:sPre><m:sub>{letters(53)}</m:sub><m:sup>{letters(131)}</m:sup><m:e>{letters('I')}</m:e></m:sPre>",
            "take 2 ¹³¹₅₃I",
        ),
        (
            f"<m:func><m:fName>{letters('ln')}</m:fName><m:e>{letters('x')}</m:e></m:func>",
            "take 2ln x",
        ),
        (f"<m:acc><m:e>{letters('x')}</m:e></m:acc>", "take 2x\u0302"),
        (
            '<m:f><m:fPr><m:type m:val="noBar"/></m:fPr>'
            f"<m:num>{letters('n')}</m:num><m:den>{letters('k')}</m:den></m:f>",
            "take 2n over k",
        ),
    ],
)
def test_numbers_of_an_equation_do_not_run_together(read, inside, line):
    text, _ = read(paragraph(f"{run('take 2')}<m:oMath>{inside}</m:oMath>"))
    assert text == line


LEGAL = (
    '<w:abstractNum w:abstractNumId="90">'
    + "".join(
        f'<w:lvl w:ilvl="{i}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>{more}<w:lvlText w:val="{text}"/></w:lvl>'
        for i, (kind, text, more) in enumerate(
            (
                ("upperRoman", "Article %1", ""),
                ("decimalZero", "Section %1.%2", "<w:isLgl/>"),
                ("lowerLetter", "(%3)", ""),
            )
        )
    )
    + '</w:abstractNum><w:abstractNum w:abstractNumId="91"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/>'
    '<w:lvlText w:val="&#xF0FE;"/><w:rPr><w:rFonts w:ascii="Wingdings"/></w:rPr></w:lvl></w:abstractNum>'
    '<w:num w:numId="90"><w:abstractNumId w:val="90"/></w:num>'
    '<w:num w:numId="91"><w:abstractNumId w:val="91"/></w:num>'
)


def numbered(level, text, number=90, more=""):
    rule = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    return paragraph(run(text) if text else "", f"{rule}{more}")


def test_legal_numbers_count_empty_paragraphs_and_not_those_that_moved_away(read):
    moved = "<w:rPr><w:moveFrom/></w:rPr>"
    text, _ = read(
        numbered(0, "Terms") + numbered(1, "Rent") + numbered(2, "first") + numbered(2, "")
        + numbered(2, "", more=moved) + numbered(2, "third")
        + numbered(0, "consent given", 91),
        lists=LEGAL,
    )  # fmt: skip
    assert text.split("\n\n") == [
        "Article I Terms", "Section 1.01 Rent", "(a) first", "(c) third", "☑ consent given",
    ]  # fmt: skip


def test_clauses_in_text_boxes_are_numbered_and_tabs_part_words(read):
    box = numbered(0, "Boxed")
    text, _ = read(
        paragraph(
            f"<w:r><w:pict><v:shape><v:textbox><w:txbxContent>{box}</w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
        )
        + paragraph(run("Dose") + "<w:r><w:ptab/></w:r>" + run("5 mg")),
        lists=LEGAL,
    )
    assert text == "Article I Boxed\n\nDose\t5 mg"


def test_cells_inside_content_controls_are_cells(read):
    def cell(text):
        return f"<w:tc>{paragraph(run(text))}</w:tc>"

    inside = f"<w:sdt><w:sdtContent>{cell('7.5 mg')}</w:sdtContent></w:sdt>"
    text, _ = read(f"<w:tbl><w:tr>{cell('Dose')}{inside}{cell('nightly')}</w:tr></w:tbl>")
    assert text == "Dose | 7.5 mg | nightly"


def test_what_is_struck_through_or_only_drawn_is_said(read):
    ole = '<w:r><w:object><o:OLEObject ProgID="Equation.3"/></w:object></w:r>'
    _, notes = read(paragraph(run("digoxin", "<w:strike/>") + run(" k = ") + ole))
    assert notes == [
        "left out: 1 embedded objects (sheets, equations of older versions)",
        "1 pieces are struck through and read as text",
    ]


@pytest.mark.parametrize("cover", ["", "cover"])
def test_a_file_inside_is_named_and_alone_refused(tmp_path, cover):
    document = docx.Document()
    document.add_paragraph(cover)
    part = Part(PackURI("/word/inside.html"), "text/html", b"<p>5 mg</p>", document.part.package)
    relation = document.part.relate_to(part, f"{nsdecls('r')[9:-1]}/aFChunk")
    document.element.body.insert(
        1, parse_xml(f'<w:altChunk {nsdecls("w", "r")} r:id="{relation}"/>')
    )
    path = tmp_path / "made.docx"
    document.save(str(path))
    if not cover:
        with pytest.raises(Refused, match=r"file inside \(altChunk\)"):
            preview_documents(path)
        return
    (found,), report = preview_documents(path)
    assert (found.text, report.notes) == (
        "cover",
        ["left out: 1 files inserted whole (altChunk)"],
    )
