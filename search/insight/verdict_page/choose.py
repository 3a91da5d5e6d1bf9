"""Which comparison a verdict is about: two columns by name, in the newest evaluation that compared them as they are now."""

from search.evaluation.evaluation import current_evaluations
from search.insight.verdict_page.content import MeasuredPair
from search.models.registry import GENERIC, KEYWORD, current_model_name, default_models
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.columns import chosen_columns


def candidate_of(project: Project, model: str | None, against: str | None = None) -> str:
    """The column that a verdict is about: the one that is named, else the newest custom model.

    :param against: what it is to be compared with, where that is named.
    :raises Refused: where none is named and nothing was trained, for an unknown column, and for one column twice.
    """
    named = [name for name in (model, against) if name is not None]
    chosen = [column.name for column in chosen_columns(project, named)] if named else []
    if len(chosen) < len(named):
        raise Refused(f"{model!r} against {against!r} names one column twice.")
    if model is not None:
        return chosen[0]
    newest = default_models(project)[-1]
    if newest.kind != "custom":
        raise Refused(
            f"{project.name!r} has no custom model yet, so there is no verdict: train one, or name a column with --model."
        )
    return newest.name


def columns_to_measure(candidate: str, against: str | None) -> list[str]:
    """The columns of an evaluation that a verdict asks for: the baseline first, keyword search beside."""
    return list(dict.fromkeys([against or GENERIC, candidate, KEYWORD]))


def find_measured(project: Project, candidate: str, against: str | None) -> MeasuredPair | None:
    """The newest evaluation of today's corpus, query set and columns that compared two columns; None where none did.

    :param against: the baseline; None takes that of the newest evaluation of the candidate.
    """
    for manifest in current_evaluations(project):
        pair = _pair(project, manifest, candidate, against)
        if pair is not None:
            return MeasuredPair.of(project, manifest, *pair)
    return None


def _pair(
    project: Project, manifest: Manifest, candidate: str, against: str | None
) -> tuple[str, str] | None:
    """Candidate and baseline as the evaluation names them: a model may bear another name by now."""
    main = manifest.details.get("headline")  # Evaluations had none at first.
    tests = manifest.details["comparisons"]
    # Where no baseline is named, that of the headline comes first: the strongest.
    pairs = [(one["candidate"], one["baseline"]) for one in ([main] if main else []) + tests]
    for theirs, ours in pairs:
        is_candidate = candidate in (theirs, current_model_name(project, theirs))
        names = (ours, current_model_name(project, ours))
        if is_candidate and (against is None or against in names):
            return theirs, ours
    return None
