import json
import shutil
import time
import zipfile
from pathlib import Path

import pytest
from app_help import (
    TINY,
    alive,
    gone,
    labels,
    open_page,
    press,
    run,
    shown,
    unescaped,
    write_run,
)

from search.evaluation.evaluation import verdict_on
from search.projects.project import Project, project, project_to_be, projects
from tests.conftest import REPOSITORY


def _create(name: str, at=None):  # type: ignore[no-untyped-def]
    at = at or open_page("projects")
    at.text_input[0].set_value(name)
    at.button[labels(at).index("Create")].click()
    return run(at)


def test_a_newcomer_sees_two_samples_and_a_place_to_start(workspace: Path) -> None:
    at = open_page("projects")
    assert at.title[0].value == "Is a custom embedding worth it for your documents?"
    assert "Or start with your own documents" in shown(at)
    assert labels(at).count("Try it: one click, side by side") == 2
    primary = [b.key for b in at.button if b.proto.type == "primary"]
    assert primary == ["open-medical"], "one filled button"
    assert "465 articles" in shown(at)
    assert "Licence:" in shown(at)
    assert not workspace.exists(), "looking changes nothing"


@pytest.mark.parametrize("page", ["corpus", "train", "compare", "evaluate", "models"])
def test_every_page_without_a_project_leads_to_projects(page: str) -> None:
    at = open_page(page)
    assert "No project is open" in shown(at)
    press(at, "open-projects")
    assert at.title[0].value == "Is a custom embedding worth it for your documents?"


@pytest.mark.parametrize("name", ["nowhere", "../etc", "a/b", "<b>x</b>", "x" * 3_000])
def test_an_address_with_an_unknown_project_is_as_none(name: str) -> None:
    at = open_page("compare", name)
    assert "No project is open" in shown(at)
    assert "project" not in at.query_params


@pytest.mark.parametrize(
    ("page", "says", "leads_to"),
    [
        ("corpus", "Start with your documents: what should be searched?", None),
        ("train", "Nothing to learn from yet", "Add documents"),
        ("compare", "Nothing to search yet", "Add documents"),
        ("evaluate", "Nothing to measure yet", "Add documents"),
        ("models", "No custom model yet", "Train a model"),
    ],
)
def test_an_empty_project(empty: Project, page: str, says: str, leads_to: str | None) -> None:
    at = open_page(page, TINY)
    assert says in shown(at)
    if leads_to is not None:
        assert labels(at)[0] == leads_to


def test_a_project_is_created_and_opened_on_corpus(workspace: Path) -> None:
    at = _create("  Cardiology letters ")
    assert at.title[0].value == "What is in your corpus?"
    assert at.query_params["project"] == "Cardiology letters"
    assert project("Cardiology letters").info.name == "Cardiology letters"
    assert [p.name for p in projects()] == ["Cardiology letters"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a/b", "'a/b' cannot name a project"),
        ("..", "cannot name a project"),
        (".hidden", "cannot name a project"),
        ("back\\slash", "cannot name a project"),
        ('He said "no"', "cannot name a project"),
        ("it's", "cannot name a project"),
        ("<script>", "cannot name a project"),
        ("", "Give the project a name first."),
        ("   ", "Give the project a name first."),
    ],
)
def test_a_name_that_cannot_be_one(workspace: Path, name: str, says: str) -> None:
    at = _create(name)
    assert len(at.error) == 1
    assert says in at.error[0].value
    assert not workspace.exists()


def test_a_name_that_is_taken(empty: Project) -> None:
    before = (empty.folder / "project.json").read_bytes()
    at = _create(TINY)
    assert [e.value for e in at.error] == [
        "There is a project named 'Tiny' already. Choose another name."
    ]
    assert (empty.folder / "project.json").read_bytes() == before


def test_a_name_in_another_script() -> None:
    at = _create("Čeština 病院 (2026)")
    assert not at.error
    assert at.query_params["project"] == "Čeština 病院 (2026)"


def test_a_name_in_hindi() -> None:
    """Vowel signs are combining marks, not letters."""
    at = _create("हिन्दी प्रश्न")
    assert not at.error
    assert at.query_params["project"] == "हिन्दी प्रश्न"


def test_the_card_of_a_project_without_anything(empty: Project) -> None:
    at = open_page("projects")
    assert "not measured yet" in shown(at)
    assert "no documents yet · no questions yet · used today" in shown(at)
    assert at.button(key="next-Tiny").label == "Add documents"


def test_the_next_step_with_documents_only(documents_only: Project) -> None:
    at = open_page("projects")
    assert "40 documents · no questions yet" in shown(at)
    assert at.button(key="next-Tiny").label == "Add questions"


def test_the_next_step_with_pairs(data: Project) -> None:
    at = open_page("projects")
    assert "40 documents · 60 questions + 20 for the proof · used today" in shown(at)
    assert at.button(key="next-Tiny").label == "Train a model"
    press(at, "next-Tiny")
    assert at.title[0].value == "Which model should you make?"
    assert at.query_params == {"project": TINY}


def test_the_next_step_with_a_model(trained: Project) -> None:
    at = open_page("projects")
    assert "20 for the proof · words-2 · used today" in shown(at)
    assert at.button(key="next-Tiny").label == "See the proof"


def test_a_training_is_the_next_step_while_it_goes_on(trained: Project) -> None:
    now = time.time()
    write_run(
        trained, ["train", TINY], state="running", started=now - 60, updated=now, done=1, total=4, pace=0.75 / 180, **alive()
    )  # fmt: skip
    at = open_page("projects")
    assert at.button(key="next-Tiny").label == "Training 25%, 3 min left"
    press(at, "next-Tiny")
    assert at.title[0].value == "Which model should you make?"


def test_a_model_without_questions_to_measure_it_asks_for_some(trained: Project) -> None:
    shutil.rmtree(trained.folder / "queries")
    at = open_page("projects")
    assert at.button(key="next-Tiny").label == "Add questions for the proof"


def test_the_card_tells_the_verdict_on_the_newest_custom_model(evaluated: Project) -> None:
    at = open_page("projects")
    assert verdict_on(evaluated, "words-2")[0].verdict in shown(at)
    assert "bm25" not in shown(at), "keyword search is no model that someone made"
    assert at.button(key="next-Tiny").label == "Compare"


def test_a_row_opens_its_project(data: Project, empty: Project) -> None:
    at = press(open_page("projects"), "open-Tiny")
    assert at.title[0].value == "Which side understood the question?"
    assert at.query_params["project"] == "Tiny"


def test_files_make_a_project_of_their_name(workspace: Path) -> None:
    at = open_page("projects")
    at.file_uploader(key="first-files").upload("my notes (v2).txt", b"Rent is due.", "text/plain")
    run(at)
    assert at.query_params["project"] == "my notes (v2)"
    assert "1 document" in shown(at), "what came is previewed, not asked for again"


def test_deleting_a_project(data: Project) -> None:
    project_to_be("Other").create()
    at = open_page("projects", TINY)
    press(at, "delete-Tiny")
    assert "1 set of pairs" in shown(at)
    assert data.exists, "a bin asks first"
    press(at, "sure-delete-Tiny")
    assert [p.name for p in projects()] == ["Other"]
    assert not data.folder.exists()
    assert not [key for key in at.session_state if key == "project"]
    assert "Tiny is deleted." in shown(at)
    press(at, "undo-delete")
    assert data.exists
    assert at.button(key="next-Tiny").label == "Train a model"
    assert "undo-delete" not in [button.key for button in at.button]


def test_opening_a_sample_starts_a_run_and_shows_it(
    workspace: Path, started: list[list[str]]
) -> None:
    at = open_page("projects")
    press(at, "open-legal")
    assert started == [["sample", "Legal sample", "legal"]]
    assert "**Preparing the sample** · starting" in shown(at)
    assert "python cli.py sample 'Legal sample' legal" in shown(at)
    assert labels(at).count("Try it: one click, side by side") == 1


def test_a_sample_on_its_way_shows_how_far_it_is(workspace: Path) -> None:
    legal = project_to_be("Legal sample")
    write_run(
        legal,
        ["sample", "Legal sample", "legal"],
        state="running",
        message="indexing 465 documents with generic",
        done=256,
        total=512,
        **alive(),
    )
    at = open_page("projects")
    assert "indexing 465 documents with generic" in shown(at)
    assert [p.value for p in at.get("progress")] == [50]


def test_a_sample_that_failed_says_why_and_can_be_opened_again(workspace: Path) -> None:
    legal = project_to_be("Legal sample")
    write_run(legal, ["sample", "Legal sample", "legal"], state="failed", error="The disk is full.")
    at = open_page("projects")
    assert [e.value for e in at.error] == ["Preparing the sample did not finish: The disk is full."]
    assert at.button(key="open-legal").label == "Try it: one click, side by side"


def test_a_sample_that_was_interrupted_says_so(workspace: Path) -> None:
    legal = project_to_be("Legal sample")
    write_run(legal, ["sample", "Legal sample", "legal"], state="running", **gone())
    at = open_page("projects")
    assert "Nothing was published. Start it again." in at.error[0].value


def test_a_damaged_project_file_is_named_and_the_rest_works(empty: Project) -> None:
    other = project_to_be("Other").create()
    (other.folder / "project.json").write_text("{not json", encoding="utf-8")
    at = open_page("projects")
    assert "damaged" in shown(at)
    assert "Tiny" in shown(at)


@pytest.mark.sample(2)
@pytest.mark.parametrize("kind", ["corpora", "pairs", "queries", "models", "evaluations"])
def test_a_damaged_manifest_of_any_kind_leaves_the_page_standing(
    evaluated: Project, kind: str
) -> None:
    newest = evaluated.newest(kind)  # type: ignore[arg-type]
    path = evaluated.folder_of(newest) / "manifest.json"  # type: ignore[arg-type]
    path.write_text(json.dumps({"id": "nothing else"}), encoding="utf-8")
    at = open_page("projects")
    assert "Tiny" in shown(at)
    assert at.title[0].value == "Is a custom embedding worth it for your documents?"


def test_a_project_of_another_format_says_what_to_do_and_the_rest_works(
    empty: Project, workspace: Path
) -> None:
    with zipfile.ZipFile(REPOSITORY / "tests" / "project_of_format_1.zip") as archive:
        archive.extractall(workspace / "old clinic")
        archive.extractall(workspace / "Legal sample")
    at = open_page("projects")
    assert len(at.error) == 2
    assert "The files of the project 'old clinic' are of format 1" in unescaped(
        at.error[0].value + at.error[1].value
    )
    assert "judgments 'old clinic' --export FILE.csv" in unescaped(
        at.error[0].value + at.error[1].value
    )
    assert "Tiny" in shown(at)
    at = open_page("corpus", project="old clinic")
    [error] = at.error
    assert unescaped(error.value).startswith(
        "The files of the project 'old clinic' are of format 1"
    )
    assert at.selectbox[0].options == ["Tiny"]


def test_where_the_data_lies(data: Project) -> None:
    at = press(open_page("projects"), "where-Tiny")
    assert str(data.folder / "corpora") in shown(at)
    assert "The documents: titles, texts, metadata" in shown(at)
    assert "python cli.py backup 'Tiny' my-backup.zip" in shown(at)
    assert "Milvus" not in shown(at)


def test_a_project_is_renamed_and_its_old_address_leads_to_it(data: Project) -> None:
    project_to_be("Other").create()
    at = press(open_page("projects", TINY), "rename-project-Tiny")
    at.text_input(key="name-project-Tiny").set_value("Other")
    press(at, "sure-rename-project-Tiny")
    assert project("Tiny").exists, "a name that is taken changes nothing"
    at = press(open_page("projects", TINY), "rename-project-Tiny")
    at.text_input(key="name-project-Tiny").set_value("Large")
    press(at, "sure-rename-project-Tiny")
    assert sorted(p.name for p in projects()) == ["Large", "Other"]
    at = open_page("corpus", TINY)
    assert at.query_params["project"] == "Large"
    assert "40" in shown(at)
