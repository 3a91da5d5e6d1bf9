"""Web pages: doses in merged cells, formulas, fractions, boxes of forms, numbers of lists, what a style hides."""

import pytest

from search.corpus.readers import html, html_tables


@pytest.fixture
def read(documents):
    """Reads the body of a page: its text and notes."""

    def text_of(body):
        (found,), report = documents("a.html", f"<title>t</title>{body}")
        return found.text, report.notes

    return text_of


def table(*rows):
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


HEAD = "<th>Drug<th>Morning<th>Noon<th>Night"


@pytest.mark.parametrize(
    ("row", "lines"),
    [
        ("<td>A<td>5 mg<td><td>2 mg", ["A | 5 mg |  | 2 mg"]),
        ("<td>A<td></td><td></td><td>2 mg", ["A |  |  | 2 mg"]),
        ("<td rowspan=2>A<td>1<td>2<td>3</tr><tr><td>4<td>5<td>6", ["A | 1 | 2 | 3", "A | 4 | 5 | 6"]),
        ("<td>A<td rowspan=2>1<td>2<td>3</tr><tr><td>B<td>5<td>6", ["A | 1 | 2 | 3", "B | 1 | 5 | 6"]),
        ("<td>A<td>1<td rowspan=0>2<td>3</tr><tr><td>B<td>5<td>6", ["A | 1 | 2 | 3", "B | 5 | 2 | 6"]),
        ("<td>A<td colspan=3>5 mg", ["A | 5 mg | 5 mg | 5 mg"]),
        ("<td>A<td><p>5 mg</p><p>once</p><td>x<br>y<td><ul><li>z</ul>", ["A | 5 mg once | x y | z"]),
        ("<td colspan=4>Kidneys", ["Kidneys"]),
    ],
)  # fmt: skip
def test_a_dose_stays_in_its_column_and_row(read, row, lines):
    text, _ = read(table(HEAD, row))
    assert text.split("\n\n") == ["Drug | Morning | Noon | Night", *lines]


def test_tables_that_only_lay_out_a_page_stay_paragraphs(read):
    nested = table("<td>1<td>2", "<td>3<td>4")
    page = table(f"<td>menu<td><h2>Head</h2><p>one</p>{nested}<p>two</p>")
    assert read(page)[0] == "menu\n\nHead\n\none\n\n1 | 2\n\n3 | 4\n\ntwo"
    assert read(table("<td><td>only"))[0] == "only"


def test_a_thousand_tables_inside_one_another_are_looked_at_once_each(read, monkeypatch):
    """Work is counted: each row's cells a few times, the long text inside of all of them once."""
    looked, cells, texts = html_tables._cells, [], []
    monkeypatch.setattr(html_tables, "_cells", lambda row: cells.append(row) or looked(row))
    cell_text = html._cell
    monkeypatch.setattr(
        html, "_cell", lambda *given, **named: texts.append(1) or cell_text(*given, **named)
    )
    text = "word " * 20_000
    assert read("<table><tr><td>a<td>" * 1_000 + text)[0].count("word") == 20_000
    assert 1_000 <= len(cells) <= 4_000
    assert len(texts) <= 4


@pytest.mark.parametrize(
    ("markup", "line"),
    [
        ("2<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math> mg", "2 1/2 mg"),
        ("<math><mn>2</mn><mfrac><mn>1</mn><mn>2</mn></mfrac></math>", "2 1/2"),
        ("<math><msup><mn>10</mn><mn>9</mn></msup></math>/L", "10⁹/L"),
        ("<math><msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup></math>", "x₁²"),
        ("<math><msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt><mo>≥</mo><mn>4</mn></math>", "√(x+1)≥4"),
        (
            "<math><semantics><mrow><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mi>c</mi></mfrac></mrow>"
            '<annotation encoding="application/x-tex">\\frac{a+b}{c}</annotation></semantics></math>',
            "(a+b)/c",
        ),
        ("<math><mtable><mtr><mtd>1</mtd><mtd>2</mtd></mtr><mtr><mtd>3</mtd></mtr></mtable></math>", "[1, 2; 3]"),
        ('<span style="display: none"><math><mn>5</mn></math></span> mg', "5 mg"),
        ("2<sup>1</sup>/<sub>2</sub> tablets", "2 1/2 tablets"),
        ("<sup>3</sup>&frasl;<sub>4</sub> cup", "3/4 cup"),
        ("<q>no rash</q>", "“no rash”"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>", "漢字"),
        ('<input type=checkbox checked>yes <input type="radio">no <input value="x">', "☒ yes ☐ no"),
    ],
)  # fmt: skip
def test_signs_of_formulas_and_forms_are_kept(read, markup, line):
    assert read(f"<p>{markup}</p>")[0] == line


@pytest.mark.parametrize(
    ("markup", "lines"),
    [
        ("<ol reversed><li>a<li>b</ol>", ["2. a", "1. b"]),
        ("<ol reversed start=9><li>a<li value=5>b<li>c</ol>", ["9. a", "5. b", "4. c"]),
        ("<ol start=0><li>a<li>b</ol>", ["0. a", "1. b"]),
        ("<ol start=-1><li>a</ol>", ["-1. a"]),
        ("<ol type=a start=3><li>a<li>b</ol>", ["c. a", "d. b"]),
    ],
)
def test_lists_count_as_a_browser_does(read, markup, lines):
    assert read(markup)[0].split("\n\n") == lines


SHEET = """<style>/* .open{display:none} */ .h, p.off {display:none} .tab{visibility:hidden} .tab.on{display:block}
    @media print { .open { display: none } } </style>"""


def test_what_a_class_hides_is_left_out_and_counted(read):
    text, notes = read(
        f"{SHEET}<p class='x h'>1</p><p class=off>2</p><p class=tab>tab</p><p class=open>open</p>"
        "<p><s>10 mg</s> 5 mg</p>"
    )
    assert text == "tab\n\nopen\n\n10 mg 5 mg"
    assert notes == [
        "1 pieces are struck through and read as text",
        "parts of the page that were left out: 2 hidden",
    ]
