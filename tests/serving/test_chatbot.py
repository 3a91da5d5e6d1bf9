"""The chatbot of docs/serving.md answers from what our server found, with a scripted chat server."""

import io
from contextlib import redirect_stdout
from typing import Any

from benchmarks.scripted_chat import said, serving
from search.retrieval.search import compare
from tests.docs.pages import REPOSITORY, bodies

QUESTION = "what helps against velkorin in the hand"


def test_the_lines_of_the_page_answer_from_both_sides(asking):
    (code,) = bodies(REPOSITORY / "docs" / "serving.md", "python server")
    assert len(code.splitlines()) <= 30
    read = []

    def reply(path, body, _headers):
        assert path == "/v1/chat/completions"
        sources, question = (message["content"] for message in body["messages"])
        read.append(sources)
        return said(f"{question}: {sources.count('[d')} sources")

    with serving(reply) as chat:
        for here, there in (
            ("http://localhost:8600/v1", f"{asking.url}/v1"),
            ("http://localhost:8080/v1", chat),
            ("my eyelid is turned out", QUESTION),
            ('"mine"', '"bm25"'),
        ):
            assert here in code
            code = code.replace(here, there)
        out = io.StringIO()
        names: dict[str, Any] = {}
        with redirect_stdout(out):
            exec(compile(code, "docs/serving.md", "exec"), names)
        names["bespoke"].close()
        names["chat"].close()
    project = asking.served.project
    for column, sources in zip(("generic", "bm25"), read, strict=True):
        (found,) = compare(project, QUESTION, [column], 4).results
        assert all(f"[{hit.id}] {hit.title}: {hit.text}" in sources for hit in found.hits)
        ids = ", ".join(hit.id for hit in found.hits)
        answer = f"{column}: {QUESTION}: {len(found.hits)} sources\n  (read {ids})\n"
        assert answer in out.getvalue()
