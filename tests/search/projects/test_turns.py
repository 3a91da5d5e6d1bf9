"""One training at a time: others wait in the order in which they were asked for, visibly, and can be cancelled."""

import threading

import pytest

from search.projects.errors import AlreadyThere, Cancelled, Refused
from search.projects.locks import waiting_progress
from search.projects.progress import silent
from search.projects.project import Project, project_to_be
from search.projects.run_recorder import recorded
from search.projects.runs import runs
from search.projects.turns import turn
from training.train import free_name


@pytest.fixture
def lab():
    return project_to_be("lab").create()


def waiting(project, asked=None):
    """A thread that waits for its turn, what it was told, and what happened in order."""
    told, first = [], threading.Event()

    def hear(sentence):
        told.append(sentence)
        first.set()

    def work():
        waiting_progress.set(hear)
        with turn(project, asked):
            told.append("its turn")

    thread = threading.Thread(target=work)
    thread.start()
    return thread, told, first


def test_trainings_take_turns_in_their_order_and_say_what_they_wait_for(lab):
    other = project_to_be("secret").create()
    with turn(lab, "first"):
        second, told_second, heard = waiting(lab, "second")
        heard.wait(20)
        third, told_third, heard = waiting(other)
        heard.wait(20)
        with pytest.raises(Refused, match=r"cannot wait for its turn: the training of 'first'"):
            turn(lab, wait=False).__enter__()
    second.join()
    third.join()
    assert told_second[0] == "waiting for its turn: the training of 'first' is not over"
    assert told_third[0] == (
        "waiting for its turn: a training of another project is not over, and 1 more before this one"
    )
    assert (told_second[-1], told_third[-1]) == ("its turn", "its turn")
    assert not list((lab.folder.parent / ".locks").glob("trainings/*"))


def test_more_at_once_where_that_was_set_and_a_dead_ones_ticket_counts_no_more(lab, monkeypatch):
    with turn(lab), pytest.raises(Refused), turn(lab, wait=False):
        raise AssertionError
    monkeypatch.setenv("BESPOKE_TRAININGS", "2")
    with turn(lab), turn(lab, wait=False), pytest.raises(Refused), turn(lab, wait=False):
        raise AssertionError
    for wrong in ("0", "-1", "many", "1000"):
        monkeypatch.setenv("BESPOKE_TRAININGS", wrong)
        with pytest.raises(Refused, match="BESPOKE_TRAININGS is"), turn(lab):
            pass
    monkeypatch.delenv("BESPOKE_TRAININGS")
    with turn(lab):
        left = next((lab.folder.parent / ".locks" / "trainings").iterdir())
    left.write_text("{")  # Of a process that was killed: nobody owns it.
    with turn(lab, wait=False):
        assert not left.exists() or left.read_text() != "{"


def test_names_of_models_in_training_are_taken(lab, monkeypatch):
    monkeypatch.setenv("BESPOKE_TRAININGS", "3")

    def name(asked):
        return lambda others: free_name(lab, "adapter", asked, others)

    with turn(lab) as first, turn(lab) as second:
        assert first.reserve(name(None)) == "adapter"
        assert second.reserve(name(None)) == "adapter-2"
        with turn(lab, "adapter") as third, pytest.raises(AlreadyThere, match="is taken"):
            third.reserve(name("adapter"))
        with turn(project_to_be("other")) as elsewhere:
            assert elsewhere.reserve(name(None)) == "adapter"


def test_a_run_that_waits_says_so_and_a_cancel_ends_it(lab: Project):
    seen = []

    def also(done, total, message, metrics=None):
        status = runs(lab)[0].status
        seen.append((status.state, status.message, status.remaining))
        (runs(lab)[0].folder / "cancel").touch()

    with (
        turn(lab, "first"),
        pytest.raises(Cancelled),
        recorded(lab, ["train", "lab"], also),
        turn(lab),
    ):
        raise AssertionError
    sentence = "waiting for its turn: the training of 'first' is not over"
    assert seen[0] == ("waiting", sentence, None)
    assert runs(lab)[0].status.state == "cancelled"
    with recorded(lab, ["train", "lab"], silent) as run, turn(lab):
        run(1, 10, "training")
        assert runs(lab)[0].status.state == "running"
        run.waiting("waiting for the project")
        run(2, 10, "training")
        assert runs(lab)[0].status.state == "running"
