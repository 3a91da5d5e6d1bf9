"""Adding a ready-made model to a project: looked at, tried, and noted; nothing is kept of one that fails."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from search.corpus.corpus import current_corpus
from search.models.api.settings import api_settings, is_openai_model
from search.models.pretrained import wordllama
from search.models.pretrained.opening import (
    OpenedCheckpoint,
    facts_of,
    open_checkpoint,
    prompt_notes,
    tried,
)
from search.models.prompts import Prompts, prompts_of
from search.models.registry import (
    ModelInfo,
    added_info,
    find_model,
    is_taken,
    models,
)
from search.models.window import truncation_at_server, truncation_of
from search.projects.artifacts import Manifest, now
from search.projects.errors import AlreadyThere, Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project, check_project_name
from search.projects.publishing import Drafts

_ODD = re.compile(
    r"[^\w .()+-]+"
)  # What a name must not hold: a server's "nomic-embed-text:latest".
_STEM = 24  # A name may have 160 bytes: a stem of this many letters of any script leaves room for a number.


@dataclass(frozen=True)
class Choices:
    """What a person can choose about a model; None leaves it to the model.

    `server` holds fields of `ApiSettings`; with a `base_url` in it, the reference is a model's name there. `commit` is the
    version of a hub id: exactly that one, without asking the hub where it is on this machine.

    >>> Choices(name="e5", query_prompt="query: ").default
    False
    """

    name: str | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None
    max_length: int | None = None
    default: bool = False
    server: Mapping[str, Any] = field(default_factory=dict)
    commit: str | None = None


@dataclass(frozen=True)
class AddedModel:
    """The model that was added, and what the person should know of it.

    >>> info = ModelInfo("e5", "m-1", "generic", None, 384, "f00d", "2026-01-01", "intfloat/e5-small-v2")
    >>> AddedModel(info, notes=["Put before each query: “query: ”."]).info.name
    'e5'
    """

    info: ModelInfo
    notes: list[str]


def add_model(
    project: Project,
    reference: str,
    choices: Choices = Choices(),
    progress: Progress = silent,
) -> AddedModel:
    """Add a ready-made model: a folder, a hub id, `static`, `multilingual`, one of OpenAI's models, or a model of a server.

    :raises Refused: when there is no such model, it cannot be read or gives no usable vectors, or its name is
        taken; nothing is changed then.
    """
    _ = project.info
    reference = reference.strip()
    name = _free_name(project, reference, choices)
    opened: OpenedCheckpoint | None = None
    progress(0, 2, f"looking at {reference}")
    if choices.server.get("base_url") or is_openai_model(reference):
        known = _server(project, reference, choices)
    elif reference.lower() in wordllama.REFERENCES:
        known = _static(choices)
    elif choices.server:
        option = next(iter(choices.server)).replace("_", "-")
        raise Refused(
            f"--{option} is for a model at a server: give its address, too: --base-url URL."
        )
    else:
        known, opened = _checkpoint(reference, choices, progress)
    for info in models(project):
        if info.fingerprint == known["fingerprint"]:
            raise AlreadyThere(
                f"This model is in {project.name!r} already: it is {info.name!r}. Nothing was added."
            )
    known["notes"] += _unread(project, name, known, opened)
    with project.publish_together() as drafts:
        draft = drafts.add("models")
        draft.details.update(kind="generic", name=name, recipe=None, **known)
        if choices.default:
            drafts.change(lambda _: {"generic": draft.id})
    progress(2, 2, f"{name} is added")
    return AddedModel(find_model(project, name), known["notes"])


def added_with(
    project: Project, drafts: Drafts, reference: str, besides: str
) -> tuple[AddedModel, Any]:
    """The model of a project that a folder or hub id names, for what stands on it: added once, shared afterwards.

    :param drafts: where it is added as `add_model` would; it appears with what else is in there.
    :param besides: a name that it cannot have, for something else in there will.
    :returns: the model (its notes say that it is new), and its encoder.
    :raises Refused: see `open_checkpoint`.
    """
    known, opened = _checkpoint(reference, Choices(), silent)
    for info in models(project):
        if info.fingerprint == known["fingerprint"]:
            return AddedModel(info, []), opened.model
    last = _ODD.sub("-", reference.rstrip("/").rsplit("/", maxsplit=1)[-1]).strip("-. ()+_")
    stem = last[:_STEM].rstrip() or "base"
    number, name = 1, stem
    while name == besides or is_taken(project, name):
        number += 1
        name = f"{stem}-{number}"
    draft = drafts.add("models")
    draft.details.update(kind="generic", name=check_project_name(name), recipe=None, **known)
    made = Manifest(id=draft.id, kind="models", created=now(), details=draft.details)
    note = (
        f"{reference} is a model of the project now, {name!r}: an adapter is stored without the model beneath it, and "
        "needs that."
    )
    return AddedModel(added_info(made), [note]), opened.model


def not_yet_added(reference: str, commit: str | None = None) -> tuple[ModelInfo, Any]:
    """A ready-made model of this machine as `add_model` would note it, and its encoder; nothing is changed.

    Its vectors are known by the same fingerprint when it is added, so none is computed again.

    :raises Refused: see `add_model`.
    """
    name = reference.rstrip("/").rsplit("/", maxsplit=1)[-1]
    if reference in wordllama.REFERENCES:
        known, encoder = _static(Choices()), wordllama.load()
    else:
        known, opened = _checkpoint(reference, Choices(commit=commit), silent)
        encoder = opened.model
    details = {"kind": "generic", "name": name, "recipe": None, **known}
    return added_info(Manifest(id=name, kind="models", created=now(), details=details)), encoder


def check_server(reference: str, choices: Choices) -> None:
    """See that what is said of a server makes sense; nothing is sent.

    :raises Refused: naming the first thing that does not.
    """
    if choices.server.get("base_url") or is_openai_model(reference):
        api_settings({"model": reference, **choices.server}).key()


def _free_name(project: Project, reference: str, choices: Choices) -> str:
    """The name asked for, or the last part of the reference.

    :raises Refused: when it is taken, or cannot be a name.
    """
    if not reference:
        raise Refused(
            "Say which model: a folder, a hub id such as intfloat/e5-small-v2, static, or multilingual."
        )
    name = choices.name
    if name is None:
        last = reference.rstrip("/").rsplit("/", maxsplit=1)[-1]
        name = (
            "static"
            if reference.lower() in wordllama.REFERENCES
            else _ODD.sub("-", last).strip("-")
        )
    check_project_name(name)
    if is_taken(project, name):
        raise AlreadyThere(f"The name {name!r} is taken. Choose another one: --name NAME.")
    return name


def _static(choices: Choices) -> dict[str, Any]:
    """What a manifest says of the static model; `notes` are told, too."""
    if choices.query_prompt or choices.document_prompt or choices.max_length:
        raise Refused("The static model takes no prompts, and reads texts of any length.")
    model = wordllama.load()
    content = wordllama.content()
    return {
        "format": wordllama.FORMAT,
        "reference": "wordllama",
        "origin": f"{wordllama.TITLE}, static vectors",
        "dimension": int(tried(model, "the static model").shape[1]),
        "fingerprint": content,
        "prompts": asdict(Prompts()),
        "max_length": None,
        "content": content,
        "notes": ["One vector a word piece, averaged: fast on any processor, blind to word order."],
    }


def _unread(
    project: Project, name: str, known: Mapping[str, Any], opened: OpenedCheckpoint | None
) -> list[str]:
    """What the model would not read of the project's documents, where it has some."""
    if project.newest("corpora") is None:
        return []
    _, corpus = current_corpus(project)
    if opened is not None:
        cut = truncation_of(opened.model, corpus)
    else:
        cut = truncation_at_server(known["max_length"], corpus)
    return [cut.sentence(name)] if cut is not None and cut.is_short else []


def _checkpoint(
    reference: str, choices: Choices, progress: Progress
) -> tuple[dict[str, Any], OpenedCheckpoint]:
    """The same of a checkpoint, after it was loaded."""
    opened = open_checkpoint(
        reference,
        choices.query_prompt,
        choices.document_prompt,
        choices.max_length,
        progress,
        choices.commit,
    )
    prompts = opened.prompts
    facts = [opened.files.content, prompts.query, prompts.document, choices.max_length]
    fingerprint = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    return {**facts_of(opened), "fingerprint": fingerprint}, opened


def _server(project: Project, reference: str, choices: Choices) -> dict[str, Any]:
    """The same of a server's model, after it answered."""
    from search.models.api.client import probe
    from search.models.api.encoder import FORMAT

    given = {"model": reference, **choices.server}
    if choices.max_length is not None:
        given["max_length"] = choices.max_length
    settings = api_settings(given)
    prompts = prompts_of({}, (settings.model,), choices.query_prompt, choices.document_prompt)
    notes = prompt_notes(prompts)
    if settings.in_plain_sight:
        notes.append(
            f"The key travels to {settings.base_url} unencrypted. Use https:// unless you trust the way there."
        )
    return {
        "format": FORMAT,
        "reference": settings.model,
        "origin": f"{settings.model} at {settings.base_url}",
        "dimension": probe(settings, project.name),
        "fingerprint": settings.fingerprint(prompts),
        "prompts": asdict(prompts),
        "max_length": settings.max_length,
        "settings": settings.model_dump(),
        "notes": notes,
    }
