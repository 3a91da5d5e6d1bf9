"""What is compared where nobody says, and what training starts from: whoever wins against a weak opponent has shown nothing."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from search.evaluation.ledger.sealing import Manner
from search.models.api.encoder import ApiEncoder
from search.models.encoder import Encoder
from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model, not_yet_added
from search.models.pretrained.at_hand import AtHand, models_at_hand
from search.models.registry import (
    GENERIC,
    KEYWORD,
    ModelInfo,
    default_models,
    is_taken,
    models,
    precision_of,
)
from search.models.tokenizers import size_of
from search.projects.errors import Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project
from training.dev_set import DevSet
from training.halving import Entrant, halve, openable
from training.similarity_cost import dev_of

_MEGABYTE = 1e6
_NOTHING = (
    "without dev queries (they come with pairs), or a second model, there is nothing to measure"
)


@dataclass(frozen=True)
class Standing:
    """A ready-made model beside others, as far as it was measured.

    :param name: in the project; of a model that is not in it, what `add_model` takes.
    :param title: what people read.
    :param score: nDCG@10 on `queries` dev queries over `passages` passages; None where it was not measured.
    :param milliseconds: of encoding one query; `megabytes` of its files.
    :param added: whether it is a model of the project.
    :param why_not: in words why it was not measured, or not to the end; "" where it was.
    """

    name: str
    title: str
    score: float | None
    queries: int
    passages: int
    milliseconds: float | None
    megabytes: float | None
    added: bool
    why_not: str = ""

    @property
    def figures(self) -> str:
        """In words: .612 nDCG@10 on 150 dev queries over 2,000 passages, 12 ms a query, 91 MB.

        >>> Standing("static", "WordLlama", 0.5, 40, 300, 0.21, 18.2, True).figures
        '0.500 nDCG@10 on 40 dev queries over 300 passages, 0.2 ms a query, 18 MB'
        """
        if self.score is None:
            return f"not measured: {self.why_not}"
        parts = [
            f"{self.score:.3f} nDCG@10 on {self.queries:,} dev queries over {self.passages:,} passages"
        ]
        parts += [f"{self.milliseconds:.1f} ms a query"] if self.milliseconds is not None else []
        parts += [f"{self.megabytes:,.0f} MB"] if self.megabytes is not None else []
        return ", ".join(parts)


@dataclass(frozen=True)
class ReadyMade:
    """The best ready-made model, and how it stands beside the others.

    `info` is a model of the project. `standings` begin with the one that was chosen; the others follow by score. `notes` are
    what a person should know of one that was added.

    >>> info = ModelInfo("generic", "generic", "generic", None, 384, "f00d", "2026-01-01", "all-MiniLM-L6-v2")
    >>> ReadyMade(info, ()).sentence
    'generic is the only ready-made model that could be measured here.'
    """

    info: ModelInfo
    standings: tuple[Standing, ...]
    notes: tuple[str, ...] = ()

    @property
    def score(self) -> float | None:
        """nDCG@10 of the best on the dev queries."""
        return self.standings[0].score if self.standings else None

    @property
    def milliseconds(self) -> float | None:
        """What it takes to encode one query."""
        return self.standings[0].milliseconds if self.standings else None

    @property
    def megabytes(self) -> float | None:
        """How large its files are."""
        return self.standings[0].megabytes if self.standings else None

    @property
    def highest(self) -> Standing:
        """The highest dev score of those that were measured to the end, by chance or not; the chosen one without any."""
        last = [one for one in self.standings if one.score is not None]
        last = [one for one in last if one.passages == last[0].passages]
        return max(last, key=lambda one: one.score or 0.0, default=self.standings[0])

    @property
    def generic_score(self) -> float | None:
        """nDCG@10 of the model that the project calls generic on the dev queries."""
        return next((one.score for one in self.standings if one.name == GENERIC), None)

    @property
    def is_generic(self) -> bool:
        """Whether nothing that was measured is better than the model that the project calls generic."""
        return self.standings[0].name == GENERIC

    @property
    def sentence(self) -> str:
        """Which one it is, and what was measured, in words."""
        measured = [one for one in self.standings if one.score is not None]
        if not measured and self.standings:
            return f"No ready-made model was measured: {self.standings[0].why_not}."
        if len(measured) < 2:
            return f"{self.info.name} is the only ready-made model that could be measured here."
        best, highest = measured[0], self.highest
        if highest != best:
            return (
                f"{best.title} stays: {highest.title} is higher on {highest.queries:,} dev queries "
                f"({highest.score:.3f} to {best.score:.3f}), by no more than chance."
            )
        return (
            f"{best.title} is the best of {len(measured)} ready-made models here: {best.figures}."
        )

    def as_json(self) -> list[dict[str, Any]]:
        """The standings in plain JSON types."""
        return [asdict(one) for one in self.standings]


def contestants(
    project: Project,
    names: Sequence[str] = (),
    open_seal: bool = False,
    progress: Progress = silent,
) -> tuple[list[str], Manner]:
    """The columns of an evaluation, the baselines first, and how it is made.

    Where nobody names any: generic, the ready-made model of the project with the highest score on the dev queries where that
    is another (an opponent too many does no harm, one too few does), the newest custom model, and keyword search; with more
    than one ready-made model, each of the first two is a baseline. To open a seal, one name is measured against that model. What a server computes is not asked unasked: its texts
    would be paid for.

    :raises Refused: without documents.
    """
    if names and not (open_seal and len(names) == 1):
        return list(names), Manner(open_seal=open_seal)
    best = measured_ready_made(project, progress).highest.name
    custom = [info.name for info in default_models(project)[1:]]
    if open_seal:
        return [best, *(names or custom)], Manner(open_seal=True)
    ready = list(dict.fromkeys([GENERIC, best]))
    return [*ready, *custom, KEYWORD], Manner(baselines=len(ready) if custom else 1)


def best_ready_made(
    project: Project, progress: Progress = silent, seconds: float | None = None
) -> ReadyMade:
    """The best ready-made model of the project and of this machine on the dev queries; one that wins is added to the project.

    :param seconds: how long measuring may take; None for as long as it takes.
    :returns: generic where there are no dev queries, or nothing beats it by more than chance.
    :raises Refused: without documents.
    """
    at_hand = models_at_hand(project)
    measured = measured_ready_made(project, progress, seconds, at_hand)
    best = measured.standings[0]
    if best.added:
        return measured
    commit = next(one.commit for one in at_hand if one.reference == best.name)
    choices = Choices(name=_free_name(project, best.name), commit=commit)
    added = add_model(project, best.name, choices)
    note = f"{best.title} is a model of the project now, {added.info.name!r}."
    return ReadyMade(added.info, measured.standings, (note, *added.notes))


def measured_ready_made(
    project: Project,
    progress: Progress = silent,
    seconds: float | None = None,
    at_hand: Sequence[AtHand] = (),
) -> ReadyMade:
    """The ready-made models of a project, and others that are at hand, on the dev queries; nothing is added or changed.

    What a server computes is measured where nothing of it would have to be paid for.

    :returns: with `info` generic where the best is not in the project.
    :raises Refused: without documents.
    """
    infos = [info for info in models(project) if info.kind == "generic"]
    infos = [
        info for info in infos if precision_of(project, info) == precision_of(project, infos[0])
    ]
    dev = dev_of(project) if len(infos) + len(at_hand) > 1 else None
    if dev is None:
        name, title = infos[0].name, infos[0].title
        only = Standing(name, title, None, 0, 0, None, None, added=True, why_not=_NOTHING)
        return ReadyMade(infos[0], (only,))
    entrants = [Entrant(info.name, partial(_opened, project, info, dev)) for info in infos]
    entrants += [Entrant(one.reference, partial(_outside, infos, one)) for one in at_hand]
    able = openable(entrants)
    limit = math.inf if seconds is None else seconds
    best = halve(able[0], able[1:], dev, limit, progress) if able else entrants[0]
    known: list[ModelInfo | AtHand] = [*infos, *at_hand]
    rows = [(e, _standing(project, e, one)) for e, one in zip(entrants, known, strict=True)]
    rows.sort(key=lambda row: (row[0] is not best, -row[1].passages, -(row[1].score or 0.0)))
    chosen = next((info for info in infos if info.name == best.name), infos[0])
    return ReadyMade(chosen, tuple(standing for _, standing in rows))


def _standing(project: Project, entrant: Entrant, known: ModelInfo | AtHand) -> Standing:
    """A model as far as it was measured."""
    added = isinstance(known, ModelInfo)
    size = size_of(project, known) if isinstance(known, ModelInfo) else known.bytes
    return Standing(
        name=entrant.name,
        title=known.title if isinstance(known, ModelInfo) else known.reference,
        score=entrant.score,
        queries=len(entrant.each),
        passages=entrant.passages,
        milliseconds=entrant.milliseconds,
        megabytes=None if size is None else size / _MEGABYTE,
        added=added,
        why_not=entrant.why_not,
    )


def _opened(project: Project, info: ModelInfo, dev: DevSet) -> tuple[ModelInfo, Encoder]:
    """A model of the project; a server's only where all that it would be asked is paid for.

    :raises BespokeError: where it is not, and where it cannot be loaded.
    """
    if info.format != "endpoint":
        return info, load_encoder(project, info)
    encoder = load_encoder(project, info, max_tokens=1)  # Less than any text has: nothing is sent.
    assert isinstance(encoder, ApiEncoder)
    try:
        encoder.encode_query(dev.queries)
        paid = not encoder.estimate(dev.texts).texts
    except Refused:
        paid = False
    if not paid:
        raise Refused("a server computes it, and what it has not read yet would be paid for.")
    return info, encoder


def _outside(infos: Sequence[ModelInfo], one: AtHand) -> tuple[ModelInfo, Encoder]:
    """A model that is not in the project under any name.

    :raises BespokeError: where it is, and where it cannot be loaded.
    """
    info, encoder = not_yet_added(one.reference, one.commit)
    for known in infos:
        if known.fingerprint == info.fingerprint:
            raise Refused(f"it is {known.name!r} of this project")
    return info, encoder


def _free_name(project: Project, reference: str) -> str:
    """A name for a model that is added: the last part of what it is called, with a number where that is taken."""
    stem = reference.rsplit("/", maxsplit=1)[-1]
    name, number = stem, 1
    while is_taken(project, name):
        number += 1
        name = f"{stem}-{number}"
    return name
