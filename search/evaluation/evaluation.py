"""An evaluation as it is kept: several models on one query set, what was tested, and the newest that still holds."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from search.evaluation.labels.copy_figures import CopyFigures
from search.evaluation.labels.counted import Counted
from search.evaluation.labels.other_side import OtherSide
from search.evaluation.query_sets.questions import NEW_DOCUMENTS, Question, question_of
from search.evaluation.rankings.metrics import Scores
from search.evaluation.rankings.rankings import Run
from search.evaluation.rankings.self_matches import SelfMatches
from search.evaluation.slices.define import Slice
from search.evaluation.slices.tested import SliceTest, compare_slices, large_enough, worse_on
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.power import FEWEST_QUESTIONS, how_many_more
from search.evaluation.statistics.significance import PairedTest
from search.evaluation.verdict.both_questions import QuestionResult, question_sentences
from search.evaluation.verdict.costs import Cost
from search.evaluation.verdict.decision import Decision
from search.models.registry import GENERIC, current_model_name
from search.projects.artifacts import Draft, Manifest
from search.projects.errors import Refused
from search.projects.files import write_json
from search.projects.libraries import libraries
from search.projects.project import Project
from search.retrieval.columns import parse_column
from search.retrieval.fingerprint import column_fingerprint

TOPS = 3
"""So many of the first documents of every query are kept, to be shown side by side."""
LIBRARIES = ("ir-measures", "numpy", "scipy", "faiss-cpu", "sentence-transformers", "torch")
_PER_QUERY = "per_query.json"


@dataclass(frozen=True)
class Evaluation:
    """Several models on one query set, with every single query's figures.

    `clean` is False where the query set shares queries or relevant documents with the project's pairs, or holds questions
    that were proposed from the documents: `proposed` says how many. `by_people` says that its answers were judged in this project.
    `relevant_documents` is how many different documents the queries ask for, `left_out` for how many queries their own
    document was left out of the rankings, by what told so (see `search.evaluation.rankings.self_matches`), `groups` which queries are independent (None: not known).
    `question` is what the query set asks, `questions` what is said to either (see `search.evaluation.verdict.both_questions`).
    `slices` are the tests inside parts of the queries, `slice_members` the positions of each part's queries, by its key.
    `tops` are the ids of the first three documents of each query in each column, `costs` what each column costs,
    `decision` what all of it comes to.

    >>> from search.evaluation.statistics.significance import paired_test
    >>> tested = paired_test("generic", "mine", [1.0, 0.0], [1.0, 0.6])
    >>> scores = {"generic": {"ndcg@10": [1.0, 0.0]}, "mine": {"ndcg@10": [1.0, 0.6]}}
    >>> firsts = {"generic": [1, None], "mine": [1, 3]}
    >>> result = Evaluation(["q1", "q2"], ["rent", "frost"], scores, firsts, [tested])
    >>> result.means("mine"), result.differences("generic", "mine").tolist()
    ({'ndcg@10': 0.8}, [0.0, 0.6])
    >>> result.comparisons[0].verdict
    'no clear difference'
    """

    queries: list[str]
    texts: list[str]
    scores: dict[str, Scores]
    first_relevant: dict[str, list[int | None]]
    comparisons: list[PairedTest]
    notes: list[str] = field(default_factory=list)
    clean: bool = True
    relevant_documents: int = 0
    left_out: dict[str, int] = field(default_factory=lambda: SelfMatches().as_json())
    groups: QueryGroups | None = None
    slices: list[SliceTest] = field(default_factory=list)
    slice_members: dict[str, list[int]] = field(default_factory=dict)
    tops: dict[str, list[list[str]]] = field(default_factory=dict)
    copies: CopyFigures = field(default_factory=CopyFigures)
    counted: Counted = field(default_factory=Counted)
    runs: dict[str, Run] = field(default_factory=dict, compare=False)
    unjudged: list[OtherSide] = field(default_factory=list)
    costs: dict[str, Cost] = field(default_factory=dict)
    decision: Decision = field(default_factory=Decision)
    question: Question = NEW_DOCUMENTS
    questions: dict[Question, QuestionResult] = field(default_factory=dict)
    proposed: int = 0
    by_people: bool = False

    @property
    def too_few(self) -> str:
        """Why no figure is shown, where so few judged questions cannot bear one; else empty."""
        count = len(self.queries)
        if not self.by_people or count >= FEWEST_QUESTIONS:
            return ""
        on = "1 question has" if count == 1 else f"{count} questions have"
        return f"Too few to tell: {on} a right answer. {how_many_more(count)}"

    @property
    def not_clean(self) -> str:
        """Why nobody may call it clean; empty where it is."""
        if self.proposed:
            count = len(self.queries)
            part = "" if self.proposed == count else f" ({self.proposed:,} of {count:,} of them)"
            return (
                f"This verdict is on questions proposed from the documents{part}: a person accepted them, and nobody "
                "asked them. Questions that people really ask may go another way."
            )
        if not self.clean:
            return "This is not a clean evaluation: training and test share questions or answers."
        return ""

    def in_slices(self, slices: Sequence[Slice]) -> "Evaluation":
        """The same with the tests inside slices of its queries.

        :param slices: fixed before the queries were scored.
        """
        groups = self.groups or QueryGroups.single(len(self.queries))
        pairs = [(test.baseline, test.candidate) for test in self.comparisons]
        metric = self.decision.protocol.metric
        tested = compare_slices(slices, self.scores, pairs, groups, metric=metric)
        members = {
            one.key: np.flatnonzero(one.members).tolist() for one in large_enough(slices, groups)
        }
        return replace(self, slices=tested, slice_members=members)

    @property
    def question_sentences(self) -> list[str]:
        """In words which question the figures answer, and what they say to the other one."""
        return question_sentences(self.question, self.questions)

    @property
    def sentences(self) -> list[str]:
        """What it comes to, in plain sentences: the verdict, what got worse for certain, keyword search, the gain in words."""
        if self.too_few:
            return [self.too_few]
        said = self.decision.sentences(len(self.queries))
        main = self.decision.main
        lost = worse_on(self.slices, main.baseline, main.candidate) if main is not None else ""
        return [*said[:1], f"It is {lost}.", *said[1:]] if lost else said

    def means(self, model: str) -> dict[str, float]:
        """The mean of each metric over the queries."""
        return {metric: float(np.mean(values)) for metric, values in self.scores[model].items()}

    def as_json(self) -> dict[str, Any]:
        """The shape that `evaluate --json` prints."""
        return {
            "queries": len(self.queries),
            "models": {model: self.means(model) for model in self.scores},
            "comparisons": [test.as_json() for test in self.comparisons],
            "relevant_documents": self.relevant_documents,
            "left_out": self.left_out,
            "groups": self.groups.as_json() if self.groups else None,
            "slices": [test.as_json() for test in self.slices],
            "copies": asdict(self.copies),
            "counted": asdict(self.counted),
            "unjudged": [asdict(side) for side in self.unjudged],
            "costs": {name: cost.as_json() for name, cost in self.costs.items()},
            **self.decision.as_json(),
            "question": self.question,
            "questions": {asked: said.as_json() for asked, said in self.questions.items()},
            "proposed": self.proposed,
            "by_people": self.by_people,
        }

    def save(self, draft: Draft, fingerprints: Mapping[str, str]) -> None:
        """Write the evaluation into an artifact.

        :param fingerprints: of each column as it was measured.
        """
        draft.details.update(
            self.as_json(),
            notes=self.notes,
            clean=self.clean,
            fingerprints=dict(fingerprints),
            libraries=libraries(LIBRARIES),
        )
        each = ("queries", "texts", "scores", "first_relevant", "slice_members", "tops")
        content = {name: getattr(self, name) for name in each}
        if self.groups is not None:
            content["groups"] = self.groups.labels.tolist()
        write_json(draft.folder / _PER_QUERY, content)

    def differences(self, baseline: str, candidate: str) -> NDArray[np.float64]:
        """The main metric of the candidate minus that of the baseline, one value a query."""
        metric = self.decision.protocol.metric
        ours = np.asarray(self.scores[candidate][metric])
        theirs = np.asarray(self.scores[baseline][metric])
        result: NDArray[np.float64] = ours - theirs
        return result


def load_evaluation(project: Project, manifest: Manifest) -> Evaluation:
    """Read an evaluation artifact, checked to be whole."""
    folder = project.checked(manifest)
    content = json.loads((folder / _PER_QUERY).read_text(encoding="utf-8"))
    facts = manifest.details
    tests = tests_of(manifest)
    # At first queries were not grouped.
    labels = content.pop("groups", None)
    # What was evaluated before splits were checked holds no word on it.
    return Evaluation(
        comparisons=tests,
        notes=facts["notes"],
        clean=facts.get("clean", True),
        # Nor was this counted, or left out, at first.
        relevant_documents=facts.get("relevant_documents", 0),
        left_out=facts.get("left_out", SelfMatches().as_json()),
        decision=Decision.from_json(facts, tests),
        groups=None if labels is None else QueryGroups(np.array(labels, dtype=np.int32)),
        # Nor was it looked at in parts, or timed.
        slices=TypeAdapter(list[SliceTest]).validate_python(facts.get("slices", [])),
        copies=TypeAdapter(CopyFigures).validate_python(facts.get("copies", {})),
        counted=Counted(**facts.get("counted", {})),
        unjudged=TypeAdapter(list[OtherSide]).validate_python(facts.get("unjudged", [])),
        costs=TypeAdapter(dict[str, Cost]).validate_python(facts.get("costs", {})),
        # At first there was one question.
        question=question_of(facts),
        questions={q: QuestionResult.from_json(r) for q, r in facts.get("questions", {}).items()},
        # Nor were questions proposed.
        proposed=facts.get("proposed", 0),
        by_people=facts.get("by_people", False),
        **content,
    )


def newest_evaluation(project: Project, model: str | None = None) -> Manifest | None:
    """The newest evaluation of the current corpus and query set, or None.

    :param model: only an evaluation that measured this model.
    """
    found = current_evaluations(project)
    return next((m for m in found if model is None or model in m.details["models"]), None)


def verdict_on(project: Project, model: str) -> tuple[PairedTest, int] | None:
    """The newest test of a model against generic on the current corpus and query set; where the same evaluation tested it
    against a better ready-made model, too, that one.

    :returns: the test, and how many queries it was on; None when there was none.
    """
    for manifest in current_evaluations(project):
        tests = [
            test
            for test in tests_of(manifest)
            if model in (test.candidate, current_model_name(project, test.candidate))
        ]
        if any(test.baseline == GENERIC for test in tests):
            return tests[-1], int(manifest.details["queries"])
    return None


def current_evaluations(project: Project) -> Iterator[Manifest]:
    """Evaluations of the current corpus, query set and columns, the newest first.

    Where another model or reranker bears a name by now, what was measured of the earlier one says nothing of it. One
    that is gone takes nothing back.
    """
    corpus, queries = project.newest("corpora"), project.newest("queries")
    if corpus is None or queries is None:
        return
    now: dict[str, str | None] = {}
    for manifest in project.all_where("evaluations", corpus=corpus.id, queries=queries.id):
        measured = manifest.details["fingerprints"]
        for name in measured.keys() - now.keys():
            now[name] = None
            with suppress(Refused):  # It is gone.
                now[name] = column_fingerprint(project, parse_column(name), corpus)
        if all(now[name] in (None, fingerprint) for name, fingerprint in measured.items()):
            yield manifest


def tests_of(manifest: Manifest) -> list[PairedTest]:
    """What an evaluation tested, by its manifest."""
    return TypeAdapter(list[PairedTest]).validate_python(manifest.details["comparisons"])
