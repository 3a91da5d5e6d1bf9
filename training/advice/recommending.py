"""From facts to a ranked recommendation, each place with its reasons. Thresholds come from docs/benchmarks.md."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from search.corpus.report.corpus_report import percent
from search.models.legibility import MULTILINGUAL
from search.text.languages import ENGLISH, language_name
from training.adapter.settings import AdapterSettings
from training.advice.facts import FOREIGN_RATIO, UNREADABLE, CorpusFacts
from training.auto.settings import AutoSettings
from training.fine_tune.settings import FineTuneSettings
from training.probe import Speed
from training.recipes import RECIPES
from training.static.settings import StaticSettings
from training.word_vectors.settings import Word2VecSettings

FEW_PAIRS = 1_000
"""Below, fine-tuning scored higher than an adapter on the measured sets; above, the adapter did, in less time."""
BUDGET_MINUTES = 10.0
_OTHER = (
    "A model of a hundred languages may read them whole (it encodes about four times as slowly): python cli.py add-model "
    f"PROJECT {MULTILINGUAL} --default."
)
_NO_OTHER = (
    "It is a model of many languages already, and no other that is known here reads them better. Keyword search (bm25) needs "
    "no model, and word vectors learn from your documents alone."
)
_TITLES = {"generic": "The generic model as it is", "api": "A model on a server (API)", "mine": "Mine pairs, then train an adapter"}  # fmt: skip
_READ = 1_000
"""About how many characters a transformer of 256 word pieces reads; what is behind costs nothing."""
_POOL = 600_000
_FASTTEXT = 2.0
"""FastText learns word parts, too: about twice the time of Word2Vec (docs/benchmarks.md: 22 s to 13, 10 to 7, 5 to 3)."""


@dataclass(frozen=True)
class Advice:
    """One approach: what it is called, how well it fits (0 to 100), why, and how long it takes.

    :param option: a recipe's name, or generic, mine, api.
    :param seconds: until it can be searched with, estimated; None where that is not known.
    """

    option: str
    score: int
    reasons: tuple[str, ...]
    seconds: float | None = None

    @property
    def title(self) -> str:
        """What people read."""
        return _TITLES.get(self.option) or RECIPES[self.option].title

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types."""
        return {**asdict(self), "reasons": list(self.reasons), "title": self.title}


def seconds_of(facts: CorpusFacts, speed: Speed) -> Mapping[str, float]:
    """Seconds until each approach can be searched with, by the name of its recipe ("generic" for the model as it is)."""
    per_passage = min(facts.characters, _READ)
    corpus = facts.passages * per_passage / speed.encoded
    encode = 0.0 if facts.indexed else corpus
    adapter, tune = AdapterSettings(), FineTuneSettings()
    static, words = StaticSettings(), Word2VecSettings()
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


def recommend(
    facts: CorpusFacts, seconds: Mapping[str, float] | None = None, budget: float = BUDGET_MINUTES
) -> list[Advice]:
    """The approaches, the best first.

    :param seconds: estimates by option; without them nothing is weighed by time.
    :param budget: minutes that a training may take.
    """
    known = seconds or {}
    found = [
        Advice(option, score, tuple(reasons), known.get("adapter" if option == "mine" else option))
        for option, (score, reasons) in _weighed(facts).items()
        if option in RECIPES or option in _TITLES
    ]
    late = [_within(advice, budget) for advice in found]
    here = next(advice.score for advice in late if advice.option == "generic")
    # What costs money never stands before the model that is there.
    fair = [replace(a, score=min(a.score, here - 1)) if a.option == "api" else a for a in late]
    return sorted(fair, key=lambda advice: -advice.score)


def _within(advice: Advice, budget: float) -> Advice:
    """What takes longer than there is time for goes down."""
    if advice.option == "auto" or advice.seconds is None or advice.seconds <= budget * 60:
        return advice
    reason = (
        f"It would take about {advice.seconds / 60:,.0f} minutes here; the budget is {budget:g}."
    )
    return replace(advice, score=advice.score - 40, reasons=(*advice.reasons, reason))


def _weighed(facts: CorpusFacts) -> dict[str, tuple[int, list[str]]]:
    """Each option with its fit and its reasons."""
    taught = facts.pairs > 0 and not facts.mined
    strange = _strangeness(facts)
    other = _NO_OTHER if facts.many_languages else _OTHER
    known = [*strange, other] if facts.foreign else [_fitting(facts)]
    generic = 45 if facts.foreign else 60, ["Ready now: nothing to train.", *known]
    learned = _from_pairs(facts) if facts.pairs else _without_pairs(facts)
    options = {"generic": generic, **learned}
    words = "It knows words and not what they mean in a sentence: “bank” is one thing to it."
    lost = "On English sets it scored far below the generic model (docs/benchmarks.md)."
    for name, more in (("fasttext", 2), ("word2vec", 0)):
        base = 62 if facts.foreign and not taught else 30 if facts.foreign else 10
        reasons = [*strange, words] if facts.foreign else [lost, words]
        options[name] = (base + more, reasons)
    if facts.pairs:
        fast = (
            "A vector a word piece, taught by your pairs: much faster to run on a CPU than any transformer, "
            "with less sense of context."
        )
        options["static"] = 25 if facts.mined else 55, [fast]
    large = (
        "A large multilingual model knows meaning in context and many languages; texts leave this machine, and "
        "it costs money by the token."
    )
    options["api"] = 55 if facts.foreign else 25, [large]
    return options


def _fitting(facts: CorpusFacts) -> str:
    """Why the generic model fits, in words."""
    if facts.server:
        return f"{facts.model} is computed by a server; how it reads these texts cannot be seen from here."
    if facts.english or not facts.pieces_ratio:
        return "It was made for texts like these."
    return f"{facts.model} reads these texts in {facts.pieces_ratio:.1f} times as many pieces a word as ordinary English."


def _from_pairs(facts: CorpusFacts) -> dict[str, tuple[int, list[str]]]:
    """What learns from pairs, where there are some."""
    number = f"{facts.pairs:,} pairs"
    if facts.mined:
        why = f"{number} were mined from the documents: an adapter follows them a little way, and seldom does harm."
        tuned = "Mined pairs are not what people ask; a whole model would follow them too far."
        return {
            "adapter": (75, [why]),
            "auto": (76, [why, "It tries what fits into the time, and keeps the best."]),
            "fine-tune": (30, [tuned]),
        }
    few = facts.pairs < FEW_PAIRS
    learns = f"It learns your task from {number}."
    whole = (
        "With fewer than a thousand, teaching the whole model usually gains more than an adapter."
    )
    fast = "With a thousand or more, it usually gains much in a fraction of a fine-tune's time."
    return {
        "auto": (95, [learns, "It tries what fits into the time, and keeps the best."]),
        "adapter": (85 if not few else 80, [learns, *([] if few else [fast])]),
        "fine-tune": (88 if few else 78, [learns, *([whole] if few else [])]),
    }


def _without_pairs(facts: CorpusFacts) -> dict[str, tuple[int, list[str]]]:
    """What there is to do without pairs."""
    if facts.foreign:
        badly = "Pairs can be mined, but the model beneath reads these texts badly."
        return {"mine": (50, [badly])}
    little = (
        "Titles, terms and sentences of your documents make pairs to learn from; the gain is small, and "
        "it is kept only where it is clear. Real questions with their answers would teach more."
    )
    return {"mine": (65, [little])}


def _strangeness(facts: CorpusFacts) -> list[str]:
    """Why the generic model does not fit, in words."""
    found = []
    if facts.language is not None and facts.language != ENGLISH:
        found.append(
            f"Most documents are in {language_name(facts.language)}; the generic model is made for English."
            if facts.english
            else f"Most documents are in {language_name(facts.language)}."
        )
    if facts.unreadable >= UNREADABLE:
        found.append(f"It cannot read {percent(facts.unreadable)} of the words at all.")
    if facts.pieces_ratio >= FOREIGN_RATIO:
        found.append(
            f"It cuts words into {facts.pieces_ratio:.1f} times as many pieces as in ordinary English."
        )
    return found
