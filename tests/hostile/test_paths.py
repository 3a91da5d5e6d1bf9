"""What is no file that can be opened is refused at once, whichever command it is given to."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import making
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
# Linux: PR_CAPBSET_DROP, and the two powers by which root reads what nobody may read.
_DROP, _POWERS = 24, (1, 2)
COMMANDS = (["add", "lab"], ["pairs", "lab"], ["import", "new"])


@pytest.mark.parametrize("command_line", COMMANDS, ids=lambda line: line[0])
def test_a_name_that_is_too_long(refused, lab, tmp_path, command_line):
    line = refused(*command_line, tmp_path / ("x" * 300 + ".csv"))
    assert line == f"{'x' * 300}.csv cannot be opened: File name too long."


@pytest.mark.parametrize("name", ["a.csv", "a.zip", "a.tar.gz", "a.pdf"])
@pytest.mark.parametrize("command_line", COMMANDS, ids=lambda line: line[0])
def test_a_pipe_is_not_waited_for(refused, lab, tmp_path, command_line, name):
    path = tmp_path / name
    os.mkfifo(path)
    assert refused(*command_line, path) == f"{path} is not a file."


def test_a_device(refused, lab):
    assert refused("add", lab, "/dev/null") == "/dev/null is not a file."


def test_a_link_to_itself(refused, lab, tmp_path):
    path = tmp_path / "a.csv"
    path.symlink_to(path)
    assert refused("add", lab, path) == f"There is no file or folder {path}."


def test_a_folder_where_a_file_is_needed(refused, lab, tmp_path):
    for line in (["pairs", lab], ["queries", lab]):
        assert refused(*line, tmp_path) == f"{tmp_path} is not a file."


@pytest.mark.parametrize("command_line", COMMANDS, ids=lambda line: line[0])
def test_a_file_that_may_not_be_read(lab, workspace, tree, write, command_line):
    path = write("a.csv", making.CSV)
    path.chmod(0)
    before = tree(workspace)
    done = _without_powers_of_root([*command_line, str(path)])
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert f"'{path}' is not readable." in line
    assert tree(workspace) == before


def test_a_file_of_a_folder_that_may_not_be_read_is_listed(lab, write):
    path = write("set/a.csv", making.CSV)
    write("set/b.csv", "text\nsecret\n").chmod(0)
    done = _without_powers_of_root(["add", "new", str(path.parent)])
    assert done.returncode == 0, done.stderr
    assert "1 file left out (b.csv: b.csv cannot be opened: Permission denied)" in done.stderr


def _without_powers_of_root(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run cli.py as somebody for whom file modes count, even where the tests run as root."""

    def drop() -> None:
        libc = ctypes.CDLL(None)
        for power in _POWERS:
            if os.geteuid() == 0 and libc.prctl(_DROP, power, 0, 0, 0) != 0:
                os._exit(77)

    done = subprocess.run(
        [sys.executable, "cli.py", *arguments],
        cwd=REPOSITORY,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=drop,
    )
    if done.returncode == 77:
        pytest.fail("root may read everything here, and cannot give that up")
    return done
