"""What a model forgot: a hundred general questions that have nothing to do with the corpus.

A model that is taught one field can lose what it knew of all others (catastrophic forgetting; McCloskey and Cohen
1989, "Catastrophic interference in connectionist networks"). So the same general questions
(`search.evaluation.query_sets.general`) are asked before and after training.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexes.vector_index import normalised
from search.evaluation.query_sets.general import general_questions
from search.models.encoder import Encoder

_DEPTH = 10
_NOTABLE = 0.01


@dataclass(frozen=True)
class General:
    """nDCG@10 on the general questions: of the start, and of the model made from it."""

    questions: int
    start: float
    model: float

    @property
    def sentence(self) -> str:
        """What that means, in words."""
        change = self.model - self.start
        if change <= -_NOTABLE:
            judged = "it forgot some of what its start knew of other fields"
        elif change >= _NOTABLE:
            judged = "it got better at other fields, too"
        else:
            judged = "nothing of note was forgotten"
        return (
            f"On {self.questions} general questions, outside this corpus, it scores {self.model:.3f} nDCG@10, "
            f"its start {self.start:.3f}: {judged}."
        )

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> "General":
        """What a manifest kept."""
        return cls(saved["questions"], saved["start"], saved["ndcg@10"])

    def as_json(self) -> dict[str, Any]:
        """What a model's manifest keeps."""
        return {"questions": self.questions, "start": self.start, "ndcg@10": self.model}


def general_ndcg(encoder: Encoder) -> float:
    """nDCG@10 of an encoder on the general questions.

    Each question has one right answer, so a question's nDCG is 1 / log2(rank + 1), and 0 beyond rank ten.
    An answer that scores no better than the right one does not outrank it.
    """
    queries, answers = zip(*general_questions(), strict=True)
    asked = normalised(np.asarray(encoder.encode_query(list(queries))))
    given = normalised(np.asarray(encoder.encode_document(list(answers))))
    scores = asked @ given.T
    right = np.diagonal(scores)[:, None]
    known = asked.any(axis=1) & given.any(axis=1)
    ranks = 1 + (scores > right).sum(axis=1)
    gains = np.where(known & (ranks <= _DEPTH), 1 / np.log2(ranks + 1), 0.0)
    return float(gains.mean())
