"""What models are asked again and again, encoded once: the words of the corpus and their own training pairs."""

from collections.abc import Sequence

from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.trained_on import trained_pairs
from search.insight.training_neighbours import TrainedOn
from search.insight.vocabulary import vocabulary_of
from search.insight.word_space import WordSpace
from search.models.load import load_encoder
from search.models.registry import default_models, find_model
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.retrieval.search import ProjectParts


def prepare(project: Project, names: Sequence[str] = (), progress: Progress = silent) -> list[str]:
    """Encode what explanations and words ask of models, and keep it; what is kept already is not encoded again.

    :param names: model names; none means generic and the newest custom model.
    :returns: in words what is ready, a sentence a model.
    :raises Refused: for an unknown model, or a project without documents.
    """
    manifest, corpus = current_corpus(project)
    infos = [find_model(project, n) for n in dict.fromkeys(names)] or default_models(project)
    words = vocabulary_of(project, manifest, Stage(progress, 0.0, 0.1)).words
    told = []
    for place, info in enumerate(infos):
        start, span = 0.1 + 0.9 * place / len(infos), 0.9 / len(infos)
        pairs = trained_pairs(project, info)
        if pairs:
            stage = Stage(progress, start, start + span * 0.3)
            searcher = ProjectParts(project, manifest, corpus).dense(info, stage)
            encoder = searcher.encoder
            TrainedOn.load(
                project, corpus, searcher, Stage(progress, start + span * 0.3, start + span * 0.6)
            )
        else:
            encoder = load_encoder(project, info)
        rest = Stage(progress, start + span * (0.6 if pairs else 0.0), start + span)
        WordSpace.load(project, info, encoder, words, rest)
        taught = f" and {len(pairs):,} training pairs" if pairs else ""
        told.append(f"{len(words):,} words{taught} are ready to be asked of {info.name!r}.")
    progress(1, 1, "ready")
    return told
