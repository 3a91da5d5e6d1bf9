"""The frequent words and phrases of a corpus: what a model's notion of words is asked about."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice, pairwise

from pydantic import TypeAdapter

from search.corpus.corpus import Corpus
from search.corpus.report.tokenizer_fit import SHREDDED
from search.corpus.tokenizer import subwords_of
from search.projects.artifacts import Manifest
from search.projects.files import write_json
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.retrieval.bm25.capitals import STOP_WORDS
from search.text.languages import languages, listed, main_language, ordinary_words
from search.text.sampling import evenly_spaced
from search.text.words import PHRASE_END, WORD, has_letter, without_formats

MOST = 20_000
_PHRASES = 5_000
_SAMPLE = 20_000
_CHUNK = 1_000
_TWICE = 100  # A corpus of fewer documents keeps words that stand in it once.
_LONGEST = 40
_SOON = 4_000  # So many documents are counted in a second or two.
# More frequent words than this in ordinary text (the, of, would) hold sentences together.
_GLUE = 1e-3
_LANGUAGE_TEXTS = 300
_SHOWN = 30
_ROMAN = frozenset("IVXLC")  # Numerals; CD and MD are abbreviations.
_FILE = "words.json"


@dataclass(frozen=True)
class OverSegmented:
    """A word that the generic model knows only in pieces."""

    word: str
    subwords: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Words and two-word phrases of a corpus, the most frequent first, as they are mostly written.

    `counts` tells how often each stands in the `sampled` documents that were read. `over_segmented` are frequent words
    that the generic model reads in three pieces or more, `new` are unknown to ordinary text of the language,
    `abbreviations` are written in capitals: places to start from.
    """

    words: tuple[str, ...]
    counts: tuple[int, ...]
    sampled: int
    over_segmented: tuple[OverSegmented, ...]
    new: tuple[str, ...]
    abbreviations: tuple[str, ...]


def vocabulary_of(project: Project, manifest: Manifest, progress: Progress = silent) -> Vocabulary:
    """The vocabulary of a corpus: kept as an artifact, made when it is asked for first."""
    counted = project.newest_where("vocabularies", corpus=manifest.id)
    if counted is not None:
        stored = (project.checked(counted) / _FILE).read_bytes()
        return TypeAdapter(Vocabulary).validate_json(stored)
    made = collect(Corpus.of(project, manifest), progress)
    facts = {"words": len(made.words), "sampled": made.sampled}
    with project.publish("vocabularies", {"corpus": manifest.id}, **facts) as draft:
        write_json(draft.folder / _FILE, asdict(made))
    return made


def collect(corpus: Corpus, progress: Progress = silent, most: int = MOST) -> Vocabulary:
    """Count the words of a corpus; of a large one, those of 20,000 documents spread evenly over it."""
    places = evenly_spaced(len(corpus), _SAMPLE)
    forms: Counter[str] = Counter()
    phrases: Counter[tuple[str, str]] = Counter()
    texts: list[str] = []
    for start in range(0, len(places), _CHUNK):
        progress(start, len(places), f"counting words in {len(places):,} documents")
        for document in corpus.documents_at(places[start : start + _CHUNK]):
            text = document.embedded
            if len(texts) < _LANGUAGE_TEXTS:
                texts.append(text)
            for part in PHRASE_END.split(without_formats(text)):
                run = WORD.findall(part)
                forms.update(run)
                phrases.update(pairwise(word.lower() for word in run))
    least = 1 if len(corpus) < _TWICE else 2
    ordinary = ordinary_words(listed(main_language(languages(texts))))
    counts, written = _merged(forms)
    words = [w for w, n in counts.items() if n >= least and _is_word(w)]
    known = {w for w in words if ordinary.get(w, 0.0) < _GLUE and w not in STOP_WORDS}
    pairs = {
        f"{one} {two}": number
        for (one, two), number in phrases.items()
        if number >= max(3, least) and one in known and two in known
    }
    together = _first(pairs, min(_PHRASES, most // 4))
    ranked = _first({w: counts[w] for w in words}, most - len(together))
    both = _first({w: counts[w] for w in ranked} | {p: pairs[p] for p in together}, most)
    shown = [w for w in ranked if w in known]
    return Vocabulary(
        tuple(written.get(word, word) for word in both),
        tuple(counts.get(word) or pairs[word] for word in both),
        len(places),
        _over_segmented(shown),
        tuple(written[w] for w in shown if w not in ordinary and not w[0].isdigit())[:_SHOWN],
        tuple(written[w] for w in shown if _is_abbreviation(written[w]))[:_SHOWN],
    )


def content_words(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text that may name what it is about: no numbers, none that only hold sentences together."""
    ordinary = ordinary_words(listed(main_language(languages(texts[:_LANGUAGE_TEXTS]))))
    return [
        [
            word
            for word in WORD.findall(without_formats(text.lower()))
            if len(word) > 2
            and ordinary.get(word, 0.0) < _GLUE
            and word not in STOP_WORDS
            and has_letter(word)
        ]
        for text in texts
    ]


def _merged(forms: Counter[str]) -> tuple[dict[str, int], dict[str, str]]:
    """How often each word stands there in any case, and how it is mostly written."""
    counts: dict[str, int] = {}
    written: dict[str, str] = {}
    for form, number in forms.most_common():  # The most frequent form comes first, and stays.
        word = form.lower()
        counts[word] = counts.get(word, 0) + number
        written.setdefault(word, form)
    return counts, written


def _is_word(word: str) -> bool:
    return 1 < len(word) <= _LONGEST and has_letter(word)


def _is_abbreviation(word: str) -> bool:
    letters = word.isascii() and word.isalpha() and word.isupper()
    return letters and 2 <= len(word) <= 6 and not set(word) <= _ROMAN


def _first(counts: dict[str, int], most: int) -> list[str]:
    return sorted(counts, key=lambda word: (-counts[word], word))[:most]


def _over_segmented(words: Sequence[str]) -> tuple[OverSegmented, ...]:
    cut = zip(words, subwords_of(words), strict=True)
    shredded = (OverSegmented(word, pieces) for word, pieces in cut if len(pieces) >= SHREDDED)
    return tuple(islice(shredded, _SHOWN))


def is_counted(project: Project, manifest: Manifest) -> bool:
    """Whether the words of a corpus can be had without a wait: they were counted before, or are soon."""
    if int(manifest.details["documents"]) <= _SOON:
        return True
    return project.newest_where("vocabularies", corpus=manifest.id) is not None
