"""What the settings of every recipe have."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

ADVANCED: JsonDict = {"advanced": True}
"""Marks a setting that few people change (`json_schema_extra` of its field)."""

BATCH_SIZE = 64
"""How many pairs a step of fine-tuning learns from, unless it is set: the pairs report counts by it, too."""


class RecipeSettings(BaseModel):
    """Settings that every recipe has. The title of a field is its label, the text under it its help."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
    seed: int = Field(42, ge=0, le=2**31 - 1, title="Seed")
    """The same seed gives the same model."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """A help text is one line, however many it takes in the source."""
        super().__pydantic_init_subclass__(**options)
        for field in cls.model_fields.values():
            field.description = " ".join((field.description or "").split())
