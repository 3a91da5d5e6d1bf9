"""Web pages: what a person would read of them."""

import pytest

from search.corpus.document import Heading
from search.projects.errors import Refused


def text_of(documents, markup, name="a.html"):
    return documents(name, markup)[0][0].text


def test_a_page_becomes_one_document(documents):
    (found,), report = documents(
        "page.html",
        "<!DOCTYPE html><html><head><title> Rent &amp;\n deposits </title><style>p{}</style></head>"
        "<body><nav>Home | About</nav><header><h1>Site name</h1></header>"
        "<h1>Deposits</h1><p>A <b>deposit</b> is &lt;= 2&nbsp;rents.<br>Or less.</p>"
        "<script>var x = '<p>no</p>';</script><h2>When</h2><ul><li>Now</li><li>Later</li></ul>"
        "<form>Ask <input value=hidden><button>Send</button><select><option>A</select></form>"
        "<template><p>no</p></template><noscript>no</noscript><svg><text>no</text></svg>"
        "<footer>Imprint</footer></body></html>",
    )
    assert (found.id, found.title, found.metadata) == (
        "page.html",
        "Rent & deposits",
        {"file": "page.html"},
    )
    assert found.text == (
        "Deposits\n\nA deposit is <= 2 rents.\nOr less.\n\nWhen\n\nNow\n\nLater\n\nAsk"
    )
    assert found.marks == (Heading(0, "Deposits"), Heading(45, "Deposits > When"))
    assert (report.format, report.encoding, report.accepted) == ("HTML", "utf-8", 1)


def test_inline_elements_do_not_part_words_and_blocks_do(documents):
    assert text_of(documents, "<div>un<i>break</i>able<div>inner</div>after</div>tail") == (
        "unbreakable\n\ninner\n\nafter\n\ntail"
    )


def test_table_rows_are_lines_with_their_cells_apart(documents):
    markup = "<table><tr><th>Name<th>Dose<tr><td>Aspirin<td></td><td>100 mg</table>"
    assert text_of(documents, markup) == "Name | Dose\n\nAspirin |  | 100 mg"


def test_preformatted_text_keeps_its_lines(documents):
    assert text_of(documents, "<p>a\n  b</p><pre>x\n  y\n</pre><p>c\nd") == "a b\n\nx\n  y\n\nc d"


@pytest.mark.parametrize("main", ["main", "article", "div role=main"])
def test_the_main_part_is_preferred_where_it_holds_most(documents, main):
    end = main.split(maxsplit=1)[0]
    long, short = "long text " * 20, "short"
    markup = f"<div>{short}</div><{main}><header><h1>T</h1></header><p>{long}</p></{end}>"
    (found,), report = documents("a.htm", markup)
    assert found.text == f"T\n\n{long.strip()}"
    assert report.notes == ["only the main part of the page was read"]
    (found,), report = documents("b.htm", f"<div>{long}</div><{main}><p>{short}</p></{end}>")
    assert found.text == f"{long.strip()}\n\n{short}"
    assert report.notes == []


def test_several_articles_are_all_read(documents):
    assert text_of(documents, "<article>one</article><article>two</article>") == "one\n\ntwo"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        ('<meta charset="iso-8859-1"><p>\u201ccaf\u00e9\u201d'.encode("cp1252"), "cp1252"),
        ("<meta charset=windows-1251><p>\u043f\u0440\u0430\u0432\u043e".encode("cp1251"), "cp1251"),
        ('<meta content="text/html; charset=Shift_JIS"><p>\u6cd5\u5f8b'.encode("shift_jis"), "shift_jis"),
        ("<meta charset=utf-16><p>caf\u00e9".encode(), "utf-8"),
        ("<meta charset=nonsense><p>caf\u00e9".encode(), "utf-8"),
        ("<meta charset=utf-8><p>caf\u00e9".encode("cp1252"), "cp1252"),
        ("<p>caf\u00e9".encode("utf-16"), "utf-16"),
        ("<meta charset=latin1><p>caf\u00e9".encode("utf-8-sig"), "utf-8-sig"),
    ],
)  # fmt: skip
def test_encodings(documents, raw, encoding):
    (found,), report = documents("a.html", raw)
    words = {"cp1251": "право", "shift_jis": "法律"}.get(encoding, "café")
    assert found.text.strip("“”") == words
    assert report.encoding == encoding


def test_bytes_of_no_encoding_are_shown_and_counted(documents):
    lines = "<p>café</p>\n" * 30
    (found,), report = documents("a.html", lines.encode() + b"<p>na\xefve</p>")
    assert found.text.endswith("café\n\nna\ufffdve")
    assert report.notes[-1] == "1 characters could not be read as utf-8 and are shown as \ufffd"


def test_xhtml_with_elements_that_close_themselves(documents):
    markup = '<?xml version="1.0"?><html><head><script src="x.js"/><title/></head><body><p>Read me</p></body></html>'
    assert text_of(documents, markup, "a.xhtml") == "Read me"


@pytest.mark.parametrize(
    "markup", ["<html></html>", "<script>x</script>", "<nav>menu</nav>", "<title>Only a title</title>"]
)  # fmt: skip
def test_pages_without_text(documents, markup):
    with pytest.raises(Refused, match=r"^a\.html holds no text\.$"):
        documents("a.html", markup)


def test_nesting_that_takes_minutes_is_refused(documents):
    with pytest.raises(Refused, match=r"^a\.html has elements inside one another, more than 5,000"):
        documents("a.html", "<div>" * 200_000 + "text")
    assert text_of(documents, "<p>word<br>" * 20_000).count("word") == 20_000


def test_a_pdf_named_html_is_refused(documents):
    with pytest.raises(Refused, match=r"^a\.html is a PDF file, not HTML"):
        documents("a.html", b"%PDF-1.7\n")


def test_merged_cells_do_not_make_a_small_page_large(documents):
    text = "x" * 900
    table = f"<table><tr><th>a</th><th>b</th></tr><tr><td rowspan=1000>{text}</td><td>1</td></tr>"
    rows = "<tr><td>2</td></tr>" * 990
    found = text_of(documents, f"<html><body>{(table + rows + '</table>') * 5}</body></html>")
    assert 900_000 < len(found) < 1_100_000
