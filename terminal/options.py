"""Arguments and options that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer

ProjectName = Annotated[str, typer.Argument(metavar="PROJECT", help="Name of the project.")]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help="What ranks (repeatable): a model's name (generic or a custom one), bm25 for keyword search, "
        "hybrid:MODEL for both (hybrid:MODEL@0.3: the words count 0.3), rerank:MODEL@RERANKER. "
        "Default: generic and the newest custom model.",
    ),
]
Hits = Annotated[int, typer.Option("-k", help="How many to show.")]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="CONDITION",
        help="Only documents with this metadata (repeatable): type=case,statute or year>=2015.",
    ),
]
ByTier = Annotated[
    bool, typer.Option("--by-tier", help="Better source tiers first (see add --tiers).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Encoding = Annotated[
    str | None,
    typer.Option(help="How letters are stored: utf-8, cp1252, utf-16 ... Default: found out."),
]
Delimiter = Annotated[
    str | None, typer.Option(help="What parts the columns of a CSV. Default: found out.")
]


class Engine(StrEnum):
    """Where an index lives."""

    FAISS = "faiss"
    MILVUS = "milvus"


class EncodeWith(StrEnum):
    """What computes the vectors of a corpus."""

    LOCAL = "local"
    RAY = "ray"


class IndexKind(StrEnum):
    """How an index searches."""

    AUTO = "auto"
    FLAT = "flat"
    HNSW = "hnsw"
    IVF = "ivf"
    IVF_SQ8 = "ivf-sq8"
    IVF_PQ = "ivf-pq"
    IVF_RABITQ = "ivf-rabitq"
    DISKANN = "diskann"
