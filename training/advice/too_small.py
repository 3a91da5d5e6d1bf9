"""What is too small to learn from, said before anybody tries: too few documents, or too few that say different things."""

from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.questions import NEW_DOCUMENTS
from search.projects.errors import Refused
from search.projects.project import Project
from training.data.pair_sets import DEV_SHARE, MIN_GROUPS, split_pairs
from training.synthetic.draw import draw_pairs

FEWEST_DOCUMENTS = round(1 / DEV_SHARE)
"""What documents teach by themselves is chosen by a tenth that is held out, whole documents at a time: it takes ten for one."""
_LOOKED_AT = 50
_UNTIL_THEN = "until then keyword search and the generic model will do."


def too_small(project: Project) -> str | None:
    """Why nothing can be learned from a project's documents alone, and how many more it takes; None where something can.

    A project with pairs is never too small here: they are refused as they come in.

    :raises Refused: without documents.
    """
    _, corpus = current_corpus(project)
    if project.newest("pairs") is not None:
        return None
    documents = len(corpus)
    if documents < FEWEST_DOCUMENTS:
        return (
            f"{documents} documents are too few to learn from. Add at least {FEWEST_DOCUMENTS - documents} more; "
            f"{_UNTIL_THEN}"
        )
    if documents > _LOOKED_AT:
        return None
    pairs = draw_pairs(corpus).pairs()
    try:
        split = split_pairs(pairs, hold_test=False, question=NEW_DOCUMENTS)
    except Refused:
        split = None
    if split is None or not split.dev.queries:
        return (
            f"The {documents} documents are too short or too much alike to learn from. Add at least {MIN_GROUPS} others "
            f"with some sentences each; {_UNTIL_THEN}"
        )
    return None
