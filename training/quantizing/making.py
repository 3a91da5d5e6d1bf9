"""A ready-made model in eight bits: made on a hundred of the person's passages, published when it is close enough to full."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.vector_index import Vectors, normalised
from search.corpus.corpus import Corpus, current_corpus
from search.models.encoding.backends.choice import conversion_folder, converted, known_backend
from search.models.encoding.backends.openvino import (
    MODEL_FILE,
    Unconvertible,
    check_convertible,
    load_openvino,
)
from search.models.encoding.backends.pipeline import TorchBackend
from search.models.encoding.backends.probe import encoded, neighbours_shared
from search.models.encoding.batching import batched
from search.models.encoding.quantized.encoder import QuantizedEncoder, products_of_whole_numbers
from search.models.encoding.quantized.graph import Quantizer, observed
from search.models.encoding.texts import encode_texts, transformer_of
from search.models.load import load_encoder
from search.models.prompts import Prompts, prompt_of
from search.models.registry import BUILT_IN, EIGHT_BIT, FULL_MODEL, ModelInfo, find_model, is_taken
from search.projects.artifacts import Draft
from search.projects.errors import AlreadyThere, Refused
from search.projects.files import sha256_of, write_json
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project, check_project_name
from search.text.sampling import evenly_spaced
from training.dev_set import DevSet
from training.similarity_cost import dev_of

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

LEAST_OVERLAP = 0.97
MOST_LOST = 0.003
"""What dev nDCG@10 may fall by, from `FEWEST_QUERIES` dev queries on."""
FEWEST_QUERIES = 100
FEWEST_PASSAGES = 200
WORTH_IT = 1.1
FULL_SHARES = (0.0, 1 / 9, 1 / 6, 1 / 3, 1 / 2)
"""Shares of the layers that stay as they are, those that lose most first: the next is tried where one loses too much."""
_CALIBRATING, _ASKED = 100, 400
_BUDGET, _ROWS = 1_024, 32
_WARM_UP, _TIMED = 4, 48
_MADE_OF = "made_of.json"
_BUILT_IN_READS = 256


@dataclass(frozen=True)
class PrecisionTrial:
    """One precision that was tried: how many layers of `layers` stayed in full, and what was lost.

    `overlap` is the share of the ten nearest of each of `passages` passages that stay its ten nearest, `cosine` the lowest to
    the vectors in full; `speed` how many times as fast as full precision it is here, as that is computed here; `plain` the
    same against PyTorch. `dev` and `dev_full` are nDCG@10 on `queries` dev queries: None where there are under a hundred.

    >>> PrecisionTrial(0, 36, 0.961, 0.99, 2.0, 2.6, 400).accepted, PrecisionTrial(6, 36, 0.978, 0.99, 2.0, 2.4, 400).accepted
    (False, True)
    """

    in_full: int
    layers: int
    overlap: float
    cosine: float
    speed: float
    plain: float
    passages: int
    dev: float | None = None
    dev_full: float | None = None
    queries: int = 0

    @property
    def accepted(self) -> bool:
        """Whether so little is lost that the class may be used."""
        lost = 0.0 if self.dev is None or self.dev_full is None else self.dev_full - self.dev
        return self.overlap >= LEAST_OVERLAP and lost <= MOST_LOST

    @property
    def sentence(self) -> str:
        """The figures, for people."""
        layers = f", {self.in_full} of {self.layers} layers in full" if self.in_full else ""
        dev = ""
        if self.dev is not None and self.dev_full is not None:
            dev = f"; nDCG@10 of {self.queries:,} dev queries {self.dev_full:.4f} in full, {self.dev:.4f} so"
        return (
            f"Eight bits{layers}: {self.overlap:.1%} of the ten nearest kept on {self.passages:,} of your passages{dev}; "
            f"{self.speed:.1f} times as fast as full precision here, {self.plain:.1f} times as fast as PyTorch."
        )


@dataclass(frozen=True)
class MadeFast:
    """A model in eight bits that was published, what was tried, and what the person should know."""

    info: ModelInfo
    trials: Sequence[PrecisionTrial]
    notes: list[str]


def make_fast(
    project: Project,
    name: str,
    new_name: str | None = None,
    default: bool = False,
    progress: Progress = silent,
) -> MadeFast:
    """Make a ready-made model's twin in eight bits, and publish it as a model of its own.

    :param name: the model in full.
    :param new_name: what to call it; by default the model's own name and -fast.
    :param default: call it generic from now on.
    :raises Refused: for a model that is no ready-made transformer computed here, a processor or corpus that it does not pay
        on, and where even half of the layers in eight bits lose too much.
    """
    info = find_model(project, name)
    called = _free_name(project, info, new_name)
    manifest, corpus = current_corpus(project)
    model = _quantizable(project, info, corpus)
    progress(0, 1, f"looking at what goes through {info.title}")
    folder = conversion_folder(model)
    note = converted(model, folder)
    quantizer = Quantizer(folder, observed(folder, _calibrating(model, corpus), _threads()))
    full = _InFull.of(project, info, model, corpus, Stage(progress, 0.2, 0.5))
    trials: list[PrecisionTrial] = []
    with project.publish_together() as drafts:
        draft = drafts.add("models", {"corpus": manifest.id})
        tried = Stage(progress, 0.5, 1.0)
        for number, share in enumerate(FULL_SHARES):
            tried(number, len(FULL_SHARES), "measuring eight bits against full precision")
            trial = _tried(model, quantizer, share, draft.folder, full)
            trials.append(trial)
            if trial.accepted:
                break
        _see_that_it_pays(info, trials)
        _describe(draft, info, called, project, trials)
        if default:
            drafts.change(lambda _: {"generic": draft.id})
    progress(1, 1, f"{called} is ready")
    notes = [trial.sentence for trial in trials]
    notes += [
        "It is a model of its own: its vectors are made anew, and those in full stay as they are. Adapters are trained on it "
        f"(--set base={called}) or taken across (python cli.py fast {project.name} ADAPTER)."
    ]
    return MadeFast(find_model(project, called), trials, notes + ([note] if note else []))


def may_be_fast(project: Project, info: ModelInfo) -> bool:
    """Whether it can pay to make a model's twin in eight bits here; nothing is loaded to tell."""
    transformer = info.kind == "generic" and info.format not in ("endpoint", "static", EIGHT_BIT)
    corpus = project.newest("corpora")
    enough = corpus is not None and corpus.details.get("passages", 0) >= FEWEST_PASSAGES
    there = any(
        (manifest.details.get(FULL_MODEL) or {}).get("id") == info.id
        for manifest in project.manifests("models")
    )
    return transformer and enough and not there and products_of_whole_numbers() is not None


def _free_name(project: Project, info: ModelInfo, name: str | None) -> str:
    called = name or f"{info.title or info.name}-fast"
    check_project_name(called)
    if is_taken(project, called):
        raise AlreadyThere(f"The name {called!r} is taken. Choose another one: --name NAME.")
    return called


def _quantizable(project: Project, info: ModelInfo, corpus: Corpus) -> "SentenceTransformer":
    """The model, where it can be made faster here.

    :raises Refused: saying why it cannot.
    """
    if info.format == EIGHT_BIT:
        raise Refused(f"{info.name!r} computes in eight bits already.")
    if info.kind == "custom":
        raise Refused(
            f"{info.name!r} was trained as a whole, so it stays in full precision. Ready-made models and adapters on them "
            "have a fast class."
        )
    if products_of_whole_numbers() is None:
        raise Refused(
            "This processor has neither VNNI nor AMX (no ARM processor has), and without them eight bits were measured to be "
            "no faster. Everything stays in full precision."
        )
    if corpus.passages < FEWEST_PASSAGES:
        raise Refused(
            f"With {corpus.passages:,} passages it cannot be measured what eight bits lose ({FEWEST_PASSAGES} are needed), and "
            "they are encoded in full in seconds."
        )
    model = transformer_of(load_encoder(project, info))
    if model is None:
        raise Refused(f"{info.name!r} is no transformer that is computed here.")
    try:
        check_convertible(model)
    except Unconvertible as reason:
        raise Refused(f"{info.name!r} cannot be computed in eight bits: {reason}.") from reason
    found: SentenceTransformer = model
    return found


def _threads() -> int:
    import torch

    return max(1, torch.get_num_threads())


def _calibrating(model: "SentenceTransformer", corpus: Corpus) -> list[dict[str, Any]]:
    """Tokens of a hundred passages, spread evenly over the corpus."""
    texts = corpus.embedded_at(evenly_spaced(corpus.passages, _CALIBRATING))
    prompt = prompt_of(model, "document")
    plan = batched(texts, _BUDGET, model.max_seq_length or 512, _ROWS)
    chosen = [[texts[place] for place in places] for places in plan]
    return [dict(model.preprocess(batch, prompt=prompt, task="document")) for batch in chosen]


@dataclass(frozen=True)
class _InFull:
    """What is asked of each precision, and what full precision answers: vectors, seconds a text, and nDCG@10 on dev."""

    texts: list[str]
    vectors: Vectors
    timed: list[str]
    seconds: float
    plain_seconds: float
    dev_set: DevSet | None
    dev: float | None

    @classmethod
    def of(
        cls,
        project: Project,
        info: ModelInfo,
        model: "SentenceTransformer",
        corpus: Corpus,
        progress: Progress,
    ) -> "_InFull":
        # Other passages than those that the ranges were set on, as far as there are some.
        some = evenly_spaced(corpus.passages, min(_ASKED + _CALIBRATING, corpus.passages))
        used = set(evenly_spaced(corpus.passages, _CALIBRATING))
        fresh = [place for place in some if place not in used]
        places = (fresh if len(fresh) >= FEWEST_PASSAGES else some)[:_ASKED]
        texts = corpus.embedded_at(places)
        # What the store knows in full is not computed again; only a few are, for the time that they take.
        stages = [Stage(progress, share, share + 0.4) for share in (0.0, 0.6)]
        vectors = normalised(encode_texts(model, info, texts, "document", stages[0], "passages"))
        progress(4, 10, "measuring how long full precision takes")
        timed = texts[:: max(1, len(texts) // _TIMED)]
        torch = TorchBackend(model)
        plain = _seconds(model, torch, timed)
        best = known_backend(model)
        seconds = plain if best is None else _seconds(model, best, timed)
        dev_set, dev = dev_of(project), None
        if dev_set is not None and len(dev_set.query_set.queries) < FEWEST_QUERIES:
            dev_set = None
        if dev_set is not None:
            dev = dev_set.ndcg_of_vectors(*dev_set.encoded(model, info, stages[1]))
        return cls(texts, vectors, timed, seconds, plain, dev_set, dev)


def _seconds(model: "SentenceTransformer", backend: Any, texts: Sequence[str]) -> float:
    """The seconds of the processor that texts take; a few are encoded before, unmeasured. The clock of a busy machine lies."""
    encoded(model, backend, texts[:_WARM_UP])
    started = time.process_time()
    encoded(model, backend, texts)
    return max(time.process_time() - started, 1e-9)


def _tried(
    model: "SentenceTransformer", quantizer: Quantizer, share: float, folder: Path, full: _InFull
) -> PrecisionTrial:
    """Write a precision into a folder and measure it.

    :param share: of the layers, those that lose most stay as they are.
    """
    layers = quantizer.by_loss()
    whole = layers[: round(share * len(layers))]
    load_openvino().save_model(quantizer.model(whole), folder / MODEL_FILE, compress_to_fp16=False)
    encoder = QuantizedEncoder(model, folder)
    seconds = _seconds(model, encoder.backend, full.timed)
    vectors = normalised(encoded(model, encoder.backend, full.texts))
    cosines = np.einsum("nd,nd->n", vectors, full.vectors)
    lowest = float(cosines.min()) if np.isfinite(cosines).all() else -1.0
    dev = full.dev_set
    return PrecisionTrial(
        in_full=len(whole),
        layers=len(layers),
        overlap=neighbours_shared(vectors, full.vectors) if lowest > -1.0 else 0.0,
        cosine=lowest,
        speed=full.seconds / seconds,
        plain=full.plain_seconds / seconds,
        passages=len(full.texts),
        dev=None if dev is None else dev.ndcg(encoder),
        dev_full=full.dev,
        queries=0 if dev is None else len(dev.query_set.queries),
    )


def _see_that_it_pays(info: ModelInfo, trials: Sequence[PrecisionTrial]) -> None:
    """Refuse what loses too much, or is not faster.

    :raises Refused: with the figures.
    """
    last = trials[-1]
    if not last.accepted:
        tried = " ".join(trial.sentence for trial in trials)
        raise Refused(
            f"In eight bits {info.name!r} loses more than may be lost (at least {LEAST_OVERLAP:.0%} of the ten nearest are to be "
            f"kept, and dev nDCG@10 may fall by {MOST_LOST}), so it stays in full precision. {tried}"
        )
    if last.speed < WORTH_IT:
        raise Refused(
            f"In eight bits {info.name!r} is not clearly faster here than in full precision, so it stays. {last.sentence}"
        )


def _describe(
    draft: Draft, info: ModelInfo, name: str, project: Project, trials: Sequence[PrecisionTrial]
) -> None:
    """The manifest of a model in eight bits, and the file by which its fingerprint covers the model it was made of."""
    made_of = {"id": info.id, "name": info.title or info.name, "fingerprint": info.fingerprint}
    write_json(draft.folder / _MADE_OF, {"fingerprint": info.fingerprint})
    files = [sha256_of(path) for path in sorted(draft.folder.iterdir())]
    about = {} if info.id == BUILT_IN else project.artifact("models", info.id).details
    draft.details.update(
        kind="generic",
        name=name,
        recipe=None,
        format=EIGHT_BIT,
        dimension=info.dimension,
        origin=f"{made_of['name']} in eight bits",
        reference=made_of["name"],
        fingerprint=hashlib.sha256("\n".join(files).encode()).hexdigest(),
        prompts=about.get("prompts", asdict(Prompts())),
        max_length=about.get("max_length", _BUILT_IN_READS),
        notes=[trials[-1].sentence],
        trials=[asdict(trial) for trial in trials],
        **{FULL_MODEL: made_of},
    )
