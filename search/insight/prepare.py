"""What a model is asked again and again, encoded once: the words of the corpus and its own training pairs."""

from search.corpus import current_corpus
from search.engine import searcher_for
from search.insight.lessons import TrainedOn
from search.insight.vocabulary import vocabulary_of
from search.insight.word_space import WordSpace
from search.models import find_model
from search.progress import Progress, Stage, silent
from search.workspace import Project


def prepare(project: Project, name: str, progress: Progress = silent) -> str:
    """Encode what explanations and words ask of a model, and keep it; what is kept already is not encoded again.

    :param name: a model's name.
    :returns: in words what is ready.
    :raises Refused: for an unknown model, or a project without documents.
    """
    manifest, corpus = current_corpus(project)
    info = find_model(project, name)
    words = vocabulary_of(project, manifest, Stage(progress, 0.0, 0.1)).words
    searcher = searcher_for(project, info, manifest, corpus, Stage(progress, 0.1, 0.3))
    WordSpace.load(project, info, searcher.encoder, words, Stage(progress, 0.3, 0.7))
    taught = TrainedOn.load(project, corpus, searcher, Stage(progress, 0.7, 1.0))
    pairs = len(taught.pairs) if taught else 0
    progress(1, 1, "ready")
    return f"{len(words):,} words and {pairs:,} training pairs are ready to be asked of {name!r}."
