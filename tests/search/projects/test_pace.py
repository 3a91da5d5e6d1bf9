"""The time left, by reports as trainings and indexing sent them: within a factor of two once a tenth is done."""

import os
import time

import psutil
import pytest

from search.projects import runs
from search.projects.pace import Pace
from search.projects.project import project_to_be


def _left(shares, seconds, loading=35.0):
    """(true seconds left, those by the pace) at each report of work that began after a model was loaded."""
    pace, end = Pace(), loading + seconds[-1]
    for share, second in zip(shares, seconds, strict=True):
        found = pace.seen(loading + second, share)
        if share >= 0.1 and share < 1 and found:
            yield end - loading - second, (1 - share) / found


def test_loading_a_model_does_not_count():
    """Thirty-five seconds of it were told as twenty-two minutes of a work of a hundred seconds."""
    left = list(_left([n / 100 for n in range(101)], range(101)))
    assert len(left) == 90
    assert all(told == pytest.approx(true, rel=0.02) for true, told in left)


def test_what_is_known_already_is_passed_over():
    shares = [0, 0.3, *(0.3 + n / 100 for n in range(1, 71))]
    left = list(_left(shares, [0, 1, *range(2, 72)]))
    assert left and all(true / 2 <= told <= 2 * true for true, told in left)


def test_work_that_gets_slower_and_another_piece_of_work():
    pace = Pace()
    for second in range(20):
        pace.seen(second, second / 100)
    for second in range(20, 60):
        found = pace.seen(second, 0.2 + (second - 20) / 400)
    assert found == pytest.approx(1 / 400, rel=0.35), "by what it did of late"
    assert pace.seen(61, 0.0) is None
    assert pace.seen(71, 0.1) == pytest.approx(0.01)


def test_a_training_stands_back_and_leaves_a_core(monkeypatch, workspace):
    seen = []

    class Process:
        def __init__(self, pid):
            seen.append(pid)

        def create_time(self):
            return time.time()

        def nice(self, value):
            seen.append(("nice", value))

        def cpu_affinity(self, cores=None):
            seen.append(("cores", cores))
            return [0, 1, 2]

    monkeypatch.setattr(psutil, "Process", Process)
    runs._stand_back(os.getpid())
    assert seen[1:] == [("nice", 10), ("cores", None), ("cores", [0, 1])]
    made = project_to_be("lab").create()
    assert runs.going_on(made) == []
    run, owner = runs.owned_run(made, ["train", "lab"])
    assert [one.id for one in runs.going_on(made)] == [run.id]
    owner.release()
    assert runs.going_on(made) == []
