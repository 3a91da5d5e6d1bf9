"""Asking a chat server about passages: what it would send is known before, and no more is sent than that."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from search.corpus.corpus import Corpus
from search.models.api.chat import ChatAnswer, ChatClient, Messages
from search.models.api.server_client import KEPT, TooMuch
from search.models.api.settings import ChatSettings
from search.models.api.token_count import tokens_of
from search.projects import audit
from search.projects.errors import Failed, Refused
from search.projects.outgoing import host_and_port
from search.projects.progress import Progress
from search.projects.project import Project
from search.projects.settings import settings as environment
from search.text.languages import language_of_each
from training.synthetic.chat.answers import AnswerFile, key_of
from training.synthetic.chat.parsing import is_refusal, questions_of
from training.synthetic.chat.prompt import SCHEMA, Style, messages_of
from training.synthetic.source import says_something

CALLS = 500
_LEAST_WORDS = 4
_BLOCK = 200
_PATIENCE = 10  # Answers in a row without a question, before it is given up.
_LISTED_BYTES = 32_000  # Of the ids of documents that one line of the log names.


@dataclass(frozen=True)
class AskedPassage:
    """One passage that is asked about: its position, its document's id, its text, and what is said to the model."""

    position: int
    document: str
    text: str
    language: str
    messages: Messages
    key: str


@dataclass(frozen=True)
class ChatPlan:
    """What would be asked of a server, and what it has answered already.

    :ivar cap: the most tokens that may be read and written in all; what is estimated where nobody said.
    """

    project: Project
    settings: ChatSettings
    style: Style
    asked: list[AskedPassage]
    known: dict[str, ChatAnswer] = field(repr=False)
    cap: int | None = None

    @cached_property
    def open(self) -> list[AskedPassage]:
        """What is not answered yet."""
        return [one for one in self.asked if one.key not in self.known]

    @cached_property
    def tokens(self) -> tuple[int, int]:
        """About how many tokens the server would read, and at most write."""
        read = sum(_read(one) for one in self.open)
        return read, len(self.open) * self.settings.answer_tokens

    @property
    def cost(self) -> float | None:
        """In dollars, at most; None where no price was given."""
        price, written = self.settings.price, self.settings.written_price
        if price is None and written is None:
            return None
        read, write = self.tokens
        return (
            read * (price or 0.0) + write * (price or 0.0 if written is None else written)
        ) / 1e6

    @property
    def sentence(self) -> str:
        """What would leave for where, and what it would cost, for a person who decides."""
        host = host_and_port(self.settings.base_url)
        answered = len(self.asked) - len(self.open)
        before = f" ({answered:,} of {len(self.asked):,} were answered before)" if answered else ""
        if not self.open:
            return f"Nothing would be sent to {host}: all {len(self.asked):,} passages were answered before."
        read, written = self.tokens
        cost = self.cost
        price = (
            ""
            if cost is None
            else f", at most ${cost:,.2f}"
            if cost >= 0.01
            else ", less than a cent"
        )
        shown = len(self.style.examples)
        queries = f" and {shown} of your training queries" if shown else ""
        documents = len({one.document for one in self.open})
        return (
            f"Passages of {documents:,} documents{queries} would be sent to {host} ({self.settings.model}){before}: about "
            f"{read:,} tokens to read and at most {written:,} to write{price}."
        )

    @property
    def most(self) -> int:
        """The most tokens of this run."""
        return self.cap if self.cap is not None else sum(self.tokens)

    def admit(self) -> None:
        """See that all of it may be sent.

        :raises Refused: with the estimate, where it is more than is allowed.
        """
        allowed = self.cap or environment().max_tokens or self.settings.max_tokens
        needed = sum(self.tokens)
        if needed > allowed:
            raise Refused(
                f"{self.sentence} At most {allowed:,} tokens are allowed, so nothing was sent. Ask about fewer (--calls), "
                f"or allow more: --max-tokens {needed}."
            )


def plan(
    project: Project,
    corpus: Corpus,
    settings: ChatSettings,
    style: Style,
    calls: int = CALLS,
    cap: int | None = None,
) -> ChatPlan:
    """What asking about so many passages would send; nothing is sent yet.

    Of each document one passage is asked about, before a second one is of any. A smaller number asks about a part of what
    a larger one does.
    """
    positions = list(_chosen(corpus, calls))
    texts = corpus.embedded_at(positions)
    ids, owners = corpus.ids(), corpus.owners
    asked = []
    for position, text, code in zip(positions, texts, language_of_each(texts), strict=True):
        messages = messages_of(text, style, code)
        document = ids[int(owners[position])]
        asked.append(
            AskedPassage(position, document, text, code, messages, key_of(settings, messages))
        )
    return ChatPlan(project, settings, style, asked, AnswerFile(project).read(), cap)


def ask(plan: ChatPlan, progress: Progress) -> dict[str, ChatAnswer]:
    """Ask what is not answered yet, and return all answers by their keys.

    Which documents leave the machine is noted in the audit log before the first does. Every answer is on disk before the
    next is asked for.

    :raises Refused: before anything is sent, where it would be more than is allowed.
    :raises Failed: where the server does not answer, has no credit left, or answers nothing that can be used; what it
        answered before is kept.
    """
    plan.admit()
    answers = dict(plan.known)
    if not plan.open:
        return answers
    settings, file = plan.settings, AnswerFile(plan.project)
    clients = [ChatClient(settings, project=plan.project.name) for _ in range(settings.parallel)]
    _note(plan)
    used, useless = 0, 0
    with ThreadPoolExecutor(settings.parallel) as pool:
        for start in range(0, len(plan.open), settings.parallel):
            wave = plan.open[start : start + settings.parallel]
            progress(
                start, len(plan.open), f"asking {settings.model} about {len(plan.open):,} passages"
            )
            if used + sum(_read(one) + settings.answer_tokens for one in wave) > plan.most:
                raise _stopped(plan, f"{used:,} of the {plan.most:,} tokens allowed are used")
            came = [
                pool.submit(_answered, client, one, file)
                for client, one in zip(clients, wave, strict=False)
            ]
            failed: Failed | None = None
            for one, future in zip(wave, came, strict=True):
                try:
                    answer = future.result()
                except (
                    TooMuch
                ) as error:  # It may be about this passage alone: a filter, its length.
                    failed, answer = error, ChatAnswer("", refused=True)
                else:
                    answers[one.key] = answer
                used += _used(one, answer)
                useless = 0 if questions_of(answer.text) else useless + 1
            nothing_yet = useless == start + len(wave)
            if useless >= _PATIENCE or (failed is not None and nothing_yet):
                raise failed or _stopped(plan, _why_useless(answer, settings))
    return answers


def _answered(client: ChatClient, one: AskedPassage, file: AnswerFile) -> ChatAnswer:
    """An answer, on disk."""
    answer = client.ask(one.messages, SCHEMA)
    file.add(one.key, one.document, answer)
    return answer


def _stopped(plan: ChatPlan, why: str) -> Failed:
    return Failed(f"{host_and_port(plan.settings.base_url)} was not asked further: {why}. {KEPT}")


def _why_useless(last: ChatAnswer, settings: ChatSettings) -> str:
    """Why the last answers held no question, in words."""
    many = f"{_PATIENCE} answers in a row held no question"
    if last.refused or is_refusal(last.text):
        return f"{many}: {settings.model} refuses"
    if last.cut:
        return (
            f"{many}: they were cut off at {settings.answer_tokens:,} tokens. A model that thinks before it answers needs "
            "more: --answer-tokens 4000"
        )
    what = "were empty" if not last.text.strip() else "made no sense"
    return f"{many}: they {what}. Another model may do better: --chat-model NAME"


def _note(plan: ChatPlan) -> None:
    """One line of the log: which documents go where. No text of them stands in it."""
    documents = list(dict.fromkeys(one.document for one in plan.open))
    named: list[str] = []
    left = _LISTED_BYTES
    for document in documents:
        left -= len(json.dumps(document)) + 2
        if left < 0:
            break
        named.append(document)
    digest = hashlib.sha256("\n".join(documents).encode("utf-8", "replace")).hexdigest()
    audit.note(
        "sent documents to a chat server",
        plan.project.name,
        f"{host_and_port(plan.settings.base_url)} ({plan.settings.model})",
        documents=len(documents),
        training_queries=len(plan.style.examples),
        named=named,
        all_named=len(named) == len(documents),
        sha256=digest,
    )


def _chosen(corpus: Corpus, calls: int) -> Iterator[int]:
    """Positions of passages that say something, in an order that depends on the documents' ids alone."""
    _, firsts, counts = np.unique(corpus.owners, return_index=True, return_counts=True)
    ids = corpus.ids()
    order: list[tuple[int, bytes, int]] = []
    for document, (first, count) in enumerate(zip(firsts.tolist(), counts.tolist(), strict=True)):
        key = hashlib.blake2b(ids[document].encode("utf-8", "replace"), digest_size=8).digest()
        begins = int.from_bytes(key) % count
        order += [(n, key, first + (begins + n) % count) for n in range(min(count, calls))]
    order.sort()
    left = calls
    for start in range(0, len(order), _BLOCK):
        block = [position for _, _, position in order[start : start + _BLOCK]]
        for position, text in zip(block, corpus.embedded_at(block), strict=True):
            if left and says_something(text, _LEAST_WORDS):
                left -= 1
                yield position
        if not left:
            return


def _read(one: AskedPassage) -> int:
    return sum(tokens_of(message["content"]) for message in one.messages)


def _used(one: AskedPassage, answer: ChatAnswer) -> int:
    """The tokens of a question and its answer: as the server counted, else as far as can be told."""
    read = answer.read if answer.read is not None else _read(one)
    return read + (answer.written if answer.written is not None else tokens_of(answer.text))
