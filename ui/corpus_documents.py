"""The documents of a project: a table to search, what can be done to a document, and the versions of them all."""

import json
from collections.abc import Sequence

import streamlit as st

from search.corpus.corpus import Corpus
from search.corpus.document import Document
from search.corpus.passages import Chunking
from search.models.chunking import chunking_for
from search.projects.artifacts import Manifest
from search.projects.project import Project
from ui import (
    cache,
    corpus_adding,
    deleting,
    document_table,
    failures,
    reading,
    uploads,
    widgets,
)
from ui.rendering import literal

WHAT = "documents"
"""What its drawer adds, as addresses have it."""
_ROWS = 500
_CHANGED = 50
_MOST_REMOVED = 200
_WORDS_A_PIECE = 0.75
"""About how many words of English a subword token is, for people who do not count in these."""


def tab(project: Project, manifest: Manifest | None) -> None:
    """Draw the tab."""
    corpus = Corpus.of(project, manifest) if manifest is not None else None
    bar = st.container(horizontal=True, vertical_alignment="bottom")
    words = ""
    if corpus is not None:
        with bar:
            words = st.text_input(
                "Search the documents",
                placeholder="Search the documents",
                label_visibility="collapsed",
                key=f"find-documents-{project.name}",
            ).strip()
    with bar:
        is_open = reading.drawer_button(project, WHAT, "Add documents", manifest is None)
    if is_open:
        with st.container(border=True, key="box-documents"):
            corpus_adding.draw(project, corpus)
    if corpus is None or manifest is None:
        return
    number, positions = len(corpus), list(range(min(_ROWS, len(corpus))))
    if words:
        number, positions = corpus.containing(words, _ROWS)
    documents = corpus.documents_at(positions)
    if documents:
        _table(project, documents, f"{manifest.id}-{words}")
    else:
        st.caption("No document has that.")
    st.caption(literal(_caption(corpus, len(documents), number, bool(words))))
    reading.refusals_of(manifest.details.get("files", []), manifest.details.get("listed", []))
    _cut_again(project, corpus)


def _table(project: Project, documents: Sequence[Document], key: str) -> None:
    """The documents, and what can be done to those that are selected."""
    acts = st.container(horizontal=True, vertical_alignment="center", key="document-acts")
    event = document_table.draw(
        documents, on_select="rerun", selection_mode="multi-row", key=f"documents-{key}"
    )
    chosen = [documents[row] for row in event.selection.rows if row < len(documents)]
    with acts:
        if not chosen:
            st.caption("Select rows to read, change or take out documents.")
            return
        st.markdown(f"**{widgets.counted(len(chosen), 'document')}** selected")
        if len(chosen) == 1 and st.button("Open", key="open-document", icon=":material/edit:"):
            _open(project, chosen[0])
        if st.button("Take out", key="remove-documents", icon=":material/delete:"):
            _remove(project, chosen[:_MOST_REMOVED])


@st.dialog("A document", width="large")
@failures.guarded
def _open(project: Project, document: Document) -> None:
    """The whole of a document, to read and to change."""
    title = st.text_input("Title", document.title, key=f"title-{document.id}")
    text = st.text_area("Text", document.text, height=320, key=f"text-{document.id}")
    facts = [f"{name}: {value}" for name, value in document.metadata.items() if value]
    st.caption(literal(" · ".join([f"id {document.id}", *facts])))
    is_changed = (title.strip(), text.strip()) != (document.title, document.text.strip())
    if st.button("Save", type="primary", key="save-document", disabled=not is_changed):
        row = {
            "_id": document.id,
            "title": title,
            "text": text,
            "metadata": dict(document.metadata),
        }
        path = uploads.written(project, "document.jsonl", json.dumps(row, ensure_ascii=False))
        reading.start(project, ["add", project.name, str(path), "--replace"])


@st.dialog("Take out of the documents?")
@failures.guarded
def _remove(project: Project, documents: Sequence[Document]) -> None:
    """Say what goes; it is done on one more press."""
    for document in documents[:5]:
        st.write(literal(document_table.name_of(document)))
    if len(documents) > 5:
        st.write(f"and {len(documents) - 5:,} more")
    st.caption(
        "A new version without them becomes the current one; the version before stays under Versions. Questions that only "
        "these answer are not asked any more."
    )
    if st.button("Take out", type="primary", key="sure-remove-documents"):
        reading.start(project, ["remove", project.name, *(one.id for one in documents)])


def _caption(corpus: Corpus, shown: int, number: int, searched: bool) -> str:
    if searched:
        listed = f"The first {shown:,} of " if shown < number else ""
        return f"{listed}{number:,} of {widgets.counted(len(corpus), 'document')} have that."
    words = f"The first {shown:,} of " if shown < number else ""
    words += widgets.counted(number, "document")
    if corpus.passages > len(corpus):
        words += f", cut into {corpus.passages:,} passages"
    if corpus.tiers is not None:
        words += f". Sources count by {corpus.tiers.column}: {', '.join(corpus.tiers.order)}"
    return f"{words}."


def _cut_again(project: Project, corpus: Corpus) -> None:
    """Offer to cut the documents to what today's models read, where that is another way than today's."""
    wanted, _ = chunking_for(project, again=True)
    if corpus.chunking == wanted:
        return
    left, right = st.columns([6, 1], vertical_alignment="center")
    left.caption(
        f"{literal(_cut_in_words(corpus.chunking))}. For the models of this project: {literal(_cut_in_words(wanted).lower())}. Cutting again "
        "makes a new version; judgments are of documents, so they stay."
    )
    if right.button("Cut again", key="cut-again"):
        reading.start(project, ["cut", project.name])


def _cut_in_words(chunking: Chunking) -> str:
    """How documents are cut, without a count of what only models see."""
    if not chunking.tokens:
        return "Each document is one passage"
    words = round(_WORDS_A_PIECE * chunking.tokens, -1)
    return f"Documents are cut to passages of about {words:,.0f} words at most"


def versions(project: Project) -> None:
    """Earlier versions of the corpus: what each changed, and a way to delete one."""
    known = cache.versions(project, project.manifests("corpora"))
    for one in reversed(known):
        left, right = st.columns([12, 1], vertical_alignment="center")
        newest = " · **current**" if one is known[-1] else ""
        left.markdown(literal(one.sentence) + newest)
        with right:
            deleting.artifact(project, one.manifest, f"version {one.number}")
        if one.changes is not None and one.changes.any:
            changes = one.changes
            rows = [(identity, "taken out") for identity in changes.removed_ids]
            rows += [(identity, "changed") for identity in changes.changed_ids]
            rows += [(identity, "added") for identity in changes.added_ids]
            with left:
                widgets.dataframe(
                    rows[:_CHANGED],
                    ["document", "what happened"],
                    height=widgets.full_height(min(len(rows), _CHANGED), 140),
                )
