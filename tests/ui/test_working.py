"""The quiet line on every page: what goes on, how long, a way to stop it; and that it is done, once."""

import time

from app_help import alive, open_page, run, shown, turn_to, write_run

from search.projects.project import Project, project_to_be


def _training(data: Project, **more: object) -> object:
    now = time.time()
    fields = {"state": "running", "done": 40, "total": 100, "pace": 0.6 / 180}
    fields |= {"started": now - 60, "updated": now, "message": "epoch 2 of 5"}
    events = [{"metrics": {"epoch": n, "dev ndcg@10": v}} for n, v in enumerate((0.687, 0.759))]
    return write_run(data, ["train", "Tiny"], events=events, **{**fields, **alive(), **more})


def test_a_training_is_seen_from_the_page_of_another_project(data: Project) -> None:
    project_to_be("Other").create()
    going = _training(data)
    at = open_page("corpus", "Other")
    assert "Training 40%, 3 min left · Tiny" in shown(at)
    assert at.button(key=f"stop-{going.id}").label == "Cancel"
    at = open_page("train", "Tiny")
    assert f"stop-{going.id}" not in [button.key for button in at.button], (
        "the page shows it itself"
    )


def test_what_is_loaded_has_words_of_its_own(data: Project) -> None:
    project_to_be("Other").create()
    _training(data, done=0, total=0, pace=None, message="loading generic on cpu")
    at = open_page("corpus", "Other")
    assert "Training: loading generic on cpu · Tiny" in shown(at)


def test_it_is_said_once_that_it_is_done(data: Project) -> None:
    project_to_be("Other").create()
    going = _training(data)
    at = open_page("corpus", "Other")
    going.write(going.read().ended("done", updated=time.time()))
    going.owner_file.unlink(missing_ok=True)
    run(at)
    said = [toast.value for toast in at.toast]
    assert said == ["Training is done: dev 0.687 → 0.759 (Tiny)"]
    run(at)
    assert not at.toast


def test_a_finished_run_is_not_announced_on_every_visit(data: Project) -> None:
    _training(data, state="done")
    at = open_page("train", "Tiny")
    assert "Training finished in" in shown(at)
    run(at)
    assert "Training finished in" in shown(at), "as long as one stays"
    turn_to(at, "models")
    turn_to(at, "train")
    assert "Training finished in" not in shown(at)
