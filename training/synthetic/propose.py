"""Questions proposed from the documents for a person to accept: mined, or written by a chat server where one is asked.

They steer no training: what a person accepts of them is tested on, and stays marked as proposed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
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
_WORDS = "words"
_KINDS = ("question", "definition", "heading", "title", _WORDS)
"""The kinds that read like something a person types, the most natural first; a few words only of what has nothing else."""
_LOOKED_AT = 400
_MOST_CHARACTERS = 200


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


def _spread(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Pairs that can be asked, in turn one of each document; of one document the earlier kinds first."""
    of_document: dict[str, list[Pair]] = {}
    for pair in pairs:
        if pair.document is None or len(pair.query) > _MOST_CHARACTERS:
            continue
        own = of_document.setdefault(pair.document, [])
        if pair.mined != _WORDS:
            own.append(pair)
        elif not own and len(telling := _telling(pair.query)) > 1:
            own.append(replace(pair, query=" ".join(telling)))
    for turn in zip_longest(*of_document.values()):
        yield from (pair for pair in turn if pair is not None)


def _telling(query: str) -> list[str]:
    """The words of a search that are long enough to say something, where the language has short ones."""
    return [word for word in query.split() if len(word) > 3 or not word.isascii()]
