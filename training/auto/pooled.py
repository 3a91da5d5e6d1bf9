"""More queries to choose by, where the dev queries are few.

Sixteen dev queries cannot tell a good model from a lucky one. Where there are fewer than sixty, some of the
pairs are not learned from but asked: dev queries like the others, parted from the rest as any split is.
"""

from dataclasses import replace

from search.errors import Refused
from search.leaks import keep_apart, texts_of
from search.query_sets import QuerySet
from training.dev import DevSet
from training.material import Material
from training.pairs import DEV_SHARE, split_pairs

ENOUGH = 60
"""Dev queries; with so many, a gain of some hundredths can be told from luck."""
_MOST = 0.2
_SEED = 11


def pooled(material: Material) -> Material:
    """The material with pairs held out to choose by, up to a fifth of them; the same where there is no need or no way.

    Pairs that were mined are left as they are: they have dev queries enough of their own.
    """
    own = material.dev.query_set
    lacking = ENOUGH - len(own.queries)
    pairs = material.guarded.pairs
    if lacking <= 0 or material.mined:
        return material
    documents = {pair.document for pair in pairs if pair.document is not None}
    # A split holds a tenth out as its dev part in any case; what more is needed is its test part.
    more = max(0.0, min(_MOST, lacking / len(pairs)) - DEV_SHARE)
    texts = texts_of(material.corpus, documents)
    try:
        split = split_pairs(pairs, True, _SEED, texts, test_share=more)
    except Refused:  # Too few, or too much alike, to hold some out.
        return material
    held = QuerySet(
        {**split.dev.queries, **split.test.queries}, {**split.dev.judgments, **split.test.judgments}
    )
    held = held.graded(material.grades)
    both = QuerySet({**held.queries, **own.queries}, {**held.judgments, **own.judgments})
    # Lesser answers bind no pairs together: what a held-out query has among them may be taught by another one.
    learned = (
        keep_apart(split.train, [held], material.corpus).pairs if material.grades else split.train
    )
    return replace(
        material,
        guarded=replace(material.guarded, pairs=learned),
        dev=DevSet.of(material.corpus, both),
    )
