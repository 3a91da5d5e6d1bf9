"""Small files that are written whole: what killed processes were writing goes, what is being written stays."""

import fcntl
import time

from search.projects import files
from search.projects.files import append_line, sweep_unwritten, write_atomically
from search.projects.project import project_to_be
from search.projects.renaming import rename_project
from search.projects.runs import new_run


def test_what_a_killed_process_was_writing_goes_with_the_next_writing(tmp_path):
    path = tmp_path / "members.json"
    dead, others = tmp_path / ".members.json.123.0abc", tmp_path / ".other.json.123.0abc"
    for leftover in (dead, others, tmp_path / ".members.json.keep"):
        leftover.write_text("half")
    write_atomically(path, "whole")
    assert path.read_text() == "whole"
    assert sorted(p.name for p in tmp_path.glob(".*")) == [".members.json.keep", others.name]
    sweep_unwritten(tmp_path)
    assert [p.name for p in tmp_path.glob(".*")] == [".members.json.keep"]


def test_what_somebody_writes_is_not_swept(tmp_path):
    path = tmp_path / ".a.json.123.0abc"
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        sweep_unwritten(tmp_path)
        assert path.exists()
    sweep_unwritten(tmp_path)
    assert not path.exists()


def test_a_file_that_was_swept_before_it_was_held_is_begun_again(tmp_path, monkeypatch):
    first, made = [True], files.new_private_file

    def swept(path):
        stream = made(path)
        if first:
            first.clear()
            path.unlink()
        return stream

    monkeypatch.setattr(files, "new_private_file", swept)
    write_atomically(tmp_path / "a.json", "whole")
    assert (tmp_path / "a.json").read_text() == "whole" and not list(tmp_path.glob(".*"))


def test_a_line_that_was_left_half_is_no_part_of_the_next(tmp_path):
    path = tmp_path / "lines"
    append_line(path, b"one")
    path.write_bytes(b"one\ntw")
    append_line(path, b"three")
    assert path.read_bytes() == b"one\nthree\n"
    path.write_bytes(b"on")
    append_line(path, b"two")
    assert path.read_bytes() == b"two\n"


def test_a_renaming_that_was_cut_off_leaves_the_project_as_its_folder_says(workspace):
    lab = project_to_be("lab").create()
    lab.change(lambda _: {"name": "den", "former_names": ["lab"]})
    assert (lab.info.name, lab.info.former_names) == ("lab", [])
    renamed = rename_project(lab, "den")
    assert (renamed.info.name, renamed.info.former_names) == ("den", ["lab"])


def test_the_next_export_sweeps_one_that_was_cut_off(tmp_path):
    dead = tmp_path / ".bespoke-export-0123" / "whole"
    dead.mkdir(parents=True)
    (dead / "queries.jsonl").write_text("of a patient")
    with files.new_folder(tmp_path / "one") as one:
        assert not dead.exists()
        (one / "a").write_text("1")
        with files.new_folder(tmp_path / "other") as other:
            (other / "b").write_text("2")
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")} == {
        "one", "one/a", "other", "other/b",
    }  # fmt: skip


def test_the_next_run_sweeps_a_project(tiny_beir):
    lab = project_to_be("lab").create()
    (lab.folder / "members").mkdir()
    dead = lab.folder / "members" / ".abc.json.77.00ff"
    dead.write_text("half")
    killed = new_run(lab, ["add", "lab"])
    killed.owner_file.touch()
    time.sleep(0.002)
    run = new_run(lab, ["add", "lab"])
    assert not dead.exists() and not killed.owner_file.exists() and run.folder.is_dir()
