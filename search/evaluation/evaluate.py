"""Proof: metrics on queries never trained on, paired tests, and a verdict in one plain sentence.

Metrics come from ir-measures (pytrec_eval underneath), with trec_eval's definitions: nDCG with linear
gains, judgments of 0 not relevant, a query for which nothing was found counts 0.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from search.corpus.corpus import Corpus, current_corpus
from search.corpus.labels import Pair
from search.corpus.readers.pairs import load_pairs
from search.evaluation.leakage import leaks_of, seen_in_training
from search.evaluation.query_set import QuerySet, current_query_set, pooling_note
from search.evaluation.self_matches import SelfMatches, answers_note, relevant_documents
from search.evaluation.significance import MAIN_METRIC, PairedTest, paired_test
from search.models.cross_encoders import find_reranker, load_reranker
from search.models.registry import GENERIC, ModelInfo, current_model_name
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.files import write_json
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.columns import chosen_columns, models_in, parse_column
from search.retrieval.fingerprint import column_fingerprint
from search.retrieval.indexing.describe import truncation_notes
from search.retrieval.retriever import Retriever
from search.retrieval.search import retrievers_for

METRICS = ("ndcg@10", "mrr@10", "recall@10", "recall@100", "map@100")
TRAINED_ON = "trained_on.jsonl"
DEPTH = 100
_BATCH = 64
_PER_QUERY = "per_query.json"

Scores = dict[str, list[float]]
"""A metric's name to one value a query, in the order of the evaluation's queries."""


@dataclass(frozen=True)
class Evaluation:
    """Several models on one query set, with every single query's figures.

    `clean` is False where the query set shares queries or relevant documents with the project's pairs.
    `relevant_documents` is how many different documents the queries ask for, `left_out` for how many queries their own
    document was left out of the rankings, by what told so (see `search.evaluation.self_matches`).

    >>> from types import SimpleNamespace
    >>> from search.corpus.corpus import ScoredDocument
    >>> def side(name, *rankings):
    ...     found = [[ScoredDocument(n, 1.0, n) for n in ranking] for ranking in rankings]
    ...     return SimpleNamespace(name=name, rank=lambda texts, k: found)
    >>> test = QuerySet({"q1": "rent", "q2": "frost"}, {"q1": {"a": 1}, "q2": {"b": 1}})
    >>> corpus = SimpleNamespace(ids=lambda: ["a", "b"])
    >>> result = measure([side("generic", [1, 0], [1]), side("mine", [0], [1])], corpus, test)
    >>> result.means("generic")["mrr@10"], result.means("mine")["mrr@10"]
    (0.75, 1.0)
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

    def means(self, model: str) -> dict[str, float]:
        """The mean of each metric over the queries."""
        return {metric: float(np.mean(values)) for metric, values in self.scores[model].items()}

    def as_json(self) -> dict[str, Any]:
        """The shape that `evaluate --json` prints."""
        return {
            "queries": len(self.queries),
            "models": {model: self.means(model) for model in self.scores},
            "comparisons": [{**asdict(test), "ci95": list(test.ci95)} for test in self.comparisons],
            "relevant_documents": self.relevant_documents,
            "left_out": self.left_out,
        }

    def differences(self, baseline: str, candidate: str) -> NDArray[np.float64]:
        """nDCG@10 of the candidate minus that of the baseline, one value a query."""
        ours = np.asarray(self.scores[candidate][MAIN_METRIC])
        theirs = np.asarray(self.scores[baseline][MAIN_METRIC])
        result: NDArray[np.float64] = ours - theirs
        return result


def evaluate(
    project: Project,
    names: Sequence[str] = (),
    progress: Progress = silent,
    known: Sequence[str] = (),
) -> Evaluation:
    """Compare models on the project's query set, and keep the evaluation as an artifact.

    :param names: columns by name (see `search.retrieval.columns`); none means generic and the newest custom model. The
        first is the baseline.
    :param known: what else people should know of the models, to stand among the notes.
    :raises Refused: without documents or a query set, and for an unknown model.
    """
    corpus_manifest, corpus = current_corpus(project)
    query_manifest, query_set = current_query_set(project)
    columns = chosen_columns(project, names)
    infos = models_in(project, columns)
    again = {c.reranker for c in columns if c.reranker is not None}
    usable, unanswered = query_set.restricted_to(set(corpus.ids()))
    notes = list(known)
    if unanswered:
        notes.append(f"{unanswered:,} queries left out: no relevant document in the corpus")
    usable, seen = _unseen(project, infos, usable, query_manifest, corpus)
    if seen:
        notes.append(f"{seen:,} queries left out: a model was trained on them or their answers")
    if not usable.queries:
        raise Refused("No query is left to evaluate on: " + "; ".join(notes) + ".")
    if pooled := pooling_note(query_manifest.details):
        notes.append(pooled)
    if asks := query_manifest.details.get("asks"):
        notes.append(asks)
    leaks = leaks_of(project, query_manifest, query_set, corpus)
    if leaks.note:
        notes.append(leaks.note)
    own = SelfMatches.of(corpus, query_set).only(usable.queries)
    notes += own.notes
    if few := answers_note(usable):
        notes.append(few)
    retrievers, corpus = retrievers_for(project, names, Stage(progress, 0.0, 0.7))
    notes += truncation_notes(project, infos, corpus_manifest)
    asked = list(usable.queries.values())
    notes += _unread_again(project, sorted(again), corpus, asked)
    stage = Stage(progress, 0.7, 1.0)
    result = measure(retrievers, corpus, usable, notes, stage, own.left_out)
    result = replace(result, clean=leaks.clean, left_out=own.as_json())
    fingerprints = {c.name: column_fingerprint(project, c, corpus_manifest) for c in columns}
    made_from = {
        "corpus": corpus_manifest.id,
        "queries": query_manifest.id,
        **{f"model:{info.name}": info.id for info in infos},
        **{f"reranker:{name}": find_reranker(project, name).id for name in sorted(again)},
    }
    with project.publish("evaluations", made_from) as draft:
        draft.details.update(
            result.as_json(), notes=notes, clean=result.clean, fingerprints=fingerprints
        )
        write_json(
            draft.folder / _PER_QUERY,
            {
                "queries": result.queries,
                "texts": result.texts,
                "scores": result.scores,
                "first_relevant": result.first_relevant,
            },
        )
    progress(1, 1, f"evaluated on {len(result.queries):,} queries")
    return result


def load_evaluation(project: Project, manifest: Manifest) -> Evaluation:
    """Read an evaluation artifact, checked to be whole."""
    folder = project.checked(manifest)
    content = json.loads((folder / _PER_QUERY).read_text(encoding="utf-8"))
    facts = manifest.details
    # What was evaluated before splits were checked holds no word on it.
    return Evaluation(
        comparisons=_tests(manifest),
        notes=facts["notes"],
        clean=facts.get("clean", True),
        # Nor was this counted, or left out, at first.
        relevant_documents=facts.get("relevant_documents", 0),
        left_out=facts.get("left_out", SelfMatches().as_json()),
        **content,
    )


def newest_evaluation(project: Project, model: str | None = None) -> Manifest | None:
    """The newest evaluation of the current corpus and query set, or None.

    :param model: only an evaluation that measured this model.
    """
    found = _current_evaluations(project)
    return next((m for m in found if model is None or model in m.details["models"]), None)


def verdict_on(project: Project, model: str) -> tuple[PairedTest, int] | None:
    """The newest test of a model against generic on the current corpus and query set.

    :returns: the test, and how many queries it was on; None when there was none.
    """
    for manifest in _current_evaluations(project):
        for test in _tests(manifest):
            if test.baseline == GENERIC and model in (
                test.candidate,
                current_model_name(project, test.candidate),
            ):
                return test, int(manifest.details["queries"])
    return None


def _current_evaluations(project: Project) -> Iterator[Manifest]:
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


def _tests(manifest: Manifest) -> list[PairedTest]:
    return TypeAdapter(list[PairedTest]).validate_python(manifest.details["comparisons"])


def measure(
    retrievers: Sequence[Retriever],
    corpus: Corpus,
    query_set: QuerySet,
    notes: Sequence[str] = (),
    progress: Progress = silent,
    left_out: Mapping[str, Collection[str]] | None = None,
) -> Evaluation:
    """Rank every query with every model, score the rankings, and test each model against the first.

    :param left_out: documents that stay out of the ranking of a query, by its id.
    """
    queries = sorted(query_set.queries)
    texts = [query_set.queries[query] for query in queries]
    ids = corpus.ids()
    scores: dict[str, Scores] = {}
    firsts: dict[str, list[int | None]] = {}
    for place, retriever in enumerate(retrievers):
        stage = Stage(progress, place / len(retrievers), (place + 1) / len(retrievers))
        rankings = _rankings(
            retriever, texts, ids, stage, [(left_out or {}).get(q, ()) for q in queries]
        )
        run = dict(zip(queries, rankings, strict=True))
        scores[retriever.name] = score(run, query_set)
        firsts[retriever.name] = [
            next((n for n, d in enumerate(run[q], 1) if query_set.judgments[q].get(d, 0) > 0), None)
            for q in queries
        ]
    names = list(scores)
    tests = [
        paired_test(names[0], name, scores[names[0]][MAIN_METRIC], scores[name][MAIN_METRIC])
        for name in names[1:]
    ]
    asked = relevant_documents(query_set)
    return Evaluation(queries, texts, scores, firsts, tests, list(notes), relevant_documents=asked)


def score(
    run: dict[str, list[str]], query_set: QuerySet, metrics: Sequence[str] = METRICS
) -> Scores:
    """Each metric for each query (sorted by id).

    :param run: query id to document ids, best first.
    :param query_set: the judgments.
    :param metrics: which of `METRICS`; whoever measures again and again while learning needs one alone.
    """
    import ir_measures
    from ir_measures import AP, RR, R, nDCG

    measures = (nDCG @ 10, RR @ 10, R @ 10, R @ 100, AP @ 100)
    known = zip(measures, METRICS, strict=True)
    names = {measure: name for measure, name in known if name in metrics}
    queries = sorted(run)
    qrels = [
        ir_measures.Qrel(query, document, grade)
        for query in queries
        for document, grade in query_set.judgments[query].items()
    ]
    # trec_eval orders by score, ties by document id: falling whole numbers keep our order instead.
    docs = [
        ir_measures.ScoredDoc(query, document, float(-rank))
        for query in queries
        for rank, document in enumerate(run[query])
    ]
    found: dict[str, dict[str, float]] = {name: {} for name in metrics}
    if docs:
        for value in ir_measures.iter_calc(list(names), qrels, docs):
            found[names[value.measure]][value.query_id] = float(value.value)
    return {name: [found[name].get(query, 0.0) for query in queries] for name in metrics}


def _rankings(
    retriever: Retriever,
    texts: Sequence[str],
    ids: Sequence[str],
    progress: Progress,
    left_out: Sequence[Collection[str]],
) -> list[list[str]]:
    message = f"searching {len(texts):,} held-out queries with {retriever.name}"
    found: list[list[str]] = []
    for start in range(0, len(texts), _BATCH):
        progress(start, len(texts), message)
        out = left_out[start : start + _BATCH]
        deep = DEPTH + max(map(len, out))
        rankings = retriever.rank(texts[start : start + _BATCH], deep)
        for ranking, own in zip(rankings, out, strict=True):
            named = (ids[document] for document, _, _ in ranking)
            found.append([identity for identity in named if identity not in own][:DEPTH])
    return found


def trained_pairs(project: Project, info: ModelInfo) -> list[Pair]:
    """The pairs that a model was trained on; none for a ready-made one, or one that learned from documents."""
    if info.kind == "generic":
        return []
    manifest = project.artifact("models", info.id)
    if TRAINED_ON not in manifest.files:
        return []
    return load_pairs(project.checked(manifest) / TRAINED_ON)


def _unread_again(
    project: Project, rerankers: Sequence[str], corpus: Corpus, asked: Sequence[str]
) -> Iterator[str]:
    """What rerankers do not read of a corpus beside the questions that are asked."""
    for name in rerankers:
        cut = load_reranker(project, find_reranker(project, name)).truncation(corpus, asked)
        if cut is not None and cut.is_short:
            yield cut.sentence(name)


def _unseen(
    project: Project,
    infos: Sequence[ModelInfo],
    query_set: QuerySet,
    manifest: Manifest,
    corpus: Corpus,
) -> tuple[QuerySet, int]:
    """Leave out what a custom model may have been trained on.

    A model trained with this query set in view was kept apart from it then; only a model that is older
    than the query set, or was made from another custom model, needs a look at its training pairs.
    """
    seen: set[str] = set()
    for info in infos:
        if info.kind == "generic":
            continue
        model = project.artifact("models", info.id)
        if model.made_from.get("queries") == manifest.id and "base" not in model.made_from:
            continue
        seen |= seen_in_training(trained_pairs(project, info), query_set, corpus)
    return query_set.only(q for q in query_set.queries if q not in seen), len(seen)
