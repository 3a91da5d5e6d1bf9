"""Rankings of other programs in, and ours out, in the form that all of them read: TREC run files and qrels.

A line of a run is a query, Q0, a document, a rank, a score and a name. As trec_eval does it, documents are ordered by the score
alone, equal scores by the id, the last in the alphabet first; the rank is not looked at.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search.corpus.readers.identities import near_miss
from search.evaluation.evaluation import Evaluation
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.rankings.rankings import Run
from search.models.registry import GENERIC, KEYWORD, named
from search.projects.errors import Refused, in_words
from search.projects.files import new_folder
from search.projects.project import Project, check_project_name
from search.text.spreadsheet_cells import csv_text

_FIELDS = 6
_DEEPEST = 1_000
_SAFE = re.compile(r"[^\w.@+-]+")


@dataclass(frozen=True)
class RunFile:
    """A run that was read: what was found for each query of the query set, and what was left out, in words.

    >>> RunFile("today", {"q1": ["a"]}, "5e4d", []).run["q1"]
    ['a']
    """

    name: str
    run: Run
    fingerprint: str
    notes: list[str]

    @classmethod
    def read(cls, name: str, path: Path, query_set: QuerySet, ids: Sequence[str]) -> "RunFile":
        """Read a run over the documents of a corpus; queries that the query set does not have are left out, and counted.

        Of each query the first thousand documents are kept, so that memory is bounded whatever the file holds.

        :param ids: of all documents, by position.
        :raises Refused: for a file that cannot be read, is no run, or has documents that the corpus does not have.
        """
        positions = {identity: n for n, identity in enumerate(ids)}
        read: dict[str, dict[int, float]] = {query: {} for query in query_set.queries}
        strange: dict[str, None] = {}
        hits, lost, first_lost = 0, 0, ""
        for number, query, document, score in _lines(path):
            if (known := read.get(query)) is None:
                strange[query] = None
                continue
            hits += 1
            position = positions.get(document)
            if position is None:
                lost += 1
                first_lost = first_lost or document
                continue
            if position in known:
                raise Refused(
                    f"{path.name}, line {number:,}: the document {document!r} stands twice for the query {query!r}."
                )
            known[position] = score
            if len(known) > 4 * _DEEPEST:
                read[query] = dict(_best(known, ids))
        if not hits:
            raise _other_queries(path, strange, query_set)
        if lost:
            near = near_miss([first_lost], ids)
            raise Refused(
                f"{lost:,} of the {hits:,} hits in {path.name} are documents that the corpus does not have (for example "
                f"{first_lost!r}){f': {near}' if near else ''}. Leave those lines out, or add the documents."
            )
        run = {query: [ids[n] for n, _ in _best(known, ids)] for query, known in read.items()}
        notes = []
        if empty := sum(not ranking for ranking in run.values()):
            notes.append(f"{name} has no hit for {empty:,} queries, which count 0")
        if strange:
            notes.append(
                f"{len(strange):,} queries of {path.name} left out: they are not among those that are measured"
            )
        return cls(name, run, _sha256(path), notes)


def _other_queries(path: Path, strange: Mapping[str, None], query_set: QuerySet) -> Refused:
    """The refusal of a run over other queries."""
    if not strange:
        return Refused(f"{path.name} is empty.")
    examples = f"{next(iter(strange))!r}, the query set {next(iter(query_set.queries))!r}"
    near = near_miss(strange, query_set.queries)
    return Refused(
        f"{path.name} has no query that is measured here (it has {examples}){f': {near}' if near else ''}."
    )


def run_files(texts: Sequence[str]) -> dict[str, Path]:
    """The files of runs by the names that they get, as they are typed: NAME=FILE.

    :raises Refused: for another form, and for a name that is given twice.
    """
    made: dict[str, Path] = {}
    for text in texts:
        name, sign, file = text.partition("=")
        if not (name.strip() and sign and file.strip()):
            raise Refused(f"{text!r} is not of the form NAME=FILE.")
        if name.strip() in made:
            raise Refused(f"Two runs are called {name.strip()!r}. Give each a name of its own.")
        made[name.strip()] = Path(file.strip())
    return made


def check_run_names(project: Project, names: Iterable[str]) -> None:
    """Refuse names that a column of the project has already, or that no column can have.

    :raises Refused: naming the first such.
    """
    for name in names:
        check_project_name(name)
        if name in (GENERIC, KEYWORD) or named(project, name) is not None:
            raise Refused(
                f"{name!r} is a column of this project. Give the run another name: NAME=FILE."
            )


def _lines(path: Path) -> Iterator[tuple[int, str, str, float]]:
    """The line's number, query, document and score of each hit."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                # With tabs between, ids may hold spaces.
                fields = line.rstrip("\r\n").split("\t")
                fields = fields if len(fields) == _FIELDS else line.split()
                if not fields:
                    continue
                score = _number(fields[4]) if len(fields) == _FIELDS else None
                if score is None:
                    raise Refused(
                        f"{path.name}, line {number:,} is no line of a TREC run: six fields are wanted (query, Q0, document, "
                        "rank, score, name), the fifth a number."
                    )
                yield number, fields[0], fields[2], score
    except UnicodeDecodeError:
        raise Refused(f"{path.name} is no text in UTF-8, so it is no run.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {in_words(error)}.") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _number(text: str) -> float | None:
    try:
        value = float(np.float32(text))  # What trec_eval reads it into: closer ones are ties.
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _best(known: Mapping[int, float], ids: Sequence[str]) -> list[tuple[int, float]]:
    """The first thousand documents by score, ties by id from the end of the alphabet."""
    ordered = sorted(known.items(), key=lambda hit: (hit[1], ids[hit[0]].encode()), reverse=True)
    return ordered[:_DEEPEST]


def export_runs(folder: Path, result: Evaluation, judged: QuerySet) -> None:
    """Write what an evaluation measured, for trec_eval, ranx or a spreadsheet: whole or not at all.

    NAME.run for each column, whose scores are falling whole numbers (equal scores would be ordered anew); qrels.trec with the
    judgments that were used, copies as one document; per_query.csv with every metric of every query. Fields are parted by tabs.

    :param folder: must not exist, or be empty.
    :param judged: the judgments that were used.
    :raises Refused: when something is in the way.
    """
    with new_folder(folder) as target:
        files = _file_names(list(result.scores))
        for name, run in result.runs.items():
            with (target / files[name]).open("w", encoding="utf-8") as stream:
                for query in result.queries:
                    ranking = run[query]
                    for rank, document in enumerate(ranking, 1):
                        score = len(ranking) - rank + 1
                        stream.write(
                            f"{query}\tQ0\t{document}\t{rank}\t{score}\t{_SAFE.sub('-', name)}\n"
                        )
        with (target / "qrels.trec").open("w", encoding="utf-8") as stream:
            for query in result.queries:
                for document, grade in judged.judgments.get(query, {}).items():
                    stream.write(f"{query}\t0\t{document}\t{grade}\n")
        metrics = list(next(iter(result.scores.values())))
        rows = (
            [query, text, name, *(scores[metric][n] for metric in metrics)]
            for n, (query, text) in enumerate(zip(result.queries, result.texts, strict=True))
            for name, scores in result.scores.items()
        )
        (target / "per_query.csv").write_text(
            csv_text(["query", "text", "column", *metrics], rows), encoding="utf-8"
        )


def _file_names(columns: Sequence[str]) -> dict[str, str]:
    """A file name for each column, none twice."""
    made: dict[str, str] = {}
    for column in columns:
        base = _SAFE.sub("-", column)
        name, number = f"{base}.run", 2
        while name.casefold() in (other.casefold() for other in made.values()):
            name, number = f"{base}-{number}.run", number + 1
        made[column] = name
    return made
