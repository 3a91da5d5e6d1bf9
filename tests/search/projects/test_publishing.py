"""Nothing that was acknowledged is lost: who publishes notices what is newer, and sets appear or vanish together."""

import json
import threading

import pytest

from search.projects import journal
from search.projects.artifacts import later_id, new_id
from search.projects.errors import Damaged, Refused
from search.projects.journal import JOURNAL, Move
from search.projects.project import Project, on_newest, project, project_to_be, projects
from search.projects.publishing import Overtaken


@pytest.fixture
def lab():
    return project_to_be("lab")


def lines(lab) -> list[str]:
    manifest = lab.newest("corpora")
    if manifest is None:
        return []
    return (lab.folder_of(manifest) / "lines").read_text().split()


@on_newest
def add_line(project: Project, line: str) -> str:
    """A version of a corpus made of the one before it, as `add` makes it."""
    earlier = project.newest("corpora")
    known = lines(project)
    with project.publish("corpora", {"corpus": earlier.id} if earlier else {}) as draft:
        (draft.folder / "lines").write_text("\n".join([*known, line]))
    return draft.id


def together(count, work):
    """Let threads do `work(number)` at once; what they raised."""
    errors, start = [], threading.Barrier(count)

    def run(number):
        start.wait()
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_twenty_writers_at_once_lose_nothing_and_their_versions_have_one_order(lab):
    assert together(20, lambda number: add_line(lab, f"line-{number}")) == []
    assert sorted(lines(lab)) == sorted(f"line-{number}" for number in range(20))
    made = lab.manifests("corpora")
    assert len(made) == 20
    assert [m.made_from.get("corpus") for m in made] == [None, *(m.id for m in made[:-1])]
    assert not list(lab.folder.rglob(".*"))
    assert not list(lab.folder.parent.glob(".locks/*.owner"))


def test_changes_of_settings_at_once_are_all_there(lab):
    lab.create()

    def change(number):
        lab.change(lambda info: {"examples": [*info.examples, str(number)]})

    assert together(12, change) == []
    assert sorted(lab.info.examples) == sorted(map(str, range(12)))


def test_who_was_overtaken_and_cannot_do_it_again_publishes_nothing(lab):
    add_line(lab, "a")
    with (
        pytest.raises(Overtaken, match="Another corpus was published in 'lab' at the same time"),
        lab.publish("corpora") as draft,
    ):
        (draft.folder / "lines").write_text("mine")
        together(1, lambda _: add_line(lab, "b"))
    assert lines(lab) == ["a", "b"]
    with lab.publish("pairs"):  # What does not follow from the corpus is not in its way.
        together(1, lambda _: add_line(lab, "c"))
    assert lines(lab) == ["a", "b", "c"]


def test_who_was_reading_what_is_overtaken_and_deleted_does_it_again(lab):
    add_line(lab, "a")
    first = lab.newest("corpora")
    tries = []

    def add() -> None:
        tries.append(lines(lab))
        if len(tries) == 1:
            together(1, lambda _: add_line(lab, "b"))
            together(1, lambda _: lab.remove(first))
        (lab.folder_of(first) / "lines").read_text() if len(tries) == 1 else add_line(lab, "c")

    lab.on_newest(add)
    assert tries == [["a"], ["a", "b"]]
    assert lines(lab) == ["a", "b", "c"]
    with pytest.raises(FileNotFoundError):  # What was never there is no version that was deleted.
        lab.on_newest((lab.folder / "lines").read_text)


def test_a_version_is_newer_than_the_one_before_whatever_the_clock_says(lab, monkeypatch):
    future = "29991231-235959-999999-0000"
    assert later_id("") <= new_id()
    with monkeypatch.context() as patched:
        patched.setattr("search.projects.artifacts.new_id", lambda: future)
        assert add_line(lab, "a") == future
    assert add_line(lab, "b") > future
    assert lines(lab) == ["a", "b"]


def killed(*_):
    raise SystemExit("killed")


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_set_that_was_decided_appears_whole_when_the_project_is_opened(lab, moved, monkeypatch):
    """The process dies after so many renames; taking back is what a dead process cannot do."""
    rename, seen = journal.Path.rename, []

    def failing(self, target):
        if self.name.endswith(".tmp"):
            if len(seen) == moved:
                killed()
            seen.append(self)
        return rename(self, target)

    def dying(folder):
        if len(seen) == moved:
            killed()

    with monkeypatch.context() as patched:
        patched.setattr(journal.Path, "rename", failing)
        patched.setattr(journal, "_take_back", lambda *_: None)
        patched.setattr("search.projects.publishing.shutil.rmtree", lambda *_, **__: None)
        if moved == 2:
            patched.setattr(journal, "flush", dying)
        with pytest.raises(SystemExit), lab.publish_together(source="s") as drafts:
            drafts.add("corpora")
            drafts.add("pairs")
    assert journal.pending(lab.folder)
    found = project("lab")
    assert [len(found.manifests(kind)) for kind in ("corpora", "pairs")] == [1, 1]
    assert found.info.source == "s"
    assert not journal.pending(lab.folder)
    assert not list(lab.folder.rglob(".*"))


def test_artifacts_are_removed_together_or_not_at_all(lab, monkeypatch):
    made = [lab.artifact("corpora", add_line(lab, line)) for line in "ab"]
    with lab.publish("indexes", {"corpus": made[0].id}) as draft:
        pass
    index = lab.artifact("indexes", draft.id)
    rename, seen = journal.Path.rename, []

    def failing(self, target):
        if self.parent.name in ("corpora", "indexes"):
            seen.append(self)
            if len(seen) == 2:
                raise OSError(28, "No space left on device")
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(journal.Path, "rename", failing)
        with pytest.raises(OSError, match="No space left"):
            lab.remove(made[0], index)
    assert lab.manifests("corpora") == made
    assert lab.manifests("indexes") == [index]
    lab.remove(made[0], index)
    assert lab.manifests("corpora") == made[1:]
    assert lab.manifests("indexes") == []
    assert not list(lab.folder.rglob(".*"))


def test_a_journal_names_nothing_outside_of_its_project(lab):
    add_line(lab, "a")
    other = lab.folder.parent / "other"
    other.mkdir()
    moves = [{"kind": "corpora", "before": "../../other", "after": "mine"}]
    (lab.folder / JOURNAL).write_text(json.dumps({"moves": moves, "create": None}))
    assert project("lab").newest("corpora") is not None
    assert other.is_dir()
    assert not journal.pending(lab.folder)
    (lab.folder / JOURNAL).write_text("{")
    assert [each.name for each in projects()] == ["lab"]
    assert Move(kind="corpora", before="a", after="b").after == "b"


def test_a_draft_lives_as_long_as_its_owner_whatever_process_numbers_say(lab, monkeypatch):
    """In another container this process's number belongs to nobody."""
    monkeypatch.setattr("psutil.pid_exists", lambda _: False)
    with lab.publish("reports") as draft:
        add_line(lab, "a")
        add_line(lab, "b")
        assert draft.folder.is_dir()
    assert lab.newest("reports").id == draft.id
    orphan = lab.folder / "reports" / ".20200101-000000-000000-0000.1.tmp"
    orphan.mkdir()
    add_line(lab, "c")
    assert not orphan.exists(), "nobody owns it, though a process of that number lives"


def test_who_asks_for_a_removed_artifact_is_refused_in_words(lab):
    manifest = lab.artifact("corpora", add_line(lab, "a"))
    lab.remove(manifest)
    with pytest.raises(Damaged):
        lab.artifact("corpora", manifest.id)
    with pytest.raises(Refused, match="There is no project 'nowhere'"):
        project("nowhere")


def test_settings_change_with_what_is_published_or_not_at_all(workspace, monkeypatch):
    made = project_to_be("lab").create()

    def publish():
        with made.publish_together() as drafts:
            draft = drafts.add("models")
            drafts.change(lambda _: {"generic": draft.id})
        return draft.id

    written = journal.write_atomically

    def full(path, text):
        if path.name == "project.json":
            raise OSError(28, "No space left on device")
        written(path, text)

    monkeypatch.setattr(journal, "write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        publish()
    assert made.manifests("models") == [] and made.info.generic == "generic"
    assert not list(made.folder.glob(".*"))
    monkeypatch.setattr(journal, "write_atomically", written)
    assert publish() == made.info.generic
