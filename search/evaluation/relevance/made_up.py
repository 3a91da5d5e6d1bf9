"""Questions that the documents themselves seem to answer, for a corpus of which nobody asked anything yet.

One sentence of a document, which that document answers (the inverse cloze task; Lee, Chang and Toutanova, "Latent Retrieval for
Weakly Supervised Open Domain Question Answering", 2019): only its rarest words, since a whole sentence finds its document by
being in it, as no question of a person does.
"""

from collections import Counter

import numpy as np

from search.corpus.corpus import Corpus
from search.corpus.labels import Judgments
from search.evaluation.query_sets.query_set import QuerySet
from search.text.sentences import sentence_bounds
from search.text.words import WORD

_MOST = 200
_WORDS = 6
_LEAST = 4


def questions_of_documents(corpus: Corpus) -> QuerySet:
    """A question of each of up to 200 documents, spread evenly; a document without a sentence of four words has none."""
    positions = np.unique(np.linspace(0, len(corpus) - 1, _MOST).round().astype(int)).tolist()
    asked = {
        document.id: said
        for document in corpus.documents_at(positions)
        if (said := _middle(document.text))
    }
    common = Counter(word.casefold() for said in asked.values() for word in set(said))
    queries, judgments = dict[str, str](), Judgments()
    for identity, said in asked.items():
        rare = sorted(range(len(said)), key=lambda i: common[said[i].casefold()])[:_WORDS]
        queries[identity] = " ".join(said[i] for i in sorted(rare))
        judgments[identity] = {identity: 1}
    return QuerySet(queries, judgments)


def _middle(text: str) -> list[str]:
    """The words of the sentence in the middle of a text, of those that are no heading."""
    sentences = [WORD.findall(text, start, stop) for start, stop in sentence_bounds(text)]
    said = [words for words in sentences if len(words) >= _LEAST]
    return said[len(said) // 2] if said else []
