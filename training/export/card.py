"""The card of a model that leaves the workspace.

It says what a model is, what made it, and what that did, in the format of https://huggingface.co/docs/hub/model-cards
(Mitchell et al. 2019, "Model Cards for Model Reporting"): YAML that programs read, then Markdown for people. Losses are
told like gains.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.evaluation.evaluation import newest_evaluation, verdict_on
from search.evaluation.rankings.metrics import MAIN_METRIC, METRICS, metric_title
from search.evaluation.statistics.significance import PairedTest
from search.models.linear_adapter import QUERY_ONLY
from search.models.registry import (
    BUILT_IN,
    GENERIC_TITLE,
    REFIT_OF,
    ModelInfo,
    find_model,
    named,
)
from search.projects.errors import Refused
from search.projects.project import Project
from training.dev_set import START
from training.export.agreement import Agreement
from training.export.formats import FULL, ExportFormat, Precision
from training.export.sentence_transformers_folder import FORMAT as FOLDER
from training.export.snippets import model_prompts
from training.forgetting import General
from training.similarity_cost import dev_of

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

CARD = "README.md"
_HUB_NAMES = {GENERIC_TITLE: f"sentence-transformers/{GENERIC_TITLE}"}
_EXAMPLES, _SHOWN = 3, 200
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def card_of_export(
    project: Project, info: ModelInfo, known: ExportFormat, precision: Precision, agreed: Agreement
) -> str | None:
    """The card that goes with an export; None for a ready-made model in its own format, which has a card of its own."""
    exported = f"{known.title}, {precision}. {agreed.sentence}"
    if info.kind == "custom":
        return model_card(project, info, known, exported)
    if known is FOLDER and precision == FULL:
        return None
    about = f"{info.title}, a ready-made embedding model of {info.dimension} dimensions, written by Bespoke."
    return "\n\n".join([f"# {info.title}", about, exported, "## Use", known.usage]) + "\n"


def model_card(
    project: Project, info: ModelInfo, known: ExportFormat = FOLDER, exported: str | None = None
) -> str:
    """The card of a custom model, with the newest evaluation of it.

    :param info: a model that was trained here.
    :param known: the format that it is written in.
    :param exported: what was measured of this export.
    """
    from huggingface_hub import ModelCardData

    manifest = project.artifact("models", info.id)
    details = manifest.details
    means, queries = _measured(project, info.name)
    verdict = verdict_on(project, info.name) if means else None
    results = list(_results(details, means, queries, verdict[0] if verdict else None))
    library = ["sentence-transformers"] if known is FOLDER else []
    header = ModelCardData(
        model_name=info.name,
        base_model=_hub_name(project, info.origin),
        metrics=sorted({result.metric_type for result in results}) or None,
        library_name=library[0] if library else None,
        pipeline_tag="sentence-similarity",
        tags=[*library, "feature-extraction", "bespoke", info.recipe or ""],
        eval_results=results or None,
    )
    parts = [
        f"---\n{header.to_yaml()}\n---",
        f"# {info.name}",
        f"A custom embedding model of {info.dimension} dimensions for semantic search in one corpus "
        f"({project.name}), made by Bespoke with the recipe *{info.recipe}* from {_elsewhere_called(info.origin)}.",
        *([exported] if exported else []),
        "## Use",
        known.usage,
        *(_elsewhere(project, info) if known is FOLDER else []),
        "## What it does to held-out queries",
        *_proof(project, info.name, means, queries),
        "## How it was made",
        *_making(details, manifest.made_from),
        "## Limits",
        *(f"- {line}." for line in _limits(details, bool(means))),
    ]
    return "\n\n".join(parts) + "\n"


def _results(
    details: dict[str, Any], means: dict[str, float], queries: int, test: PairedTest | None
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
    if test is not None:
        # The verdict in one entry: the difference, and what it may be believed by.
        yield EvalResult(
            task_type="information-retrieval",
            dataset_type="held-out-queries",
            dataset_name=f"{queries:,} held-out queries of the project",
            metric_type=f"{test.metric.replace('@', '_at_')}_gain",
            metric_name=f"{test.metric} against {test.baseline}: {test.verdict}",
            metric_value=round(test.delta, 4),
            metric_args={
                "ci95": [round(end, 4) for end in test.interval],
                "p_value": round(test.p_decisive, 5),
                "verdict": test.verdict,
            },
        )
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


def examples_of(project: Project) -> str:
    """Three dev questions with the beginnings of their answers, for a card whose reader may see texts of the corpus.

    :raises Refused: where there are none.
    """
    dev = dev_of(project)
    if dev is None:
        raise Refused("There are no dev questions to show: they come with pairs.")
    texts = dict(zip(dev.ids, dev.texts, strict=True))
    lines = []
    for name in sorted(dev.query_set.queries)[:_EXAMPLES]:
        answer = next(texts[d] for d in texts if d in dev.query_set.relevant(name))
        lines.append(f"- {dev.query_set.queries[name]}\n  > {' '.join(answer.split())[:_SHOWN]}")
    return "\n## Examples of the corpus\n\n" + "\n".join(lines) + "\n"


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


def _elsewhere(project: Project, info: ModelInfo) -> Iterable[str]:
    """What programs that call plain `encode` leave out: the side of the queries, and prompts."""
    yield (
        "Its similarity is cosine: every figure here was measured with it, and its settings say so. Where vectors are "
        "compared by dot product, normalise them first."
    )
    if project.artifact("models", info.id).details.get(QUERY_ONLY):
        yield _QUERY_SIDE
    elif (prompts := model_prompts(project, info)).query or prompts.document:
        yield _PROMPTS


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
    settings = "\n".join(
        f"| {key} | {_elsewhere_called(value)} |" for key, value in details["settings"].items()
    )
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


def _elsewhere_called(value: object) -> object:
    """A setting as a card says it: of a folder on this machine its name alone."""
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


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
