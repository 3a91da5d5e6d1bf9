"""A model out of the workspace: a standard SentenceTransformer folder for other programs, with its model card.

The card says what a model is, what made it, and what that did, in the format of https://huggingface.co/docs/hub/model-cards
(Mitchell et al. 2019, "Model Cards for Model Reporting"): YAML that programs read, then Markdown for people. Losses are
told like gains.
"""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.corpus.tokenizer import generic_folder
from search.evaluation.evaluation import newest_evaluation, verdict_on
from search.evaluation.query_sets.trained_on import TRAINED_ON
from search.evaluation.rankings.metrics import MAIN_METRIC, METRICS, metric_title
from search.models.api.encoder import ApiEncoder
from search.models.linear_adapter import BEHIND, QUERY_ONLY, LinearAdapter, with_adapter
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.load import load_encoder
from search.models.pretrained.kinds import SETTINGS_FILE, read_settings
from search.models.registry import (
    BUILT_IN,
    GENERIC_TITLE,
    REFIT_OF,
    ModelInfo,
    base_of,
    find_model,
    named,
    to_be_used,
)
from search.models.similarity import COSINE
from search.models.word_vectors import WordVectors
from search.projects import audit
from search.projects.artifacts import MANIFEST
from search.projects.errors import Refused
from search.projects.files import new_folder
from search.projects.project import Project
from training.base_model import beneath_adapters
from training.dev_set import START
from training.forgetting import General

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

CARD = "README.md"
_HUB_NAMES = {GENERIC_TITLE: f"sentence-transformers/{GENERIC_TITLE}"}
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def export(project: Project, name: str, folder: Path, measured: bool = False) -> list[str]:
    """Write a model as a standard SentenceTransformer folder that works anywhere, with its model card.

    A model that was trained once more on everything gives way to what came of that.

    :param folder: must not exist, or be empty.
    :param measured: write the model itself in any case.
    :returns: notes on what does not travel, and on which model was taken.
    :raises Refused: for an unknown model, or a folder with something in it.
    """
    wanted = find_model(project, name)
    info = wanted if measured else to_be_used(project, wanted)
    notes: list[str] = []
    if info is not wanted:
        notes.append(
            f"Taken is {info.name}, which is {wanted.name} trained once more on everything (--measured takes that one)."
        )
    with new_folder(folder) as target:
        audit.note("exported", project.name, f"model {info.name}")
        encoder = load_encoder(project, info)
        if isinstance(words := beneath_adapters(encoder), WordVectors):
            _standard(encoder).save(str(target), create_model_card=False)
            if words.subwords is not None:
                notes.append(
                    "Only words of the corpus have vectors in the exported model: the word parts by "
                    "which FastText reads unseen words do not fit the standard format."
                )
        elif info.id == BUILT_IN or (info.kind == "custom" and info.format not in (BEHIND, MATRIX)):
            own = project.folder / "models" / info.id
            source = generic_folder() if info.id == BUILT_IN else own
            ignored = shutil.ignore_patterns(MANIFEST, TRAINED_ON, "__pycache__")
            shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
        elif isinstance(encoder, LinearAdapter):
            raise Refused(
                f"{name!r} is a matrix over vectors that a server computes: no model to load elsewhere. Take "
                f"the matrix: it is in {project.folder / 'models' / info.id}."
            )
        elif isinstance(encoder, ApiEncoder):
            raise Refused(f"{name!r} is computed by a server, so there is no model to take away.")
        else:
            # A SentenceTransformer: nothing else is left. An adapter becomes one with its base.
            model: Any = encoder
            if info.kind == "custom":
                model.similarity_fn_name = COSINE
            model.save(str(target), create_model_card=False, safe_serialization=True)
        if info.kind == "custom":
            (target / CARD).write_text(model_card(project, info), encoding="utf-8")
    return notes


def _standard(encoder: Any) -> Any:
    """Word vectors, and adapters on them, as one SentenceTransformer."""
    if isinstance(encoder, LinearAdapter):
        return with_adapter(_standard(encoder.base), encoder.matrix, encoder.side)
    return encoder.as_sentence_transformer()


def model_card(project: Project, info: ModelInfo) -> str:
    """The card of a custom model, with the newest evaluation of it.

    :param info: a model that was trained here.
    """
    from huggingface_hub import ModelCardData

    manifest = project.artifact("models", info.id)
    details = manifest.details
    means, queries = _measured(project, info.name)
    results = list(_results(details, means, queries))
    header = ModelCardData(
        model_name=info.name,
        base_model=_hub_name(project, info.origin),
        metrics=sorted({result.metric_type for result in results}) or None,
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        tags=["sentence-transformers", "feature-extraction", "bespoke", info.recipe or ""],
        eval_results=results or None,
    )
    parts = [
        f"---\n{header.to_yaml()}\n---",
        f"# {info.name}",
        f"A custom embedding model of {info.dimension} dimensions for semantic search in one corpus "
        f"({project.name}), made by Bespoke with the recipe *{info.recipe}* from {info.origin}.",
        _USE,
        *_elsewhere(project, info),
        "## What it does to held-out queries",
        *_proof(project, info.name, means, queries),
        "## How it was made",
        *_making(details, manifest.made_from),
        "## Limits",
        *(f"- {line}." for line in _limits(details, bool(means))),
    ]
    return "\n\n".join(parts) + "\n"


def _results(
    details: dict[str, Any], means: dict[str, float], queries: int
) -> Iterable["EvalResult"]:
    """What was measured, for programs: on held-out queries, on those that steered, and outside the field."""
    from huggingface_hub import EvalResult

    def result(kind: str, name: str, metric: str, value: float) -> EvalResult:
        return EvalResult(
            task_type="information-retrieval",
            dataset_type=kind,
            dataset_name=name,
            metric_type=metric.replace("@", "_at_"),
            metric_name=metric,
            metric_value=round(value, 4),
        )

    for metric in METRICS if means else ():
        said = f"{queries:,} held-out queries of the project"
        yield result("held-out-queries", said, metric, means[metric])
    dev, general = details.get("dev"), details.get("general")
    if dev and dev["ndcg@10"]:
        # A recipe that learns from pairs keeps its best state, one that learns from documents its last.
        score = max(dev["ndcg@10"]) if "kept" in dev else dev["ndcg@10"][-1]
        said = f"{dev['queries']:,} dev queries of the project, which steered the training"
        yield result("dev-queries", said, MAIN_METRIC, score)
    if general:
        kept = General.of(general)
        said = (
            f"{kept.questions} general questions, outside the corpus (the start: {kept.start:.4f})"
        )
        yield result("general-questions", said, MAIN_METRIC, kept.model)


def _hub_name(project: Project, origin: str) -> str | None:
    """What the hub calls the model at the bottom: of a custom start, its own; None where it is not known to be there."""
    info = named(project, origin)
    if info is None or info.id == BUILT_IN:
        return _HUB_NAMES.get(origin) or _hub_id(origin)
    if info.kind == "custom":
        return _hub_name(project, info.origin) if info.origin != origin else None
    # Of an added model the hub's version is noted; a folder may be called like any model of the hub.
    added = project.artifact("models", info.id).details
    return str(added["reference"]) if added.get("commit") else None


def _hub_id(origin: str) -> str | None:
    return origin if _HUB_ID.fullmatch(origin) and not Path(origin).exists() else None


_USE = """## Use

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
questions = model.encode_query(["a question"])
documents = model.encode_document(["a document"])
print(model.similarity(questions, documents))
```"""


def _elsewhere(project: Project, info: ModelInfo) -> Iterable[str]:
    """What programs that call plain `encode` leave out: the side of the queries, and prompts."""
    yield (
        "Its similarity is cosine: every figure here was measured with it, and its settings say so. Where vectors are "
        "compared by dot product, normalise them first."
    )
    if project.artifact("models", info.id).details.get(QUERY_ONLY):
        yield _QUERY_SIDE
    elif _puts_prompts(project, info):
        yield _PROMPTS


def _puts_prompts(project: Project, info: ModelInfo) -> bool:
    """Whether a model, or the one that an adapter stands on, puts something before its texts."""
    if info.id == BUILT_IN:
        return False
    manifest = project.artifact("models", info.id)
    if info.format == BEHIND:
        base = base_of(project, manifest)
        return base is not None and _puts_prompts(project, base)
    prompts = manifest.details.get(
        "prompts"
    )  # Of an added model; who trained one finds them in its folder.
    if isinstance(prompts, dict):
        return bool(prompts["query"] or prompts["document"])
    prompts = read_settings(project.folder_of(manifest) / SETTINGS_FILE).get("prompts")
    return isinstance(prompts, dict) and any(prompts.values())


_PROMPTS = """It puts prompts before queries and documents. `encode_query` and `encode_document` do that; plain `encode`,
which LangChain and LlamaIndex call for both, does not. Give them there: LangChain's `HuggingFaceEmbeddings` takes
`query_encode_kwargs={"prompt_name": "query"}` and `encode_kwargs={"prompt_name": "document"}`, LlamaIndex's
`HuggingFaceEmbedding` takes `query_instruction` and `text_instruction`."""
_QUERY_SIDE = """**This model turns queries only**; documents keep the vectors of the model beneath. LangChain and LlamaIndex call plain
`encode` for queries and documents alike, which takes the documents' side for both: no error, but nothing that was
learned is used. In LangChain, say which side a query is on:

```python
from langchain_huggingface import HuggingFaceEmbeddings

embeddings = HuggingFaceEmbeddings(
    model_name="path/to/this/folder",
    encode_kwargs={"task": "document", "prompt_name": "document"},
    query_encode_kwargs={"task": "query", "prompt_name": "query"},
)
```

In LlamaIndex, derive from `BaseEmbedding` and call `model.encode_query` in `_get_query_embedding` and
`model.encode_document` in `_get_text_embedding`."""


def _measured(project: Project, name: str) -> tuple[dict[str, float], int]:
    """The means of the newest evaluation of a model, and over how many queries; nothing where there is none."""
    manifest = newest_evaluation(project, name)
    if manifest is None:
        return {}, 0
    return manifest.details["models"][name], manifest.details["queries"]


def _proof(project: Project, name: str, means: dict[str, float], queries: int) -> Iterable[str]:
    again = project.artifact("models", find_model(project, name).id).details.get(REFIT_OF)
    if again:
        yield (
            f"Not measured itself: it is {again['name']} trained once more, from all pairs, test and dev included. Its recipe "
            f"measured {again['delta']:+.3f} {again['metric']} against {again['baseline']} on {again['queries']:,} held-out "
            "queries (one training)."
        )
        return
    if not means:
        yield "It was not measured on held-out queries."
        return
    rows = "\n".join(f"| {metric} | {means[metric]:.3f} |" for metric in METRICS)
    yield f"| {queries:,} queries | mean |\n|---|---|\n{rows}"
    verdict = verdict_on(project, name)
    if verdict is not None:
        test, count = verdict
        yield (
            f"{test.sentence(count)} p = {test.p_value:.4f} (paired randomization test on {metric_title(test.metric)}); "
            f"{test.wins:,} queries gained, {test.ties:,} stayed, {test.losses:,} lost."
        )


def _making(details: dict[str, Any], made_from: dict[str, str]) -> Iterable[str]:
    """Settings, data, steering and versions: what a second training needs to give the same model."""
    settings = "\n".join(f"| {key} | {value} |" for key, value in details["settings"].items())
    yield f"| setting | value |\n|---|---|\n{settings}"
    if "pairs" in details:
        yield (
            f"It learned from {details['pairs']:,} pairs of a query and its answer; "
            f"{details['left_out']:,} more were left out so that nothing leaks into the test."
        )
    else:
        yield "It learned from the documents alone."
    dev = details.get("dev")
    if dev and dev["ndcg@10"]:
        scores = ", ".join(f"{score:.4f}" for score in dev["ndcg@10"])
        kept = f" Kept: {dev['kept']}." if "kept" in dev else ""
        yield f"nDCG@10 on {dev['queries']:,} dev queries, before and while training: {scores}.{kept}"
    if "leaderboard" in details:
        trials = "\n".join(map(_trial, details["leaderboard"]))
        yield f"What was tried, on the same dev queries:\n\n| way to learn | nDCG@10 | seconds | what became of it |\n|---|---|---|---|\n{trials}"
    data = ", ".join(f"{kind} {identity}" for kind, identity in made_from.items())
    yield f"Made from {data}."
    noted = details.get("libraries", {})  # Models of before they were noted have none.
    libraries = ", ".join(f"{name} {version}" for name, version in noted.items())
    using = f", with {libraries}" if libraries else ""
    yield f"{details['seconds']:,} seconds on {details['device']}{using}."


def _trial(trial: dict[str, Any]) -> str:
    score = "–" if trial["ndcg@10"] is None else f"{trial['ndcg@10']:.4f}"
    return f"| {trial['name']} | {score} | {trial['seconds']:g} | {trial['outcome']} |"


def _limits(details: dict[str, Any], measured: bool) -> Iterable[str]:
    if details.get("dev") and details["dev"].get("kept") == START:
        yield "Nothing that was tried was better than the start: this model is its untouched start"
    elif details.get("general"):
        yield General.of(details["general"]).sentence.removesuffix(".")
    if measured:
        yield "The figures hold for this corpus and queries like these; elsewhere it may be worse than its start"
    else:
        yield "Without a measurement on held-out queries, nobody knows whether it is better than its start"
    yield "Scores of two models are on different scales; compare ranks"
