"""Which column holds the text: prose, nested or not; never what is for machines. Columns of HTML."""

import json

import pytest

from search.corpus.document import Document
from search.corpus.readers.text_columns import is_prose
from search.projects.errors import Refused

UUID = "123e4567-e89b-42d3-a456-426614174000"


@pytest.mark.parametrize(
    "text",
    ["The tenant gave notice.", "Gout", "दर्द है", "肺炎", "See https://x.org for more on it", "12 mg of aspirin twice a day"],
)  # fmt: skip
def test_prose(text):
    assert is_prose(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://api.example.org/v1/cases/1000/", "www.example.org", UUID, f"urn:uuid:{UUID}", "a@b.org", "2020-01-02",
        "d41d8cd98f00b204e9800998ecf8427e", "scans/2020/page 12.pdf", "Discharge letter.pdf", "99-1234", "PMC123456",
        "https://a.org/x https://a.org/y", "VGhpcyBpcyBub3QgYSB0ZXh0IGZvciBwZW9wbGU=", "", "/opinion/1/a-v-b/", "1, 2, 3",
    ],
)  # fmt: skip
def test_no_prose(text):
    assert not is_prose(text)


def jsonl(*rows):
    return "\n".join(map(json.dumps, rows))


def test_a_nested_text_is_taken_where_no_column_is_one(documents):
    rows = [
        {"id": n, "url": f"https://example.org/a/very/long/address/of/a/page/{n}", "court": {"name": "High"},
         "files": [f"a long name of a scan {n}.pdf"], "body": {"parts": [{"text": f"Notice {n}."}, {"text": "Paid."}]}}
        for n in (1, 2)
    ]  # fmt: skip
    found, report = documents("a.jsonl", jsonl(*rows))
    assert report.roles == {"id": "id", "text": "body.parts[].text"}
    assert report.notes == [
        "the text was taken from 'body.parts[].text'; choose another if that is wrong"
    ]
    assert found[0] == Document(
        "1", "", "Notice 1.\n\nPaid.",
        {"url": "https://example.org/a/very/long/address/of/a/page/1", "court": '{"name": "High"}',
         "files": '["a long name of a scan 1.pdf"]'},
    )  # fmt: skip


def test_paths_may_be_chosen_for_every_role(documents):
    row = {
        "key": {"no": 5},
        "head": {"line": "A title"},
        "parts": [{"t": "One."}, {"t": "Two.", "n": 2}],
        "k": {"v": "w"},
    }
    found, report = documents(
        "a.jsonl", jsonl(row), text="parts.t", title="head.line", id="key.no", metadata=("k.v",)
    )
    assert found == [Document("5", "A title", "One.\n\nTwo.", {"k.v": "w"})]
    assert report.roles == {"id": "key.no", "title": "head.line", "text": "parts[].t"}
    with pytest.raises(
        Refused, match=r"has no column 'parts\[\]\.nope'\. Its columns are: .*parts\[\]\.t"
    ):
        documents("b.jsonl", jsonl(row), text="parts[].nope")


def test_a_column_that_is_named_like_a_text_but_holds_addresses(documents):
    rows = [
        {"text": f"https://example.org/{n}", "remark": f"The lessee shall repair roof {n}."}
        for n in (1, 2)
    ]
    found, report = documents("a.jsonl", jsonl(*rows))
    assert report.roles["text"] == "remark"
    assert found[0].text == "The lessee shall repair roof 1."
    found, _ = documents("b.jsonl", jsonl(*({"text": row["text"]} for row in rows)))
    assert found[0].text == "https://example.org/1"


def test_only_addresses_and_ids_are_no_texts(documents):
    rows = [{"page": f"https://example.org/of/some/length/{n}", "uuid": UUID} for n in (1, 2)]
    with pytest.raises(
        Refused, match=r"^a\.jsonl has no text column: its columns are page, uuid\. Say which"
    ):
        documents("a.jsonl", jsonl(*rows))


def test_lists_of_texts(documents):
    rows = [
        {"id": "1", "title": ["A", "B"], "text": ["One.", None, "Two."]},
        {"id": "2", "title": "C", "text": "Three."},
        {"id": "3", "text": [{"no": "text"}]},
    ]
    found, report = documents("a.jsonl", jsonl(*rows))
    assert found == [Document("1", "A; B", "One.\n\nTwo."), Document("2", "C", "Three.")]
    assert [row.reason for row in report.refused] == ["text is not text but a list"]


def test_a_column_of_html_is_read_as_pages(documents):
    rows = [
        {
            "id": "1",
            "text": "<h1>Roof</h1><p>The <b>less</b>ee shall repair&mdash;soon.</p><script>x=1</script>",
        },
        {"id": "2", "text": "Plain: a < b and c > d"},
        {"id": "3", "text": "<div>Rent<br/>due</div>"},
    ]
    found, report = documents("a.jsonl", jsonl(*rows))
    assert [d.text for d in found] == [
        "Roof\n\nThe lessee shall repair—soon.",
        "Plain: a < b and c > d",
        "Rent\ndue",
    ]
    assert found[0].marks[0].heading == "Roof"
    assert report.notes == [
        "the column 'text' holds HTML: it was read as pages are, without tags and scripts"
    ]


def test_texts_about_tags_are_no_html(documents):
    rows = [{"text": f"Use a < b, List<Item> and x > {n}, or <custom> tags"} for n in range(4)]
    found, report = documents("a.jsonl", jsonl(*rows))
    assert found[0].text == "Use a < b, List<Item> and x > 0, or <custom> tags"
    assert report.notes == []


def test_markup_of_publishers_is_read_as_pages_are(documents):
    rows = [
        {
            "title": "A",
            "abstract": "<jats:title>Aim</jats:title><jats:p>It <jats:italic>hurt</jats:italic>s.</jats:p>",
        }
    ]
    (found,), _ = documents("a.jsonl", jsonl(*rows))
    assert found.text == "Aim\n\nIt hurts."
