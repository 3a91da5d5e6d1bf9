"""PDF: characters are read where they stand: signs drawn last, powers, tables, columns, margins, forms."""

import pytest
from fpdf import FPDF

from search.corpus.readers.documents import preview_documents
from search.corpus.readers.layout import HYPHEN, Line, Page, pages_to_blocks
from search.corpus.readers.rows import arranged, without_margin_numbers


def pdf(path, *texts, size=11):
    """A page with texts drawn at points from the top left, in the order given: (x, y, text[, size])."""
    made = FPDF(unit="pt", format=(600, 800))
    made.add_page()
    for x, y, text, *own in texts:
        made.set_font("Helvetica", size=own[0] if own else size)
        made.text(x, y, text)
    made.output(str(path))
    (found,), report = preview_documents(path)
    return found.text, report.notes


def test_a_sign_that_is_drawn_last_stands_where_it_is_seen(tmp_path):
    text, _ = pdf(
        tmp_path / "a.pdf",
        (50, 100, "Target saturation is"),
        (175, 100, "94 percent or more."),
        (50, 116, "Review in one week."),
        (160, 100, "±"),
    )
    assert text == "Target saturation is ± 94 percent or more. Review in one week."


def test_powers_stay_powers_and_marks_of_notes_stand_apart(tmp_path):
    measured = FPDF(unit="pt")
    measured.set_font("Helvetica", size=11)
    x, texts = 50.0, []
    for part, raised in (("Platelets 150 x 10", "9"), ("/L is common", "1"), (" here.", "")):
        texts.append((x, 100, part))
        x += measured.get_string_width(part)
        texts.append((x, 95, raised, 7))
        x += 4
    text, _ = pdf(tmp_path / "a.pdf", *texts)
    assert text == "Platelets 150 x 10⁹/L is common ¹ here."


def test_rows_of_a_table_are_lines_of_their_own(tmp_path):
    rows = (
        ("Drug", "Dose", "When"),
        ("Ramipril", "2.5 mg", "daily"),
        ("Statin", "10 mg", "at night"),
    )
    text, _ = pdf(
        tmp_path / "a.pdf",
        (50, 80, "Medication at discharge was as follows."),
        *(
            (50 + 120 * j, 120 + 16 * i, cell)
            for i, row in enumerate(rows)
            for j, cell in enumerate(row)
        ),
        (50, 200, "The patient went home."),
    )
    assert text.split("\n\n") == [
        "Medication at discharge was as follows.", "Drug | Dose | When", "Ramipril | 2.5 mg | daily",
        "Statin | 10 mg | at night", "The patient went home.",
    ]  # fmt: skip


LEFT = ("The court dismissed the claim for", "want of standing. We review that", "ruling de novo. The final order of",
        "the agency took effect in June and", "was published in the register.")  # fmt: skip
RIGHT = ("Traceability is plain, since the", "closure alone prevents any of the", "harvest. Redress would follow from",
         "vacatur. The order is reversed and", "the matter is sent back.")  # fmt: skip


def test_columns_that_were_drawn_across_follow_one_another(tmp_path):
    across = [
        (x, 100 + 14 * i, line)
        for i, pair in enumerate(zip(LEFT, RIGHT, strict=True))
        for x, line in zip((50, 320), pair, strict=True)
    ]
    text, _ = pdf(tmp_path / "a.pdf", (50, 60, "412   FEDERAL REPORTER"), *across)
    assert " ".join(LEFT) in text and " ".join(RIGHT) in text
    assert text.index(LEFT[-1]) < text.index(RIGHT[0])


def test_a_table_of_two_columns_is_no_prose(tmp_path):
    cells = (("Acute myocardial infarction", "Aspirin and transfer at once"),
             ("Community acquired pneumonia", "Amoxicillin for five days now"),
             ("Hypertensive emergency signs", "Labetalol and close monitoring"),
             ("Diabetic ketoacidosis in adults", "Fluids, insulin and potassium"),
             ("Anaphylaxis after the first dose", "Adrenaline into the muscle"))  # fmt: skip
    across = [
        (50 + 270 * j, 100 + 14 * i, cell)
        for i, row in enumerate(cells)
        for j, cell in enumerate(row)
    ]
    text, _ = pdf(tmp_path / "a.pdf", *across)
    assert text.split("\n\n") == [" | ".join(row) for row in cells]


def test_numbers_of_lines_in_the_margin_are_left_out_and_told(tmp_path):
    lines = [(30, 100 + 20 * i, str(i + 1)) for i in range(14)]
    prose = [(90, 100 + 20 * i, f"{line} and so on") for i, line in enumerate(LEFT + RIGHT)]
    text, notes = pdf(tmp_path / "a.pdf", *[line for pair in zip(lines, prose, strict=False) for line in pair],
                      *lines[10:])  # fmt: skip
    assert text.startswith("The court dismissed the claim for and so on want of standing.")
    assert not any(word.isdecimal() for word in text.split())
    assert notes == ["left out: 14 numbers of lines in the margin"]


def test_numbers_of_a_table_are_kept():
    rows = [Line(t, 700 - 15 * i, 10, x, x + w)
            for i in range(12) for t, x, w in ((str(i + 1), 50, 8), (f"Item {i}", 90, 60))]  # fmt: skip
    kept, count = without_margin_numbers(rows)
    assert (kept, count) == (rows, 0)
    assert arranged(kept)[3].text == "4 | Item 3"


def test_labels_are_no_cells():
    lines = [Line("1.", 700, 10, 50, 60), Line("Wound check", 700, 10, 80, 140),
             Line("2.", 685, 10, 50, 60), Line("Bloods", 685, 10, 80, 120)]  # fmt: skip
    assert [line.text for line in arranged(lines)] == ["1. Wound check", "2. Bloods"]


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        ("non", "inferiority", "non-inferiority"), ("well", "differentiated", "well-differentiated"),
        ("follow", "up", "follow-up"), ("bur", "den", "burden"), ("fibril", "lation", "fibrillation"),
        ("hyper", "cholesterolaemia", "hypercholesterolaemia"), ("health", "care", "healthcare"),
        ("Fieber", "messung", "Fiebermessung"),
    ],
)  # fmt: skip
def test_hyphens_at_line_ends_stay_in_compounds(first, second, word):
    page = Page(1, (Line(f"It is a {first}{HYPHEN}", 700, 10), Line(f"{second} of it", 688, 10)))
    (block,) = pages_to_blocks([page], {})
    assert block.text == f"It is a {word} of it"


def test_text_put_over_a_page_is_read_and_comments_are_counted(tmp_path):
    made = FPDF(unit="pt", format=(600, 800))
    made.add_page()
    made.set_font("Helvetica", size=11)
    made.text(50, 100, "Diagnosis:")
    made.text(50, 140, "Signed in this county.")
    made.free_text_annotation("Lewy body dementia", x=110, y=92, w=200, h=12)
    made.text_annotation(50, 300, "a remark")
    made.output(str(tmp_path / "a.pdf"))
    (found,), report = preview_documents(tmp_path / "a.pdf")
    assert found.text == "Diagnosis: Lewy body dementia\n\nSigned in this county."
    assert report.notes == ["left out: 1 comments"]


def test_a_font_from_before_unicode_is_told(tmp_path):
    made = FPDF()
    made.add_page()
    made.set_font("Helvetica")
    made.cell(text="ejht dks cq[kkj gS")
    path = tmp_path / "a.pdf"
    made.output(str(path))
    # The same file, its font called as typists of Hindi have it.
    path.write_bytes(path.read_bytes().replace(b"/BaseFont /Helvetica", b"/BaseFont /KrutiDev1"))
    _, report = preview_documents(path)
    assert [note.split(" is not")[0] for note in report.notes] == ["text in the font KrutiDev1"]


def test_fractions_set_as_small_numbers_stay_apart_from_what_stands_before(tmp_path):
    measured = FPDF(unit="pt")
    x, texts = 50.0, []
    for part, rise, size in (("Give 2", 0, 11), ("1", 4, 7), ("/", 0, 11), ("2", -2, 7), (" tablets of CO", 0, 11),
                             ("2", -3, 7), (" absorbent, then one more of the same.", 0, 11)):  # fmt: skip
        texts.append((x, 100 - rise, part, size))
        measured.set_font("Helvetica", size=size)
        x += measured.get_string_width(part)
    text, _ = pdf(tmp_path / "a.pdf", *texts)
    assert text == "Give 2 1/2 tablets of CO₂ absorbent, then one more of the same."


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_turned_pages_are_read_as_they_are_held(tmp_path, angle):
    made = FPDF(unit="pt", format=(600, 600))
    made.add_page()
    made.set_font("Helvetica", size=11)
    made.text(20, 20, "Draft")
    with made.rotation(angle, 300, 300):
        for i, line in enumerate(("the first line of the chart", "goes on to give 2.5 mg daily.")):
            made.text(100, 300 + 14 * i, line)
    made.output(str(tmp_path / "a.pdf"))
    (found,), _ = preview_documents(tmp_path / "a.pdf")
    assert "the first line of the chart goes on to give 2.5 mg daily." in found.text
    assert found.text.endswith("Draft")


@pytest.mark.parametrize(
    ("above", "below", "whole"),
    [
        ("given pre-", "and postoperative care", "given pre- and postoperative care"),
        ("Vor-", "und Nachsorge", "Vor- und Nachsorge"),
        ("Freun-", "de", "Freunde"),
        ("5-", "10 mg", "5-10 mg"),
        ("he is self-", "employed", "he is self-employed"),
        ("une arrière-", "pensée", "une arrière-pensée"),
        ("il est peut-", "être", "il est peut-être"),
        ("la mala-", "die", "la maladie"),
        ("there-", "in", "therein"),
        ("a micro-", "gram", "a microgram"),
        ("Herz-", "insuffizienz", "Herzinsuffizienz"),
    ],
)
@pytest.mark.parametrize("hyphen", ["-", HYPHEN])
def test_hyphens_at_the_ends_of_lines(above, below, whole, hyphen):
    lines = (Line(above.replace("-", hyphen), 100.0, 10.0), Line(below, 86.0, 10.0))
    (block,) = pages_to_blocks([Page(1, lines)], {})
    assert block.text == whole


def margin(step, pitch, text="goes on in the middle of a sentence and"):
    lines = []
    for number in range(1, 31):
        base = 700.0 - 14 * number
        if number % pitch == 0:
            lines.append(Line(str(number // pitch * step), base, 10.0, 30.0, 40.0))
        lines.append(Line(text, base, 10.0, 60.0, 400.0))
    return lines


def test_numbers_of_every_fifth_line_are_left_out():
    kept, count = without_margin_numbers(margin(5, 5))
    assert (len(kept), count) == (30, 6)
    assert without_margin_numbers(margin(1, 5))[1] == 0  # numbers of paragraphs
    assert without_margin_numbers(margin(5, 3))[1] == 0
    assert without_margin_numbers(margin(5, 5, "Ends."))[1] == 0


def chart(*rows, at=(50, 170, 270, 370)):
    """Cells of a chart where they stand; an empty one leaves nothing in the file."""
    return [
        (x, 100 + 16 * i, cell)
        for i, row in enumerate(rows)
        for x, cell in zip(at, row, strict=True)
        if cell
    ]


def test_doses_stay_in_their_columns_where_cells_are_empty(tmp_path):
    text, _ = pdf(
        tmp_path / "a.pdf",
        *chart(
            ("Drug", "Morning", "Noon", "Night"), ("Ramipril", "5 mg", "", "2.5 mg"),
            ("Digoxin", "", "", "125 mcg"), ("Furosemide", "40 mg", "20 mg", ""),
        ),
    )  # fmt: skip
    assert text.split("\n\n") == [
        "Drug | Morning | Noon | Night",
        "Ramipril | 5 mg |  | 2.5 mg",
        "Digoxin |  |  | 125 mcg",
        "Furosemide | 40 mg | 20 mg",
    ]


def test_cells_of_several_lines_are_whole(tmp_path):
    text, _ = pdf(
        tmp_path / "a.pdf",
        (50, 80, "Drug"), (170, 80, "Dose"), (300, 80, "Instructions"),
        (50, 100, "Warfarin"), (170, 100, "3 mg alternate"), (170, 114, "days"),
        (300, 100, "check INR weekly; do not"), (300, 114, "give with any NSAID"),
        (50, 136, "Digoxin"), (170, 136, "62.5 micrograms"), (170, 150, "daily"),
        (300, 136, "withhold if pulse is"), (300, 150, "below sixty"),
    )  # fmt: skip
    assert text.split("\n\n") == [
        "Drug | Dose | Instructions",
        "Warfarin | 3 mg alternate days | check INR weekly; do not give with any NSAID",
        "Digoxin | 62.5 micrograms daily | withhold if pulse is below sixty",
    ]


def test_numbers_of_clauses_stand_before_their_text(tmp_path):
    clauses = (("1.1", "The Tenant shall pay."), ("1.2", "The Landlord may enter."))
    lines = [(x, 100 + 16 * i, t) for i, row in enumerate(clauses) for x, t in zip((50, 90), row, strict=True)]  # fmt: skip
    text, _ = pdf(tmp_path / "a.pdf", *lines)
    assert "1.1 The Tenant shall pay." in text
    assert "1.2 The Landlord may enter." in text
    lines = [(x, 100 + 16 * i, t) for i, row in enumerate((("1.5", "2.5"), ("3.5", "4.5"))) for x, t in zip((50, 150), row, strict=True)]  # fmt: skip
    assert pdf(tmp_path / "a.pdf", *lines)[0] == "1.5 | 2.5\n\n3.5 | 4.5"


def test_choices_of_a_form_are_read_as_people_see_them(documents):
    text = b"BT /F1 11 Tf 50 700 Td (Route) Tj 0 -40 Td (Stop digoxin) Tj ET"
    parts = (
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R 7 0 R]>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R"
        b"/Annots[6 0 R 7 0 R 8 0 R]>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Type/Annot/Subtype/Widget/FT/Ch/Ff 131072/T(r)/Opt[[(po)(oral)][(iv)(intravenous)]]/V(iv)"
        b"/Rect[120 695 300 712]/P 3 0 R>>",
        b"<</Type/Annot/Subtype/Widget/FT/Ch/T(l)/Ff 2097152/Opt[(one)(two)(three)]/V[(one)(three)]"
        b"/Rect[320 695 400 712]/P 3 0 R>>",
        b"<</Type/Annot/Subtype/StrikeOut/Rect[50 650 100 670]/QuadPoints[50 670 100 670 50 650 100 650]>>",
    )
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (i, part) for i, part in enumerate(parts, 1))
    (found,), report = documents("a.pdf", b"%PDF-1.7\n" + body + b"trailer<</Root 1 0 R>>\n%%EOF")
    assert found.text == "Route | intravenous | one, three\n\nStop digoxin"
    assert report.notes == ["left out: 1 strokes through text (the text is read)"]
