"""Deleted is gone: with what cannot stand alone, named before, in one step, and nothing else."""

import json
from contextlib import suppress

import numpy as np
import pytest

from search.corpus.corpus import embedded_key
from search.judging.store import JudgmentStore, Question
from search.judging.votes import Judgment
from search.models.encoding.cache import EmbeddingStore, store_key
from search.projects import graves, journal
from search.projects.errors import Refused
from search.projects.project import project_to_be, projects
from search.retrieval import deletion
from tests.conftest import tiny_text


@pytest.fixture
def lab():
    """A project whose artifacts were made from each other as real ones are."""
    project = project_to_be("lab").create()

    def made(of, made_from, **details):
        with project.publish(of, made_from) as draft:
            draft.details.update(details)
            (draft.folder / "queries.jsonl").write_text('{"text": "velkorin"}\n')
        return project.newest(of).id

    corpus = made("corpora", {}, documents=40)
    pairs = made("pairs", {"corpus": corpus}, pairs=60)
    queries = made("queries", {"corpus": corpus}, queries=20)
    model = made("models", {"corpus": corpus, "pairs": pairs, "queries": queries}, **_model("mine"))
    index = made("indexes", {"corpus": corpus, "model": model}, engine="faiss", model="mine")
    made("maps", {"corpus": corpus, "model0": model, "index": index})
    made("evaluations", {"corpus": corpus, "queries": queries, "model:mine": model}, queries=20)
    made("reports", {"corpus": corpus, "pairs": pairs})
    made("vectors", {"model": "generic"}, purpose="training questions", texts=60, key="f00d")
    made("vocabularies", {"corpus": corpus})
    return project


def _model(name):
    return {
        "name": name, "kind": "custom", "recipe": "word2vec", "dimension": 2, "origin": "here", "format": "word-vectors",
    }  # fmt: skip


KINDS = (
    "corpora",
    "pairs",
    "queries",
    "models",
    "indexes",
    "maps",
    "evaluations",
    "reports",
    "vectors",
    "vocabularies",
)


def left(project):
    return {kind: len(project.manifests(kind)) for kind in KINDS}


@pytest.mark.parametrize(
    ("kind", "goes", "stays", "along"),
    [
        ("corpora", {"corpora", "indexes", "maps", "evaluations", "reports", "vectors", "vocabularies"},
         "1 model, 1 set of pairs, 1 query set", 6),
        ("pairs", {"pairs", "reports", "vectors", "vocabularies"}, "1 model", 3),
        ("queries", {"queries", "evaluations", "vectors", "vocabularies"}, "1 model", 3),
        ("models", {"models", "indexes", "maps"}, "1 evaluation", 2),
        ("indexes", {"indexes"}, "1 map", 0),
        ("evaluations", {"evaluations"}, "", 0),
        ("reports", {"reports"}, "", 0),
        ("maps", {"maps"}, "", 0),
    ],
)  # fmt: skip
def test_what_goes_with_what(lab, kind, goes, stays, along):
    before = left(lab)
    planned = deletion.planned(lab, kind, lab.newest(kind).id)
    assert left(lab) == before, "planning changes nothing"
    assert len(planned.along) == along
    for part in stays.split(", "):
        assert part in " ".join(planned.lines)
    for manifest in planned.along:
        assert deletion._counted([manifest])[2:] in planned.sentence or len(planned.along) > 1
    deletion.delete(planned)
    assert {k for k, count in before.items() if left(lab)[k] < count} == goes
    assert not graves.unfinished(lab.folder.parent)


def test_a_model_that_stands_on_another_goes_with_it_and_is_named(lab):
    base = lab.newest("models").id
    shared = {"documents_as": {"model": base, "fingerprint": "f00d"}}
    with lab.publish("models", {}) as draft:
        draft.details.update(_model("above"), **shared)
    planned = deletion.planned_model(lab, "mine")
    assert [m.details.get("name") for m in planned.along if m.kind == "models"] == ["above"]
    with pytest.raises(Refused, match="above cannot do without 'mine'"):
        deletion.planned_removal(lab, "mine")
    deletion.delete(planned)
    assert lab.manifests("models") == []


def test_what_is_called_generic_or_is_not_there_is_refused(lab):
    with pytest.raises(Refused, match="comes with Bespoke"):
        deletion.planned_model(lab, "generic")
    for identity in ("nowhere", "../lab", ".graves", "", ".", "..", "x" * 300, "a\nb"):
        with pytest.raises(Refused, match="There is no index"):
            deletion.planned(lab, "indexes", identity)
    lab.change(lambda _: {"generic": lab.newest("models").id})
    with pytest.raises(Refused, match="is called generic"):
        deletion.planned(lab, "models", lab.newest("models").id)


def test_a_damaged_artifact_can_be_deleted_and_keeps_nobody_from_it(lab):
    damaged = lab.newest("indexes").id
    (lab.folder / "indexes" / damaged / "manifest.json").write_text("{")
    deletion.delete(deletion.planned(lab, "reports", lab.newest("reports").id))
    deletion.delete(deletion.planned(lab, "indexes", damaged))
    assert lab.manifests("indexes") == []


def test_files_as_they_came_go_with_the_documents(lab):
    upload = lab.folder / "uploads" / "1" / "patients.csv"
    upload.parent.mkdir(parents=True)
    upload.write_text("a patient")
    deletion.delete(deletion.planned(lab, "corpora", lab.newest("corpora").id))
    assert not upload.exists()
    assert not any(b"velkorin" in path.read_bytes() for path in (lab.folder / "corpora").rglob("*") if path.is_file())  # fmt: skip


def test_settings_of_a_model_go_with_it(lab):
    model = lab.newest("models").id
    changed = {model: {"timeout": 3.0}, "other": {"timeout": 4.0}}
    lab.change(lambda _: {"model_settings": changed})
    deletion.delete(deletion.planned(lab, "models", model))
    assert lab.info.model_settings == {}


def test_a_deleted_project_says_what_went_and_nothing_brings_it_back(lab, workspace):
    store = JudgmentStore.of(lab)
    store.ask([Question("q", "who?", "typed")])
    store.add([Judgment("Anna", "q", "grade", "d1", "2")])
    with lab.publish("indexes", engine="bm25"):
        pass
    planned = deletion.planned_project(lab)
    assert "1 judgment of a person goes with it" in " ".join(planned.lines)
    assert deletion.delete_project(lab) == [], "keyword search is on no server"
    with pytest.raises(Refused, match="somebody deleted"):
        store.add([Judgment("Anna", "q", "grade", "d1", "2")])
    assert {path.name for path in workspace.iterdir()} <= {".locks", ".audit"}
    with pytest.raises(Refused, match="There is no project 'lab'"):
        deletion.delete_project(lab)


class Killed(BaseException):
    pass


@pytest.mark.parametrize(
    "after", [pytest.param(n, marks=() if n in (0, 4) else pytest.mark.slow) for n in range(16)]
)
def test_a_deletion_that_is_cut_off_is_finished_by_the_next_command(lab, monkeypatch, after):
    """Killed at each change: before the list is there, all is as it was; from then on, all of it is gone."""
    before = left(lab)
    planned = deletion.planned(lab, "corpora", lab.newest("corpora").id)
    changes = iter(range(after))

    def counted(real):
        def change(*args, **kwargs):
            if next(changes, None) is None:
                raise Killed
            return real(*args, **kwargs)

        return change

    with monkeypatch.context() as patch:
        for owner, name in (
            (journal, "flush"),
            (journal, "write_atomically"),
            (journal.shutil, "rmtree"),
            (journal.Path, "rename"),
            (journal.Path, "unlink"),
        ):
            patch.setattr(owner, name, counted(getattr(owner, name)))
        patch.setattr(
            journal, "_take_back", lambda *_: None
        )  # A killed process takes nothing back.
        with suppress(Killed):
            deletion.delete(planned)
    deletion.finish_deletions()
    assert left(lab)["corpora"] in (0, 1)
    if left(lab)["corpora"]:
        assert left(lab) == before
    else:
        assert sum(left(lab).values()) == 3, "a model, pairs and queries stay"
    assert not graves.unfinished(lab.folder.parent)


def test_vectors_go_that_no_other_project_needs(lab, import_tiny, workspace):
    other = project_to_be("other")
    import_tiny(other)
    view = b"\x00256\x00"
    shared, own, strange = f"Velkorin {tiny_text(0)}", "velkorin", "typed once"
    with lab.publish("pairs") as draft:
        (draft.folder / "pairs.jsonl").write_text(json.dumps({"response": shared}) + "\n")
    keys = [store_key(embedded_key(text), view) for text in (shared, own, strange)]
    with EmbeddingStore.of("f00d", 2) as store:
        store.note_view(view)
        store.add(keys, np.eye(3, 2, dtype=np.float32))
    use = deletion.look_into_store(lab)
    assert (use.vectors, use.shared) == (2, 1)
    assert "2 vectors of its texts, of which 1 stay" in deletion.store_sentence(use)
    said = deletion.delete_project(lab, vectors=True)
    assert said == ["2 vectors are gone from the embedding store. 1 of its texts' vectors stay: other projects need them."]  # fmt: skip
    into = np.zeros((3, 2), dtype=np.float32)
    with EmbeddingStore.of("f00d", 2) as store:
        assert store.fill(keys, into).tolist() == [True, False, False]
    assert into[0].tolist() == [1.0, 0.0]
    stored = b"".join(path.read_bytes() for path in (workspace / ".embeddings").rglob("*.*"))
    assert np.float32([0.0, 1.0]).tobytes() not in stored
    assert [project.name for project in projects()] == ["other"]


def test_vectors_of_a_project_that_cannot_be_opened_stay(lab, import_tiny):
    """They may have been paid for, and its texts come back with its project.json."""
    other = project_to_be("other")
    import_tiny(other)
    (other.folder / "project.json").write_text("{")
    key = store_key(embedded_key(f"Velkorin {tiny_text(0)}"))
    with EmbeddingStore.of("f00d", 2) as store:
        store.add([key], np.ones((1, 2), dtype=np.float32))
    assert deletion.delete_project(lab, vectors=True) == ["0 vectors are gone from the embedding store."]  # fmt: skip
    with EmbeddingStore.of("f00d", 2) as store:
        assert len(store) == 1


def test_vectors_that_were_to_go_when_it_was_killed_go_at_the_next_start(lab, monkeypatch):
    key = store_key(embedded_key("a patient"))
    with EmbeddingStore.of("f00d", 2) as store:
        store.add([key], np.ones((1, 2), dtype=np.float32))

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(deletion, "sweep_store", killed)
        with pytest.raises(Killed):
            deletion.delete_project(lab, vectors=True)
    deletion.finish_deletions()
    with EmbeddingStore.of("f00d", 2) as store:
        assert len(store) == 0
    assert not graves.unfinished(lab.folder.parent)


def test_who_works_in_a_project_that_is_deleted_does_not_bring_it_back(lab):
    def work():
        with lab.publish("reports") as draft:
            (draft.folder / "x").write_text("of a patient")
            deletion.delete_project(lab)
            return draft

    with pytest.raises(Refused, match="is gone: somebody deleted or renamed it"):
        work()
    assert not lab.folder.exists()


def test_who_begins_to_write_after_the_deletion_does_not_bring_it_back(lab):
    with pytest.raises(Refused, match="is gone"), lab.publish_together() as drafts:
        deletion.delete_project(lab)
        (drafts.add("reports").folder / "x").write_text("of a patient")
    assert not lab.folder.exists()


@pytest.mark.parametrize("gone", ["corpora", "models"])
def test_nothing_is_published_of_what_was_deleted_meanwhile(lab, gone):
    """An index holds vectors and words of the documents: who builds one does not bring them back."""
    parts = {"corpus": lab.newest("corpora").id, "model": lab.newest("models").id}
    with pytest.raises(Refused, match="was deleted meanwhile"), lab.publish("indexes", parts):
        deletion.delete(deletion.planned(lab, gone, lab.newest(gone).id))
    assert lab.manifests("indexes") == []


def test_what_was_made_since_one_was_asked_goes_along_and_a_model_is_said_first(lab):
    corpus, base = lab.newest("corpora").id, lab.newest("models").id
    asked, of_model = (deletion.planned(lab, *part) for part in (("corpora", corpus), ("models", base)))  # fmt: skip
    with lab.publish("indexes", {"corpus": corpus, "model": base}, engine="faiss", model="mine"):
        pass
    deletion.delete(asked)
    assert lab.manifests("indexes") == []
    with lab.publish("models", {}) as draft:
        draft.details.update(_model("above"), documents_as={"model": base, "fingerprint": "f00d"})
    with pytest.raises(Refused, match="Since you were asked, 'above' was made"):
        deletion.delete(of_model)
    assert len(lab.manifests("models")) == 2
    with pytest.raises(Refused, match="There is no corpus"):
        deletion.delete(asked)
