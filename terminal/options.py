"""Arguments and options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from search.evaluation.query_sets.questions import Question

if TYPE_CHECKING:
    from search.corpus.filters import Condition
    from search.corpus.readers.grades import GradeRules
    from search.projects.project import Project
else:  # What is typed, and shown in the help; the parsers, which import late, say what comes of it.
    Condition = GradeRules = Project = str


ASK = "--ask"
"""The one option of a recorded command that holds a text of a question; see `printing.running`."""


def _project(finds: str) -> Any:
    """The argument that names a project, found by a function of `search.projects.project`."""

    def find(name: str) -> Project:
        from search.projects import project

        finish_deletions()
        found: Callable[[str], Project] = getattr(project, finds)
        return found(name)

    return typer.Argument(metavar="PROJECT", help="Name of the project.", parser=find)


def finish_deletions() -> None:
    """Finish what a killed process left of a deletion, before anything is read; what it owned goes, too."""
    from search.projects.graves import unfinished
    from search.projects.locks import sweep_owners
    from search.projects.settings import settings

    sweep_owners(settings().home)
    if unfinished(settings().home):
        from search.retrieval.deletion import finish_deletions as finish

        finish()


def _condition(text: str) -> Condition:
    from search.corpus.filters import parse_condition

    return parse_condition(text)


def _grades(text: str) -> GradeRules:
    from search.corpus.readers.grades import GradeRules as Rules

    return Rules.parse(text)


ThisProject = Annotated[Project, _project("project")]
ProjectToBe = Annotated[Project, _project("project_to_be")]
ProjectOfAnyFormat = Annotated[Project, _project("project_of_any_format")]
AnyProject = Annotated[Project | None, _project("project_in_any_state")]
ProjectInAnyState = Annotated[Project, _project("project_in_any_state")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: for scripts.")]
_RANKS = (
    "What ranks (repeatable): a model's name (generic or a custom one), bm25 for keyword search, hybrid:MODEL for both "
    "(hybrid:MODEL@0.3: the words count 0.3; @auto: as the dev queries weigh them), rerank:MODEL@RERANKER. Default: "
)
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help=f"{_RANKS}generic and the newest custom model."),
]
Contestants = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help=f"{_RANKS}generic, the ready-made model that is best on dev where that is another, the newest custom model, "
        "and bm25. The first is the baseline.",
    ),
]
Hits = Annotated[int, typer.Option("-k", help="How many to show.")]
Filters = Annotated[
    list[Condition] | None,
    typer.Option(
        "--filter",
        metavar="CONDITION",
        parser=_condition,
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
Grades = Annotated[
    GradeRules | None,
    typer.Option(
        "--grades",
        metavar="RULES",
        parser=_grades,
        help='What the values of the column of grades mean, 0 for not relevant: "E=3,S=2,C=1,I=0", ">=0.5=1" for all '
        "numbers from one on, or numbers where all above 0 are grades as they are.",
    ),
]
QueryColumn = Annotated[str | None, typer.Option(help="The column of queries.")]
DocumentColumn = Annotated[str | None, typer.Option(help="The column of document ids.")]
GradeColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--grade-column",
        help='The column of grades (repeatable, for several raters); "" for none: each row counts as relevant.',
    ),
]
IdColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--id-column",
        help='The column of the queries\' ids (repeatable: of several, each file has one); "" for none.',
    ),
]
Tags = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A table with the columns query-id and tag: questions that you want to see apart in a verdict.",
    ),
]
AskedQuestion = Annotated[
    Question | None,
    typer.Option(
        "--question",
        help="What the held-out queries ask. new_questions: no query of theirs is trained on, documents may be. "
        "new_documents: no document that answers them, either. Default: new_questions, unless training knows the queries.",
    ),
]
Engine = Literal["faiss", "milvus"]
EncodeWith = Literal["local", "ray"]
Form = Literal["sentence-transformers", "onnx", "openvino", "gguf", "word2vec", "faiss", "parquet"]
Precision = Literal["fp32", "fp16", "int8"]
IndexKind = Literal["auto", "flat", "hnsw", "ivf", "ivf-sq8", "ivf-pq", "ivf-rabitq", "diskann"]
