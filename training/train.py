"""Training a custom model, from a recipe's name to a published model."""

from collections.abc import Collection, Mapping
from typing import Any

from search.judging.to_query_set import grow_query_set
from search.models.registry import is_taken
from search.projects.errors import AlreadyThere, Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project, check_project_name
from search.projects.turns import turn
from training.base_model import refuse_refit_as_start, with_absolute_base
from training.checkpoints import Checkpointer
from training.distributed import alone, first_speaks, helps_only
from training.recipes import recipe_info, validated
from training.result import Request, Trained
from training.room import see_that_training_fits

_IN_SEVERAL_PROCESSES = "fine-tune"


def train(
    project: Project,
    recipe: str,
    name: str | None = None,
    values: Mapping[str, Any] | None = None,
    progress: Progress = silent,
    checkpointer: Checkpointer | None = None,
    strict: bool = False,
) -> Trained | None:
    """Train a model by a recipe on the newest corpus and pairs, and publish it.

    :param name: what to call it; by default the recipe's name, numbered when taken.
    :param values: settings that differ from the recipe's defaults.
    :param checkpointer: keeps how far it came, and finds how far an earlier try came.
    :param strict: learn from no pair whose answer is relevant to a test or dev query, whatever they ask: for a verdict on
        new documents.
    :returns: what was published; None in a process that only helped (see `training.distributed`).
    :raises Refused: for an unknown recipe or setting, a name that is taken, or data that is missing.
    """
    with first_speaks():
        info = recipe_info(recipe)
        if strict and not info.needs_pairs:
            raise Refused(
                f"{info.name} learns from the documents alone: there are no pairs to keep apart."
            )
        settings = with_absolute_base(project, validated(info, values or {}))
        refuse_refit_as_start(project, getattr(settings, "base", None))
        free_name(project, info.name, name)  # Refused before it waits.
        if not alone() and info.name != _IN_SEVERAL_PROCESSES:
            raise Refused(
                f"Only fine-tune trains in several processes; {info.name} takes one. Start it without torchrun."
            )
        kept = checkpointer or Checkpointer()
        if helps_only():  # It goes with the first one, whose turn it is.
            called = free_name(project, info.name, name)
            asked = Request(project, called, info.name, settings, progress, kept, strict=strict)
            return info.train(asked)
        # Several processes find each other within a bounded time, so they cannot wait.
        with turn(project, name, wait=alone()) as own:
            called = own.reserve(lambda others: free_name(project, info.name, name, others))
            grow_query_set(project)  # What was judged by now is kept apart from what is learned.
            needs = see_that_training_fits(project, info.name, settings)
            if needs:
                progress(0, 0, needs)
            asked = Request(project, called, info.name, settings, progress, kept, strict=strict)
            return info.train(asked)


def free_name(
    project: Project, otherwise: str, name: str | None, others: Collection[str] = ()
) -> str:
    """What a new model is called.

    :param otherwise: its name where none was asked for, numbered when taken.
    :param others: names that models which are not there yet will have.
    :raises Refused: for a name that cannot be used, or is taken.
    """
    if name is not None:
        check_project_name(name)
        if name in others or is_taken(project, name):
            raise AlreadyThere(f"The name {name!r} is taken. Choose another one.")
        return name
    number, free = 1, otherwise
    while free in others or is_taken(project, free):
        number += 1
        free = f"{otherwise}-{number}"
    return free
