"""What a command of the terminal does alike when a program asks for it: the work, and what is said beside it on stderr."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.projects.settings import settings
from terminal.printing import aside, checkpoints_of, tell_left_out, tell_notes, tell_report

if TYPE_CHECKING:
    from search.corpus.ingest import IngestChoices, Intake
    from search.evaluation.evaluate import Extras
    from search.evaluation.evaluation import Evaluation
    from search.projects.project import Project
    from training.result import Trained


def add_files(
    project: "Project",
    files: Sequence[Path],
    choices: "IngestChoices",
    run: Any,
    passage_tokens: int | None = None,
    overlap: int | None = None,
) -> "Intake":
    """Add documents from files, and say what was understood of each, and of what nothing is made."""
    from search.corpus.corpus import current_corpus
    from search.corpus.ingest import add_documents, in_words
    from search.models.chunking import chunking_for
    from search.models.legibility import illegible

    chunking, pieces = chunking_for(project, passage_tokens, overlap)
    made = add_documents(project, files, replace(choices, chunking=chunking, pieces=pieces), run)
    for report in made.reports:
        tell_report(run, report, "documents")
    tell_left_out(run, made.listed)
    tell_notes(run, made.notes)
    if chunking.tokens:
        aside(f"Longer documents are cut into {in_words(chunking)}.")
    if note := illegible(project, current_corpus(project)[1]):
        tell_notes(run, [note])
    return made


def train_by(
    project: "Project",
    recipe: str,
    name: str | None,
    values: Mapping[str, Any],
    run: Any,
    strict: bool = False,
) -> "Trained | None":
    """Train by a recipe, and say what is to be known of it before and after.

    :returns: what was published; None in a process that only helped.
    """
    from training.advice.power import known_power
    from training.base_model import reading_notes
    from training.checkpoints import Checkpointer
    from training.recipes import recipe_info, validated
    from training.train import train as train_model

    # What cannot be trained at all is refused before the documents are looked at.
    validated(recipe_info(recipe), values)
    if not settings().rank:  # Of several processes the first looks at the start, and speaks.
        shown = known_power(project)
        notes = [] if shown is None else [shown.sentence]
        tell_notes(run, [*reading_notes(project, values.get("base")), *notes])
    checkpointer = Checkpointer(checkpoints_of(run))
    made = train_model(project, recipe, name, values, run, checkpointer, strict)
    return tell_trained(project, made, run)


def tell_trained(project: "Project", made: "Trained | None", run: Any) -> "Trained | None":
    """Say what is to be known of a model, and write down what a second training needs."""
    if made is None:
        return None
    tell_notes(run, made.notes)
    manifest = project.artifact("models", made.id)
    # All that a second training needs to give the same model, in the run's own folder.
    needed = {key: manifest.details[key] for key in ("settings", "libraries", "device")}
    run.result(model=made.name, id=made.id, data=manifest.made_from, **needed)
    return made


def measure(
    project: "Project",
    names: Sequence[str],
    run: Any,
    extras: "Extras | None" = None,
    open_seal: bool = False,
    watching: bool = False,
) -> "Evaluation":
    """Compare columns on held-out queries; what the first evaluation promises is said before, notes are said after.

    :param names: of columns, the baseline first; none for the usual ones.
    :param watching: a job that only watches what was decided before is no look at the questions.
    """
    from search.evaluation.evaluate import Extras, evaluate
    from search.evaluation.ledger.protocol import protocol_of
    from search.evaluation.verdict.verdicts import promise
    from search.judging.sample import grades_by_text
    from search.judging.to_query_set import grow_query_set
    from training.baseline import contestants
    from training.similarity_cost import similarity_notes

    if not watching:
        grow_query_set(project)
    beside = replace(extras or Extras(), grades=grades_by_text(project))
    columns, how = contestants(project, names, open_seal, run)
    ours = [name for name in columns if name not in beside.runs]
    if not protocol_of(project).fixed:
        aside(promise(project, ours))
    known = similarity_notes(project, ours, run)
    result = evaluate(project, columns, run, known, beside, replace(how, watching=watching))
    tell_notes(run, result.notes)
    return result
