"""One who learns: a material with its own dev queries, and each way to learn from it."""

import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.models.encoding.texts import encode_texts
from search.models.linear_adapter import with_adapter
from search.models.registry import named
from search.projects.progress import Progress, Stage
from training.adapter.fit import measure_of, train_adapter
from training.adapter.recipe import followed_adapter, plan_of_adapter
from training.adapter.settings import AdapterSettings
from training.auto.budgeted_search import TrialResult
from training.auto.fitting import Fitted, steered_by
from training.auto.settings import AutoSettings
from training.data.answering_passages import answering_passages
from training.dev_set import DevSet
from training.embeddings import Embedded, embedded, numbered
from training.fine_tune.recipe import learn_fine_tune
from training.fine_tune.settings import FineTuneSettings
from training.fine_tune.speed import characters
from training.refit_plan import plan_facts, plan_of
from training.result import Learn, Request
from training.settings import RecipeSettings
from training.static.recipe import learn_static
from training.static.settings import StaticSettings
from training.training_data import TrainingData
from training.weight_interpolation import PLACE, InterpolationPoint

ORIGIN = "origin"
"""Among the facts of a trial: what it started from as people read it, where that is not the start of the leaderboard."""
OTHERS: dict[str, tuple[type[RecipeSettings], Learn]] = {"static": (StaticSettings, learn_static)}
"""What learns from pairs in little time, beside adapters and fine-tunings."""
_ADAPTER_PATIENCE = 4
"""Of about ten dev scores: what an adapter does not use is there for the next trial."""


@dataclass(frozen=True)
class Asked:
    """Vectors of the dev queries and of the pool, of length 1.

    >>> from search.evaluation.query_sets.query_set import QuerySet
    >>> dev = DevSet(QuerySet({"1": "due?"}, {"1": {"d": 1}}), [0, 1], ["c", "d"], ["Frost.", "Rent is due."])
    >>> pool = np.eye(2, dtype=np.float32)
    >>> Asked(queries=pool[1:], pool=pool).scores(dev)
    [1.0]
    """

    queries: Vectors
    pool: Vectors

    def scores(self, dev: DevSet) -> list[float]:
        """nDCG@10 of each dev query."""
        return dev.scores_of_vectors(self.queries, self.pool)


class Member:
    """Learns from one material.

    :param base: the start, `data` the material as it sees it.
    :param suffix: tells its checkpoints from those of the other members.

    >>> from types import SimpleNamespace as Some
    >>> from search.evaluation.query_sets.query_set import QuerySet
    >>> dev = DevSet(QuerySet({"1": "due?"}, {"1": {"d": 1}}), [0], ["d"], ["Rent is due."])
    >>> one = np.ones((1, 2), dtype=np.float32)
    >>> data = Some(queries=one, documents=one, dev_queries=one)
    >>> Member(Request(None, "mine", "auto", AutoSettings()), Some(dev=dev), None, data).start().each
    [1.0]
    """

    def __init__(
        self, request: Request, material: TrainingData, base: Any, data: Embedded, suffix: str = ""
    ) -> None:
        assert isinstance(request.settings, AutoSettings)
        self._request = request
        self._settings = request.settings
        self._base = base
        self._suffix = suffix
        self._asked: dict[str, Asked] = {}
        self.material = material
        self.data = data
        self.character_seconds: dict[str, float] = {}
        """What the model of a trial took to encode one character."""

    def start(self) -> TrialResult:
        """The start, as it is."""
        identity = np.eye(self.data.queries.shape[1], dtype=np.float32)
        return TrialResult([], measure_of(self.data, self.material.dev, "both")(identity))

    def adapter(self, epochs: int, progress: Progress) -> TrialResult:
        """An adapter on the start."""
        return self._adapter(self._base, self.data, self.material.dev, epochs, progress)

    def on(
        self,
        below: str,
        model: Any,
        origin: dict[str, Any],
        pairs: int,
        epochs: int,
        progress: Progress,
    ) -> TrialResult:
        """An adapter on what this member made of a trial.

        :param origin: what the facts of that trial say of where it came from, and how.
        :param pairs: how many it learns from at most, drawn at random.
        """
        known = self._asked.get(below) or asked(model, self.material.dev, progress)
        data, dev = embedded_by(model, self._drawn(pairs), known, progress)
        made = self._adapter(model, data, dev, epochs, progress)
        steps = plan_of(origin) + plan_of(made.facts)
        return replace(made, facts=origin | plan_facts(*steps))

    def tune(
        self,
        name: str,
        settings: FineTuneSettings,
        fits: Fitted,
        ends: Callable[[], bool],
        progress: Progress,
        start: tuple[Any, dict[str, Any]] | None = None,
    ) -> TrialResult:
        """A fine-tuning.

        :param fits: from how many pairs it learns at most, drawn at random, and by how many passages it steers.
        :param start: a model of another trial that it goes on from, and the facts of that; else it starts from the base.
        """
        part = self._drawn(fits.pairs)
        part = replace(part, dev=steered_by(part.dev, fits.passages))
        learn, before = learn_fine_tune, start[1] if start else {}
        if start is not None:
            learn = partial(learn_fine_tune, start=deepcopy(start[0]))
        seen = len(part.guarded.pairs)
        made = self._learned(name, "fine-tune", settings, learn, part, ends, progress, pairs=seen)
        if start is None:
            return made
        steps = plan_of(before) + plan_of(made.facts)
        # What it went on from lies beyond the base already: there is no line to the base to go back on.
        facts = made.facts | before | plan_facts(*steps)
        if PLACE in facts:
            facts[PLACE] = {**facts[PLACE], "share": 1.0}
        return replace(made, facts=facts)

    def _drawn(self, pairs: int) -> TrainingData:
        """The material with so many of its pairs at most."""
        known = self.material.guarded.pairs
        random = np.random.default_rng(self._settings.seed)
        chosen = sorted(random.permutation(len(known))[:pairs].tolist())
        guarded = replace(self.material.guarded, pairs=[known[position] for position in chosen])
        return replace(self.material, guarded=guarded)

    def other(self, name: str, ends: Callable[[], bool], progress: Progress) -> TrialResult:
        """Another recipe that learns from pairs."""
        settings, learn = OTHERS[name]
        return self._learned(
            name, name, settings(seed=self._settings.seed), learn, self.material, ends, progress
        )

    def _learned(
        self,
        name: str,
        recipe: str,
        settings: RecipeSettings,
        learn: Learn,
        part: TrainingData,
        ends: Callable[[], bool],
        progress: Progress,
        **noted: Any,
    ) -> TrialResult:
        """What a recipe learns from a part of the material, asked all dev queries."""
        request = replace(
            self._request,
            recipe=recipe,
            settings=settings,
            progress=Stage(progress, 0.0, 0.9),
            checkpointer=self._request.checkpointer.part(self._part(name)),
            ends=ends,
        )
        result = learn(request, part)
        assert result is not None  # There is one process alone.
        dev, started = self.material.dev, time.perf_counter()
        self._asked[name] = asked(result.model, dev, Stage(progress, 0.9, 1.0))
        spent = time.perf_counter() - started
        self.character_seconds[name] = spent / max(1, characters(dev.texts))
        facts = result.facts | ({ORIGIN: result.origin} if result.origin else {})
        noted = {"kept": result.dev.selected, **noted}
        scores = self._asked[name].scores(dev)
        return TrialResult([result.model], scores, settings.model_dump(mode="json") | noted, facts)

    def beside_the_pool(self) -> int:
        """How many characters of the pairs a model of one's own making has to encode, once the dev pool is encoded."""
        pairs, pool = self.material.guarded.pairs, set(self.material.dev.ids)
        answers = {pair.response for pair in pairs if pair.document not in pool}
        return characters(pair.query for pair in pairs) + characters(answers)

    def pool_unread(self, below: str) -> int:
        """How many characters of the dev pool an adapter on a trial has to have encoded yet."""
        return 0 if below in self._asked else characters(self.material.dev.texts)

    def _adapter(
        self, beneath: Any, data: Embedded, dev: DevSet, epochs: int, progress: Progress
    ) -> TrialResult:
        own = self._settings
        settings = AdapterSettings(
            base=own.base, seed=own.seed, patience=_ADAPTER_PATIENCE, epochs=epochs
        )
        adapted = train_adapter(data, dev, settings, progress)
        if self.material.synthetic:
            adapted = followed_adapter(
                self._request.project, self.material, data, dev, adapted, settings, progress
            )
        scores = measure_of(data, dev, settings.side)(adapted.matrix)
        model = with_adapter(beneath, adapted.matrix)
        facts = plan_of_adapter(adapted, settings, self.material, len(data.queries))
        if beneath is self._base:
            info = named(self._request.project, settings.base)
            facts |= InterpolationPoint.facts_of("matrix", adapted.blend, settings.base, info)
        noted = settings.model_dump(mode="json") | {"kept": adapted.selected}
        return TrialResult([model], scores, noted, facts)

    def _part(self, name: str) -> str:
        return name.replace(", ", "-").replace(" ", "-") + self._suffix


def members_of(
    request: Request,
    parts: Sequence[TrainingData],
    base: Any,
    documents: Vectors,
    progress: Progress,
) -> list[Member]:
    """One for each material.

    :param documents: vectors of all passages under the base.
    """
    assert isinstance(request.settings, AutoSettings)
    info = named(request.project, request.settings.base)
    members = []
    for position, part in enumerate(parts):
        stage = Stage(progress, position / len(parts), (position + 1) / len(parts))
        data = embedded(base, info, part, documents, stage)
        members.append(Member(request, part, base, data, f"-{position}" if len(parts) > 1 else ""))
    return members


def asked(model: Any, dev: DevSet, progress: Progress) -> Asked:
    """Encode the dev queries and the pool."""
    return Asked(*map(normalised, dev.encoded(model, None, progress)))


def embedded_by(
    model: Any, material: TrainingData, known: Asked, progress: Progress
) -> tuple[Embedded, DevSet]:
    """The material as a model of one's own making sees it, and the dev set with the pool as all the documents there are.

    The whole corpus would take too long to encode; the dev pool, drawn from it, stands for it.
    """
    pairs = answering_passages(material.guarded.pairs, material.corpus)
    ids = {identity: position for position, identity in enumerate(material.corpus.ids())}
    wanted, given = [p.query for p in pairs], [p.response for p in pairs]
    queries = encode_texts(model, None, wanted, "query", Stage(progress, 0.0, 0.3), "queries")
    responses = _answers(model, given, material.dev, known, Stage(progress, 0.3, 1.0))
    data = Embedded(
        queries=normalised(queries),
        responses=responses,
        negatives=np.zeros((len(pairs), 0, queries.shape[1]), dtype=np.float32),
        answers=np.array([ids.get(p.document or "", -1) for p in pairs], dtype=np.int64),
        texts=numbered(wanted),
        documents=known.pool,
        owners=np.asarray(material.corpus.owners[material.dev.positions]),
        dev_queries=known.queries,
    )
    return data, replace(material.dev, positions=list(range(len(known.pool))))


def _answers(
    model: Any, texts: list[str], dev: DevSet, known: Asked, progress: Progress
) -> Vectors:
    """Vectors of answers, of length 1: each encoded once, and not at all where it stands in the dev pool."""
    rows = {text: known.pool[position] for position, text in enumerate(dev.texts)}
    new = [text for text in dict.fromkeys(texts) if text not in rows]
    if new:
        vectors = normalised(encode_texts(model, None, new, "document", progress, "answers"))
        rows |= dict(zip(new, vectors, strict=True))
    return np.stack([rows[text] for text in texts])
