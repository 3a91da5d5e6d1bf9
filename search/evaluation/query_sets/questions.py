"""The two questions that a query set can ask of a model, of which its manifest names one.

**New questions**: does it find the documents that are here for questions that nobody asked before? No query of training, nor
a near-duplicate of one, is a test query; documents may stand on both sides. That is what people meet most, and what the
splits of BEIR (Thakur et al. 2021) and of TREC mean. **New documents**: does it find documents that nobody asked about
before, either? No query and no answer crosses. It costs pairs: each whose answer is relevant to a test query.
"""

from collections.abc import Mapping
from typing import Any, Literal

Question = Literal["new_questions", "new_documents"]
NEW_QUESTIONS: Question = "new_questions"
NEW_DOCUMENTS: Question = "new_documents"
QUESTION = "question"
"""The key of manifests: of pairs (for their dev queries), query sets, and models (for what was kept out of training)."""
TITLES: Mapping[Question, str] = {
    NEW_QUESTIONS: "new questions on the documents that are here",
    NEW_DOCUMENTS: "new documents, which no training pair answers with",
}
_FEW = 0.05
"""Of the test queries: that so few stand in training as well makes no other question of them."""


def question_of(details: Mapping[str, Any]) -> Question:
    """The question that an artifact asks, by its manifest's details.

    What was made before there were two was kept apart by queries and by documents, and names none.

    >>> question_of({"question": "new_questions"}), question_of({})
    ('new_questions', 'new_documents')
    """
    return NEW_QUESTIONS if details.get(QUESTION) == NEW_QUESTIONS else NEW_DOCUMENTS


def question_for(queries: int, shared: int) -> Question:
    """The question that a split asks where nobody chose one: new questions, where its queries are disjoint.

    :param queries: how many test queries there are.
    :param shared: how many of them stand in training, near-duplicates included; up to one in twenty are pairs to leave out.

    >>> question_for(300, 3), question_for(300, 30)
    ('new_questions', 'new_documents')
    """
    return NEW_QUESTIONS if shared <= _FEW * queries else NEW_DOCUMENTS
