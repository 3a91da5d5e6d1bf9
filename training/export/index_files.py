"""The vectors of a corpus with the ids of their documents, for other engines: a FAISS file, or Parquet.

What is written was encoded when the index was built; it is read again by FAISS or pyarrow and held against the index before
it is published. No text of the corpus is in it: a passage is named by its document and by where it stands in that.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from indexes.faiss_files import INDEX_FILE, read_faiss
from indexes.vector_index import Vectors
from search.corpus.corpus import Corpus, current_corpus
from search.models.encoding.index_vectors import vectors_of
from search.models.registry import ModelInfo
from search.projects.artifacts import Manifest
from search.projects.errors import Failed, Refused
from search.projects.progress import Progress
from search.projects.project import Project
from search.projects.room import see_that_it_fits
from search.retrieval.indexing.build import find_index
from training.export.formats import Form

INDEX_FORMS: dict[Form, str] = {
    "faiss": "Its index, for FAISS",
    "parquet": "Its vectors, as Parquet",
}
"""The formats of an index, and their titles for people."""
_IDS, _PARQUET = "ids.jsonl", "vectors.parquet"
_BLOCK = 10_000
_LOOKED_AT = 200


def write_index(
    project: Project, info: ModelInfo, form: Form, target: Path, progress: Progress
) -> list[str]:
    """Write the vectors of the newest corpus under a model, by position, into an empty folder.

    :returns: notes on what is in it.
    :raises Refused: where the model has no index of the newest corpus.
    :raises Failed: when what was read again is not what was written.
    """
    manifest, corpus = current_corpus(project)
    index = find_index(project, info, manifest)
    if index is None:
        raise Refused(
            f"{info.name!r} has no index of the newest documents yet. Build it first: python cli.py index "
            f"{project.name} --model {info.name}."
        )
    vectors = vectors_of(project, index)
    see_that_it_fits("the export", target, 2 * vectors.nbytes, vectors.nbytes)
    if form == "faiss":
        _write_faiss(target, vectors, corpus, progress)
    else:
        _write_parquet(target, vectors, corpus, progress)
    readme = _readme(project, info, form, index)
    (target / "README.md").write_text(readme, encoding="utf-8")
    return [
        f"{len(vectors):,} vectors of {vectors.shape[1]} dimensions with the ids of their documents, as they are in the "
        f"index; {min(_LOOKED_AT, len(vectors))} of them were read again and compared."
    ]


def _rows(
    corpus: Corpus, count: int, progress: Progress
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """What names each passage, in blocks: the block's first row, and document, number of the passage in it, from where to where."""
    ids, owners = corpus.ids(), corpus.owners
    first = 0
    for start in range(0, count, _BLOCK):
        progress(start, count, f"writing {count:,} vectors")
        block = range(start, min(start + _BLOCK, count))
        rows = []
        for position, passage in zip(block, corpus.passages_at(block), strict=True):
            if position and owners[position] != owners[position - 1]:
                first = position
            rows.append(
                {
                    "id": ids[owners[position]],
                    "passage": position - first,
                    "start": passage.start,
                    "stop": passage.stop,
                }
            )
        yield start, rows


def _write_faiss(target: Path, vectors: Vectors, corpus: Corpus, progress: Progress) -> None:
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    with (target / _IDS).open("w", encoding="utf-8") as stream:
        for start, rows in _rows(corpus, len(vectors), progress):
            index.add(np.ascontiguousarray(vectors[start : start + len(rows)]))
            for row in rows:
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    faiss.write_index(index, str(target / INDEX_FILE))
    size = (target / INDEX_FILE).stat().st_size
    again = read_faiss(target, type(index).__name__, size, mapped=False)
    with (target / _IDS).open(encoding="utf-8") as stream:
        lines = sum(1 for _ in stream)
    looked_at = _sample(len(vectors))
    same = np.array_equal(again.reconstruct_batch(looked_at), vectors[looked_at])
    _see_that_it_is_the_same(again.ntotal == lines == len(vectors) and same)


def _write_parquet(target: Path, vectors: Vectors, corpus: Corpus, progress: Progress) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = target / _PARQUET
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("passage", pa.int32()),
            ("start", pa.int64()),
            ("stop", pa.int64()),
            ("vector", pa.list_(pa.float32(), vectors.shape[1])),
        ]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for start, rows in _rows(corpus, len(vectors), progress):
            flat = pa.array(np.ascontiguousarray(vectors[start : start + len(rows)]).ravel())
            columns = [
                pa.array([row[name] for row in rows], schema.field(name).type)
                for name in schema.names[:-1]
            ]
            columns.append(pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]))
            writer.write_table(pa.table(columns, schema=schema))
    looked_at = _sample(len(vectors))
    with pq.ParquetFile(path) as again:
        rows_there = again.metadata.num_rows
        given = again.read(columns=["vector"]).column("vector").take(pa.array(looked_at))
    flat = given.combine_chunks().flatten().to_numpy().reshape(len(looked_at), -1)
    _see_that_it_is_the_same(
        rows_there == len(vectors) and np.array_equal(flat, vectors[looked_at])
    )


def _sample(count: int) -> Any:
    return np.unique(np.linspace(0, count - 1, min(_LOOKED_AT, count)).astype(np.int64))


def _see_that_it_is_the_same(same: bool) -> None:
    if not same:
        raise Failed(
            "What was read again is not what was written. Nothing was published; try another disk."
        )


def _readme(project: Project, info: ModelInfo, form: Form, index: Manifest) -> str:
    return (
        f"# The vectors of {project.name} under {info.name}\n\n"
        f"{index.details['vectors']:,} passages, {index.details['dimension']} dimensions, of length 1: compare them by "
        f"cosine or dot product. Encode a query with the model itself, on the side of queries (python cli.py export "
        f"'{project.name}' '{info.name}' FOLDER), and bring it to length 1. A passage is named by the `id` of its document, its "
        "number in that, and the characters from `start` to `stop` of the document's text. "
        f"The index was made {index.created} (corpus {index.made_from['corpus']}).\n\n{_USAGES[form]}\n"
    )


_USAGES: dict[str, str] = {
    "faiss": f"""```python
import json
from pathlib import Path
import faiss

index = faiss.read_index("path/to/this/folder/{INDEX_FILE}")
rows = [json.loads(line) for line in Path("path/to/this/folder/{_IDS}").read_text(encoding="utf-8").splitlines()]
scores, positions = index.search(index.reconstruct_n(0, 1), 3)  # in place of a query: the first passage
print([rows[position]["id"] for position in positions[0]])
```""",
    "parquet": f"""```python
import pyarrow.parquet as pq

table = pq.read_table("path/to/this/folder/{_PARQUET}")  # id, passage, start, stop, vector
print(table.column("id")[0], table.column("vector")[0])
```""",
}
