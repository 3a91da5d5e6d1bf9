"""TREC topics: classic and XML, careless and hostile."""

import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.corpus.readers.judgments import read_judged_queries
from search.corpus.readers.queries import QueryColumns, read_queries
from search.projects.errors import Refused
from tests.search.corpus.readers.refused_rows import refusals

CLASSIC = """
<top>

<num> Number: 301
<title> International Organized Crime

<desc> Description:
Identify organizations that participate in international criminal
activity, the activity, and, if possible, collaborating organizations.

<narr> Narrative:
A relevant document must name the organization & its type.

</top>

<top>
<num> Number: 302 </num>
<title> Topic: Poliomyelitis and Post-Polio, R&D where n < 5 </title>
</top>
"""


@pytest.mark.parametrize("name", ["topics.301-302", "topics.txt", "topics.trec", "topics"])
def test_classic_topics(file, name):
    queries, report = read_queries(file(name, CLASSIC))
    assert queries == {
        "301": "International Organized Crime",
        "302": "Poliomyelitis and Post-Polio, R&D where n < 5",
    }
    assert (report.format, report.accepted, report.refused_count) == ("TREC topics", 2, 0)


@pytest.mark.parametrize(
    "content",
    [
        '<?xml version="1.0"?>\n<topics task="covid">\n<topic number="1">\n<query>virus &amp; origin</query>'
        "\n<question>what is the origin</question></topic>\n"
        '<topic number="2"><query>\nvirus\nin the cold</query></topic></topics>',
        '<topics><topic number="1" type="x"><title>virus &#38; origin</title></topic>'
        "<topic number='2'><title><![CDATA[virus in the cold]]></title></topic></topics>",
        "<topics><topic><identifier>1</identifier><EN-title>virus &amp; origin</EN-title></topic>"
        "<topic><identifier>2</identifier><EN-title>virus in the cold</EN-title></topic></topics>",
        '<topics><!-- <topic number="9"><title>no</title></topic> -->'
        '<topic number="1">virus &amp; origin</topic><topic number="2"> virus in\nthe cold </topic>'
        "</topics>",
        "<TOP><NUM>1</NUM><TITLE></TITLE><DESC>Description: virus & origin</DESC></TOP>"
        "<TOP><NUM>2</NUM><DESC>virus in the cold",
        '<topic number="1"><query>virus &amp; origin</query>'
        '<subtopic number="7">other</subtopic></topic>'
        '<topic number="2"><query>virus in the cold</query></topic>',
    ],
    ids=["query", "title", "elements", "own text", "description", "subtopics"],
)
def test_xml_topics(file, content):
    queries, report = read_queries(file("topics.xml", content))
    assert queries == {"1": "virus & origin", "2": "virus in the cold"}
    assert report.refused_count == 0


def test_another_element_can_hold_the_text(file):
    path = file("t.txt", CLASSIC)
    queries, _ = read_queries(path, QueryColumns(text="narr"))
    assert queries and not set(queries.values()) & set(read_queries(path)[0].values())
    with pytest.raises(Refused, match="the id or the text is empty"):
        read_queries(path, QueryColumns(text="nothing"))


def test_topics_that_are_left_out(file):
    queries, report = read_queries(
        file(
            "t.xml",
            '<topic number="1"><title>one</title></topic><topic><title>no number</title></topic>'
            '<topic number="1"><title>one</title></topic><topic number="3"><title> </title></topic>'
            f'<topic number="4"><title>{"x" * 10_001}</title></topic>',
        )
    )
    assert queries == {"1": "one"}
    assert refusals(report) == [
        ("topic 2", "the id or the text is empty"),
        ("topic 3", "the id '1' and its query stand in an earlier row"),
        ("topic 4", "the id or the text is empty"),
        ("topic 5", "the text has 10,001 characters; the limit is 10,000"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<html><body>Topics</body></html>", r"holds no topics: <top> or <topic> was expected\."),
        ("<topic number='1'>", r"holds no usable queries: all 1 rows were refused"),
        (
            '<!DOCTYPE t [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><topics>&b;</topics>',
            r"holds no topics",
        ),
    ],
)
def test_files_without_topics(file, content, message):
    with pytest.raises(Refused, match=message):
        read_queries(file("t.xml", content))


def test_entities_are_never_expanded(file):
    content = '<!DOCTYPE t [<!ENTITY a "boom">]><topic number="1"><title>x &a; y</title></topic>'
    assert read_queries(file("t.xml", content))[0] == {"1": "x &a; y"}


def test_a_file_far_too_long_is_not_read_on(file):
    with pytest.raises(Refused, match=r"^t\.xml has more than 8,388,608 characters"):
        read_queries(file("t.xml", "<topics>\n" + ("x" * 99 + "\n") * 90_000))


@pytest.mark.parametrize(
    "piece", ["<top", "<top>", "<!--", "<![CDATA[", "<top><", "<a ", "<topic <num>", "</top"]
)
def test_hostile_repetition_takes_no_time(file, piece):
    """Nothing that is never closed may be looked for again and again."""
    path = file("t.xml", "<topics>\n" + piece * (2_000_000 // len(piece)))
    started = time.process_time()
    with pytest.raises(Refused):
        read_queries(path)
    assert time.process_time() - started < 20


PIECES = st.sampled_from(
    [
        "<top>", "</top>", "<topic>", '<topic number="1">', "<topic id='", "</topic>", "<num>", "<num> Number: 7",
        "<title>", "</title>", "<query>", "<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&#0;", "&#xD800;", "<",
        ">", "\n", "text", "\ufeff", "\x85", "query,doc_id,grade\n", "q,d1,1\n", '{"query": "q"}', "\x00",
    ]
)  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(["t.xml", "t.txt", "t.csv", "t.jsonl", "t"]), st.lists(PIECES, max_size=14))
def test_any_pieces_give_queries_or_one_refusal(name, pieces):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text("".join(pieces), encoding="utf-8")
        for read in (read_queries, read_judged_queries):
            try:
                queries, *_ = read(path)
            except Refused as error:
                assert str(error).strip()
            else:
                assert queries
                for key, text in queries.items():
                    assert key == key.strip() != ""
                    assert text == text.strip() != ""
                    f"{key} {text}".encode()
