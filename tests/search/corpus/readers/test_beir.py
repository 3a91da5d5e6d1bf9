"""BEIR folders and zips; a zip is never trusted."""

import contextlib
import random
import shutil
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from search.corpus.readers import archives
from search.corpus.readers.beir import is_beir, open_beir
from search.corpus.readers.grades import GradeRules, UnclearGrades
from search.corpus.readers.judged import JudgedColumns
from search.projects.errors import Refused
from search.projects.settings import LIMITS


def zipped(
    folder: Path, target: Path, prefix: str = "", method: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(target, "w", method) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, prefix + path.relative_to(folder).as_posix())
    return target


def content(path: Path) -> tuple[bytes, dict, dict]:
    with open_beir(path) as data:
        return data.corpus.read_bytes(), data.queries, data.judgments


def test_folder(tiny_beir):
    with open_beir(tiny_beir) as data:
        assert data.source == "tiny-beir"
        assert data.corpus == tiny_beir / "corpus.jsonl"
        assert len(data.queries) == 88
        assert data.queries["test-0"] == "what helps against bolfimodia in the cornea"
        assert {split: len(judged) for split, judged in data.judgments.items()} == {
            "train": 60,
            "dev": 8,
            "test": 20,
        }
        assert data.judgments["test"]["test-0"] == {"d28": 1}
        assert data.notes == []


@pytest.mark.parametrize("prefix", ["", "scifact/", "./"])
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_LZMA])
def test_zip_equals_its_folder(tiny_beir, tmp_path, prefix, method):
    assert content(zipped(tiny_beir, tmp_path / "a.zip", prefix, method)) == content(tiny_beir)


def test_what_looks_like_a_data_set(tiny_beir, tmp_path):
    assert is_beir(tiny_beir)
    assert is_beir(zipped(tiny_beir, tmp_path / "a.zip", "scifact/"))
    (tmp_path / "bad.zip").write_bytes(b"not a zip")
    assert not is_beir(tmp_path / "bad.zip")
    (tmp_path / "a.csv").write_text("id,text\n")
    assert not is_beir(tmp_path / "a.csv")
    (tiny_beir / "queries.jsonl").unlink()
    assert not is_beir(tiny_beir)
    assert not is_beir(zipped(tiny_beir, tmp_path / "b.zip"))


def test_unpacked_files_are_gone_afterwards(tiny_beir, tmp_path):
    with open_beir(zipped(tiny_beir, tmp_path / "a.zip")) as data:
        folder = data.corpus.parent
        assert folder.is_dir()
    assert not folder.exists()


def test_zip_two_folders_deep_is_refused(tiny_beir, tmp_path):
    with pytest.raises(Refused, match=r"^a\.zip is not a BEIR data set: corpus\.jsonl is missing"):
        content(zipped(tiny_beir, tmp_path / "a.zip", "one/two/"))


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl"])
@pytest.mark.parametrize("as_zip", [False, True])
def test_missing_file(tiny_beir, tmp_path, missing, as_zip):
    (tiny_beir / missing).unlink()
    path = zipped(tiny_beir, tmp_path / "a.zip") if as_zip else tiny_beir
    with pytest.raises(Refused) as caught:
        content(path)
    assert str(caught.value) == (
        f"{path.name} is not a BEIR data set: {missing} is missing. Expected corpus.jsonl, "
        "queries.jsonl, qrels/train.tsv and qrels/test.tsv."
    )


def test_missing_judgments(tiny_beir):
    shutil.rmtree(tiny_beir / "qrels")
    with pytest.raises(Refused, match=r"qrels/train\.tsv or qrels/test\.tsv needed"):
        content(tiny_beir)


def test_empty_files_are_named(tiny_beir):
    (tiny_beir / "qrels" / "test.tsv").write_bytes(b"")
    with pytest.raises(Refused, match=r"^test\.tsv is empty \(0 bytes\)\.$"):
        content(tiny_beir)


def test_rows_left_out_are_noted(tiny_beir):
    with (tiny_beir / "queries.jsonl").open("a") as stream:
        stream.write("broken\n")
    with (tiny_beir / "qrels" / "dev.tsv").open("a") as stream:
        stream.write("q\td\n")
    with open_beir(tiny_beir) as data:
        assert data.notes[0].startswith("queries.jsonl: 1 rows left out (line 89: not JSON")
        assert data.notes[1] == (
            "qrels/dev.tsv: 1 lines left out (line 10: has 2 fields instead of 3 (BEIR) or 4 (TREC))"
        )


def test_not_there_and_not_a_zip(tmp_path):
    with pytest.raises(Refused, match=r"^There is no file or folder .*nowhere\.$"):
        content(tmp_path / "nowhere")
    (tmp_path / "a.csv").write_text("x")
    with pytest.raises(Refused, match=r"^a\.csv is neither a BEIR folder nor a zip of one\.$"):
        content(tmp_path / "a.csv")
    for body in (b"", b"not a zip at all", b"PK\x03\x04" + b"\x00" * 40):
        (tmp_path / "b.zip").write_bytes(body)
        with pytest.raises(Refused, match=r"^b\.zip is not a zip that can be read"):
            content(tmp_path / "b.zip")


def test_path_traversal_writes_nothing_outside(tiny_beir, tmp_path, monkeypatch):
    """Names that climb are not followed: a file lands under its known name or nowhere."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    path = zipped(tiny_beir, tmp_path / "evil.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../../escaped.txt", "evil")
        archive.writestr("../../corpus.jsonl", "evil")
        archive.writestr("/tmp/bespoke-escaped.txt", "evil")
        archive.writestr("..\\..\\queries.jsonl", "evil")
        archive.writestr("qrels/../../test.tsv", "evil")
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    assert content(path) == content(tiny_beir)
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == before
    assert not Path("/tmp/bespoke-escaped.txt").exists()


def test_a_climbing_name_for_a_known_file_stays_inside(tiny_beir, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    path = zipped(tiny_beir, tmp_path / "evil.zip", prefix="../")
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    with contextlib.suppress(Refused):
        content(path)
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == before


def test_links_in_a_zip_are_not_followed(tiny_beir, tmp_path):
    secret = tmp_path / "secret.jsonl"
    secret.write_text('{"_id": "secret", "text": "secret"}\n')
    (tiny_beir / "corpus.jsonl").unlink()
    path = zipped(tiny_beir, tmp_path / "a.zip")
    link = zipfile.ZipInfo("corpus.jsonl")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, str(secret))
    assert content(path)[0] == str(secret).encode()


def test_a_file_twice_is_refused(tiny_beir, tmp_path):
    path = zipped(tiny_beir, tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other/corpus.jsonl", "{}")
    with pytest.raises(Refused, match=r"^a\.zip holds corpus\.jsonl twice\.$"):
        content(path)


def test_encrypted_is_refused(tiny_beir, tmp_path):
    path = zipped(tiny_beir, tmp_path / "a.zip")
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = raw.find(signature)
        while start >= 0:
            raw[start + offset] |= 1
            start = raw.find(signature, start + 4)
    path.write_bytes(raw)
    with pytest.raises(Refused, match=r"^a\.zip is encrypted\. Unpack it and import the folder\.$"):
        content(path)


def test_zip_bomb_is_stopped(tiny_beir, tmp_path):
    (tiny_beir / "corpus.jsonl").write_bytes(b" " * 30_000_000)
    path = zipped(tiny_beir, tmp_path / "bomb.zip")
    assert path.stat().st_size * LIMITS.zip_ratio < 30_000_000
    with pytest.raises(Refused, match=r"^bomb\.zip unpacks to far more than its size"):
        content(path)


def test_too_many_entries(tiny_beir, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LIMITS", replace(LIMITS, zip_entries=4))
    with pytest.raises(Refused, match=r"^a\.zip has 5 entries; the limit is 4\.$"):
        content(zipped(tiny_beir, tmp_path / "a.zip"))


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]
)
def test_damaged_zips_are_refused_or_read(tiny_beir, tmp_path, rng: random.Random, method):
    """Change bytes anywhere in a zip, or cut it short: it is read, or refused; nothing else."""
    whole = zipped(tiny_beir, tmp_path / "a.zip", method=method).read_bytes()
    refused = 0
    for number in range(150):
        raw = bytearray(whole)
        if number % 10 == 0:
            raw = raw[: rng.randrange(len(raw))]
        for _ in range(rng.randint(1, 3)):
            if raw:
                raw[rng.randrange(len(raw))] = rng.randrange(256)
        path = tmp_path / "damaged.zip"
        path.write_bytes(raw)
        try:
            content(path)
        except Refused as error:
            assert "damaged.zip" in str(error) or "jsonl" in str(error) or ".tsv" in str(error)
            refused += 1
    assert refused > 75


def test_scores_that_are_unclear_are_asked_for(tiny_beir, tmp_path):
    shutil.copytree(tiny_beir, tmp_path / "set")
    path = tmp_path / "set" / "qrels" / "dev.tsv"
    path.write_text(path.read_text().replace("\t1\n", "\t0.4\n", 1))
    with (
        pytest.raises(UnclearGrades, match=r'dev\.tsv: the grades in .* --grades ">=0\.5=1"'),
        open_beir(path.parents[1]),
    ):
        pass
    with open_beir(path.parents[1], JudgedColumns(grades=GradeRules.parse(">=0.5=1"))) as data:
        assert sorted(g for judged in data.judgments["dev"].values() for g in judged.values())[
            :2
        ] == [0, 1]


def test_what_is_asked_for_can_be_said(tiny_beir, tmp_path):
    shutil.copytree(tiny_beir, tmp_path / "set")
    for path in (tmp_path / "set" / "qrels").iterdir():
        header, *rows = path.read_text().splitlines()
        graded = [f"{row}\t{0 if n else 3}" for n, row in enumerate(rows)]
        header = header.replace("score", "old_score\tnew_score")
        path.write_text("\n".join([header, *graded]) + "\n")
    with (
        pytest.raises(UnclearGrades, match=r"--grade-column 'old_score'"),
        open_beir(path.parents[1]),
    ):
        pass
    with open_beir(path.parents[1], JudgedColumns(grade="new_score")) as data:
        assert sum(g for judged in data.judgments["dev"].values() for g in judged.values()) == 3
    with (
        pytest.raises(
            Refused, match=r"^No file has a column 'no' or 'none'\. Their columns are: _id, "
        ),
        open_beir(path.parents[1], JudgedColumns(grade="new_score", id=["no", "none"])),
    ):
        pass
