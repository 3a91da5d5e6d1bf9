"""How much two rankings agree, and which questions columns answer most differently."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.query_sets.query_set import current_query_set
from search.evaluation.query_sets.seal import seal_state
from search.evaluation.rankings.fit_fusion import fit_missing
from search.evaluation.rankings.self_matches import SelfMatches
from search.projects.files import write_atomically
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.projects.settings import LIMITS
from search.retrieval.columns import chosen_columns
from search.retrieval.fingerprint import column_fingerprint
from search.retrieval.results import Comparison
from search.retrieval.retriever import Retriever
from search.retrieval.search import retrievers_for

PERSISTENCE = 0.9
_DEPTH = 10
_BATCH = 64
_MOST = 300  # Questions that are asked to find those where columns differ most.
_FOLDER = "disagreements"


@dataclass(frozen=True)
class RankSimilarity:
    """How much the ranking of `other` agrees with that of `first`, over the documents that were shown.

    `common` of `of` documents are in both. `overlap` is that as a share. `biased_overlap` weighs the top more, 0 to 1
    (see `rank_biased_overlap`); `tau` compares the order, -1 to 1 (see `kendall_tau`), None where there is none.

    >>> round(rank_biased_overlap(["a", "b", "c"], ["a", "c", "b"]), 3)
    0.955
    >>> RankSimilarity("generic", "mine", 3, 3, 1.0, 0.955, 0.33).overlap
    1.0
    """

    first: str
    other: str
    common: int
    of: int
    overlap: float
    biased_overlap: float
    tau: float | None


@dataclass(frozen=True)
class RankingDisagreement:
    """A question of the query set, and how differently columns answer it: 0 alike, 1 with nothing in common.

    >>> RankingDisagreement("q1", "What is rent?", 0.4).distance
    0.4
    """

    query: str
    text: str
    distance: float


def rank_similarities(comparison: Comparison) -> list[RankSimilarity]:
    """How much each further column agrees with the first."""
    rankings = [[hit.id for hit in result.hits] for result in comparison.results]
    made = []
    for result, ranking in zip(comparison.results[1:], rankings[1:], strict=True):
        common, of = len(set(rankings[0]) & set(ranking)), max(len(rankings[0]), len(ranking))
        made.append(
            RankSimilarity(
                comparison.results[0].model,
                result.model,
                common,
                of,
                common / of if of else 1.0,
                rank_biased_overlap(rankings[0], ranking),
                kendall_tau(rankings[0], ranking),
            )
        )
    return made


def rank_biased_overlap(
    first: Sequence[str], other: Sequence[str], p: float = PERSISTENCE
) -> float:
    """Rank-biased overlap, extrapolated: 1 for equal rankings, 0 for nothing in common; the top counts most.

    Webber, Moffat and Zobel, "A Similarity Measure for Indefinite Rankings", TOIS 2010, equation 32, for lists of
    different lengths. Two empty rankings agree.

    :param p: how likely a reader goes on to the next rank; .9 lays 86 % of the weight on the first ten.
    """
    short, long = sorted((list(first), list(other)), key=len)
    s, length = len(short), len(long)
    if not s:
        return 1.0 if not length else 0.0
    seen: tuple[set[str], set[str]] = (set(), set())
    overlaps = [0]
    for depth in range(length):
        seen[0].update(short[depth : depth + 1])
        seen[1].add(long[depth])
        overlaps.append(len(seen[0] & seen[1]))
    x_s, x_l = overlaps[s], overlaps[length]
    total = sum(overlaps[d] / d * p**d for d in range(1, length + 1))
    total += sum(x_s * (d - s) / (s * d) * p**d for d in range(s + 1, length + 1))
    return (1 - p) / p * total + ((x_l - x_s) / length + x_s / s) * p**length


def kendall_tau(first: Sequence[str], other: Sequence[str]) -> float | None:
    """Kendall's tau-b over all documents of two rankings; what a ranking lacks is tied behind its last.

    Kendall 1945 for ties; the union as in Fagin, Kumar and Sivakumar, "Comparing Top k Lists", 2003.

    :returns: None where either ranking puts no document before another.
    """
    union = list(dict.fromkeys([*first, *other]))
    ranks = []
    for ranking in (first, other):
        known = {document: rank for rank, document in enumerate(ranking)}
        ranks.append([known.get(document, len(ranking)) for document in union])
    one, two = (np.sign(np.subtract.outer(places, places)) for places in ranks)
    scale = float((one**2).sum() * (two**2).sum()) ** 0.5
    return float((one * two).sum()) / scale if scale else None


def disagreements(
    project: Project, names: Sequence[str] = (), progress: Progress = silent
) -> list[RankingDisagreement]:
    """The questions of the query set, those that columns answer most differently first.

    No evaluation is needed. At most three hundred questions are asked, spread evenly; what was found is kept beside
    the project, for this corpus, query set and these columns.

    :param names: columns; the distance is the largest between the first and any other.
    :raises Refused: without documents or a query set, and for an unknown column.
    """
    path = disagreements_path(project, names)
    known = _read(path)
    if known is not None:
        return known
    fit_missing(project, names)
    retrievers, corpus = retrievers_for(project, names, Stage(progress, 0, 0.5))
    _, query_set = current_query_set(project)
    step = max(-(-len(query_set.queries) // _MOST), 1)
    asked = list(query_set.queries.items())[::step]
    own = SelfMatches.of(corpus, query_set).left_out
    found = measured(retrievers, corpus, asked, Stage(progress, 0.5, 1), own)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, json.dumps([asdict(one) for one in found], ensure_ascii=False))
    return found


def known_disagreements(
    project: Project, names: Sequence[str] = ()
) -> list[RankingDisagreement] | None:
    """What `disagreements` found before, or None: it takes no time.

    :raises Refused: without documents or a query set, and for an unknown column.
    """
    return _read(disagreements_path(project, names))


def measured(
    retrievers: Sequence[Retriever],
    corpus: Corpus,
    asked: Sequence[tuple[str, str]],
    progress: Progress = silent,
    left_out: Mapping[str, Collection[str]] | None = None,
) -> list[RankingDisagreement]:
    """How differently retrievers answer questions, the most different first.

    :param asked: ids and texts of questions.
    :param left_out: documents that stay out of the ranking of a question, by its id.
    """
    ids = corpus.ids() if left_out else []
    distances = [0.0] * len(asked)
    for start in range(0, len(asked), _BATCH):
        progress(start, len(asked), "looking for questions where the columns differ")
        texts = [text[: LIMITS.query_characters] for _, text in asked[start : start + _BATCH]]
        out = [(left_out or {}).get(query, ()) for query, _ in asked[start : start + _BATCH]]
        deep = _DEPTH + max(map(len, out))
        found = [
            [
                [str(hit.document) for hit in ranking if not own or ids[hit.document] not in own][
                    :_DEPTH
                ]
                for ranking, own in zip(retriever.rank(texts, deep), out, strict=True)
            ]
            for retriever in retrievers
        ]
        for i, (first, *others) in enumerate(zip(*found, strict=True)):
            alike = [rank_biased_overlap(first, other) for other in others]
            distances[start + i] = 1 - min(alike, default=1.0)
    order = sorted(range(len(asked)), key=lambda n: (-distances[n], n))
    return [RankingDisagreement(*asked[n], round(distances[n], 6)) for n in order]


def disagreements_path(project: Project, names: Sequence[str]) -> Path:
    """Where the disagreements of these columns are kept: named by the ids of all that they come from."""
    columns = chosen_columns(project, names)
    # Their ids alone: what they hold is read where something is measured; this is asked with each answer of a page.
    manifest = project.newest("queries") or current_query_set(project)[0]
    corpus = project.newest("corpora") or current_corpus(project)[0]
    parts = [
        "own documents left out",
        manifest.id,
        *filter(None, [seal_state(project)]),
        *(column_fingerprint(project, column, corpus) for column in columns),
    ]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
    return project.folder / _FOLDER / f"{digest}.json"


def asked_of_columns(project: Project) -> list[str]:
    """The texts of all questions that columns of a project were asked to find where they differ."""
    files = sorted((project.folder / _FOLDER).glob("[!.]*.json"))
    return [one.text for path in files for one in _read(path) or ()]


def _read(path: Path) -> list[RankingDisagreement] | None:
    try:
        return [RankingDisagreement(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return None  # Not there, or damaged: it is found again.
