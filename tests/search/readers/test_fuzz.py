"""Any bytes under any known ending give documents, or one `Refused`; nothing else ever."""

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from search.errors import Refused
from search.readers.documents import preview_documents
from search.readers.judgments import read_judgments, read_queries
from search.readers.pairs import preview_pairs

QUIET = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SUFFIXES = st.sampled_from([".csv", ".tsv", ".jsonl", ".json", ".txt"])
PIECES = st.sampled_from(
    [
        b"id,text\n", b"query,response\n", b"_id\ttext\n", b'"', b"\n", b"\r", b",", b";", b"\t", b"|",
        b"\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"[", b"]", b"{", b"}", b":",
        b'{"id": 1, "text": "a"}', b'{"query": "a", "response": "b"}', b'"\\ud800"', b'{"\\ud800": "x"}',
        b"NaN", b"Infinity", b"1e999", b"9" * 5000, b"null", b"\xe2\x80\xa8", b"\x85", b"text", b" ",
    ]
)  # fmt: skip
BYTES = st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=12).map(b"".join))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["id", "text", "title", "query", "response"]), JSON_VALUES)
    | JSON_VALUES,
    max_size=5,
)


def read_every_way(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            documents, _ = preview_documents(path, rows=1000)
        except Refused as error:
            assert str(error).strip()
        else:
            assert documents
            ids = [document.id for document in documents]
            assert len(set(ids)) == len(ids)
            for document in documents:
                assert document.embedded == document.embedded.strip() != ""
                whole = [document.id, document.title, document.text, dict(document.metadata)]
                json.dumps(whole, ensure_ascii=False).encode("utf-8")
        try:
            pairs, _ = preview_pairs(path, rows=1000)
        except Refused as error:
            assert str(error).strip()
        else:
            assert pairs
            assert all(pair.query and pair.response for pair in pairs)
        for read in (read_queries, read_judgments):
            try:
                found, _ = read(path)
            except Refused as error:
                assert str(error).strip()
            else:
                assert found


@QUIET
@given(SUFFIXES, BYTES)
@example(".csv", b'id,text\r1,"a\rb"\r')
@example(".csv", b",,\n1,2,3\n")
@example(".csv", b"text\n\x85\n")
@example(".jsonl", b'{"text": 1e999}\n{"text": NaN}\n')
@example(".json", b'[{"text": ' + b"9" * 5000 + b"}]")
@example(".json", b"[" * 5000)
@example(".jsonl", b'{"id": "1", "text": "a", "\\ud800": 1}')
@example(".txt", b"\xe2\x80\xa8\n\xc2\x85")
def test_any_bytes(suffix, content):
    read_every_way(f"fuzz{suffix}", content)


@QUIET
@given(ROWS, st.booleans())
def test_any_json(rows, lines):
    text = "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows)
    read_every_way("fuzz.jsonl" if lines else "fuzz.json", text.encode())
