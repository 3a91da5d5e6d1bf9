"""Something newer takes over without a dropped request; a server that ends answers what was asked."""

import threading
import time

import pytest

from search.corpus.ingest import add_documents
from search.evaluation.statistics.significance import paired_test
from search.models.pretrained.add import Choices, add_model
from search.models.registry import find_model
from search.projects.runs import runs
from search.retrieval.indexing.build import index_model
from serving.application import Served
from serving.winner import verdicts, winner
from tests.conftest import tiny_query, tiny_text

BODY = {"query": "what helps against novum in the hand", "model": "bm25"}


@pytest.fixture
def asking(project, running):
    """A server of its own for each test: what it answers with changes."""
    with running(project) as one:
        yield one


def add_one(project, tmp_path, name="novum"):
    path = tmp_path / f"{name}.csv"
    path.write_text(f"id,text\n{name},The {name} helps the hand.\n", encoding="utf-8")
    add_documents(project, [path])


def measured(project, candidate, better=True, fingerprint="x"):
    """Publish what an evaluation of one candidate leaves."""
    gains = [0.5] * 30 if better else [0.0] * 30
    test = paired_test("generic", candidate, [0.1, 0.2, 0.3] * 10, [0.2 + g for g in gains])
    with project.publish("evaluations", {"corpus": "c-1"}) as draft:
        draft.details.update(comparisons=[test.as_json()], queries=30)


def test_new_documents_take_over_and_a_search_that_began_before_ends_as_it_began(
    asking, project, tmp_path, monkeypatch
):
    before = asking.served.current.snapshot
    assert not asking.served.current.refresh(), "nothing is newer"
    holding, go_on = threading.Event(), threading.Event()
    rank = before.parts.bm25().__class__.rank

    def slow(self, *arguments, **named):
        if threading.current_thread() is not taking:
            holding.set()
            assert go_on.wait(30)
        return rank(self, *arguments, **named)

    taking = threading.current_thread()
    monkeypatch.setattr(before.parts.bm25().__class__, "rank", slow)
    answers = []
    asked = threading.Thread(target=lambda: answers.append(asking.post("/v1/search", BODY)))
    asked.start()
    assert holding.wait(30)
    add_one(project, tmp_path)
    monkeypatch.setattr(
        asking.served.current,
        "_build_elsewhere",
        asking.served.current._build_here(lambda *_: None),
    )
    assert asking.served.current.refresh()
    go_on.set()
    asked.join(30)
    monkeypatch.undo()
    first, second = answers[0].json(), asking.post("/v1/search", BODY).json()
    assert first["corpus"] == before.corpus
    assert "novum" not in [hit["id"] for hit in first["results"]["bm25"]["hits"]]
    assert second["corpus"] == project.newest("corpora").id != before.corpus
    assert second["results"]["bm25"]["hits"][0]["id"] == "novum"
    assert "bespoke_takeovers_total 1.0" in asking.get("/metrics").text


@pytest.mark.slow
def test_while_new_documents_are_indexed_by_a_command_nobody_is_turned_away(
    asking, project, tmp_path, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            both = BODY | {"model": ["generic", "bm25"]}
            answers.append(asking.post("/v1/search", both))
            answers.append(asking.post("/v1/embeddings", {"input": BODY["query"]}))

    asked = threading.Thread(target=ask)
    asked.start()
    add_one(project, tmp_path)
    newest = project.newest("corpora").id
    until = time.monotonic() + 120
    while asking.get("/v1/status").json()["corpus"] != newest and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(0.5)
    stop.set()
    asked.join(30)
    assert {answer.status_code for answer in answers} == {200}
    searched = [answer.json() for answer in answers[::2]]
    assert {one["corpus"] for one in searched} == {newest, searched[0]["corpus"]}
    assert searched[0]["corpus"] != searched[-1]["corpus"] == newest
    assert searched[-1]["results"]["bm25"]["hits"][0]["id"] == "novum"
    assert [run.verb for run in runs(project)] == ["index", "index"]


def test_what_cannot_take_over_leaves_what_answers(asking, project, tmp_path, monkeypatch):
    def fails(name, is_there):
        raise OSError(28, "No space left on device")

    before = asking.served.current.snapshot
    add_one(project, tmp_path)
    monkeypatch.setattr(asking.served.current, "_build_elsewhere", fails)
    assert not asking.served.current.refresh()
    assert asking.served.current.snapshot is before
    assert "No space left" in asking.get("/v1/status").json()["behind"]
    assert not asking.served.current.refresh(), "what failed is not tried again for nothing"
    assert asking.post("/v1/search", BODY).status_code == 200


def test_the_winner_is_what_was_better_last(project, tiny_model, monkeypatch):
    from dataclasses import replace

    import serving.winner as room

    add_model(project, str(tiny_model), Choices(name="mine"))
    mine = replace(find_model(project, "mine"), kind="custom")
    again = replace(mine, name="mine-refit", id="again", refit_of=mine.id)
    generic = find_model(project, "generic")
    monkeypatch.setattr(room, "models", lambda _: [generic, mine])
    monkeypatch.setattr(room, "to_be_used", lambda _project, info: info)
    assert winner(project, verdicts(project)) is generic, "nothing is measured"
    measured(project, "mine")
    assert winner(project, verdicts(project)) is mine
    monkeypatch.setattr(room, "to_be_used", lambda _project, info: again)
    assert winner(project, verdicts(project)) is again
    said = verdicts(project)["mine"].as_json("c-1")
    assert said["sentence"].startswith("mine is better than generic on 30 held-out queries")
    assert (said["verdict"], said["of_this_corpus"]) == ("better", True)
    measured(project, "mine", better=False)
    assert winner(project, verdicts(project)) is generic, "what counts is the last"


def test_a_new_winner_takes_over_and_a_client_that_named_the_old_one_still_gets_it(
    asking, project, tiny_model, monkeypatch
):
    import serving.current as room

    before = asking.post("/v1/embeddings", {"model": "generic", "input": "frost"}).json()
    add_model(project, str(tiny_model), Choices(name="mine"))
    index_model(project, "mine")
    monkeypatch.setattr(room, "winner", lambda *_: find_model(project, "mine"))
    measured(project, "mine")
    assert asking.served.current.refresh()
    named = {name: {"model": name, "input": "frost"} for name in ("generic", "lab", "mine", "")}
    found = {name: asking.post("/v1/embeddings", body).json() for name, body in named.items()}
    assert found["generic"] == before
    assert found["lab"] == found[""] == found["mine"] and found["lab"]["model"] == "mine"
    assert found["mine"]["data"] != before["data"], "it has no prompts"
    answer = asking.post("/v1/search", {"query": tiny_query(3, 0)}).json()
    assert answer["results"]["mine"]["verdict"]["verdict"] == "better"


@pytest.mark.parametrize("patience", [30, 0.2])
def test_a_server_that_ends_answers_what_was_asked_or_says_that_it_stops(
    project, running, patience, caplog
):
    with running(project) as asking:
        model = asking.served.models.get(asking.served.current.snapshot.model)
        encoder, holding, go_on = model.encoder.query.encoder, threading.Event(), threading.Event()
        encode = encoder.encode_document

        def slow(inputs):
            holding.set()
            assert go_on.wait(30)
            return encode(inputs)

        encoder.encode_document = slow
        answers = []
        body = {"model": "generic", "input": [tiny_text(1)]}
        asked = threading.Thread(target=lambda: answers.append(asking.post("/v1/embeddings", body)))
        asked.start()
        assert holding.wait(30)
        asking.server.config.timeout_graceful_shutdown = patience
        asking.server.should_exit = True
        if patience == 30:
            go_on.set()
        asked.join(30)
        go_on.set()
    status = 200 if patience == 30 else 503
    assert answers[0].status_code == status and ("data" in answers[0].json()) == (status == 200)
    assert "Traceback" not in caplog.text


def test_a_project_without_documents_embeds_and_says_why_it_does_not_search(workspace, running):
    from search.projects.project import project_to_be

    project = project_to_be("bare").create()
    served = Served(project)
    try:
        served.current.begin()
        assert served.current.snapshot.corpus is None
        from search.projects.errors import Refused
        from serving.requests import SearchRequest
        from serving.searching import searched

        with pytest.raises(Refused, match="has no documents to search yet"):
            searched(served.current, SearchRequest(query="rent"))
    finally:
        served.close()
