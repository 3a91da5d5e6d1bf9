"""Any model of a project as an encoder: its format decides which loader is imported."""

from search.models.encoder import Encoder
from search.models.linear_adapter import (
    ADAPTER_BASE,
    ADAPTER_OF,
    BEHIND,
    QUERY_ONLY,
    read_matrix,
    with_adapter,
)
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.registry import (
    BUILT_IN,
    EIGHT_BIT,
    FULL_MODEL,
    ModelInfo,
    base_of,
    full_of,
    is_pretrained,
    models,
)
from search.models.sentence_transformer import (
    fresh_generic,
    load_generic,
    load_sentence_transformer,
)
from search.projects.artifacts import Manifest
from search.projects.errors import Failed
from search.projects.project import Project


def load_encoder(project: Project, info: ModelInfo, max_tokens: int | None = None) -> Encoder:
    """Load a model of a project.

    :param max_tokens: the most tokens to send, where a server on an address embeds; None for its own cap.
    :raises Failed: when its files are missing or damaged, or hold another version than was added; for an adapter, too,
        when the model beneath is gone.
    """
    encoder: Encoder
    if info.id == BUILT_IN:
        encoder = load_generic()
        return encoder
    manifest = project.artifact("models", info.id)
    folder = project.checked(manifest)
    form = manifest.details["format"]
    if form == "word-vectors":
        from search.models.word_vectors import WordVectors

        encoder = WordVectors.load(folder)
    elif form == EIGHT_BIT:
        from search.models.encoding.quantized.encoder import QuantizedEncoder

        encoder = QuantizedEncoder(_beneath(project, manifest, max_tokens), folder)
    elif is_pretrained(manifest):
        encoder = _pretrained(project, manifest, max_tokens)
    elif form in (BEHIND, MATRIX):
        side = "query" if manifest.details.get(QUERY_ONLY) else "both"
        base = _beneath(project, manifest, max_tokens)
        encoder = with_adapter(base, read_matrix(folder), side)
    else:
        encoder = load_sentence_transformer(folder)
    return encoder


def _pretrained(project: Project, manifest: Manifest, max_tokens: int | None) -> Encoder:
    """A model that was added to a project as it is.

    :raises Failed: when it is gone, or not what was added.
    """
    from search.models.pretrained import checkpoints, wordllama

    details = manifest.details
    encoder: Encoder
    if details["format"] == wordllama.FORMAT:
        encoder = wordllama.load_added(manifest)
    elif details["format"] == checkpoints.FORMAT:
        from search.models.prompts import Prompts

        prompts = Prompts(**details["prompts"])
        files = checkpoints.verified_files(manifest)
        encoder = checkpoints.load(files, prompts, details["max_length"])
    else:
        from search.models.api.encoder import load_api_encoder

        encoder = load_api_encoder(project, manifest, max_tokens)
    return encoder


def _beneath(project: Project, above: Manifest, max_tokens: int | None) -> Encoder:
    """The model of the project that an adapter, or one in eight bits, stands on: a copy of its own, for what is loaded may
    be trained further.

    :raises Failed: when that model is gone, or is another version.
    """
    info = full_of(project, above) or base_of(project, above)
    if info is not None and info.id == BUILT_IN:
        fresh: Encoder = fresh_generic()
        return fresh
    if info is not None:
        return load_encoder(project, info, max_tokens)
    raise Failed(base_missing(project, above) or "")


def base_missing(project: Project, model: Manifest) -> str | None:
    """In words that the model is gone that a model stands on, and what to do; None where it is there, or there is none."""
    details = model.details
    if details["format"] == EIGHT_BIT and full_of(project, model) is None:
        return (
            f"The model {details['name']!r} computes {details[FULL_MODEL]['name']!r} in eight bits, and that is gone or another "
            f"version now. Bring it back, or remove this one: python cli.py remove-model {project.name} {details['name']}."
        )
    identity = details.get(ADAPTER_OF)
    if identity is None or details["format"] not in (BEHIND, MATRIX) or base_of(project, model):
        return None
    called = details.get(ADAPTER_BASE, {}).get("name", identity)
    if any(known.id == identity for known in models(project)):
        return (
            f"The model {details['name']!r} is an adapter on {called!r}, which is another version now than the one it "
            f"was trained on. Bring that version back, or train anew: {_anew(project)}."
        )
    return (
        f"The model {details['name']!r} is an adapter on a model that is gone ({called}). Bring that one back (add-model, "
        f"where it was added), or train anew: {_anew(project)}."
    )


def _anew(project: Project) -> str:
    return f"python cli.py train {project.name} --recipe adapter"
