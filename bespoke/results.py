"""What a project answers: sentences and a table each, in a terminal as text, in a notebook as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from search.evaluation.evaluation import Evaluation
from search.evaluation.rankings.metrics import CONDENSED
from search.evaluation.statistics.significance import PairedTest, Verdict
from search.judging.setup import Setup
from search.judging.study import Study
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.results import Comparison, Hit

if TYPE_CHECKING:
    import pandas as pd

_TEMPLATES = Path(__file__).parent / "templates"
_CHARACTERS = 100


class Shown:
    """Something with sentences and a table: what a terminal prints of it, and what a notebook shows.

    >>> class Row(Shown):
    ...     def rows(self):
    ...         return [{"question": "<b>who pays?</b>", "share": 0.5}]
    >>> Row()
           question  share
    <b>who pays?</b>  0.500
    >>> "<b>" in Row()._repr_html_(), "<td" in Row()._repr_html_()
    (False, True)
    """

    @property
    def sentences(self) -> list[str]:
        """What it comes to, in words."""
        return []

    def rows(self) -> list[dict[str, Any]]:
        """The rows of the table."""
        return []

    def table(self) -> "pd.DataFrame":
        """The table, to go on with."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def __repr__(self) -> str:
        rows = self.rows()
        drawn = [self.table().to_string(index=False, float_format="{:.3f}".format)] if rows else []
        return "\n".join([*self.sentences, *drawn])

    def _repr_html_(self) -> str:
        rows = self.rows()
        return (
            _environment()
            .get_template("result.html")
            .render(sentences=self.sentences, columns=list(rows[0]) if rows else [], rows=rows)
        )


@dataclass(frozen=True, repr=False)
class AddedDocuments(Shown):
    """Documents that came in: how many were `added`, and `documents` and `passages` of the whole corpus now.

    >>> print(AddedDocuments(added=2, documents=12, passages=30))
    2 documents came in; the corpus has 12 in 30 passages.
    """

    added: int
    documents: int
    passages: int
    notes: Sequence[str] = ()

    @property
    def sentences(self) -> list[str]:
        """See `Shown.sentences`."""
        came = "1 document" if self.added == 1 else f"{self.added:,} documents"
        return [
            f"{came} came in; the corpus has {self.documents:,} in {self.passages:,} passages.",
            *self.notes,
        ]


@dataclass(frozen=True, repr=False)
class AddedPairs(Shown):
    """Pairs that came in: to train on, to steer by (`dev_queries`), and, held out for the proof, `test_queries`.

    >>> print(AddedPairs(pairs=80, dev_queries=10, test_queries=20))
    80 pairs to train on, 10 dev queries, 20 held-out test queries.
    """

    pairs: int
    dev_queries: int
    test_queries: int
    notes: Sequence[str] = ()

    @property
    def sentences(self) -> list[str]:
        """See `Shown.sentences`."""
        held = f", {self.test_queries:,} held-out test queries" if self.test_queries else ""
        said = f"{self.pairs:,} pairs to train on, {self.dev_queries:,} dev queries{held}."
        return [said, *self.notes]


@dataclass(frozen=True, repr=False)
class TrainedModel(Shown):
    """A custom model; its name, which `str` gives, stands for it in every call.

    >>> model = TrainedModel("mine", "20260101-000000-abc", "adapter", 384)
    >>> model
    The model 'mine' is ready (adapter, 384 dimensions).
    >>> f"{model}"
    'mine'
    """

    name: str
    id: str
    recipe: str
    dimension: int
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        return self.name

    @property
    def sentences(self) -> list[str]:
        """See `Shown.sentences`."""
        facts = f"{self.recipe}, {self.dimension:,} dimensions"
        return [f"The model {self.name!r} is ready ({facts}).", *self.notes]


@dataclass(frozen=True, repr=False)
class ProvenVerdict(Shown):
    """What an evaluation says of one column against another, on held-out queries.

    `test` is the paired test between the two, `evaluation` all that was measured.

    >>> from search.evaluation.statistics.significance import paired_test
    >>> test = paired_test("generic", "mine", [0.1, 0.2, 0.3] * 10, [0.5, 0.4, 0.6] * 10)
    >>> verdict = ProvenVerdict(test, Evaluation(["q"], ["frost"], {}, {}, [test]))
    >>> verdict.better, round(verdict.delta, 2), verdict.p_adjusted < 0.05
    (True, 0.3, True)
    """

    test: PairedTest
    evaluation: Evaluation

    @property
    def verdict(self) -> Verdict:
        """better, worse, or no clear difference."""
        return self.test.verdict

    @property
    def better(self) -> bool:
        """Whether the candidate is better for certain: False says worse, or that these queries cannot tell."""
        return self.test.verdict == "better"

    @property
    def delta(self) -> float:
        """The mean difference in the metric that decides, candidate minus baseline."""
        return self.test.delta

    @property
    def ci95(self) -> tuple[float, float]:
        """The 95 % interval of the difference; of several candidates, the one that holds for all at once."""
        return self.test.interval

    @property
    def p_adjusted(self) -> float:
        """The p that the verdict follows: adjusted for all candidates ever measured on these queries.

        Of keyword search, which is no candidate, its own.
        """
        return self.test.p_decisive

    @property
    def sentences(self) -> list[str]:
        """See `Shown.sentences`."""
        if self.evaluation.too_few:
            return [self.evaluation.too_few, *self.evaluation.notes]
        queries = len(self.evaluation.queries)
        more = filter(None, (self.test.practical_sentence, self.test.power_sentence))
        said = [self.test.sentence(queries), self.test.evidence, *more]
        if self.test == self.evaluation.decision.main:
            said += self.evaluation.sentences[1:]
        return [*said, *self.evaluation.notes]

    def rows(self) -> list[dict[str, Any]]:
        """One row a column, one number a metric; none where the questions are too few for a figure."""
        if self.evaluation.too_few:
            return []
        return [
            {"column": name, **{m: v for m, v in means.items() if m != CONDENSED}}
            for name, means in (
                (name, self.evaluation.means(name)) for name in self.evaluation.scores
            )
        ]


@dataclass(frozen=True, repr=False)
class ComparedHits(Shown):
    """One question, searched in several columns.

    >>> from search.retrieval.results import Best, SearchResult
    >>> hit = Hit(1, "a", 0.5, "Dues", "The rent is due.", Best("The rent is due.", "", None, 1, 1))
    >>> hits = ComparedHits(Comparison("rent", 1, [SearchResult("bm25", [hit], 1.5)]))
    >>> hits["bm25"][0].id
    'a'
    >>> hits.rows()
    [{'rank': 1, 'bm25': 'a: Dues: The rent is due.'}]
    """

    comparison: Comparison
    notes: Sequence[str] = ()

    def __getitem__(self, column: object) -> list[Hit]:
        for result in self.comparison.results:
            if result.model == str(column):
                return result.hits
        there = ", ".join(result.model for result in self.comparison.results)
        raise Refused(f"{str(column)!r} was not searched. There are: {there}.")

    @property
    def sentences(self) -> list[str]:
        """See `Shown.sentences`."""
        said = [f"{r.model}: {r.note}." for r in self.comparison.results if r.note]
        return [self.comparison.query, *said, *self.notes]

    def rows(self) -> list[dict[str, Any]]:
        """One row a rank, one cell a column: id, title and how the best passage begins."""
        deepest = max((len(result.hits) for result in self.comparison.results), default=0)
        return [
            {
                "rank": rank + 1,
                **{
                    result.model: _in_short(result.hits[rank]) if rank < len(result.hits) else ""
                    for result in self.comparison.results
                },
            }
            for rank in range(deepest)
        ]


def _in_short(hit: Hit) -> str:
    text = " ".join(hit.passage.text.split())[:_CHARACTERS]
    return ": ".join(filter(None, (hit.id, hit.title, text)))


@dataclass(frozen=True, repr=False)
class JudgingBoard(Shown):
    """Questions that are lined up for blind votes, and what the votes say as they come in.

    People vote on the page Judge; each look at the board reads what was said by then.

    >>> JudgingBoard(Project(Path("workspace") / "leases"), Setup("generic", "mine", goal=20)).setup.goal
    20
    """

    project: Project
    setup: Setup
    notes: Sequence[str] = field(default=())

    @property
    def study(self) -> Study:
        """All that is known of the judging now."""
        from search.corpus.corpus import current_corpus

        return Study.of(self.project, self.setup, current_corpus(self.project)[0])

    @property
    def sentences(self) -> list[str]:
        """See `Shown.sentences`."""
        from search.judging.summary import summary

        said = summary(self.project, self.setup).lines
        lined = len(self.study.candidates)
        return [f"{lined:,} questions are lined up on the page Judge.", *said, *self.notes]

    def rows(self) -> list[dict[str, Any]]:
        """One row a question: its text, and how many people voted."""
        study = self.study
        votes = study.votes.by_question
        return [
            {
                "question": study.questions[one.question].text,
                "votes": len(votes.get(one.question, ())),
            }
            for one in study.candidates
        ]


@dataclass(frozen=True, repr=False)
class ExportedModel(Shown):
    """A model that was written for other programs, after it was held against the model.

    >>> ExportedModel("mine", Path("out"), "onnx")
    mine is in out (onnx); how to use it stands in README.md there.
    """

    name: str
    folder: Path
    format: str
    notes: Sequence[str] = ()

    @property
    def sentences(self) -> list[str]:
        """See `Shown.sentences`."""
        said = f"{self.name} is in {self.folder} ({self.format}); how to use it stands in README.md there."
        return [said, *self.notes]


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
