"""What is deleted, retrained or damaged while people search: a sentence, and a way on."""

import runpy
import shutil
from copy import copy

import pytest
from app_help import (
    APP,
    PATIENCE,
    TINY,
    as_drawn,
    columns,
    labels,
    open_page,
    press_labelled,
    run,
    shown,
    unescaped,
    write_run,
)
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import ui.compare
from search.models.registry import find_model
from search.projects import runs
from search.projects.errors import Failed, Refused
from search.projects.progress import silent
from search.projects.project import Project, project
from search.projects.publishing import discard
from search.projects.run_recorder import recorded
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
    assert "was deleted. Make it again, or bring it back from a backup." in shown(at)
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
    assert "words-3" in chooser.options
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
    assert {tuple(line[:1]) for line in started} == {("index",)}, "both are built again, unasked"
    assert len(started) == 2
    assert "cannot be read" in shown(at), "what is damaged is named, too"


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


@pytest.mark.parametrize(
    ("error", "said", "hint"),
    [
        (
            KeyError("sentence_embedding"),
            "This page failed by an error that was not foreseen (KeyError)",
            "Please report it with that file",
        ),
        (ValueError("a *line* of $5\nand more"), "(ValueError)", "report it"),
        (MemoryError(), "(MemoryError)", "close other programs"),
        (OSError(28, "No space left on device"), "This page failed: No space left", "free some"),
        (PermissionError(13, "Permission denied", "/w/x"), "failed: Permission denied (/w/x)", "Look at who owns"),
    ],
)  # fmt: skip
def test_a_page_that_raises_says_so_in_a_line_with_a_hint_and_a_file(
    data: Project, monkeypatch, error: Exception, said: str, hint: str
) -> None:
    def page() -> None:
        raise copy(error)  # What is raised twice has a longer traceback.

    monkeypatch.setattr("ui.models.page", page)
    at = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    at._page_hash = calc_hash("models")
    at.run()
    assert not at.exception
    (line,) = [unescaped(e.value) for e in at.error]
    assert said in line and hint in line and "\n" not in line
    assert line.endswith("Load the page again to go on.")
    (log,) = (data.folder.parent / ".logs").iterdir()
    assert str(log) in line
    assert "raise copy(error)" in log.read_text() and type(error).__name__ in log.read_text()
    at.run()
    assert [unescaped(e.value) for e in at.error] == [line]
    assert list(log.parent.iterdir()) == [log], "drawn anew each second, it fills no folder"


def test_what_fails_before_the_page_is_drawn_goes_the_same_way(monkeypatch) -> None:
    """What a button calls runs outside of every page: the server has to hand it over."""
    given = {}
    monkeypatch.setattr("streamlit.starlette.App", lambda *_, **more: given.update(more))
    runpy.run_path(str(APP), run_name="served")
    assert given["on_script_error"] is failures.tell
    told: list[str] = []
    monkeypatch.setattr(failures.st, "error", lambda text, **_: told.append(text))
    assert failures.tell(Refused("Not so.")) is True, "or Streamlit draws its traceback below"
    assert failures.tell(KeyError("x")) is True
    assert told[0] == "Not so." and "KeyError" in told[1]


def test_a_run_that_nobody_foresaw_failing_is_a_line_with_a_file_on_the_page(
    documents_only: Project,
) -> None:
    def work() -> None:
        with recorded(documents_only, ["report", TINY], silent):
            raise OSError(28, "No space left on device", "/w/x.npy")

    with pytest.raises(Failed):
        work()
    run_ = runs.runs(documents_only)[0]
    at = open_page("corpus", TINY)
    assert run_.verb == "report" and run_.status.state == "failed"
    line = next(e.value for e in at.error)
    assert "did not finish: The work failed: No space left on device (/w/x.npy). " in line
    log = run_.folder / "error.log"
    assert f"All of it is in {log}. The disk mounted at " in as_drawn(line)
    assert " is full: free some space on it." in line


def test_what_is_discarded_twice_is_gone_once(trained: Project) -> None:
    index = trained.manifests("indexes")[0]
    failures._discard(trained.folder_of(index))
    failures._discard(trained.folder_of(index))
    assert index.id not in [m.id for m in project(TINY).manifests("indexes")]
