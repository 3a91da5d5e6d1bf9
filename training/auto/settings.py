"""Settings of the recipe that tries the others."""

from pydantic import Field

from training.settings import RecipeSettings


class AutoSettings(RecipeSettings):
    """Settings of trying several recipes and keeping the best.

    >>> AutoSettings(minutes=2).base
    'generic'
    """

    base: str = Field("generic", min_length=1, title="Start from")
    """“generic” is the ready-made model of the project or of this machine that serves the dev queries best; or another of its
    models, a folder, or a model hub id."""
    minutes: float = Field(10.0, ge=0.05, le=10_000, title="Minutes")
    """How long it may try, once your documents are encoded. It learns from as much as fits."""
