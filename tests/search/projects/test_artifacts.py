"""Artifacts appear whole or not at all; a damaged one is named."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import MappingProxyType

import pytest

from search.projects import artifacts
from search.projects import project as rooms
from search.projects.artifacts import MANIFEST, Manifest, new_id, read_manifest
from search.projects.damage import noticed
from search.projects.errors import Cancelled, Damaged, Failed, Refused
from search.projects.files import write_atomically
from search.projects.project import (
    Project,
    project,
    project_of_any_format,
    project_to_be,
    projects,
    unusable_projects,
)

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def home():
    return project_to_be("lab")


def publish(home, kind="corpora", content=b"hello", name="data.bin", **details):
    with home.publish(kind, {"corpus": "c1"}, **details) as draft:
        (draft.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (draft.folder / name).write_bytes(content)
    return home.artifact(kind, draft.id)


def hidden(folder: Path) -> list[Path]:
    return list(folder.rglob(".*")) if folder.exists() else []


def test_publish_writes_files_and_manifest(home):
    manifest = publish(home, colour="red")
    folder = home.folder / "corpora" / manifest.id
    assert (folder / "data.bin").read_bytes() == b"hello"
    raw = json.loads((folder / MANIFEST).read_text())
    assert raw["files"] == {
        "data.bin": {
            "size": 5,
            "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        }
    }
    assert (raw["id"], raw["kind"], raw["made_from"]) == (manifest.id, "corpora", {"corpus": "c1"})
    assert raw["details"] == {"colour": "red"}
    assert home.exists
    assert home.info.name == "lab"
    assert hidden(home.folder) == []
    assert home.checked(manifest) == folder == home.folder_of(manifest)


def test_nothing_is_visible_before_the_end(home):
    with home.publish("corpora") as draft:
        (draft.folder / "data.bin").write_bytes(b"x")
        assert home.newest("corpora") is None
        assert home.manifests("corpora") == []
        assert draft.folder.name.startswith(".")
    assert home.newest("corpora").id == draft.id


def test_the_newest_artifact_that_was_made_of_such_parts(home):
    made = []
    for parts, colour in [
        ({"corpus": "c1"}, "red"),
        ({"corpus": "c1", "pairs": "p1"}, "red"),
        ({"corpus": "c1"}, "blue"),
        ({"corpus": "c2"}, None),
    ]:
        with home.publish("reports", parts, **({"colour": colour} if colour else {})) as draft:
            pass
        made.append(draft.id)

    def newest(details=MappingProxyType({}), **parts):
        manifest = home.newest_where("reports", details, **parts)
        return made.index(manifest.id) if manifest is not None else None

    assert newest() == 3
    assert (newest(corpus="c1"), newest(corpus="c1", pairs="p1")) == (2, 1)
    assert newest({"colour": "red"}, corpus="c1") == 1
    assert newest({"colour": "red"}, corpus="c1", pairs=None) == 0
    assert newest({"colour": None}) == 3
    assert newest(corpus="c3") is None
    every = home.all_where("reports", {"colour": "red"}, corpus="c1")
    assert [made.index(manifest.id) for manifest in every] == [1, 0]


def test_files_in_folders_are_checked_too(home):
    manifest = publish(home, "models", name="1_Pooling/config.json")
    assert list(manifest.files) == ["1_Pooling/config.json"]
    (home.folder_of(manifest) / "1_Pooling" / "config.json").write_bytes(b"hellO")
    with pytest.raises(Failed, match=r"1_Pooling/config\.json was changed"):
        home.checked(manifest)


def test_equal_content_has_an_equal_fingerprint(home):
    one, same, other = publish(home), publish(home), publish(home, content=b"hellO")
    renamed = publish(home, name="other.bin")
    assert one.fingerprint == same.fingerprint
    assert len({one.fingerprint, other.fingerprint, renamed.fingerprint}) == 3


def test_an_error_leaves_nothing(home, tree):
    with pytest.raises(RuntimeError, match="stop"), home.publish("corpora") as draft:
        (draft.folder / "data.bin").write_bytes(b"x")
        raise RuntimeError("stop")
    assert not home.folder.exists()
    publish(home)
    before = tree(home.folder)
    with pytest.raises(RuntimeError, match="stop"), home.publish("corpora"):
        raise RuntimeError("stop")
    assert tree(home.folder) == before


def test_a_refusal_leaves_no_empty_folder_of_a_new_kind(home, tree):
    publish(home)
    before = tree(home.folder)
    with pytest.raises(Refused), home.publish("queries"):
        raise Refused("no")
    assert tree(home.folder) == before


def test_publish_together_is_all_or_nothing(home, tree):
    with home.publish_together(description="two") as drafts:
        for kind in ("corpora", "pairs"):
            draft = drafts.add(kind)
            (draft.folder / "x").write_text(kind)
        assert home.newest("corpora") is None
    assert home.info.description == "two"
    assert [home.newest(kind) is not None for kind in ("corpora", "pairs")] == [True, True]
    before = tree(home.folder)
    with pytest.raises(RuntimeError), home.publish_together() as drafts:
        drafts.add("corpora")
        drafts.add("pairs")
        raise RuntimeError
    assert tree(home.folder) == before


def test_publish_together_takes_all_back_when_the_last_rename_fails(home, monkeypatch, tree):
    publish(home)
    publish(home, "pairs")
    before = tree(home.folder)
    rename, seen = Path.rename, []

    def failing(self, target):
        if self.name.endswith(".tmp"):
            seen.append(self)
            if len(seen) == 2:
                raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="No space left"), home.publish_together() as drafts:
        drafts.add("corpora")
        drafts.add("pairs")
    assert len(seen) == 2
    assert tree(home.folder) == before


def test_newest_and_order(home):
    made = [publish(home, content=str(n).encode()).id for n in range(5)]
    assert made == sorted(made)
    assert [m.id for m in home.manifests("corpora")] == made
    assert home.newest("corpora").id == made[-1]
    assert home.newest("models") is None
    assert home.manifests("models") == []
    (home.folder / "corpora" / made[-1] / MANIFEST).unlink()
    with pytest.raises(
        Damaged, match=r"manifest\.json is missing"
    ):  # It came by one rename with it.
        home.newest("corpora")
    assert [m.id for m in home.manifests("corpora")] == made[:-1]
    (home.folder / "corpora" / "notes of mine").mkdir()
    assert len(home.damaged()) == 1


def test_ids_sort_by_time_and_differ():
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    stamps = [identity.rsplit("-", 1)[0] for identity in ids]
    assert stamps == sorted(stamps)


KILLED = """
import os, sys, time
sys.path.insert(0, {repository!r})
from search.projects.project import project_to_be
home = project_to_be("lab")
with home.publish_together() as drafts:
    for kind in ("corpora", "pairs"):
        (drafts.add(kind).folder / "half").write_bytes(b"x" * 100_000)
    print("writing", flush=True)
    {where}
"""


@pytest.mark.parametrize("where", ["time.sleep(60)", "drafts.seal(); time.sleep(60)"])
def test_kill_in_the_middle_of_a_publish(home, tree, where):
    if where.startswith("drafts"):
        where = "drafts.seal(); print('sealed', flush=True); time.sleep(60)"
    publish(home)
    before = tree(home.folder)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(repository=str(REPOSITORY), where=where)],
        stdout=subprocess.PIPE,
        text=True,
    )
    expected = ["writing\n", "sealed\n"] if "sealed" in where else ["writing\n"]
    assert [process.stdout.readline() for _ in expected] == expected
    publish_beside = publish(home, "queries")  # another process's draft is not swept while it lives
    assert len(hidden(home.folder / "corpora")) == 1
    publish(home)
    assert len(hidden(home.folder / "corpora")) == 1, "a living process lost its draft"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert len(home.manifests("corpora")) == 2
    assert home.manifests("pairs") == []
    assert home.newest("pairs") is None
    publish(home, "pairs")
    publish(home)
    assert hidden(home.folder) == []
    assert len(home.manifests("corpora")) == 3
    after = tree(home.folder)
    assert {name: after[name] for name in before} == before
    assert publish_beside.kind == "queries"


def test_kill_in_a_new_project_leaves_no_project(home):
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            KILLED.format(repository=str(REPOSITORY), where="os.kill(os.getpid(), 9)"),
        ],
        stdout=subprocess.DEVNULL,
    )
    assert process.wait() == -signal.SIGKILL
    assert not home.exists
    assert projects() == []
    with pytest.raises(Refused, match="There is no project 'lab'"):
        project("lab")
    publish(home)
    assert [p.name for p in projects()] == ["lab"]
    assert hidden(home.folder / "corpora") == []


def test_missing_short_and_changed_files_are_named(home):
    manifest = publish(home)
    path = home.folder_of(manifest) / "data.bin"
    for damage, problem in (
        (lambda: path.write_bytes(b"hell"), "data.bin has 4 bytes instead of 5"),
        (lambda: path.write_bytes(b"hellO"), "data.bin was changed"),
        (path.unlink, "data.bin is missing"),
    ):
        damage()
        with pytest.raises(Failed) as caught:
            home.checked(manifest)
        assert str(caught.value) == (
            f"The corpus {manifest.id} is damaged: {problem}. "
            f"Bring the folder {home.folder_of(manifest)} back from a backup; or delete it, which makes the version "
            "before the current one, and add again what it held."
        )
    path.mkdir()
    with pytest.raises(Damaged, match=r"data\.bin is no file"):
        home.checked(manifest)
    path.rmdir()
    path.write_bytes(b"hello")
    assert home.checked(manifest) == path.parent


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"{", b"null", b"\xff\xfe", b'{"id": 1}', b'{"id": "x", "kind": "nope"}'],
)
def test_a_damaged_manifest_is_named(home, content):
    manifest = publish(home)
    path = home.folder_of(manifest) / MANIFEST
    path.write_bytes(content)
    for look in (
        lambda: read_manifest(path.parent),
        lambda: home.artifact("corpora", manifest.id),
        lambda: home.newest("corpora"),
        lambda: home.newest_where("corpora"),
    ):
        with pytest.raises(Damaged) as caught:
            look()
        assert caught.value.what == f"{path} is damaged."
    assert home.manifests("corpora") == []
    assert [damaged.folder for damaged in home.damaged()] == [path.parent]


def test_a_changed_digit_in_a_manifest_is_noticed(home):
    manifest = publish(home, "evaluations", score=0.412)
    path = home.folder_of(manifest) / MANIFEST
    whole = path.read_bytes()
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(Damaged):
            read_manifest(path.parent)
        artifacts._parsed_manifest.cache_clear()
    path.write_bytes(whole)
    assert read_manifest(path.parent) == manifest


def test_damage_hides_itself_only_and_is_noticed_once(home):
    noticed()
    made = {kind: [publish(home, kind) for _ in range(3)] for kind in ("corpora", "indexes")}
    (home.folder_of(made["indexes"][2]) / MANIFEST).write_bytes(b"")
    (home.folder_of(made["corpora"][0]) / MANIFEST).unlink()
    assert home.newest("corpora") == made["corpora"][2]
    assert home.newest_where("indexes", corpus="c1") == made["indexes"][1]
    assert home.manifests("corpora") == made["corpora"][1:]
    assert home.manifests("indexes") == made["indexes"][:2]
    said = noticed()
    assert [
        made[kind][n].id in sentence
        for (kind, n), sentence in zip([("indexes", 2), ("corpora", 0)], said, strict=True)
    ] == [True, True]
    assert noticed() == []
    # What was brought cannot be made again: one before it must not pass for the current one.
    (home.folder_of(made["corpora"][2]) / MANIFEST).write_bytes(b"{}")
    for look in (lambda: home.newest("corpora"), lambda: home.newest_where("corpora", corpus="c1")):
        with pytest.raises(Damaged, match="which makes the version before the current one"):
            look()


@pytest.mark.parametrize("damage", ["emptied", "flipped", "folder", "removed"])
def test_a_damaged_project_file_says_so_and_is_made_anew(home, damage):
    manifest = publish(home)
    home.change(lambda _: {"generic": "other", "description": "words"})
    path = home.folder / "project.json"
    whole = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "removed":
        path.write_bytes(b"" if damage == "emptied" else whole.replace(b"words", b"wordy"))
    assert home.exists
    assert projects() == []
    [(unusable, error)] = unusable_projects()
    assert unusable.name == "lab" and "python cli.py check lab --repair" in str(error)
    with pytest.raises(Failed, match=r"project\.json (is damaged|is missing|cannot be read)"):
        project("lab")
    with pytest.raises(Failed), home.publish("pairs"):
        pass
    assert project_of_any_format("lab").newest("corpora") == manifest
    home.renew()
    assert project("lab").info.generic == "generic"
    assert home.newest("corpora") == manifest


def test_a_cut_manifest_is_damaged(home):
    manifest = publish(home)
    path = home.folder_of(manifest) / MANIFEST
    whole = path.read_bytes()
    for length in (1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(Damaged, match="is damaged"):
            home.newest("corpora")


def test_no_manifest_no_artifact(home):
    manifest = publish(home)
    (home.folder_of(manifest) / MANIFEST).unlink()
    assert home.manifests("corpora") == []
    with pytest.raises(Failed, match=r"manifest\.json is missing"):
        home.artifact("corpora", manifest.id)


def test_a_manifest_in_another_folder_is_refused(home):
    manifest = publish(home)
    copy = home.folder / "corpora" / "20200101-000000-000000-abcd"
    (home.folder_of(manifest)).rename(copy)
    with pytest.raises(Failed, match="belongs to another folder"):
        home.newest("corpora")


def test_an_artifact_that_was_never_made(home):
    home.create()
    with pytest.raises(Failed):
        home.artifact("models", "nope")


def test_write_atomically_never_shows_a_part(tmp_path):
    path = tmp_path / "status.json"
    contents = ["a" * 200_000, "b" * 200_000]
    write_atomically(path, contents[0])
    seen, stop = set(), threading.Event()

    def watch():
        while not stop.is_set():
            text = path.read_text()
            seen.add((len(text), len(set(text))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(30):
        write_atomically(path, contents[number % 2])
    stop.set()
    watcher.join()
    assert seen == {(200_000, 1)}
    assert [p.name for p in tmp_path.iterdir()] == ["status.json"]


def test_manifest_survives_json(home):
    manifest = publish(home, words=["ä", "b"], number=1.5)
    again = Manifest.model_validate_json(manifest.model_dump_json())
    assert again == manifest
    assert rooms.read_manifest(home.folder_of(manifest)) == manifest


def test_a_cancel_between_two_renames_publishes_neither(tmp_path, monkeypatch):
    home = Project(tmp_path / "p").create()
    rename, done = Path.rename, []

    def cancelled(self, target):
        if not Path(target).name.startswith(".") and self.name.endswith(".tmp"):
            done.append(target)
            if len(done) == 2:
                raise Cancelled("Cancelled.")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", cancelled)
    with pytest.raises(Cancelled), home.publish_together() as drafts:
        for kind in ("corpora", "pairs"):
            (drafts.add(kind).folder / "x").write_text("x")
    assert len(done) == 2
    assert home.newest("corpora") is None
    assert home.newest("pairs") is None
    assert not list(home.folder.glob("*/*"))
