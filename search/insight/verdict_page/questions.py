"""The questions that tell most of two columns: the largest gains and losses, with the first hits of each side."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from search.corpus.corpus import Corpus
from search.evaluation.evaluation import Evaluation
from search.text.words import folded_words, shortened

MOST = 20
_QUESTION = 240
_TITLE = 90
_TEXT = 150


def telling_queries(result: Evaluation, baseline: str, candidate: str) -> list[int]:
    """The positions of at most twenty queries, half of them the largest gains and half the largest losses, in that order.

    Where there are fewer of one kind, there are more of the other.
    """
    moved = result.differences(baseline, candidate)
    order = np.argsort(-moved, kind="stable")
    gains = [int(i) for i in order if moved[i] > 0]
    losses = [int(i) for i in np.argsort(moved, kind="stable") if moved[i] < 0]
    half = MOST // 2
    more_gains = max(half, MOST - len(losses))
    more_losses = max(half, MOST - len(gains))
    return gains[:more_gains] + losses[:more_losses]


def questions_as_json(
    result: Evaluation,
    baseline: str,
    candidate: str,
    judgments: Mapping[str, Mapping[str, int]],
    corpus: Corpus | None,
) -> list[dict[str, Any]]:
    """The questions that tell most, as JSON.

    :param judgments: by query; what is missing is not known to be relevant.
    :param corpus: where the texts are; None leaves every text out, and every id that might be one.
    """
    moved = result.differences(baseline, candidate)
    made: list[dict[str, Any]] = []
    for i in telling_queries(result, baseline, candidate):
        query, text = result.queries[i], result.texts[i]
        one: dict[str, Any] = {
            "number": i + 1,
            "difference": float(moved[i]),
            "first_relevant": {c: result.first_relevant[c][i] for c in (baseline, candidate)},
            "hits": {},
        }
        if corpus is not None:
            one |= {"query": query, "text": shortened(" ".join(text.split()), _QUESTION)}
        for column in (baseline, candidate):
            ids = result.tops[column][i] if column in result.tops else []
            one["hits"][column] = [
                {"relevant": judgments.get(query, {}).get(identity, 0) > 0}
                | (_shown(corpus, identity, text) if corpus is not None else {})
                for identity in ids
            ]
        made.append(one)
    return made


def _shown(corpus: Corpus, identity: str, question: str) -> dict[str, str]:
    """Id, title and text of a document: of its passages the one that has most words of the question."""
    document = corpus.document(identity)
    if document is None:
        return {"id": identity, "title": "", "text": ""}
    text = _nearest(corpus.passage_texts(identity), set(folded_words(question)))
    return {
        "id": identity,
        "title": shortened(" ".join(document.title.split()), _TITLE),
        "text": shortened(" ".join(text.split()), _TEXT),
    }


def _nearest(passages: Sequence[str], words: set[str]) -> str:
    return max(passages, key=lambda text: len(words & set(folded_words(text))), default="")
