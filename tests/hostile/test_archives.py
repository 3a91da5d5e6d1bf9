"""Archives: nothing is written outside, no bomb goes off, and what cannot be read is listed."""

import os
import zipfile

import making
import pytest

from search.corpus.corpus import current_corpus
from search.projects.project import project

# File, how its content is made (only when it is asked for: some take a second), and what is said of it.
REFUSED = {
    "a bomb": (
        "a.zip",
        lambda: making.zipped({"a.csv": "id,text\n" + "a,b\n" * 20_000_000}),
        "unpacks to",
    ),
    "a bomb in a tar": (
        "a.tar.gz",
        lambda: making.tarred({"a.txt": b"0" * 60_000_000}),
        "unpacks to",
    ),
    "a bomb in gzip": (
        "a.csv.gz",
        lambda: making.gz(b"id,text\n" + b"a,b\n" * 20_000_000),
        "unpacks to",
    ),
    "a cut zip": ("a.zip", lambda: making.half(making.zipped({"a.csv": making.CSV * 99})), "a.zip"),
    "a cut tar": (
        "a.tar.gz",
        lambda: making.half(making.tarred({"a.csv": os.urandom(9_999)})),
        "a.tar.gz",
    ),
    "text as zip": ("a.zip", lambda: making.CSV, "a.zip"),
    "text as tar": ("a.tar.gz", lambda: making.CSV, "a.tar.gz"),
    "an empty zip": ("a.zip", lambda: making.zipped({}), "holds no file that can be read"),
    "only what cannot be read": (
        "a.zip",
        lambda: making.zipped({"a.png": making.PNG}),
        "a.zip/a.png",
    ),
    "only names that leave": (
        "a.zip",
        lambda: making.zipped({"../a.csv": making.CSV}),
        "leaves the archive",
    ),
    "only absolute names": (
        "a.zip",
        lambda: making.zipped({"/etc/a.csv": making.CSV}),
        "leaves the archive",
    ),
    "only a drive": (
        "a.zip",
        lambda: making.zipped({"C:\\a.csv": making.CSV}),
        "leaves the archive",
    ),
    "only a link": (
        "a.zip",
        lambda: making.zipped_link("a.csv", "/etc/passwd"),
        "a link: not followed",
    ),
    "only a link in a tar": (
        "a.tar.gz",
        lambda: making.tarred({}, {"a.csv": "/etc/passwd"}),
        "a link",
    ),
    "a zip in a zip": (
        "a.zip",
        lambda: making.zipped({"b.zip": making.zipped({"a.csv": "x"})}),
        "unpack it",
    ),
}


@pytest.mark.parametrize(("name", "content_of", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(refused, lab, write, name, content_of, says):
    line = refused("add", lab, write(name, content_of()))
    assert name in line
    assert says in line, line


def test_what_can_be_read_comes_in_and_the_rest_is_listed(command, write, tmp_path, tree):
    members = {
        "2021/good.csv": making.CSV,
        "2022/bad.csv": 'id,text\nq,"open\n',
        "scan.pdf": making.pdf(scanned=True),
        "../out.csv": making.CSV,
        "photo.png": making.PNG,
        ".hidden.csv": making.CSV,
        "__MACOSX/a.csv": making.CSV,
        "note.md": "# Note\n\nRead me.",
    }
    path = write("mix.zip", making.zipped(members))
    before = set(tree(tmp_path))
    done = command("add", "new", path)
    assert done.status == 0, done.err
    assert {
        name for name in set(tree(tmp_path)) - before if not name.startswith("workspace")
    } == set()
    _, corpus = current_corpus(project("new"))
    assert corpus.ids() == ["a", "b", "c", "note.md"]
    for said in (
        "4 files left out",
        "bad.csv",
        "scan.pdf",
        "scanned page",
        "the name leaves the archive",
        "photo.png",
        "2 hidden and system files were left out",
    ):
        assert said in done.err, said


def test_a_locked_member_is_listed(command, write):
    raw = bytearray(making.zipped({"a.csv": making.CSV, "b.csv": "text\nsecret\n"}))
    for header, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.rindex(header) + flag] |= 1  # The bit that says: encrypted.
    done = command("add", "new", write("a.zip", bytes(raw)))
    assert done.status == 0, done.err
    assert "b.csv: is locked with a password" in done.err
    assert current_corpus(project("new"))[1].ids() == ["a", "b", "c"]


def test_links_in_a_folder_are_not_followed(command, write, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("id,text\ns,secret\n")
    folder = write("set/good.csv", making.CSV).parent
    (folder / "link.csv").symlink_to(secret)
    (folder / "all").symlink_to(tmp_path, target_is_directory=True)
    done = command("add", "new", folder)
    assert done.status == 0, done.err
    assert current_corpus(project("new"))[1].ids() == ["a", "b", "c"]
    assert done.err.count("a link: not followed") == 2


def test_a_zip_that_is_not_compressed_is_fine(command, write):
    path = write("a.zip", making.zipped({"a.csv": making.CSV}, zipfile.ZIP_STORED))
    assert command("add", "new", path).status == 0
