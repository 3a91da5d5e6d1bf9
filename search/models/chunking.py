"""How the documents of a project are cut: to what its models read, counted as the model that reads least counts."""

from search.corpus.corpus import Corpus
from search.corpus.passages import MOST_TOKENS, WHOLE, Chunking, chunking_of
from search.corpus.tokenizer import ModelTokenizer, SubwordCounter, generic_reader
from search.models.registry import BUILT_IN, GENERIC, ModelInfo, models
from search.models.tokenizers import reader_of
from search.projects.project import Project

_SPARE = 4
"""Word pieces left free: a tokenizer may count two texts together otherwise than each alone."""
_FEWEST = 16


def smallest_reader(project: Project) -> tuple[str, ModelTokenizer]:
    """The id and reader of the model with the smallest window among the transformers that a project uses.

    The model that comes with Bespoke is one of them only while it is the default, or something stands on it: whoever took
    a multilingual model instead does not want Hindi cut into the scraps of an English one.
    """
    readers: dict[str, ModelTokenizer] = {}
    for info in models(project) if project.exists else ():
        reader = reader_of(project, info) if _is_used(info) else None
        if reader is not None and reader.window is not None:
            # What stands on the built-in model reads as that does, and outlives the model that showed it.
            readers[BUILT_IN if reader is generic_reader() else info.id] = reader
    if not readers:
        return BUILT_IN, generic_reader()
    return min(readers.items(), key=lambda item: item[1].room or 0)


def chunking_for(
    project: Project, tokens: int | None = None, overlap: int | None = None, again: bool = False
) -> tuple[Chunking, SubwordCounter]:
    """How documents are to be cut, and what counts their word pieces.

    A corpus goes on as it was begun, unless its model is gone.

    :param tokens: the longest passage, where a person chose; 0 keeps documents whole.
    :param again: forget how the corpus is cut, and choose by today's models.
    :raises Refused: when the two do not go together.
    """
    manifest = project.newest("corpora")
    old = Corpus.of(project, manifest).chunking if manifest is not None and not again else None
    if old is not None and old.tokens:
        known = _reader_of_id(project, old.counted_by)
        if known is not None:
            return chunking_of(old, tokens, overlap), known.counter
    identity, reader = smallest_reader(project)
    if old is not None and not old.tokens and tokens is None and overlap is None:
        return WHOLE, reader.counter
    return chunking_of(_fitting(identity, reader), tokens, overlap), reader.counter


def _fitting(identity: str, reader: ModelTokenizer) -> Chunking:
    """Passages that a model reads to their ends."""
    usual = Chunking()
    room = (reader.room or usual.tokens + _SPARE) - _SPARE
    size = min(max(room, _FEWEST), MOST_TOKENS)
    return Chunking(size, min(usual.overlap, size // 4), identity, reader.title)


def _is_used(info: ModelInfo) -> bool:
    return info.id != BUILT_IN or info.name == GENERIC


def _reader_of_id(project: Project, identity: str) -> ModelTokenizer | None:
    if identity == BUILT_IN:
        return generic_reader()
    info = next((info for info in models(project) if info.id == identity), None)
    return reader_of(project, info) if info is not None else None
