"""The answer in words over the columns: which side understood, how much the columns have in common, how long they took."""

from collections.abc import Mapping, Sequence

from search.evaluation.evaluation import newest_evaluation
from search.evaluation.rankings.metrics import metric_title
from search.evaluation.rankings.rank_similarity import RankSimilarity, rank_similarities
from search.projects.project import Project
from search.retrieval.results import Comparison, SearchResult
from ui import widgets
from ui.comparing.cards import name_of
from ui.comparing.sides import Board, Side
from ui.rendering import render


def likenesses(board: Board) -> list[RankSimilarity]:
    """How much each further column agrees with the first."""
    return rank_similarities(Comparison(board.query, board.k, list(board.results)))


def brief(likeness: RankSimilarity) -> str:
    """How much a column agrees with the first, in a line."""
    said = f"{likeness.common} of {likeness.of} in common with the first"
    return f"{said} · {order_in_words(likeness)}" if likeness.tau is not None else said


def order_in_words(likeness: RankSimilarity) -> str:
    """The rank correlation (Kendall's tau, -1 to 1) in words."""
    tau = likeness.tau or 0.0
    if tau >= 0.7:
        return "much the same order"
    if tau >= 0.3:
        return "similar order"
    # What is missing on a side stands behind all that is there: few in common pull tau down, too.
    opposite = tau < -0.3 and likeness.overlap >= 0.5
    return "opposite order" if opposite else "different order"


def html(board: Board, said: str, measured: Sequence[tuple[str, str]], proof: str) -> str:
    """The sentence and the figures beside it, as HTML.

    :param proof: what leads on to the proof; may be empty.
    """
    figures: list[tuple[str, str]] = []
    if len(board.results) == 2:
        likeness = likenesses(board)[0]
        order = f", {order_in_words(likeness)}" if likeness.tau is not None else ""
        figures.append((f"{likeness.common} of {likeness.of}", f"in common{order}"))
    return render("answer.html", sentence=said, figures=[*figures, *measured], proof=proof)


def sentence(
    results: Sequence[SearchResult], sides: Sequence[Side], judged: Mapping[str, int]
) -> str:
    """Which side understood, in one plain sentence."""
    names = [side.spoken for side in sides]
    if judged:
        return _on_judged(results, names, judged)
    tops = [result.hits[0] for result in results if result.hits]
    if len(results) == 1:
        return f"{widgets.counted(len(results[0].hits), 'result')}." if tops else "Nothing found."
    if not tops:
        return "No side found anything for this question."
    if len(tops) < len(results):
        finders = [name for name, result in zip(names, results, strict=True) if result.hits]
        return f"Only {' and '.join(finders)} found anything."
    if len({hit.id for hit in tops}) == 1:
        # A name that was cut ends with dots of its own.
        return f"They agree on the first answer: {name_of(tops[0], 70)}.".replace("….", "…")
    return "They disagree on the first answer. Which would you rather read?"


def measured_gain(project: Project, names: Sequence[str]) -> list[tuple[str, str]]:
    """The measured gain of the second column over the first, if it was measured."""
    manifest = newest_evaluation(project)
    if manifest is None or len(names) != 2:
        return []
    for test in manifest.details["comparisons"]:
        if [test["baseline"], test["candidate"]] == list(names):
            count = manifest.details["queries"]
            title = metric_title(test["metric"])
            return [(f"{test['delta']:+.3f}", f"{title} on {count:,} held-out queries")]
    return []


def _on_judged(
    results: Sequence[SearchResult], names: Sequence[str], judged: Mapping[str, int]
) -> str:
    ranks = [next((hit.rank for hit in r.hits if hit.id in judged), None) for r in results]
    depth = max((len(result.hits) for result in results), default=0)
    if not any(ranks):
        return f"No side has the judged answer among its first {depth}."
    if len(set(ranks)) == 1 and len(results) > 1:
        if ranks[0] == 1:
            return "Every side puts the judged answer first."
        return f"Every side has the judged answer at rank {ranks[0]}."
    parts = [
        f"{name} puts the judged answer first"
        if rank == 1
        else f"{name} has it at rank {rank}"
        if rank
        else f"{name} does not have it among its first {depth}"
        for name, rank in sorted(zip(names, ranks, strict=True), key=lambda item: item[1] or 10_000)
    ]
    first = parts[0].replace("has it at", "has the judged answer at")
    whole = "; ".join([first, *parts[1:]])
    return whole[0].upper() + whole[1:] + "."
