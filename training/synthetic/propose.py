"""Questions proposed from the documents for a person to accept: mined, or written by a chat server where one is asked.

They steer no training: what a person accepts of them is tested on, and stays marked as proposed.
"""

from collections.abc import Iterator
from itertools import zip_longest

from search.corpus.corpus import current_corpus
from search.corpus.labels import Pair
from search.judging.proposals import add_proposals
from search.projects.progress import Progress, silent
from search.projects.project import Project
from training.synthetic.chat.written import ChatRequest, written
from training.synthetic.draw import draw_pairs

MOST = 40
"""Questions at a time: some twenty minutes of deciding and judging."""
_KINDS = ("question", "definition", "heading", "title", "words")
"""The kinds that read like something a person types, the most natural first."""
_LOOKED_AT = 400
_LEAST_WORDS, _MOST_CHARACTERS = 2, 200


def propose(
    project: Project,
    most: int = MOST,
    chat: ChatRequest | None = None,
    progress: Progress = silent,
) -> int:
    """Propose questions about documents that are spread over the whole corpus, no document twice before each had one.

    :param chat: a chat server that writes them; None for what titles, headings, terms and questions in the texts give.
    :returns: how many are new; fewer than `most` where the documents give no more.
    :raises Refused: without documents, and where the server cannot be asked.
    """
    _, corpus = current_corpus(project)
    if chat is not None:
        found = written(project, corpus, chat, progress)
        pairs = list(found.kind.pairs)
    else:
        drawn = draw_pairs(corpus, _KINDS, progress=progress, documents=_LOOKED_AT)
        by_kind = {one.kind.name: one.pairs for one in drawn.kinds}
        pairs = [pair for name in _KINDS for pair in by_kind[name]]
    asked = ((pair.query, str(pair.document), pair.mined) for pair in _spread(pairs))
    return add_proposals(project, asked, most)


def _spread(pairs: list[Pair]) -> Iterator[Pair]:
    """Pairs that can be asked, in turn one of each document; of one document the earlier kinds first."""
    of_document: dict[str, list[Pair]] = {}
    for pair in pairs:
        short = len(pair.query) <= _MOST_CHARACTERS
        if pair.document is not None and short and len(pair.query.split()) >= _LEAST_WORDS:
            of_document.setdefault(pair.document, []).append(pair)
    for turn in zip_longest(*of_document.values()):
        yield from (pair for pair in turn if pair is not None)
