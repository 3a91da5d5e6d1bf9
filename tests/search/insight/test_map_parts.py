"""The parts of a map against second libraries and planted truths."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes as scipy_procrustes
from sklearn.metrics import adjusted_mutual_info_score

from indexes.vector_index import normalised
from search.insight.clusters import clustered, match_sentence, matches, typical_terms
from search.insight.projection import aligned, laid_out, set_among


def cloud(rows: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, width))


def test_alignment_equals_scipy() -> None:
    moving, fixed = cloud(50, 4, 1), cloud(50, 4, 2)
    rotation, _ = orthogonal_procrustes(moving, fixed)
    assert aligned(moving, fixed) == pytest.approx(moving @ rotation)


def test_a_turn_and_a_mirror_are_taken_out_and_lengths_stay() -> None:
    fixed = cloud(30, 5)
    turn = np.linalg.qr(cloud(5, 5, 9))[0] @ np.diag([-1, 1, 1, 1, 1])
    assert aligned(fixed @ turn, fixed) == pytest.approx(fixed)
    narrow = aligned(cloud(30, 3, 4), fixed)
    assert narrow.shape == (30, 5)
    assert np.linalg.norm(narrow, axis=1) == pytest.approx(np.linalg.norm(cloud(30, 3, 4), axis=1))
    with pytest.raises(ValueError, match="30 != 29"):
        aligned(fixed, fixed[:29])


def test_scaled_alignment_leaves_what_scipy_leaves() -> None:
    moving, fixed = cloud(40, 2, 5) * 7 + 3, cloud(40, 2, 6) - 1
    left = aligned(moving, fixed, scaled=True) - fixed
    _, _, disparity = scipy_procrustes(fixed, moving)
    spread = ((fixed - fixed.mean(axis=0)) ** 2).sum()
    assert (left**2).sum() / spread == pytest.approx(disparity)
    assert aligned(np.ones((4, 2)), cloud(4, 2), scaled=True).shape == (4, 2)


def blobs(size: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Four planted groups of vectors of length 1, the second twice as large."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(4, 24))
    labels = np.repeat([0, 1, 1, 2, 3], size)
    rows = centres[labels] + 0.15 * rng.normal(size=(len(labels), 24))
    return normalised(rows.astype(np.float32)), labels


def test_planted_groups_are_found_and_numbered_by_size() -> None:
    rows, truth = blobs(30)
    found = clustered(rows)
    assert adjusted_mutual_info_score(truth, found) == pytest.approx(1.0)
    assert set(found[truth == 1]) == {0}
    assert np.bincount(found).tolist() == sorted(np.bincount(found).tolist(), reverse=True)
    assert (clustered(rows) == found).all()


@pytest.mark.parametrize("rows", [np.zeros((9, 3)), np.eye(4), np.ones((1, 3))])
def test_too_few_different_vectors_are_one_group(rows: np.ndarray) -> None:
    assert not clustered(rows.astype(np.float32)).any()


def test_matches_are_sklearns_and_leave_out_what_has_no_value() -> None:
    rows, truth = blobs(20)
    groups = clustered(rows)
    shuffled = np.random.default_rng(1).permutation(groups)
    values: list[str | None] = [f"kind {label}" for label in truth]
    values[5] = None
    kept = [n for n, v in enumerate(values) if v is not None]
    found = matches({"a": groups, "b": shuffled}, {"kind": values})
    assert found["kind"]["a"] == pytest.approx(1.0)
    assert found["kind"]["b"] == pytest.approx(
        adjusted_mutual_info_score([values[n] for n in kept], shuffled[kept].tolist())
    )
    assert abs(found["kind"]["b"]) < 0.1


def test_a_match_in_a_plain_sentence() -> None:
    titles = {"generic": "Generic", "mine": "mine"}
    better = match_sentence("type", {"generic": 0.2, "mine": 0.413}, titles)
    assert better.startswith(
        "The groups of mine match “type” better than those of Generic: 0.41 against 0.20"
    )
    worse = match_sentence("type", {"generic": 0.5, "mine": 0.1}, titles)
    assert worse.startswith(
        "The groups of Generic match “type” better than those of mine: 0.50 against 0.10"
    )
    same = match_sentence("type", {"generic": 0.5, "mine": 0.51}, titles)
    assert "about equally" in same
    alone = match_sentence("type", {"generic": 0.5}, titles)
    assert alone.startswith("The groups of Generic match “type” by 0.50")


def test_groups_are_named_by_class_based_tf_idf() -> None:
    words = [
        ["oil", "price", "rise"],
        ["oil", "drill", "rise"],
        ["blood", "rise"],
        ["blood", "nurse"],
    ]
    labels = np.array([0, 0, 1, 1])
    named = typical_terms(words, labels, 2)
    # By hand: 10 words in 2 groups, A = 5. In the first group oil has √2 log(1 + 5/2) = 1.77, drill and price
    # log(1 + 5/1) = 1.79, rise √2 log(1 + 5/3) = 1.39.
    assert named[0] == ["drill", "price"]
    assert typical_terms(words, labels, 4)[0] == ["drill", "price", "oil", "rise"]
    assert set(named[1]) == {"blood", "nurse"}
    many = typical_terms([*words * 6, ["gas", "hapax"] * 9], np.array([0, 0, 1, 1] * 6 + [0]), 9)
    assert "hapax" not in many[0], "it stands in one document"
    assert "rise" not in many[0] + many[1], "it stands in more than a third of them"


def test_groups_stay_together_on_the_plane() -> None:
    rows, truth = blobs(25)
    places = laid_out(rows, np.arange(len(rows)))
    assert places.shape == (125, 2)
    near = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(near, np.inf)
    assert (truth[near.argmin(axis=1)] == truth).mean() > 0.98
    assert (laid_out(rows, np.arange(len(rows))) == places).all(), "the same each time"


def test_points_beside_the_landmarks_are_set_among_their_like() -> None:
    rows, truth = blobs(25)
    landmarks = np.arange(0, len(rows), 2)
    places = laid_out(rows, landmarks)
    centres = np.stack(
        [places[landmarks][truth[landmarks] == label].mean(axis=0) for label in range(4)]
    )
    others = np.setdiff1d(np.arange(len(rows)), landmarks)
    distances = np.linalg.norm(places[others][:, None] - centres[None], axis=2)
    assert (distances.argmin(axis=1) == truth[others]).all()


def test_set_among_is_the_weighted_mean_of_the_nearest() -> None:
    known = normalised(np.array([[1, 0], [0, 1]], dtype=np.float32))
    places = np.array([[0.0, 0.0], [10.0, 0.0]])
    query = normalised(np.array([[1, 0.2]], dtype=np.float32))
    cosines = (query @ known.T)[0].astype(np.float64)
    weights = np.exp((cosines - cosines.max()) / 0.05)
    expected = (weights[:, None] * places).sum(axis=0) / weights.sum()
    assert set_among(query, known, places)[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 9])
def test_tiny_and_equal_sets_have_places_too(count: int) -> None:
    rows = normalised(cloud(count, 6).astype(np.float32))
    assert np.isfinite(laid_out(rows, np.arange(count))).all()
    equal = np.ones((count, 6), dtype=np.float32)
    assert np.isfinite(laid_out(normalised(equal), np.arange(count))).all()
