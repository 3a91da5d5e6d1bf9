"""Hard negatives: near and wrong, and never a right answer that nobody noted."""

import numpy as np

from search.corpus.corpus import Corpus
from search.corpus.document import Document
from search.corpus.labels import Pair
from search.corpus.writer import CorpusWriter
from search.projects.project import Project
from search.retrieval.bm25.index import TermIndex, build
from search.retrieval.bm25.tokenizer import Analysis
from training.data.hard_negatives import NegativeSources, mine_hard_negatives
from training.data.intake import import_beir
from training.data.pair_sets import current_pairs
from training.train import train

TEXTS = [
    "velko heals the hand and the knee of the surgeon",  # 0: the answer
    "velko heals the foot",  # 1: near by vectors, too near
    "dromi heals the knee",  # 2: near by vectors
    "santu signs some deed",  # 3: far
    "velko hand velko hand velko",  # 4: far by vectors, near by words
    "velko heals the hand and the knee of the  Surgeon!",  # 5: a near-duplicate of the answer
    "querra, the second answer to the question",  # 6: answers too, by another pair
    "bolfi answers a question that is nearly the same",  # 7: answers, by a near-duplicate query
]
QUERY = "what does velko heal in the hand, please tell me now, dear old doctor of mine and ours"
COSINES = [0.8, 0.79, 0.75, 0.1, 0.3, 0.78, 0.77, 0.76]


def sources(tmp_path, cosines, pairs):
    writer = CorpusWriter(tmp_path)
    writer.add([Document(f"d{n}", "", text) for n, text in enumerate(TEXTS)])
    writer.close()
    analysis = Analysis()
    build(TEXTS, analysis, tmp_path)
    cosines = np.array(cosines)
    documents = np.zeros((len(TEXTS), 1 + len(TEXTS)), dtype=np.float32)
    documents[:, 0] = cosines
    documents[np.arange(len(TEXTS)), 1 + np.arange(len(TEXTS))] = np.sqrt(1 - cosines**2)
    queries = np.zeros((len(pairs), 1 + len(TEXTS)), dtype=np.float32)
    queries[:, 0] = 1
    answers = documents[[TEXTS.index(p.response) for p in pairs]]
    words = TermIndex.load(tmp_path, analysis, len(TEXTS))
    return NegativeSources(queries, answers, documents, Corpus(tmp_path / "corpus.sqlite"), words)


PAIRS = [
    Pair(QUERY, TEXTS[0], document="d0"),
    Pair(QUERY, TEXTS[6], document="d6"),
    Pair(QUERY.replace("please", "Please"), TEXTS[7], document="d7"),
]


def test_the_nearest_wrong_ones_by_vectors_and_by_words_in_turn(tmp_path):
    mined = mine_hard_negatives(PAIRS, sources(tmp_path, COSINES, PAIRS), 3, 0.95, seed=1)
    assert mined.pairs[0].negatives == (TEXTS[4], TEXTS[2], TEXTS[3])
    # By hand: .95 x .8 = .76, so d1 (.79) is too near and d2 (.75) is not; d0, d5, d6, d7 are right.
    assert [p.query for p in mined.pairs] == [p.query for p in PAIRS]
    assert mined.too_near == 2 + 3 + 3, (
        "d1 and d5; d2 too where .77 and .76 make the bound .73 and .72"
    )
    assert mined.count == 3 + 2 + 2
    assert mined.drawn == 0, "nothing else is wrong"


def test_the_margin_is_a_share_of_the_right_answer_even_below_zero(tmp_path):
    cosines = [-0.4, -0.41, -0.43, -0.9, -0.5, 0.0, 0.0, 0.0]
    pair = [PAIRS[0]]
    kept = mine_hard_negatives(pair, sources(tmp_path, cosines, pair), 8, 0.95, seed=1)
    assert TEXTS[1] not in kept.pairs[0].negatives, "-.41 is above -.42"
    assert {TEXTS[2], TEXTS[4], TEXTS[3]} <= set(kept.pairs[0].negatives)


def test_given_negatives_stay_first_and_count(tmp_path):
    pairs = [Pair(QUERY, TEXTS[0], document="d0", negatives=("given",))]
    have = sources(tmp_path, COSINES, pairs)
    assert mine_hard_negatives(pairs, have, 2, 0.95, seed=1).pairs[0].negatives == (
        "given",
        TEXTS[4],
    )
    assert mine_hard_negatives(pairs, have, 1, 0.95, seed=1).pairs[0].negatives == ("given",)


def test_a_train_with_hard_negatives_is_steered_and_told(tmp_path, tiny_beir, tiny_model):
    project = Project(tmp_path / "workspace" / "p")
    import_beir(project, tiny_beir)
    values = {"base": str(tiny_model), "epochs": 1, "batch_size": 16, "learning_rate": 1e-3,
              "hard_negatives": 2, "blend": False}  # fmt: skip
    made = [train(project, "fine-tune", name, values) for name in ("one", "two")]
    details = [project.artifact("models", m.id).details for m in made]
    told = details[0]["dev"]["hard_negatives"]
    assert 0 < told["found"] + told["drawn"] <= 2 * len(current_pairs(project)[1].pairs)
    assert details[0]["dev"] == details[1]["dev"]
    assert any("hard negatives were found" in note for note in details[0]["notes"])
