"""Small models worth measuring beside the one that comes with Bespoke, by language: what they weigh, read and allow.

Figures and licences are those of their cards as MTEB's metadata lists them (embeddings-benchmark/mteb, commit a905523 of
22 August 2026: n_parameters, memory_usage_mb, max_tokens, license); how they did on seven medical and legal sets was looked up
in its results. What goes before a query is known by family in `prompts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from search.models.pretrained.multilingual.folder import HUB_ID
from search.models.prompts import Prompts, prompts_of
from search.text.languages import ENGLISH


@dataclass(frozen=True)
class HubModel:
    """A model of a hub: how much is downloaded, how many word pieces it reads of a text, and on which terms.

    >>> model = catalogue("en")[0]
    >>> model.sentence, model.prompts.query
    ('Snowflake/snowflake-arctic-embed-xs (90 MB, Apache-2.0)', 'Represent this sentence for searching relevant passages: ')
    """

    reference: str
    megabytes: int
    window: int
    licence: str
    languages: str = ENGLISH

    @property
    def prompts(self) -> Prompts:
        """What goes before queries and documents, where the model's own settings do not say."""
        return prompts_of({}, (self.reference,))

    @property
    def sentence(self) -> str:
        """In words."""
        return f"{self.reference} ({self.megabytes:,} MB, {self.licence})"


_MANY = "many"
_MODELS = (
    HubModel("Snowflake/snowflake-arctic-embed-xs", 90, 512, "Apache-2.0"),
    HubModel("MongoDB/mdbr-leaf-ir", 90, 512, "Apache-2.0"),
    HubModel("thenlper/gte-small", 67, 512, "MIT"),
    HubModel("ibm-granite/granite-embedding-small-english-r2", 95, 8_192, "Apache-2.0"),
    HubModel("BAAI/bge-small-en-v1.5", 133, 512, "MIT"),
    HubModel("Snowflake/snowflake-arctic-embed-s", 133, 512, "Apache-2.0"),
    HubModel("ibm-granite/granite-embedding-97m-multilingual-r2", 195, 8_192, "Apache-2.0", _MANY),
    HubModel(HUB_ID, 471, 512, "MIT", _MANY),
)


def catalogue(language: str | None) -> Sequence[HubModel]:
    """The models for texts in a language (ISO 639; None where it cannot be told: those for English), the smallest first."""
    wanted = ENGLISH if language in (ENGLISH, None) else _MANY
    return [model for model in _MODELS if model.languages == wanted]
