"""How far a project is on the way from documents to a proof, and the one thing to do next.

Home, the navigation, the strip of steps and the empty states all ask here, so that they say the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from search.evaluation.evaluation import newest_evaluation
from search.judging.counter import QuestionCount, count_questions
from search.judging.to_query_set import grown_elsewhere
from search.models.registry import custom_manifests
from search.projects.artifacts import Kind, Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.retrieval import history
from ui import run_view
from ui.page_names import TITLES, WAY

State = Literal["done", "next", "running", "ahead"]


@dataclass(frozen=True)
class NextStep:
    """The one button that leads on: what it says, and where it goes."""

    label: str
    page: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One page on the way, with what stands there: "436", "240 + 116 for the proof"."""

    page: str
    title: str
    state: State
    said: str = ""


def next_step(project: Project) -> NextStep:
    """What to do next in a project."""
    going = run_view.going_in_words(run_view.latest(project, ["train"]))
    if _newest(project, "corpora") is None:
        return NextStep("Add documents", "corpus")
    if going:
        return NextStep(going, "train")
    pairs, queries = _newest(project, "pairs"), _newest(project, "queries")
    few = _few_questions(project, queries)
    if not custom_manifests(project):
        if pairs is not None or not few:
            return NextStep("Train a model", "train")
        return NextStep("Add questions", "questions")
    if few:
        return NextStep("Add questions for the proof", "questions")
    if newest_evaluation(project) is None:
        return NextStep("See the proof", "evaluate")
    return NextStep("Compare", "compare")


def steps(project: Project | None) -> list[Step]:
    """The pages on the way, each with its state; all ahead where no project is open."""
    if project is None:
        return [Step(page, TITLES[page], "ahead") for page in WAY]
    said = _said(project)
    following = next_step(project).page
    running = run_view.going(run_view.latest(project, ["train"]))
    made = []
    for page in WAY:
        state: State = "done" if said[page] else "ahead"
        if page == "train" and running:
            state = "running"
        elif page == following:
            state = "next"
        made.append(Step(page, TITLES[page], state, said[page] or ""))
    return made


def _few_questions(project: Project, queries: Manifest | None) -> bool:
    """Whether a proof still lacks questions. What was judged here grows into a query set when it is measured."""
    return not grown_elsewhere(queries) and bool(_counted(project).missing)


def _counted(project: Project) -> QuestionCount:
    """The counter; none where votes cannot be read: the page they stand on says so."""
    try:
        return count_questions(project)
    except BespokeError:
        return QuestionCount(0, 0, 0, 0)


def _said(project: Project) -> dict[str, str]:
    """What is there already, by page; empty where nothing is."""
    corpus, pairs, queries = (_newest(project, k) for k in ("corpora", "pairs", "queries"))
    models = len(custom_manifests(project))
    known = [f"{pairs.details['pairs']:,}"] if pairs else []
    if grown_elsewhere(queries):
        known += [f"{queries.details['queries']:,} for the proof"]
    elif (count := _counted(project)).judged:
        known += [f"{count.short} for the proof"]
    return {
        "corpus": f"{corpus.details['documents']:,}" if corpus else "",
        "questions": " + ".join(known),
        "train": ("1 model" if models == 1 else f"{models:,} models") if models else "",
        "compare": "asked" if history.recent(project, 1) else "",
        "evaluate": "measured" if newest_evaluation(project) else "",
    }


def _newest(project: Project, kind: Kind) -> Manifest | None:
    """The newest of a kind; None where it is damaged, too: the page it stands on says so."""
    try:
        return project.newest(kind)
    except BespokeError:
        return None
