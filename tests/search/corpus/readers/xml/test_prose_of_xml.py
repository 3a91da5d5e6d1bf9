"""Elements into headings and paragraphs: what parts words, what does not, rows, numbers, notes, powers."""

import pytest
from defusedxml.ElementTree import fromstring

from search.corpus.readers.blocks import Block
from search.corpus.readers.xml.prose import flat_text, prose_blocks


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>A <b>bold</b>er<i>x</i> word</p>", ["A bolderx word"]),
        ("<p>Seen on <seg>Monday</seg>, not<seg>Tuesday</seg>noon</p>", ["Seen on Monday, not Tuesday noon"]),
        ("<text>Known:<table><tr><td>Latex</td><td>Rash</td></tr></table>End</text>", ["Known:", "Latex | Rash", "End"]),
        ("<table><row><entry>A</entry><entry/><entry>B</entry></row></table>", ["A | | B"]),
        ("<table><tr><td rowspan='2'>Aspirin</td><td>noon</td></tr><tr><td>night</td></tr><tr><td>x</td></tr></table>",
         ["Aspirin | noon", "Aspirin | night", "x"]),
        ("<table><tr><th colspan='2'>Dose</th><th>By</th></tr><tr><td>1 mg</td><td>2 mg</td><td>po</td></tr></table>",
         ["Dose | Dose | By", "1 mg | 2 mg | po"]),
        ("<table><tr><td colspan='3'>All of them</td></tr></table>", ["All of them"]),
        ("<table><tgroup><colspec colname='a'/><colspec colname='b'/><colspec colname='c'/><tbody>"
         "<row><entry morerows='1'>Aspirin</entry><entry namest='b' nameend='c'>10 mg</entry></row>"
         "<row><entry colname='c'>20 mg</entry></row></tbody></tgroup></table>",
         ["Aspirin | 10 mg | 10 mg", "Aspirin | | 20 mg"]),
        ("<r><table><tr><td rowspan='9'>A</td><td>B</td></tr></table><table><tr><td>C</td><td>D</td></tr></table></r>",
         ["A | B", "C | D"]),
        ("<s><num>(a)</num><p>first</p><num>(b)</num><p>second</p></s>", ["(a) first", "(b) second"]),
        ("<s><p>x</p><num>9</num></s>", ["x", "9"]),
        ("<p>Keep<note><p>A note.</p></note> it.</p>", ["Keep it.", "A note."]),
        ("<p>10<sup>9</sup>/L and H<sub>2</sub>O, common<sup>1</sup></p>", ["10⁹/L and H₂O, common ¹"]),
        ("<p>common<sup><xref>1</xref>,<xref>2</xref></sup>; rare<xref>3</xref>.</p>", ["common 1,2; rare 3."]),
        ("<p>10<hi rend='superscript'>6</hi> per mm<hi rend='sup'>3</hi></p>", ["10⁶ per mm³"]),
        ("<p><math><mfrac><mn>1</mn><mn>2</mn></mfrac><msup><mi>x</mi><mn>2</mn></msup></math></p>", ["1/2x²"]),
        (
            "<p>2<math><semantics><mfrac><mn>1</mn><mn>2</mn></mfrac><annotation>x</annotation></semantics></math> mg</p>",
            ["2 1/2 mg"],
        ),
        ("<note>One\nline.\n\nNext\n paragraph.</note>", ["One\nline.", "Next\nparagraph."]),
        ("<list><item>x</item><item>y<br/>z</item></list>", ["x", "y z"]),
        ("<r><name>Ann</name><name>Bo</name></r>", ["Ann", "Bo"]),
        ("<p>see <title>On Frost</title> again</p>", ["see On Frost again"]),
        ("<p/>", []),
    ],
)  # fmt: skip
def test_blocks(markup, expected):
    assert [block.text for block in prose_blocks(fromstring(markup))] == expected


def test_headings_and_their_levels():
    markup = (
        "<body><sec><title>One</title><p>a</p><sec><label>1.1</label><title>Two</title><p>b</p></sec></sec>"
        "<fig><label>Figure 1</label><caption><title>Flow</title><p>c</p></caption></fig></body>"
    )
    assert prose_blocks(fromstring(markup)) == [
        Block("One", 1), Block("a"), Block("1.1 Two", 2), Block("b"), Block("Figure 1 Flow"), Block("c"),
    ]  # fmt: skip


def test_what_is_dropped_leaves_the_text_around_it():
    root = fromstring("<sec><p>One<x>no</x> two</p><refs><p>no</p></refs></sec>")
    assert flat_text(root, ("x", "refs")) == "One two"
    assert flat_text(None) == ""


def test_many_inline_elements_take_no_square_of_time():
    root = fromstring("<p>" + "<b>x</b> <seg>y</seg> " * 30_000 + "</p>")
    assert len(flat_text(root)) == 119_999
