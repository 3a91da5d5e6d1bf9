"""Questions that a chat server writes about a project's passages, as pairs of the kind "generated"."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search.corpus.corpus import Corpus
from search.corpus.labels import Pair
from search.evaluation.query_sets.leakage import keep_apart
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_QUESTIONS
from search.models.api.chat import the_model
from search.models.api.settings import chat_settings
from search.models.registry import GENERIC, KEYWORD
from search.projects.errors import Refused
from search.projects.outgoing import host_and_port
from search.projects.progress import Progress, Stage
from search.projects.project import Project
from search.retrieval.retriever import Retriever
from search.retrieval.search import retrievers_for
from search.text.sampling import evenly_spaced
from training.data.pair_sets import PairSet
from training.synthetic.chat.asking import CALLS, ChatPlan, ask, plan
from training.synthetic.chat.filters import (
    AMONG,
    Ranks,
    WrittenQuestion,
    after_round_trip,
    filtered,
)
from training.synthetic.chat.parsing import questions_of
from training.synthetic.chat.prompt import QUESTION_KINDS, Style
from training.synthetic.draw import DrawnKind
from training.synthetic.kinds import GENERATED

_LOOKED_AT = 300  # Training queries, for their style.


@dataclass(frozen=True)
class ChatRequest:
    """Which server writes questions, about how many passages at most.

    :ivar url: where it is; `model` is its model's name (None: the only one that it has), `key_variable` the environment
        variable of its key.
    :ivar options: more fields of `ChatSettings`; None stands for not given.
    :ivar max_tokens: the most tokens that may be read and written; None for what is estimated before.
    """

    url: str
    model: str | None = None
    key_variable: str | None = None
    calls: int = CALLS
    max_tokens: int | None = None
    price: float | None = None
    written_price: float | None = None
    answer_tokens: int | None = None
    parallel: int | None = None


@dataclass(frozen=True)
class WrittenQuestions:
    """The pairs that are left, what is to be said of them, and what a manifest says of how they came about."""

    kind: DrawnKind
    notes: list[str]
    facts: dict[str, Any]


def planned(project: Project, corpus: Corpus, wanted: ChatRequest) -> ChatPlan:
    """What would be sent; of the server nothing but the names of its models is asked, and only where none was given.

    :raises Refused: where what is said of the server cannot be, or it has several models and none was named.
    """
    values = {
        "base_url": wanted.url,
        "model": wanted.model or "unknown",
        "key_variable": wanted.key_variable,
        "price": wanted.price,
        "written_price": wanted.written_price,
        "answer_tokens": wanted.answer_tokens,
        "parallel": wanted.parallel,
    }
    settings = chat_settings(values)
    if wanted.model is None:
        settings = chat_settings({**values, "model": the_model(settings, project.name)})
    if wanted.calls < 1:
        raise Refused("Ask about one passage at least: --calls 1.")
    style = Style.of(_own_pairs(project, corpus))
    return plan(project, corpus, settings, style, wanted.calls, wanted.max_tokens)


def written(
    project: Project, corpus: Corpus, wanted: ChatRequest, progress: Progress
) -> WrittenQuestions:
    """Let a server write questions, and keep those that somebody could ask and that lead back to their document.

    :raises Refused: see `planned` and `ask`; nothing was sent then.
    :raises Failed: where the server stopped answering; what it answered is kept, and not asked again.
    """
    asks = planned(project, corpus, wanted)
    progress(0, 1, asks.sentence)
    answers = ask(asks, Stage(progress, 0.0, 0.8))
    made = [
        WrittenQuestion(question, one)
        for one in asks.asked
        if one.key in answers
        for question in questions_of(answers[one.key].text)
    ]
    found = filtered(made, asks.style)
    progress(0.8, 1, f"searching for {len(found.left):,} questions")
    owners = corpus.owners
    retrievers, _ = retrievers_for(project, [GENERIC, KEYWORD], Stage(progress, 0.8, 1.0))
    positions = [int(owners[one.about.position]) for one in found.left]
    found = after_round_trip(found, positions, [_ranks(one) for one in retrievers])
    pairs = [
        Pair(one.question.text, one.about.text, one.about.document, mined=GENERATED.name)
        for one in found.left
    ]
    kinds = Counter(one.question.kind for one in found.left)
    host, model = host_and_port(asks.settings.base_url), asks.settings.model
    left_out = f" Left out: {found.sentence}." if found.out else ""
    notes = [
        f"{model} at {host} wrote {len(made):,} questions about {len(asks.asked):,} passages; {len(pairs):,} are used."
        + left_out
    ]
    facts = {
        "server": host,
        "url": asks.settings.base_url,
        "model": model,
        "key_variable": asks.settings.key_variable,
        "calls": wanted.calls,
        "passages": len(asks.asked),
        "written": len(made),
        "used": len(pairs),
        "left_out": dict(found.out),
        "question_kinds": {kind: kinds[kind] for kind in QUESTION_KINDS if kinds[kind]},
        "style": {"examples": len(asks.style.examples), "words": asks.style.words},
    }
    kind = DrawnKind(GENERATED, len(pairs), len(made) - len(pairs), _shown_first(found.left, pairs))
    return WrittenQuestions(kind, notes, facts)


def _own_pairs(project: Project, corpus: Corpus) -> list[Pair]:
    """Some of the training pairs that people wrote; none whose query dev or test asks, or nearly."""
    manifest = project.newest("pairs")
    if manifest is None:
        return []
    pair_set = PairSet.load(project, manifest)
    own = [pair for pair in pair_set.pairs if not pair.mined]
    some = [own[position] for position in evenly_spaced(len(own), _LOOKED_AT)]
    held = [pair_set.dev]
    queries = project.newest("queries")
    if queries is not None:
        held.append(QuerySet.with_sealed(project, queries))
    return keep_apart(some, held, corpus, NEW_QUESTIONS).pairs


def _ranks(retriever: Retriever) -> Ranks:
    def first(questions: Sequence[str]) -> list[list[int]]:
        return [[found for found, _, _ in hits] for hits in retriever.rank(list(questions), AMONG)]

    return first


def _shown_first(left: Sequence[WrittenQuestion], pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs, with one of each kind of question at the front, of different documents: the first are shown as examples."""
    front: dict[str, int] = {}
    shown: set[str] = set()
    for n, one in enumerate(left):
        if one.question.kind not in front and one.about.document not in shown:
            front[one.question.kind] = n
            shown.add(one.about.document)
    chosen = set(front.values())
    return [pairs[n] for n in front.values()] + [p for n, p in enumerate(pairs) if n not in chosen]
