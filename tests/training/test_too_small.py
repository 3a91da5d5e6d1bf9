"""What is too small to learn from is said before it is tried."""

import pytest

from search.corpus.ingest import add_documents
from search.projects.project import Project
from training.advice.too_small import too_small

THINGS = [
    "roof",
    "gate",
    "lift",
    "pets",
    "keys",
    "fire",
    "rent",
    "noise",
    "waste",
    "light",
    "stairs",
]
LONG = [f"The {one} costs {n} euros. Who pays it? The owner of {one} {n} pays." for n, one in enumerate(THINGS)]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (LONG[:3], "3 documents are too few to learn from. Add at least 7 more;"),
        (THINGS, "The 11 documents are too short or too much alike to learn from. Add at least 4"),
        (LONG, None),
    ],
)
def test_how_many_more_documents_it_takes(texts, said, tmp_path):
    for number, text in enumerate(texts):
        (tmp_path / f"c{number}.txt").write_text(text, encoding="utf-8")
    made = Project(tmp_path / "workspace" / "Leases")
    add_documents(made, sorted(tmp_path.glob("*.txt")))
    found = too_small(made)
    assert (found is None) if said is None else found.startswith(said)
    assert found is None or found.endswith("keyword search and the generic model will do.")
