"""Ready-made models as encoders, from what was noted when they were added."""

from search.models.load import Encoder
from search.projects.artifacts import Manifest
from search.projects.project import Project


def load_ready_made(project: Project, manifest: Manifest, max_tokens: int | None = None) -> Encoder:
    """Load a ready-made model that was added to a project.

    :param max_tokens: the most tokens to send, where a server on an address embeds; None for its own cap.
    :raises Failed: when it is gone, or not what was added.
    """
    from search.models.pretrained import checkpoints, wordllama

    details = manifest.details
    encoder: Encoder
    if details["format"] == wordllama.FORMAT:
        encoder = wordllama.load_added(manifest)
    elif details["format"] == checkpoints.FORMAT:
        from search.models.prompts import Prompts

        folder = checkpoints.found_again(manifest)
        encoder = checkpoints.load(folder, Prompts(**details["prompts"]), details["max_length"])
    else:
        from search.models.api.encoder import load_endpoint

        encoder = load_endpoint(project, manifest, max_tokens)
    return encoder
