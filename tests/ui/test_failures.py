"""What is deleted, retrained or damaged while people search: a sentence, and a way on."""

import shutil

import pytest
from app_help import TINY, columns, labels, open_page, press_labelled, run, shown, write_run

import ui.compare
from search.models.registry import find_model
from search.projects.artifacts import discard
from search.projects.errors import Refused
from search.projects.project import Project, project
from search.retrieval.indexing.build import find_index, index_model
from training.train import train
from ui import cache, failures

QUERY = "tirmathal velkorin shoulder"
BOTH = ["words", "words-2"]


def _folder(owner: Project, model: str):
    return owner.folder / "models" / find_model(owner, model).id


def test_a_model_that_is_deleted_while_it_is_searched_with(trained: Project, monkeypatch) -> None:
    real, calls = ui.compare.search, []

    def search(retriever, *rest):
        if not calls:
            shutil.rmtree(_folder(trained, "words-2"))
        calls.append(retriever.name)
        return real(retriever, *rest)

    monkeypatch.setattr(ui.compare, "search", search)
    at = open_page("compare", TINY, model=BOTH, q=QUERY)
    assert [column.title for column in columns(at)] == BOTH, "this search is answered to its end"
    monkeypatch.setattr(ui.compare, "search", real)
    run(at)
    assert "Not in this project (any more): “words-2”" in shown(at).replace("\\", "")
    assert [column.title for column in columns(at)] == ["words"]
    assert len(columns(at)[0].cards) == 10


def test_a_model_that_is_deleted_while_it_is_loaded(trained: Project, monkeypatch) -> None:
    real = cache.dense_retriever

    def loaded(owner, info, index):
        if info.name == "words-2":
            discard(_folder(owner, "words-2"))
            real.clear()
        return real(owner, info, index)

    monkeypatch.setattr(cache, "dense_retriever", loaded)
    at = open_page("compare", TINY, model=BOTH, q=QUERY)
    assert "manifest.json is damaged" in shown(at) or "was deleted" in shown(at)
    monkeypatch.setattr(cache, "dense_retriever", real)
    run(at)
    assert [column.title for column in columns(at)] == ["words"]


def test_a_model_that_is_trained_meanwhile_is_offered(trained: Project) -> None:
    at = open_page("compare", TINY, model=BOTH, q=QUERY)
    train(trained, "word2vec", "words-3", {"epochs": 1})
    index_model(trained, "words-3")
    run(at)
    assert [column.title for column in columns(at)] == BOTH, "what is chosen stays chosen"
    chooser = next(w for w in at.multiselect if w.label.startswith("Columns"))
    assert "words\\-3" in chooser.options
    chooser.set_value(["words", "words-3"])
    run(at)
    assert [column.title for column in columns(at)] == ["words", "words-3"]


def test_a_damaged_index_is_built_again_by_one_press(
    trained: Project, started: list[list[str]]
) -> None:
    manifest = trained.newest("corpora")
    assert manifest is not None
    index = find_index(trained, find_model(trained, "words-2"), manifest)
    assert index is not None
    file = next(name for name in index.files if name.endswith((".npy", ".faiss")))
    (trained.folder_of(index) / file).write_bytes(b"nonsense")
    at = open_page("compare", TINY, model=BOTH, q=QUERY)
    told = next(error.value for error in at.error)
    assert f"The index {index.id} is damaged: {file} has 8 bytes instead of" in told
    assert "Delete the folder" not in told, "the button does that"
    press_labelled(at, "Build it again")
    assert not trained.folder_of(index).exists()
    assert started == [["index", TINY, "--model", "words-2"]]


def test_a_damaged_manifest_of_an_index_locks_nobody_out(trained: Project, started) -> None:
    for index in trained.manifests("indexes"):
        (trained.folder_of(index) / "manifest.json").write_text("{")
    at = open_page("compare", TINY, model=BOTH, q=QUERY)
    count = len(list((trained.folder / "indexes").iterdir()))
    for _ in range(count):
        press_labelled(at, "Build it again")
    assert started and started[0][0] == "index"


def test_what_cannot_be_made_again_by_itself_has_no_button(trained: Project) -> None:
    model = _folder(trained, "words-2")
    (model / "manifest.json").write_text("{")
    at = open_page("compare", TINY, model=BOTH, q=QUERY)
    assert f"Delete the folder {model} and make it again." in shown(at)
    assert "Build it again" not in labels(at)


def test_every_part_that_is_drawn_by_itself_is_guarded(trained: Project, monkeypatch) -> None:
    def fails(*_: object) -> None:
        raise Refused("No such thing.")

    run_ = write_run(trained, ["map", TINY], state="running")
    monkeypatch.setattr("ui.run_view._TITLES", {})
    monkeypatch.setattr("search.projects.runs.Run.status", property(fails))
    assert "No such thing." in shown(open_page("map", TINY)), run_


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refused("Not so."), "Not so."),
        (
            FileNotFoundError(2, "No such file", "/w/models/m/x.npy"),
            "/w/models/m/x.npy was deleted",
        ),
    ],
)
def test_a_guard_says_what_went_wrong(error: Exception, said: str, monkeypatch) -> None:
    told: list[str] = []
    for kind in ("error", "warning"):
        monkeypatch.setattr(failures.st, kind, lambda text, **_: told.append(text))
    monkeypatch.setattr(failures.st, "button", lambda *_, **__: None)

    @failures.guarded
    def draw(what: Exception) -> None:
        raise what

    draw(error)
    assert said in told[0]


def test_other_mistakes_are_not_hidden() -> None:
    @failures.guarded
    def draw() -> None:
        raise KeyError("a mistake of ours")

    with pytest.raises(KeyError):
        draw()


def test_what_is_discarded_twice_is_gone_once(trained: Project) -> None:
    index = trained.manifests("indexes")[0]
    failures._discard(trained.folder_of(index))
    failures._discard(trained.folder_of(index))
    assert index.id not in [m.id for m in project(TINY).manifests("indexes")]
