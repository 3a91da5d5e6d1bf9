"""Versions of a corpus: what changed, and deleting one."""

import pytest

from search.corpus.corpus import Corpus
from search.corpus.document import Document
from search.corpus.passages import Chunking
from search.corpus.versions import difference, version, versions
from search.corpus.writer import CorpusWriter
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.deletion import delete, planned

LONG = " ".join(f"The tenant number {n} pays the rent in month {n % 12}." for n in range(20))


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "workspace" / "p")


def _publish(project, documents, **options):
    earlier = project.newest("corpora")
    old = Corpus.of(project, earlier) if earlier else None
    with project.publish("corpora", {"corpus": earlier.id} if earlier else {}) as draft:
        writer = CorpusWriter(draft.folder, old, **options)
        writer.add(documents)
        draft.details.update(documents=writer.count, passages=writer.close())
    return project.newest("corpora")


@pytest.fixture
def two(project):
    first = _publish(
        project,
        [Document("a", "", LONG), Document("b", "", "Two."), Document("c", "", "Three.")],
        chunking=Chunking(40, 0),
    )
    changed = LONG.replace("number 17", "number 1700")
    second = _publish(
        project,
        [
            Document("a", "", changed),
            Document("c", "", "Three.", {"year": "2026"}),
            Document("d", "New", "Four."),
        ],
        replace_changed=True,
    )
    return first, second


def test_difference(project, two):
    older, newer = (Corpus.of(project, manifest) for manifest in two)
    found = difference(older, newer)
    assert (found.added, found.added_ids) == (1, ["d"])
    assert (found.changed, found.changed_ids) == (2, ["a", "c"])
    assert (found.removed, found.removed_ids) == (0, [])
    assert found.passages == newer.passages
    assert found.unchanged_passages == newer.passages - 2  # One of a's passages, and d.
    back = difference(newer, older)
    assert (back.removed_ids, back.added_ids) == (["d"], [])


def test_a_version_with_itself_has_no_difference(project, two):
    corpus = Corpus.of(project, two[0])
    found = difference(corpus, corpus)
    assert (found.added, found.changed, found.removed) == (0, 0, 0)
    assert found.unchanged_passages == found.passages


def test_versions_by_number(project, two):
    assert [m.id for m in versions(project)] == [two[0].id, two[1].id]
    assert version(project, 2).id == two[1].id
    for number in (0, 3):
        with pytest.raises(Refused, match=f"has 2 versions; there is no number {number}"):
            version(project, number)


def test_deleting_takes_what_was_made_of_it(project, two):
    first, second = two
    for corpus in two:
        with project.publish("indexes", {"corpus": corpus.id, "model": "generic"}) as draft:
            (draft.folder / "x").write_text("x")
    planned_now = planned(project, "corpora", second.id)
    delete(planned_now)
    gone = planned_now.along
    assert [m.made_from["corpus"] for m in gone] == [second.id]
    assert [m.id for m in versions(project)] == [first.id]
    assert [m.made_from["corpus"] for m in project.manifests("indexes")] == [first.id]
    assert project.newest("corpora").id == first.id
    names = {path.name for path in project.folder.rglob("*")}
    assert not any(second.id in name for name in names)


def test_the_only_version_can_be_deleted_and_that_is_said(project):
    made = _publish(project, [Document("a", "", "One."), Document("b", "", "Two.")])
    asked = planned(project, "corpora", made.id)
    assert "It is the only version: the project has no documents then." in asked.lines
    delete(asked)
    assert project.newest("corpora") is None
