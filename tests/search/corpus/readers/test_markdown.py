"""Markdown: headings, links, code, tables and front matter."""

import pytest

from search.corpus.document import Heading
from search.projects.errors import Refused


def test_markdown(documents):
    (found,), report = documents(
        "notes.md",
        "# Care *plan*\n\nSee [the guide](https://example.org/x) and `code`.\nSame paragraph.\n\n"
        "## Doses\n\n- one\n- two\n\n```python\nif a < b:\n    go()\n```\n\n"
        "| Drug | Dose |\n|---|---|\n| A | 1 |\n\n<div>raw &amp; html</div>\n",
    )
    assert found.title == "Care plan"
    assert found.text == (
        "Care plan\n\nSee the guide and code. Same paragraph.\n\nDoses\n\none\n\ntwo\n\n"
        "if a < b:\n    go()\n\nDrug | Dose\n\nA | 1\n\nraw & html"
    )
    assert found.marks == (Heading(0, "Care plan"), Heading(52, "Care plan > Doses"))
    assert (found.id, found.metadata, report.format) == (
        "notes.md",
        {"file": "notes.md"},
        "Markdown",
    )


def test_front_matter(documents):
    (found,), _ = documents(
        "a.markdown",
        '---\r\ntitle: "Terms: of use"\r\nauthor: A. Nother\r\ntags:\r\n  - law\r\n  - rent\r\n'
        "kind: [memo, 'draft']\r\nempty:\r\n# a comment\r\n---\r\n\r\n# Heading\r\n\r\nText.\r\n",
    )
    assert found.title == "Terms: of use"
    assert found.text == "Heading\n\nText."
    assert found.metadata == {
        "author": "A. Nother",
        "tags": "law, rent",
        "kind": "memo, draft",
        "file": "a.markdown",
    }


@pytest.mark.parametrize("text", ["---\n\nno fields\n\n---\n\nrest", "---\ntitle: never closed\n"])
def test_a_rule_at_the_start_is_no_front_matter(documents, text):
    (found,), _ = documents("a.md", text)
    assert found.title != "never closed"
    assert "no fields" in found.text or "never closed" in found.text


def test_windows_encoding(documents):
    (found,), report = documents("a.md", "# Gr\u00fc\u00dfe\n\nSch\u00f6n.\n".encode("cp1252"))
    assert (found.title, found.text, report.encoding) == ("Grüße", "Grüße\n\nSchön.", "cp1252")


def test_empty_markdown(documents):
    with pytest.raises(Refused, match=r"^a\.md holds no text\.$"):
        documents("a.md", "---\ntitle: x\n---\n")
