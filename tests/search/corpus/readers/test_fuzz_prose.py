"""Any bytes under any ending of prose or archives give documents, or one `Refused`; nothing else ever."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from search.corpus.readers.documents import preview_documents
from search.projects.errors import Refused
from tests.proofs import examples

QUIET = settings(
    max_examples=examples(400),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SUFFIXES = st.sampled_from(
    [".md", ".html", ".xhtml", ".pdf", ".docx", ".xml", ".tei", ".eml", ".zip", ".tar", ".tgz"]
)
PIECES = st.sampled_from(
    [
        b"---\n", b"title: x\n", b"# H\n", b"| a | b |\n|---|---|\n", b"```", b"[", b"](x)", b"<", b">", b"\n\n",
        b"<p>", b"</p>", b"<main>", b"<table><td>", b"</table>", b"<pre>", b"<h1>", b"<title>", b"<!--", b"<svg>",
        b"&#xD800;", b"&#0;", b"&nbsp;", b"<meta charset=utf-16>", b"<meta charset=idna>", b"<?xml version='1.0'?>",
        b"<doc>", b"</doc>", b"<id>1</id>", b"<TEI>", b"</TEI>", b"<text>", b"</text>", b"<!DOCTYPE a [", b"]>",
        b"<![CDATA[", b"]]>", b"Subject: x\n", b"Content-Type: multipart/mixed; boundary=b\n", b"--b\n", b"--b--\n",
        b"Content-Type: text/html; charset=x\n", b"Content-Transfer-Encoding: base64\n", b"From: (((\n", b"text",
        b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xfc", b"\x1b", b"%PDF-1.7\n", b"PK\x03\x04",
        b"PK\x05\x06", b"\x1f\x8b\x08\x00", b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n", b"trailer<</Root 1 0 R>>",
    ]
)  # fmt: skip
BYTES = st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=15).map(b"".join))


@pytest.mark.longer
@QUIET
@given(SUFFIXES, BYTES)
@example(".html", b"<table>" * 3000 + b"x")
@example(".html", b"<p>\xed\xa0\x80")
@example(".html", b"<body><h1>" + b"<div>" * 4000 + b"x")
@example(".md", b"> " * 5000 + b"x")
@example(".md", b"[" * 5000)
@example(".md", b"---\n- x\n  y\n---\n")
@example(".xml", b"<a>" + b"<b/>" * 10_000 + b"x</a>")
@example(".xml", b"<r><doc/><doc/></r>")
@example(".eml", b"Subject: =?x?q?a?=\nDate: 99999999999999999999\n\nx")
def test_any_bytes(suffix, content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"fuzz{suffix}"
        path.write_bytes(content)
        try:
            found, report = preview_documents(path, rows=1000)
        except Refused as error:
            assert str(error).startswith("fuzz")
        else:
            assert report.accepted >= len(found) > 0
            for document in found:
                whole = f"{document.id} {document.title} {document.text} {dict(document.metadata)}"
                whole.encode("utf-8")
                starts = [mark.start for mark in document.marks]
                assert starts == sorted(set(starts))
                assert all(start < len(document.text) for start in starts)
