"""Near-duplicates: found where they are, by exact similarity, and nothing else."""

from itertools import combinations

import pytest

from search.text.near_duplicates import THRESHOLD, Groups, NearDuplicates, shingles


def jaccard(a: str, b: str) -> float:
    one, two = shingles(a), shingles(b)
    return len(one & two) / len(one | two)


def test_shingles():
    assert shingles("The cat, the CAT!") == {"the", "cat", "the cat", "cat the"}
    assert shingles("  ... ") == frozenset()
    assert shingles("one") == {"one"}


def test_case_and_punctuation_do_not_matter():
    known = NearDuplicates(["What is a tort?", "what is a TORT", "What is a court?", ""])
    assert known.of("what, is a tort") == [0, 1]
    assert known.of("what is a court") == [2]
    assert known.of("what is a judge") == []
    assert known.of("?!") == []


def test_format_signs_do_not_matter():
    known = NearDuplicates(["उच्च न्यायालय", "بیمار می\u200cتواند", "the co\u00adurt rose"])
    assert known.of("उच्च न्\u200dयायालय") == [0]
    assert known.of("بیمار میتواند") == [1]
    assert known.of("The court\u200b rose.") == [2]


def test_a_word_changed_in_a_long_text_is_near_in_a_short_one_not():
    words = [f"word{n}" for n in range(100)]
    changed = " ".join(["other", *words[1:]])
    short = " ".join(words[:5])
    known = NearDuplicates([" ".join(words), short])
    assert jaccard(" ".join(words), changed) > 0.95
    assert known.of(changed) == [0]
    assert known.of(" ".join(["other", *words[1:5]])) == []


def test_nothing_known():
    assert NearDuplicates([]).of("anything") == []


def test_agrees_with_brute_force(rng):
    """Every text found is near by exact similarity, and equal texts are always found."""
    vocabulary = [f"w{n}" for n in range(60)]
    texts = [" ".join(rng.choices(vocabulary, k=40)) for _ in range(25)]
    for text in list(texts):
        words = text.split()
        for changes in (0, 1, 1, 2, 6):
            copy = list(words)
            for _ in range(changes):
                copy[rng.randrange(len(copy))] = rng.choice(vocabulary)
            texts.append(" ".join(copy))
    known = NearDuplicates(texts)
    near = missed = 0
    for place, text in enumerate(texts):
        found = set(known.of(text))
        expected = {o for o, other in enumerate(texts) if jaccard(text, other) >= THRESHOLD}
        assert found <= expected
        assert {o for o, other in enumerate(texts) if shingles(other) == shingles(text)} <= found
        assert place in found
        near += len(expected)
        missed += len(expected - found)
    assert near > len(texts) * 1.5
    assert missed == 0


@pytest.mark.parametrize("seed", range(3))
def test_groups_are_the_connected_components(seed, rng):
    rng.seed(seed)
    joins = [(rng.randrange(30), rng.randrange(30)) for _ in range(20)]
    groups = Groups(30)
    reachable = {n: {n} for n in range(30)}
    for a, b in joins:
        groups.join(a, b)
        merged = reachable[a] | reachable[b]
        for n in merged:
            reachable[n] = merged
    for a, b in combinations(range(30), 2):
        assert (groups.find(a) == groups.find(b)) == (b in reachable[a])
    assert all(groups.find(n) == min(reachable[n]) for n in range(30))
