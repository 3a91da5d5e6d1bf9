"""Which ready-made model to start from and to be held against: what is on this machine, measured, and what a hub has."""

from dataclasses import dataclass
from typing import Any

from search.models.pretrained.at_hand import download, models_at_hand, not_at_hand
from search.projects.progress import Progress, Stage
from search.projects.project import Project
from training.baseline import Standing, measured_ready_made

_SHARE = 0.2
"""Of the minutes of a training, for measuring what it could start from."""


@dataclass(frozen=True)
class ReadyMadeAdvice:
    """The ready-made models side by side, in words.

    :param standings: the best first.
    :param sentence: which one is the best.
    :param generic_dev: nDCG@10 of the generic one on the dev queries; None where it was not measured.
    :param better: what to do where that is not the generic one; None where it is.
    :param notes: what a hub could give, or why it gave nothing.

    >>> ReadyMadeAdvice((), "Only one is here.", None, None, ()).as_json()["sentence"]
    'Only one is here.'
    """

    standings: tuple[Standing, ...]
    sentence: str
    generic_dev: float | None
    better: str | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types, and each model's figures in words."""
        rows = [{"title": one.title, "figures": one.figures} for one in self.standings]
        return {"sentence": self.sentence, "standings": rows, "notes": list(self.notes)}


def ready_made(
    project: Project, language: str | None, budget: float, with_hub: bool, progress: Progress
) -> ReadyMadeAdvice:
    """Measure the ready-made models of a project and of this machine on the dev queries; nothing is added.

    :param language: of most documents, by its code; it decides what a hub is asked for.
    :param budget: minutes of a training, of which this takes a fifth at most (downloads apart).
    """
    notes = []
    missing = not_at_hand(project, language)
    if with_hub and missing:
        note = download(missing, Stage(progress, 0.0, 0.3))
        notes += [note] if note else []
    elif missing:
        size = sum(model.megabytes for model in missing)
        names = ", ".join(model.sentence for model in missing)
        notes.append(
            f"A hub has {len(missing)} more that are worth measuring: {names}. To download {size:,} MB and measure them too: "
            f"python cli.py advise {project.name} --download."
        )
    at_hand = models_at_hand(project)
    measured = measured_ready_made(
        project, Stage(progress, 0.3, 1.0), 60 * _SHARE * budget, at_hand
    )
    best = measured.standings[0]
    better = None
    if best.score is not None and not measured.is_generic:
        do = (
            f"python cli.py default-model {project.name} {best.name}"
            if best.added
            else f"python cli.py add-model {project.name} {best.name} --default"
        )
        better = f"{best.title} does better on your dev queries ({best.figures}): {do}."
    return ReadyMadeAdvice(
        measured.standings, measured.sentence, measured.generic_score, better, tuple(notes)
    )
