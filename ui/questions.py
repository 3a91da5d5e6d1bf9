"""Questions: by which questions, whose right answers are known, will the proof be made?"""

from search.projects.artifacts import Manifest
from search.projects.project import Project
from ui import corpus_queries, deleting, navigation, run_view, widgets

_VERBS = ("queries",)


@widgets.over_documents(
    "Which questions shall it answer?",
    "Nothing to ask yet",
    "Add documents first; then questions can be proposed from them, typed or brought along.",
)
def page(project: Project, _: Manifest) -> None:
    """Draw the page."""
    deleting.say_what_went()
    run = run_view.latest(project, _VERBS)
    if run_view.watched(run):
        return
    run_view.ended(run, quiet=["done"])
    corpus_queries.step(project)
    if project.newest("queries") is not None:
        navigation.step("Train a model", "train", "questions-to-train")
