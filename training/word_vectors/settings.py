"""Settings of Word2Vec and FastText."""

from typing import Literal

from pydantic import Field

from training.settings import ADVANCED, RecipeSettings


class WordVectorSettings(RecipeSettings):
    """Settings that Word2Vec and FastText share.

    >>> WordVectorSettings(window=3).pooling
    'sif'
    """

    vector_size: int = Field(100, ge=2, le=2000, title="Vector size")
    """Numbers a word: more can tell more apart."""
    window: int = Field(5, ge=1, le=100, title="Window")
    """How many words to each side count as context."""
    min_count: int = Field(2, ge=1, le=10_000, title="Minimum count")
    """Words that occur less often get no vector of their own."""
    epochs: int = Field(15, ge=1, le=1000, title="Epochs")
    """How often the training reads the corpus."""
    tokens: Literal["words", "pieces"] = Field("words", title="Reads texts as")
    """Words are runs of letters of any script. Pieces are learned from the documents: for languages that write
    without spaces, long compounds, and one word in many spellings. They often find more in other languages, too, but
    there are fewer words to look around."""
    phrases: bool = Field(False, title="Phrases")
    """Two words that stand together far more often than by chance, such as blood pressure, get a vector of their
    own."""
    pieces: int = Field(2_000, ge=100, le=200_000, title="Pieces", json_schema_extra=ADVANCED)
    """How many pieces to learn, where texts are read as pieces."""
    workers: int = Field(1, ge=1, le=64, title="Workers")
    """Threads. More than one is faster, but two runs then differ slightly."""
    algorithm: Literal["skip-gram", "cbow"] = Field("skip-gram", title="Algorithm")
    """Skip-gram is better for rare words, CBOW is faster."""
    pooling: Literal["sif", "mean"] = Field("sif", title="Pooling")
    """SIF lets rare words count more than frequent ones; mean treats all alike."""


class Word2VecSettings(WordVectorSettings):
    """Settings of Word2Vec.

    >>> Word2VecSettings(algorithm="cbow").vector_size
    100
    """


class FastTextSettings(WordVectorSettings):
    """Settings of FastText.

    >>> FastTextSettings(min_n=2).max_n
    6
    """

    min_n: int = Field(3, ge=1, le=20, title="Shortest n-gram")
    """Letters in the shortest word part."""
    max_n: int = Field(6, ge=1, le=20, title="Longest n-gram")
    """Letters in the longest word part."""
    buckets: int = Field(100_000, ge=1_000, le=5_000_000, title="Buckets")
    """Vectors for word parts; more is finer and makes the model larger."""
