"""Archives and folders: every file found, none written outside, nothing silently dropped."""

import bz2
import gzip
import io
import os
import random
import tarfile
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from search.corpus.readers import archives
from search.corpus.readers import sources as module
from search.corpus.readers.documents import DocumentColumns, preview_documents
from search.corpus.readers.sources import opened_sources
from search.projects.errors import Refused
from search.projects.settings import LIMITS

FILES = {"a.txt": "one\ntwo\n", "2021/b.csv": "id,text\n1,x\n2,y\n", "2021/c.md": "# C\n\nText.\n"}


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where archives are unpacked: an empty folder of its own."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def zipped(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path, files, mode="w:gz", change=lambda member: member):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            raw = content if isinstance(content, bytes) else content.encode()
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(change(member), io.BytesIO(raw))
    return path


def folder(path, files):
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def found(*paths):
    """Names and contents of the files, the refused, and the notes."""
    with opened_sources(list(paths)) as sources:
        return (
            {source.name: source.path.read_text(errors="replace") for source in sources.files},
            {row.where: row.reason for row in sources.refused},
            sources.notes,
        )


MAKERS = {
    "a.zip": zipped,
    "a.ZIP": zipped,
    "a.tar": lambda path, files: tarred(path, files, "w:"),
    "a.tar.gz": tarred,
    "a.tgz": tarred,
    "a.tar.bz2": lambda path, files: tarred(path, files, "w:bz2"),
    "a.tar.xz": lambda path, files: tarred(path, files, "w:xz"),
    "folder": folder,
}


@pytest.mark.parametrize("name", MAKERS)
def test_every_file_is_found_under_its_name(tmp_path, scratch, name):
    path = MAKERS[name](tmp_path / name, FILES)
    assert found(path) == (FILES, {}, [])
    assert list(scratch.iterdir()) == []


def test_plain_files_are_as_they_are(tmp_path):
    paths = list(folder(tmp_path, {"x.pdf": "x", "unknown.bin": "y"}).iterdir())
    with opened_sources(paths) as sources:
        assert [(s.path, s.name, s.member) for s in sources.files] == [
            (p, p.name, False) for p in paths
        ]


def test_several_at_once(tmp_path):
    first = zipped(tmp_path / "a.zip", {"a.txt": "1"})
    plain = folder(tmp_path, {"b.txt": "2"}) / "b.txt"
    more = folder(tmp_path / "more", {"c.txt": "3"})
    with opened_sources([first, plain, more]) as sources:
        assert [(s.name, s.path.read_text(), s.member) for s in sources.files] == [
            ("a.txt", "1", True), ("b.txt", "2", False), ("c.txt", "3", True),
        ]  # fmt: skip


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "folder"])
def test_what_systems_leave_behind_is_skipped_and_counted(tmp_path, name):
    junk = ["__MACOSX/._a.txt", ".DS_Store", "2021/Thumbs.db", ".git/config.txt", "~$lock.docx"]
    path = MAKERS[name](tmp_path / name, {"a.txt": "x", **dict.fromkeys(junk, "junk")})
    files, refused, notes = found(path)
    assert (files, refused) == ({"a.txt": "x"}, {})
    assert notes == [f"{name}: 5 hidden and system files were left out"]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "folder"])
def test_what_cannot_be_read_is_listed(tmp_path, name):
    members = {"a.txt": "x", "old.doc": "x", "pic.PNG": "x", "README": "x", "in.zip": "x", "e.csv": "",
               "d.tar.gz": "x", "x.sqlite": "x", "m.msg": "x"}  # fmt: skip
    files, refused, _ = found(MAKERS[name](tmp_path / name, members))
    assert files == {"a.txt": "x"}
    assert {
        where.removeprefix(f"{name}/"): reason.split(".")[0] for where, reason in refused.items()
    } == {
        "old.doc": "files ending in ",
        "pic.PNG": "files ending in ",
        "README": "its name has no ending",
        "in.zip": "an archive inside another: unpack it and add it by itself",
        "d.tar.gz": "an archive inside another: unpack it and add it by itself",
        "e.csv": "is empty (0 bytes)",
        "x.sqlite": "files ending in ",
        "m.msg": "files ending in ",
    }
    assert refused[f"{name}/old.doc"] == (
        "files ending in .doc cannot be read. Open it and save it as DOCX or PDF."
    )
    assert refused[f"{name}/x.sqlite"].endswith(
        "What can be read: CSV, TSV, JSON, JSONL, XLSX, Parquet, TXT, Markdown, HTML, PDF, DOCX, XML, EML, MBOX, RIS, NBIB, BibTeX and HL7."
    )


BAD_NAMES = [
    "../../x.txt",
    "/tmp/bespoke-escaped.txt",
    "a/../../x.txt",
    "C:/x.txt",
    "..\\x.txt",
    "\\x.txt",
]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_names_that_leave_the_archive_are_refused(tmp_path, scratch, name):
    path = MAKERS[name](tmp_path / name, {"ok.txt": "x", **dict.fromkeys(BAD_NAMES, "evil")})
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    with opened_sources([path]) as sources:
        assert [source.name for source in sources.files] == ["ok.txt"]
        inside = [p for p in scratch.rglob("*") if p.is_file() and p.name != ".owner"]
        assert [p.read_text() for p in inside] == ["x"]
        assert {row.where for row in sources.refused} == {
            f"{name}/{bad}".replace("\\", "/") for bad in BAD_NAMES
        }
        assert {row.reason for row in sources.refused} == {"the name leaves the archive"}
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == before
    assert not Path("/tmp/bespoke-escaped.txt").exists()


def test_links_and_devices_in_a_tar_are_refused(tmp_path):
    kinds = {"sym.txt": tarfile.SYMTYPE, "hard.txt": tarfile.LNKTYPE, "pipe.txt": tarfile.FIFOTYPE,
             "dev.txt": tarfile.CHRTYPE}  # fmt: skip

    def change(member):
        member.type = kinds.get(member.name, member.type)
        member.linkname = "/etc/passwd" if member.name in kinds else ""
        return member

    names = {"ok.txt": "x", **dict.fromkeys(kinds, "")}
    files, refused, _ = found(tarred(tmp_path / "a.tgz", names, change=change))
    assert files == {"ok.txt": "x"}
    assert refused == {
        "a.tgz/sym.txt": "a link: not followed",
        "a.tgz/hard.txt": "a link: not followed",
        "a.tgz/pipe.txt": "not a plain file",
        "a.tgz/dev.txt": "not a plain file",
    }


def test_links_in_a_zip_are_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"ok.txt": "x"})
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    files, refused, _ = found(path)
    assert (files, refused) == ({"ok.txt": "x"}, {"a.zip/link.txt": "a link: not followed"})


def test_links_in_a_folder_are_not_followed(tmp_path):
    outside = folder(tmp_path / "outside", {"secret.txt": "secret"})
    inside = folder(tmp_path / "in", {"ok.txt": "x"})
    (inside / "file.txt").symlink_to(outside / "secret.txt")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    os.mkfifo(inside / "pipe.txt")
    files, refused, _ = found(inside)
    assert files == {"ok.txt": "x"}
    assert refused == {
        "in/file.txt": "a link: not followed",
        "in/folder": "a link: not followed",
        "in/loop": "a link: not followed",
        "in/pipe.txt": "not a plain file",
    }


def test_encrypted_members_are_listed(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.txt": "x", "b.txt": "y"})
    raw = bytearray(path.read_bytes())
    raw[raw.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    files, refused, _ = found(path)
    assert (files, refused) == ({"a.txt": "x"}, {"a.zip/b.txt": "is locked with a password"})


def test_a_name_twice(tmp_path):
    path = tarred(tmp_path / "a.tar", {"a.txt": "first", "./a.txt": "second"}, "w:")
    assert found(path)[:2] == ({"a.txt": "first"}, {"a.tar/./a.txt": "the name is there twice"})


def test_names_are_made_printable_and_kept_short(tmp_path):
    path = zipped(tmp_path / "a.zip", {"t\tab\n.txt": "x", "l" * 500 + ".txt": "y"})
    files, refused, _ = found(path)
    assert files == {"t_ab_.txt": "x"}
    assert refused == {f"a.zip/{'l' * 400}": "the name has more than 400 characters"}


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "folder"])
@pytest.mark.parametrize("prefix", ["", "scifact/"])
def test_a_beir_data_set_is_only_its_corpus(tmp_path, name, prefix):
    members = {"corpus.jsonl": "{}", "queries.jsonl": "{}", "qrels/test.tsv": "x", "README.md": "x"}
    path = MAKERS[name](
        tmp_path / name, {prefix + member: text for member, text in members.items()}
    )
    files, refused, notes = found(path)
    assert (files, refused) == ({f"{prefix}corpus.jsonl": "{}"}, {})
    assert notes == [
        f"{name} is a BEIR data set: only {prefix}corpus.jsonl was read; import it to bring its queries "
        "and judgments, too"
    ]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "folder"])
def test_nothing_that_can_be_read(tmp_path, name):
    path = MAKERS[name](tmp_path / name, {"old.doc": "x", ".hidden.txt": "x"})
    with pytest.raises(Refused) as caught:
        found(path)
    assert str(caught.value) == (
        f"{name} holds no file that can be read ({name}/old.doc: files ending in .doc cannot be read. "
        "Open it and save it as DOCX or PDF.)."
    )


def test_empty_and_missing(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refused, match=r"^empty holds no file that can be read\.$"):
        found(tmp_path / "empty")
    with pytest.raises(Refused, match=r"^a\.zip holds no file that can be read\.$"):
        found(zipped(tmp_path / "a.zip", {}))
    with pytest.raises(Refused, match=r"^There is no file or folder .*nowhere\.zip\.$"):
        found(tmp_path / "nowhere.zip")


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_bombs_are_stopped(tmp_path, scratch, name):
    path = MAKERS[name](tmp_path / name, {"a.txt": b"x" * 60_000_000})
    with pytest.raises(
        Refused, match=rf"^{name} unpacks to far more than its size: not read further"
    ):
        found(path)
    assert list(scratch.iterdir()) == []


def test_a_bomb_that_nobody_reads_is_stopped(tmp_path):
    path = tarred(tmp_path / "a.tar.gz", {"skip.bin": b"x" * 60_000_000, "a.txt": "x"})
    with pytest.raises(Refused, match=r"^a\.tar\.gz unpacks to far more than its size"):
        found(path)


def test_a_header_that_would_fill_the_memory(tmp_path):
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2_000_000
    raw = header.tobuf(tarfile.GNU_FORMAT) + b"a" * 2_000_000
    path = tmp_path / "a.tar"
    path.write_bytes(raw)
    with pytest.raises(Refused, match=r"^a\.tar is not a tar archive .*a header is far too long"):
        found(path)


@pytest.mark.parametrize(("name", "count"), [("a.zip", 3), ("a.tar.gz", 3)])
def test_too_many_entries(tmp_path, monkeypatch, name, count):
    monkeypatch.setattr(archives, "LIMITS", replace(LIMITS, zip_entries=2))
    path = MAKERS[name](tmp_path / name, {f"{n}.txt": "x" for n in range(count)})
    with pytest.raises(Refused, match=rf"^{name} has (3|more than 2) entries"):
        found(path)


def test_too_many_files_in_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LIMITS", replace(LIMITS, folder_files=2))
    with pytest.raises(Refused, match=r"^in has more than 2 files\.$"):
        found(folder(tmp_path / "in", {f"{n}.txt": "x" for n in range(3)}))


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_truncated_archives_are_refused(tmp_path, scratch, name, rng):
    files = {f"{n}.txt": rng.randbytes(3000).hex() for n in range(5)}
    whole = MAKERS[name](tmp_path / name, files).read_bytes()
    path = tmp_path / f"cut-{name}"
    for share in (0.1, 0.5, 0.8, 0.95):
        path.write_bytes(
            whole[: int(len(whole) * share) if name != "a.tar" else int(33_000 * share)]
        )
        with pytest.raises(Refused, match=rf"^cut-{name} "):
            found(path)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_damaged_archives_are_refused_or_read_whole(tmp_path, name, rng: random.Random):
    """A damaged header must not pass for the end of the archive."""
    files = {f"{n}.txt": f"text {n} " * 50 for n in range(4)}
    whole = MAKERS[name](tmp_path / name, files).read_bytes()
    end = whole.index(bytes(1024)) if name == "a.tar" else len(whole)
    path = tmp_path / f"bad-{name}"
    refused = 0
    for _ in range(150):
        raw = bytearray(whole)
        raw[rng.randrange(end)] ^= rng.randrange(1, 256)
        path.write_bytes(raw)
        try:
            read, listed, notes = found(path)
        except Refused as error:
            assert str(error).startswith(f"bad-{name} ")
            refused += 1
        else:
            assert len(read) + len(listed) + len(notes) >= 4
    assert refused > 40


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x1f\x8b" + b"x" * 50, b"PK\x03\x04" + bytes(40)]
)
@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_what_is_no_archive(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Refused, match=rf"^{name} is not a (zip|tar archive) that can be read"):
        found(path)


def test_a_tar_may_be_compressed_otherwise_than_its_name_says(tmp_path):
    path = tarred(tmp_path / "b.tar", {"a.txt": "x"}, "w:")
    other = tmp_path / "a.tgz"
    other.write_bytes(bz2.compress(path.read_bytes()))
    assert found(other)[0] == {"a.txt": "x"}


def test_gzip_inside_and_outside(tmp_path):
    packed = gzip.compress(b"# Title\n\nText.\n")
    path = zipped(
        tmp_path / "a.zip", {"x/notes.md.gz": packed, "t.csv.gz": gzip.compress(b"id,text\n1,x\n")}
    )
    documents, report = preview_documents(path)
    assert [(d.id, d.text) for d in documents] == [("1", "x"), ("x/notes.md", "Title\n\nText.")]
    alone = folder(tmp_path, {"notes.md.gz": packed}) / "notes.md.gz"
    documents, _ = preview_documents(alone)
    assert [(d.id, d.title) for d in documents] == [("notes.md", "Title")]
    assert report.format == "1 CSV, 1 Markdown"


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "folder"])
def test_a_preview_is_one_report(tmp_path, name):
    members = {
        **FILES, "old.doc": "x", "bad.pdf": "no", "2021/d.csv": "id,text\n7,ok\n7,again\n8,\n",
        "z/only.html": "<script>",
    }  # fmt: skip
    documents, report = preview_documents(MAKERS[name](tmp_path / name, members), rows=3)
    assert [d.id for d in documents] == ["1", "2", "2021/c.md"]
    assert (report.source, report.accepted, report.refused_count) == (name, 5, 5)
    assert [(row.where, row.reason) for row in report.refused] == [
        (
            f"{name}/old.doc",
            "files ending in .doc cannot be read. Open it and save it as DOCX or PDF.",
        ),
        ("bad.pdf", "bad.pdf is not a PDF file, although its name says so."),
        ("z/only.html", "z/only.html holds no text."),
        ("2021/d.csv, row 3", "the id '7' was used by an earlier row"),
        ("2021/d.csv, row 4", "the text is empty"),
    ]
    assert report.format == "2 CSV, 1 Markdown, 1 plain text"
    assert (report.columns, report.roles) == (("id", "text"), {"id": "id", "text": "text"})
    assert (report.encoding, report.delimiter) == ("utf-8", ",")


def test_ids_of_rows_hold_the_path(tmp_path):
    path = zipped(tmp_path / "a.zip", {"x/n.txt": "one\ntwo", "y/n.txt": "three"})
    columns = DocumentColumns(document_per="line")
    assert [d.id for d in preview_documents(path, columns)[0]] == ["x/n-1", "x/n-2", "y/n-1"]
    assert [d.id for d in preview_documents(path)[0]] == ["x/n.txt", "y/n.txt"]


def test_a_preview_of_an_archive_without_a_usable_row(tmp_path):
    path = zipped(tmp_path / "a.zip", {"bad.pdf": "x", "a.csv": "id,text\n1,\n"})
    with pytest.raises(
        Refused, match=r"^a\.zip holds no usable documents: all 2 rows were refused \(a\.csv"
    ):
        preview_documents(path)


def test_a_chosen_column_that_only_some_members_have(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.csv": "id,words\n1,x\n", "b.csv": "id,text\n2,y\n"})
    documents, report = preview_documents(path, DocumentColumns(text="words"))
    assert [d.id for d in documents] == ["1"]
    assert [row.where for row in report.refused] == ["b.csv"]
    assert report.refused[0].reason.startswith("b.csv has no column 'words'")


def test_a_note_that_many_files_share_is_given_once(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.json").write_text('{"protocol": {"text": "Words of a record."}}')
    (tmp_path / "a.jsonl").write_text('{"remark": "No column is called a text here."}\n' * 2)
    _, report = preview_documents(tmp_path)
    assert report.notes[:2] == [
        "5 files: one object was read, as one record",
        "5 files: the text was taken from 'protocol.text'; choose another if that is wrong",
    ]
