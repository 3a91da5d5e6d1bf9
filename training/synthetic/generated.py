"""Questions that a T5 model writes about passages, kept where a search for them comes back to the passage.

doc2query (Nogueira et al. 2019) writes, GPL (Wang et al. 2022) trains on what is written; that a question must find its
passage again is the filter of Promptagator (Dai et al. 2022) and, with another judge, of doc2query-- (Gospodinov et al. 2023).
"""

from typing import Any

from search.corpus.corpus import Corpus
from search.corpus.labels import Pair
from search.models.folder_limits import check_built
from search.models.import_order import before_transformers
from search.models.pretrained.checkpoints import find_files
from search.models.registry import GENERIC
from search.models.sentence_transformer import best_device, refuse_pickled
from search.projects.errors import Refused, first_line
from search.projects.progress import Progress, Stage
from search.projects.project import Project
from search.retrieval.search import retrievers_for
from search.text.sampling import evenly_spaced
from training.synthetic.draw import DrawnKind
from training.synthetic.kinds import GENERATED
from training.synthetic.source import says_something

FOUND_AMONG = 3
_BATCH = 8
_READ_TOKENS = 256
_WRITTEN_TOKENS = 48
_TOP_P = 0.95
_SEED = 42


def generated(
    project: Project, corpus: Corpus, reference: str, most: int, progress: Progress
) -> tuple[DrawnKind, str]:
    """Let a model write one question about each of some passages, and keep those that find it again.

    :param reference: a T5 model that writes queries: a folder with safetensors, or a hub id.
    :param most: about how many passages, spread evenly.
    :returns: the pairs, and in words how many questions were written and kept.
    :raises Refused: where the model cannot be loaded.
    """
    positions = evenly_spaced(corpus.passages, most)
    texts = corpus.embedded_at(positions)
    progress(0, 1, f"loading {reference}")
    written = _written(*_loaded(reference), texts, Stage(progress, 0.0, 0.7))
    asked = [(n, question) for n, question in enumerate(written) if says_something(question)]
    owners, ids = corpus.owners, corpus.ids()
    (retriever,), _ = retrievers_for(project, [GENERIC], Stage(progress, 0.7, 0.9))
    progress(0.9, 1, f"searching for {len(asked):,} questions")
    rankings = retriever.rank([question for _, question in asked], FOUND_AMONG) if asked else []
    pairs = []
    for (number, question), ranking in zip(asked, rankings, strict=True):
        owner = int(owners[positions[number]])
        if any(found == owner for found, _, _ in ranking):
            pairs.append(Pair(question, texts[number], ids[owner], mined=GENERATED.name))
    note = (
        f"{reference} wrote {len(texts):,} questions; {len(pairs):,} were kept, whose document is among the "
        f"{FOUND_AMONG} that the generic model finds for them."
    )
    return DrawnKind(GENERATED, len(pairs), len(texts) - len(pairs), pairs), note


def _loaded(reference: str) -> tuple[Any, Any]:
    """The tokenizer and the model that writes.

    :raises Refused: for anything that is no sequence-to-sequence model with safetensors weights.
    """
    before_transformers()
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = find_files(reference).folder
    refuse_pickled(folder)
    check_built(folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True
        )
        model = AutoModelForSeq2SeqLM.from_pretrained(
            str(folder), use_safetensors=True, trust_remote_code=False, local_files_only=True
        )
    except Exception as error:
        raise Refused(
            f"{reference} cannot write questions: it must be a T5 model, a folder here or a hub id you can reach. "
            f"({first_line(error)})"
        ) from error
    return tokenizer, model.to(best_device()).eval()


def _written(tokenizer: Any, model: Any, texts: list[str], progress: Progress) -> list[str]:
    """One question for each text, drawn by nucleus sampling as doc2query does; the same each time."""
    import torch

    found: list[str] = []
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(_SEED)
        for start in range(0, len(texts), _BATCH):
            progress(start, len(texts), f"writing questions about {len(texts):,} passages")
            batch = tokenizer(
                texts[start : start + _BATCH],
                truncation=True,
                max_length=_READ_TOKENS,
                padding=True,
                return_tensors="pt",
            )
            made = model.generate(
                input_ids=batch["input_ids"].to(model.device),
                attention_mask=batch["attention_mask"].to(model.device),
                max_new_tokens=_WRITTEN_TOKENS,
                do_sample=True,
                top_p=_TOP_P,
            )
            found += [
                text.strip() for text in tokenizer.batch_decode(made, skip_special_tokens=True)
            ]
    return found
