"""One at a time, between threads and processes; a dead holder's lock is free; who waits is told who holds it."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from search.projects.errors import Cancelled, Refused
from search.projects.locks import (
    Owner,
    exclusive,
    holder_of,
    holds,
    is_owned,
    project_lock,
    this_process,
    workspace_lock,
)

REPOSITORY = Path(__file__).resolve().parents[3]
HOLDS = """
import sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from search.projects.locks import Owner, exclusive
owner = Owner.take(Path(sys.argv[1], "owner"))
with exclusive(Path(sys.argv[1], "lock"), "the project 'lab'"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process, which holds the lock and owns what is in the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS.format(repository=str(REPOSITORY)), tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_who_waits_stops_after_a_while_and_is_told_who_holds_it_and_a_dead_holders_lock_is_free(
    tmp_path, other
):
    lock, owned = tmp_path / "lock", tmp_path / "owner"
    asked = []
    with (
        pytest.raises(Refused, match="The project 'lab' is in use: ") as refused,
        exclusive(lock, "the project 'lab'", patience=0.05, waiting=asked.append),
    ):
        raise AssertionError
    assert f"process {other.pid} on " in str(refused.value)
    assert ", since 20" in str(refused.value)
    assert asked == [f"waiting for the project 'lab': {holder_of(lock)}"]
    assert is_owned(owned)
    with pytest.raises(Refused, match="owned by another process"):
        Owner.take(owned)
    other.kill()
    other.wait()
    with exclusive(lock, "the project 'lab'", patience=0.0):
        assert holds(lock)
        assert holder_of(lock).startswith(this_process())
    assert not is_owned(owned)
    Owner.take(owned).release()
    assert not owned.exists()
    assert lock.exists(), "the file of a lock stays: two may otherwise hold two files of one name"


def test_threads_of_one_process_keep_out_of_each_other_and_a_thread_may_enter_twice(tmp_path):
    lock, inside, most, counted = tmp_path / "a" / "lock", [], [], []

    def work():
        for _ in range(5):
            with exclusive(lock, "it"):
                inside.append(1)
                with exclusive(lock, "it"):
                    most.append(len(inside))
                assert holds(lock)
                inside.pop()
        counted.append(holds(lock))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 30
    assert counted == [False] * 6


def test_who_waits_may_be_cancelled_and_an_error_inside_lets_go(tmp_path):
    lock = tmp_path / "lock"

    def stop(sentence):
        raise Cancelled(sentence)

    seen = []

    def wait():
        with pytest.raises(Cancelled) as error, exclusive(lock, "it", waiting=stop):
            pass
        seen.append(str(error.value))

    with pytest.raises(ValueError, match="inside"), exclusive(lock, "it"):
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join()
        raise ValueError("inside")
    assert seen[0].startswith("waiting for it: ")
    assert not holds(lock)
    with exclusive(lock, "it", patience=0.0):
        pass


def test_an_owner_whose_file_was_handed_over_lives_as_long_as_the_other_process(tmp_path):
    owner = Owner.take(tmp_path / "owner")
    with owner.handed_over():
        process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[owner.handle])
    with process:
        assert is_owned(tmp_path / "owner")
        process.stdin.close()
        process.wait()
    assert not is_owned(tmp_path / "owner")


def test_a_look_at_an_owner_does_not_keep_another_from_it(tmp_path):
    path, over, errors = tmp_path / "owner", threading.Event(), []

    def look():
        while not over.is_set():
            is_owned(path)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    for _ in range(40):
        try:
            Owner.take(path).release()
        except Refused as error:
            errors.append(error)
    over.set()
    for looker in lookers:
        looker.join()
    assert errors == []


def test_the_files_of_locks_say_nothing_of_a_project(tmp_path):
    path = project_lock(tmp_path, "Smith against Jones")
    assert "smith" not in path.name.lower()
    assert path != project_lock(tmp_path, "Smith against Jone")
    assert path.parent == workspace_lock(tmp_path, "training").parent
    assert path.parent.name.startswith("."), "no project is looked for in it"
