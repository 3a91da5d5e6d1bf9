"""A backup is the project at one moment, and comes back as it was or not at all."""

import hashlib
import json
import os
import random
import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing

import pytest

from search.judging.safekeeping import problem_in_file
from search.judging.store import JudgmentStore, Question
from search.judging.votes import Judgment
from search.projects import backup, backup_archive, runs
from search.projects import restore as restoring
from search.projects.backup import back_up
from search.projects.errors import Failed, Refused
from search.projects.project import project_to_be, projects
from search.projects.restore import restore
from search.retrieval import deletion, history


@pytest.fixture
def lab():
    """A project with artifacts, a vote and a question that was asked."""
    project = project_to_be("lab").create(description="of patients")
    with project.publish_together() as drafts:
        for kind in ("corpora", "pairs", "queries"):
            draft = drafts.add(kind)
            (draft.folder / "inner").mkdir()
            (draft.folder / "inner" / "queries.jsonl").write_text(f"what {kind}\n")
    store = JudgmentStore.of(project)
    store.ask([Question("q", "who?", "typed")])
    store.add([Judgment("Anna", "q", "grade", "d1", "2")])
    history.remember(project, "what helps against dust")
    return project


_written = []


@pytest.fixture
def file(request, workspace, tmp_path):
    """A backup of such a project; made once. The workspace is empty, unless the test wants the project, too."""
    path = tmp_path / "lab.backup"
    if not _written:
        wanted = "lab" in request.fixturenames  # Later it is, in any case.
        back_up(request.getfixturevalue("lab"), path)
        _written.append(path.read_bytes())
        if not wanted:
            shutil.rmtree(workspace)
    path.write_bytes(_written[0])
    return path


def holds(project):
    """Everything of a project that a person would miss."""
    store = JudgmentStore.of(project)
    return (
        {(m.kind, m.id): m for kind in ("corpora", "pairs", "queries") for m in project.manifests(kind)},
        [(j.judge, j.question, j.target, j.value) for j in store.history()],
        history.recent(project),
        project.info.description,
    )  # fmt: skip


def test_a_deleted_project_comes_back_as_it_was(lab, tmp_path, workspace):
    before = holds(lab)
    file = tmp_path / "file"
    back_up(lab, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    deletion.delete_project(lab)
    restored = restore(file)
    assert (restored.name, holds(restored)) == ("lab", before)
    for manifest in restored.manifests("corpora"):
        restored.checked(manifest)
    assert not [
        p for p in (workspace / "lab").rglob("*") if stat.S_IMODE(p.lstat().st_mode) & 0o077
    ]
    assert [p.name for p in workspace.iterdir() if p.name not in ("lab", ".locks", ".audit")] == []


def test_no_project_is_written_over_and_another_name_is_taken(lab, tmp_path):
    file = tmp_path / "file"
    lab.change(lambda _: {"former_names": ["ward"]})
    back_up(lab, file)
    with pytest.raises(Refused, match="There is a project 'lab' already"):
        restore(file)
    second = restore(file, "second")
    assert holds(second) == holds(lab)
    assert (second.info.name, second.info.former_names) == ("second", [])
    with pytest.raises(Refused, match="cannot name a project"):
        restore(file, "../second")
    assert sorted(p.name for p in projects()) == ["lab", "second"]


def test_votes_and_history_can_be_left_out(lab, tmp_path):
    made = back_up(lab, tmp_path / "bundle", ["votes", "history"])
    bundle = restore(tmp_path / "bundle", "bundle")
    artifacts, votes, asked, _ = holds(bundle)
    assert (artifacts, votes, asked) == (holds(lab)[0], [], [])
    with zipfile.ZipFile(tmp_path / "bundle") as archive:
        assert len(archive.namelist()) == made.files + 1
        assert not [
            name
            for name in archive.namelist()
            if name.startswith(("judgments", "runs", "searches"))
        ]


def test_what_is_published_or_judged_meanwhile_is_in_whole_or_not_at_all(lab, tmp_path):
    """A writer publishes, judges and deletes whenever the backup says how far it is."""
    old = holds(lab)
    reports = []

    def meanwhile(*_):
        if len(reports) < 3:
            with lab.publish("reports") as draft:
                (draft.folder / "x").write_text("x")
            reports.append(lab.newest("reports").id)
            JudgmentStore.of(lab).add([Judgment("Ben", "q", "grade", f"d{len(reports)}", "1")])

    back_up(lab, tmp_path / "file", progress=meanwhile)
    restored = restore(tmp_path / "file", "second")
    assert len(reports) == 3
    assert restored.manifests("reports") == []
    assert holds(restored)[0] == old[0]
    assert len(holds(restored)[1]) == 1


def test_what_is_deleted_meanwhile_is_left_out_and_the_rest_is_whole(lab, tmp_path):
    def meanwhile(done, *_):
        if done == 1 and lab.newest("pairs"):
            deletion.delete(deletion.planned(lab, "pairs", lab.newest("pairs").id))

    back_up(lab, tmp_path / "file", progress=meanwhile)
    restored = restore(tmp_path / "file", "second")
    assert restored.manifests("pairs") == []
    assert len(restored.manifests("corpora")) == 1


def test_a_damaged_artifact_is_left_out_and_named(lab, tmp_path):
    queries = lab.newest("queries")
    path = lab.folder_of(queries) / "inner" / "queries.jsonl"
    path.write_bytes(path.read_bytes().replace(b"what", b"whom"))
    made = back_up(lab, tmp_path / "file")
    assert made.notes == [
        f"Left out, because it is damaged: queries/{queries.id} (inner/queries.jsonl is not as it was written)."
    ]
    assert restore(tmp_path / "file", "second").manifests("queries") == []


def test_an_index_on_a_server_is_left_out_and_that_is_said(lab, tmp_path):
    for engine in ("bm25", "milvus"):
        with lab.publish("indexes", {"corpus": lab.newest("corpora").id}, engine=engine):
            pass
    assert "Left out: 1 indexes that a server holds." in back_up(lab, tmp_path / "file").notes[0]
    assert restore(tmp_path / "file", "second").newest("indexes").details == {"engine": "bm25"}


def test_nothing_is_written_over_and_nothing_into_the_project(lab, file, tmp_path):
    with pytest.raises(Refused, match="exists"):
        back_up(lab, file)
    with pytest.raises(Refused, match="no folder"):
        back_up(lab, tmp_path / "nowhere" / "file")
    with pytest.raises(Refused, match="cannot lie in the workspace"):
        back_up(lab, lab.folder / "corpora" / "file")


def refused_whole(file, workspace, tree):
    before = tree(workspace)
    with pytest.raises(Refused) as refusal:
        restore(file, "second")
    after = tree(workspace)
    assert {k: v for k, v in after.items() if not k.startswith(".locks")} == {
        k: v for k, v in before.items() if not k.startswith(".locks")
    }
    return str(refusal.value)


def test_a_truncated_archive_is_refused_wherever_it_ends(file, workspace, tree):
    content = file.read_bytes()
    for size in (0, 1, 21, 86, len(content) // 2, len(content) - 65, len(content) - 1):
        file.write_bytes(content[:size])
        assert "backup" in refused_whole(file, workspace, tree)


def test_a_flipped_bit_is_noticed_wherever_it_is(file, workspace, tree):
    content = bytearray(file.read_bytes())
    draw = random.Random(20261130)
    for at in [0, len(content) - 1, *(draw.randrange(len(content)) for _ in range(20))]:
        content[at] ^= 1
        file.write_bytes(content)
        assert "damaged" in refused_whole(file, workspace, tree) or at >= len(content) - 86
        content[at] ^= 1


def rewritten(file, change, contents=None, sign=True, compress=zipfile.ZIP_STORED):
    """An archive whose members somebody changed, and signed as if it were ours."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if contents is not None:
        said = json.loads(members["backup.json"])
        contents(said)
        members["backup.json"] = json.dumps(said).encode()
    with zipfile.ZipFile(file, "w", compress) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = backup_archive.COMMENT + b"0" * 64
    if sign:
        backup_archive.sign(file)


def member(content):
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_members_that_were_swapped_are_noticed(file, workspace, tree):
    def swap(members):
        first, second = [name for name in members if name.endswith("manifest.json")][:2]
        members[first], members[second] = members[second], members[first]

    rewritten(file, swap)
    assert "it holds other files than it says" in refused_whole(file, workspace, tree)


def test_a_manifest_and_its_file_that_were_both_changed_do_not_fit_the_artifact(
    file, workspace, tree
):
    name = next(n for n in zipfile.ZipFile(file).namelist() if n.endswith("queries.jsonl"))

    def change(members):
        members[name] = members[name].replace(b"what", b"whom")

    def contents(said):
        with zipfile.ZipFile(file) as archive:
            said["files"][name] = member(archive.read(name).replace(b"what", b"whom"))

    rewritten(file, change, contents)
    assert f"{name} is another file" in refused_whole(file, workspace, tree)


def test_a_name_that_means_another_folder_is_refused(file, workspace, tree, tmp_path):
    content = file.read_bytes()
    for name in (
        "../outside", "/outside", "corpora/../../outside", "corpora/x/..", "a\\b", ".hidden", "corpora/x/\n", "other/x/y",
        "corpora/x", "judgments/x/y", "members/x/y",
    ):  # fmt: skip
        file.write_bytes(content)
        rewritten(
            file,
            lambda members, name=name: members.update({name: b"x"}),
            lambda said, name=name: said["files"].update({name: member(b"x")}),
        )
        assert "was not written by Bespoke" in refused_whole(file, workspace, tree), name
        assert not (tmp_path / "outside").exists()


def test_what_is_compressed_is_refused_before_it_is_read(file, workspace, tree):
    rewritten(file, lambda members: None, compress=zipfile.ZIP_DEFLATED)
    assert "is compressed" in refused_whole(file, workspace, tree)


def test_a_backup_of_another_format_says_what_to_do(file, workspace, tree):
    rewritten(file, lambda members: None, lambda said: said.update(project_format=2))
    said = refused_whole(file, workspace, tree)
    assert "of a project of format 2" in said
    assert "restore it with the version that wrote it" in said


def test_a_project_larger_than_the_disk_is_refused(file, workspace, tree, monkeypatch):
    monkeypatch.setattr(restoring.shutil, "disk_usage", lambda _: _Disk())
    assert "0 bytes left" in refused_whole(file, workspace, tree)


class _Disk:
    free = 0


class Killed(BaseException):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("step", ["_check_all", "_take_out", "_check_project", "_publish"])
def test_a_restoring_that_is_killed_leaves_nothing_after_the_next_start(
    file, workspace, monkeypatch, step
):
    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(restoring, step, killed)
        # A killed process cleans nothing up, and lets go of its locks.
        patch.setattr(restoring.shutil, "rmtree", lambda *_, **__: None)
        patch.setattr(restoring.Owner, "release", lambda owner: os.close(owner.handle))
        with pytest.raises(Killed):
            restore(file, "second")
    deletion.finish_deletions()
    left = list(workspace.iterdir()) if workspace.is_dir() else []
    assert [p.name for p in left if p.name not in (".locks", ".audit")] == []
    assert restore(file, "second").exists


def test_a_backup_that_is_killed_leaves_no_file_and_the_next_one_sweeps(lab, tmp_path, monkeypatch):
    def killed(*_):
        raise Killed

    folder = tmp_path / "backups"
    folder.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(backup, "sign", killed)
        patch.setattr(backup.Path, "unlink", lambda *_, **__: None)
        with pytest.raises(Killed):
            back_up(lab, folder / "file")
    assert [p.name.startswith(".bespoke-backup-") for p in folder.iterdir()] == [True]
    back_up(lab, folder / "file")
    assert [p.name for p in folder.iterdir()] == ["file"]


def test_a_full_disk_is_a_sentence(lab, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "sign", full)
    with pytest.raises(Failed, match="cannot be written: No space left"):
        back_up(lab, tmp_path / "file")
    assert not (tmp_path / "file").exists()


def torn(path):
    """Damage a page in the middle of a file of votes."""
    with closing(sqlite3.connect(path)) as votes:
        votes.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[8_192:8_600] = b"\xa5" * 408
    path.write_bytes(content)


@pytest.mark.parametrize("how", [torn, "row"])
def test_damaged_votes_make_no_backup_that_nobody_can_restore(lab, tmp_path, how):
    path = JudgmentStore.of(lab).path
    if how == "row":
        with closing(sqlite3.connect(path)) as votes:
            for trigger in ("marks_stay", "marks_remain"):
                votes.execute(f"DROP TRIGGER {trigger}")
            votes.execute("UPDATE marks SET value = '0'")
            votes.commit()
    else:
        how(path)
    with pytest.raises(Failed, match=r"votes.*(--restore|cli.py check)"):
        back_up(lab, tmp_path / "file", problem_in_votes=problem_in_file)
    assert not (tmp_path / "file").exists()
    assert back_up(lab, tmp_path / "file", ["votes"]).files > 0


def test_votes_that_are_no_votes_are_refused_in_words(file, workspace, tree):
    def change(members):
        members["judgments/judgments.sqlite"] = b"garbage" * 100

    def contents(said):
        said["files"]["judgments/judgments.sqlite"] = member(b"garbage" * 100)

    rewritten(file, change, contents)
    assert "its votes: file is not a database" in refused_whole(file, workspace, tree)


def test_an_artifact_without_its_manifest_is_refused_in_words(file, workspace, tree):
    name = next(n for n in zipfile.ZipFile(file).namelist() if n.endswith("manifest.json"))
    rewritten(file, lambda members: members.pop(name), lambda said: said["files"].pop(name))
    assert "has no manifest that fits" in refused_whole(file, workspace, tree)


def test_a_project_that_is_deleted_meanwhile_is_said_to_be_gone(lab, tmp_path):
    def meanwhile(done, *_):
        if lab.exists:
            deletion.delete_project(lab)

    with pytest.raises(Refused, match="is gone: somebody deleted or renamed it"):
        back_up(lab, tmp_path / "file", progress=meanwhile)
    assert [path.name for path in tmp_path.iterdir()] == ["workspace"]


def test_a_project_with_nothing_in_it_comes_back(tmp_path):
    project_to_be("empty").create(description="soon")
    assert back_up(project_to_be("empty"), tmp_path / "file").files == 1
    second = restore(tmp_path / "file", "second")
    assert (second.info.description, JudgmentStore.of(second).history()) == ("soon", [])


def test_runs_of_a_restored_project_name_the_project_that_they_are_in(lab, tmp_path):
    run = runs.new_run(lab, ["train", "lab", "--name", "lab"])
    run.write(run.read().ended("done"))
    back_up(lab, tmp_path / "file")
    [restored] = runs.runs(restore(tmp_path / "file", "second"))
    assert restored.command == "python cli.py train second --name lab"
