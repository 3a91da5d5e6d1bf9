"""Arrow files, alone and as `save_to_disk` leaves them in a folder."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pytest

from search.corpus.document import Document
from search.corpus.readers.arrow import saved_arrow_files
from search.corpus.readers.documents import preview_documents
from search.projects.errors import Refused

TABLE = pa.table(
    {
        "id": ["a", "b"],
        "text": ["Aspirin lowers fever.", "Rest helps."],
        "tags": [["x"], []],
        "n": [1, 2],
    }
)


def arrow(table: pa.Table = TABLE, compression: str | None = None, file: bool = False) -> bytes:
    stream = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    write = pa.ipc.new_file if file else pa.ipc.new_stream
    with write(stream, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=1)
    return stream.getvalue()


@pytest.mark.parametrize("as_file", [False, True])
def test_rows(documents, as_file):
    found, report = documents("a.arrow", arrow(file=as_file))
    assert found == [
        Document("a", "", "Aspirin lowers fever.", {"tags": '["x"]', "n": "1"}),
        Document("b", "", "Rest helps.", {"n": "2"}),
    ]
    assert (report.format, report.columns) == ("Arrow", ("id", "text", "tags", "n"))


def test_dictionaries_are_read(documents):
    column = pa.array(["One text.", "One text."]).dictionary_encode()
    found, _ = documents("a.arrow", arrow(pa.table({"text": column})))
    assert [d.text for d in found] == ["One text.", "One text."]


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
@pytest.mark.parametrize(
    "table", [TABLE, pa.table({"text": pa.array(["One."]).dictionary_encode()})]
)
def test_compressed_batches_are_refused(documents, compression, table):
    with pytest.raises(
        Refused, match=r"^a\.arrow is a compressed Arrow file\. Save it as Parquet\.$"
    ):
        documents("a.arrow", arrow(table, compression))


@pytest.mark.parametrize(
    "content", [b"no arrow at all", b"\xff\xff\xff\xff\x10\x00\x00\x00", b"%PDF-1.7", arrow()[:300]]
)
def test_what_is_not_read(documents, content):
    with pytest.raises(Refused, match=r"^a\.arrow "):
        documents("a.arrow", content)


def test_no_byte_that_is_changed_does_harm(documents):
    content = arrow()
    for at in range(0, len(content), 37):
        changed = content[:at] + bytes([content[at] ^ 0x5A]) + content[at + 1 :]
        try:
            documents("a.arrow", changed)
        except Refused as error:
            assert str(error).startswith("a.arrow ")


def saved(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "data-00000-of-00001.arrow").write_bytes(arrow())
    (folder / "cache-123.arrow").write_bytes(arrow())
    (folder / "dataset_info.json").write_text(
        '{"description": "A set of texts for people", "features": {}}'
    )
    files = [{"filename": "data-00000-of-00001.arrow"}]
    (folder / "state.json").write_text(json.dumps({"_data_files": files, "_fingerprint": "x"}))


def test_a_saved_data_set_is_its_rows(tmp_path):
    saved(tmp_path / "set" / "train")
    (tmp_path / "set" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    found, report = preview_documents(tmp_path / "set", rows=9)
    assert [d.id for d in found] == ["a", "b"]
    assert (report.format, report.refused_count) == ("1 Arrow", 0)
    assert report.notes == [
        "set: the rows of train/data-00000-of-00001.arrow were read; what describes them was not"
    ]
    saved(tmp_path / "flat")
    assert [d.id for d in preview_documents(tmp_path / "flat", rows=9)[0]] == ["a", "b"]


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"_data_files": 5}', '{"_data_files": [{}]}', "[" * 9_999]
)
def test_a_state_that_says_nothing(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_text(content)
    assert saved_arrow_files(path) == set()
