"""How long each approach would take here: arithmetic over measured speed and counted texts."""

from collections.abc import Mapping

from training.adapter.settings import AdapterSettings
from training.advice.facts import CorpusFacts
from training.auto.settings import AutoSettings
from training.fine_tune.settings import FineTuneSettings
from training.probe import Speed
from training.static.settings import StaticSettings
from training.word_vectors.settings import Word2VecSettings

_READ = 1_000
"""About how many characters a transformer of 256 word pieces reads; what is behind costs nothing."""
_POOL = 600_000
_FASTTEXT = 2.0
"""FastText learns word parts, too: about twice the time of Word2Vec (docs/benchmarks.md: 22 s to 13, 10 to 7, 5 to 3)."""


def seconds_of(facts: CorpusFacts, speed: Speed) -> Mapping[str, float]:
    """Seconds until each approach can be searched with, by the name of its recipe ("generic" for the model as it is)."""
    per_passage = min(facts.characters, _READ)
    corpus = facts.passages * per_passage / speed.encoded
    encode = 0.0 if facts.indexed else corpus
    adapter, tune, static, words = (
        AdapterSettings(),
        FineTuneSettings(),
        StaticSettings(),
        Word2VecSettings(),
    )
    answers = facts.pairs * min(facts.response_characters, _READ) if facts.mined else 0.0
    queries = (facts.pairs + facts.dev_queries) * facts.query_characters
    batches = -(-facts.pairs // adapter.batch_size)
    cut = min(facts.response_characters, 4.0 * tune.sequence_length) + facts.query_characters
    pool = min(facts.passages * per_passage, _POOL)
    learned = facts.words * words.epochs / speed.words
    return {
        "generic": encode,
        "auto": encode + queries / speed.encoded + 60 * AutoSettings().minutes,
        "adapter": encode
        + (queries + answers) / speed.encoded
        + 2 * adapter.epochs * batches * speed.adapter_step,
        "fine-tune": facts.pairs * tune.epochs * cut / speed.tuned
        + (tune.epochs + 1) * pool / speed.encoded
        + corpus,
        # As many seconds again for measuring on dev; the generic model is measured beside it.
        "static": 2 * static.epochs * -(-facts.pairs // static.batch_size) * speed.static_step
        + (0.0 if facts.indexed else pool / speed.encoded),
        "word2vec": learned,
        "fasttext": _FASTTEXT * learned,
    }
