"""Any model of a project as an encoder: its format decides which loader is imported."""

from search.models.encoder import Encoder
from search.models.linear_adapter import ADAPTER_OF, QUERY_ONLY, LinearAdapter
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.registry import BUILT_IN, ModelInfo, is_pretrained, models
from search.models.sentence_transformer import load_generic, load_sentence_transformer
from search.projects.artifacts import Manifest
from search.projects.errors import Failed
from search.projects.project import Project


def load_encoder(project: Project, info: ModelInfo, max_tokens: int | None = None) -> Encoder:
    """Load a model of a project.

    :param max_tokens: the most tokens to send, where a server on an address embeds; None for its own cap.
    :raises Failed: when its files are missing or damaged, or hold another version than was added.
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
    elif is_pretrained(manifest):
        encoder = _pretrained(project, manifest, max_tokens)
    elif form == MATRIX:
        side = "query" if manifest.details.get(QUERY_ONLY) else "both"
        encoder = LinearAdapter.load(folder, _base(project, manifest, max_tokens), side)
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


def _base(project: Project, adapter: Manifest, max_tokens: int | None) -> Encoder:
    """The model of the project that an adapter stands on.

    :raises Failed: when that model is gone.
    """
    base = adapter.details[ADAPTER_OF]
    for info in models(project):
        if info.id == base:
            return load_encoder(project, info, max_tokens)
    raise Failed(
        f"The model {adapter.details['name']!r} is an adapter on a model that is gone ({base}). Add that "
        "one again, and train the adapter anew."
    )
