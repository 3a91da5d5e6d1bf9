"""The first step of the Corpus page: documents, how they were understood, and how they are cut."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from search.corpus.corpus import Corpus
from search.corpus.document import Document
from search.corpus.ingest import in_words
from search.corpus.isolated import door
from search.corpus.passages import Chunker, Chunking, embedded_passage
from search.corpus.readers.report import RefusedRow, Report
from search.corpus.readers.row_documents import DocumentColumns
from search.corpus.readers.sources import PLAIN_TEXT, READABLE, suffix_of
from search.corpus.tokenizer import SubwordCounter
from search.models.chunking import chunking_for
from search.projects.project import Project
from ui import cache, corpus_report, deleting, reading, uploads, widgets
from ui.question_choice import question_options
from ui.rendering import literal, render

_ROWS = 50
_PASSAGES = 6
_TYPES = sorted({suffix.lstrip(".") for suffix in READABLE} | {"zip", "tar", "tgz", "gz"})
_ROLES = {"text": False, "title": True, "id": True}
_UNITS = {"file": "the whole file", "paragraph": "a paragraph", "line": "a line"}


def step(project: Project) -> None:
    """Draw the step."""
    manifest = project.newest("corpora")
    with st.container(border=True):
        st.header("1 · Documents", anchor=False)
        corpus = None
        if manifest is not None:
            corpus = Corpus.of(project, manifest)
            shown = corpus.sample(_ROWS)
            _table(shown)
            st.caption(literal(_caption(corpus, len(shown))))
            reading.refusals_of(
                manifest.details.get("files", []), manifest.details.get("listed", [])
            )
            with st.expander("What the documents are like"):
                corpus_report.draw(project)
            _cut_again(project, corpus)
            _versions(project)
        with st.expander("Add documents", expanded=manifest is None):
            _add(project, corpus)


def _caption(corpus: Corpus, shown: int) -> str:
    words = f"The first {shown} of {len(corpus):,} documents"
    if corpus.passages > len(corpus):
        words += f", cut into {corpus.passages:,} {in_words(corpus.chunking)}"
    if corpus.tiers is not None:
        words += f". Sources rank by {corpus.tiers.column}: {', '.join(corpus.tiers.order)}"
    return f"{words}."


def _add(project: Project, corpus: Corpus | None) -> None:
    given = st.file_uploader(
        "Tables, text, Markdown, HTML, PDF, Word, XML, e-mail; archives of these; a BEIR data set",
        type=_TYPES,
        accept_multiple_files=True,
        key=uploads.box(project, "documents"),
    )
    st.caption(
        "A row of a table is a document, and so is a PDF, a Word file or a web page. A text file is one "
        "document, unless it is a list; what was found is said below, and can be changed."
    )
    if not given:
        return
    paths = [uploads.saved(project, upload) for upload in given]
    if len(paths) == 1 and door.is_beir(paths[0]):
        st.write(
            "A BEIR data set brings documents, pairs (from train) and a query set (from test)."
        )
        asked = question_options(paths[0])
        if st.button("Import it", type="primary", key="import"):
            reading.start(project, ["import", project.name, str(paths[0]), *asked])
        return
    previews = [one for path in paths if (one := _preview(path, alone=len(paths) == 1)) is not None]
    skipped = sum(map(reading.took_too_much, paths))
    if not previews or len(previews) + skipped < len(paths):
        return
    documents = [document for first, _ in previews for document in first]
    _sources(paths, [report for _, report in previews], documents)
    start, pieces = chunking_for(project)
    chunking = _chunking(documents, start, pieces)
    tiers = _tiers(documents, corpus)
    replace = corpus is not None and st.checkbox(
        "A document whose id is in the corpus already takes the place of the old one",
        key=f"replace-{project.name}",
    )
    accepted = sum(report.accepted for _, report in previews)
    if st.button(
        f"Add {widgets.counted(accepted, 'document')}", type="primary", key="add-documents"
    ):
        options = _reading_options(paths[0], previews[0][1]) if len(paths) == 1 else []
        if chunking != start:
            tokens, overlap = str(chunking.tokens), str(chunking.overlap)
            options += ["--passage-tokens", tokens, "--overlap", overlap]
        options += ["--tiers", tiers] if tiers else []
        options += ["--replace"] if replace else []
        reading.start(project, ["add", project.name, *map(str, paths), *options])


def _preview(path: Path, alone: bool) -> tuple[list[Document], Report] | None:
    """What one upload holds; None after an error was shown."""
    metadata = st.session_state.get(_metadata_key(path))
    chosen = DocumentColumns(
        **{role: reading.chosen_column(path, role) for role in _ROLES},
        metadata=tuple(metadata) if metadata is not None else None,
        document_per=st.session_state.get(_unit_key(path)),
    )
    read = reading.preview(
        path,
        _ROLES,
        lambda encoding, sign: door.preview_documents(path, chosen, _ROWS, encoding, sign),
    )
    if read is not None and alone:
        _, report = read
        reading.understood(path, report, "document")
        if report.columns and report.roles:
            reading.choose_columns(path, (*report.columns, *report.nested), report.roles, _ROLES)
            others = [c for c in report.columns if c and c not in report.roles.values()]
            if others:
                st.multiselect(
                    "Columns kept as metadata, to filter by and to show",
                    others,
                    default=others,
                    key=_metadata_key(path),
                )
        if not report.columns and suffix_of(path.name) in PLAIN_TEXT:
            st.selectbox(
                "One document is",
                list(_UNITS),
                index=None,
                format_func=_UNITS.__getitem__,
                placeholder="the whole file" if report.accepted == 1 else "found: a part of it",
                key=_unit_key(path),
            )
        reading.how_to_read(path, report)
    return read


def _sources(
    paths: Sequence[Path], reports: Sequence[Report], documents: Sequence[Document]
) -> None:
    """The first documents, and what is left out of every file."""
    if len(paths) > 1:
        heads = ["file", "read as", "documents", "left out"]
        rows = [(one.source, one.format, one.accepted, one.refused_count) for one in reports]
        widgets.dataframe(rows, heads)
        st.caption("Columns are found for each table by itself; add a table alone to choose them.")
    _table(documents[:_ROWS])
    several = len(reports) > 1
    rows_left_out = [
        RefusedRow(_row_in_file(report.source, row.where) if several else row.where, row.reason)
        for report in reports
        for row in report.refused
    ]
    reading.refused(rows_left_out, sum(r.refused_count for r in reports), str(paths[0]))


def _row_in_file(source: str, where: str) -> str:
    """Where a row is among several files; what is in an archive names it already."""
    return where if where.startswith(f"{source}/") else f"{source}, {where}"


def _chunking(documents: Sequence[Document], start: Chunking, pieces: SubwordCounter) -> Chunking:
    """How long documents are cut, shown on the longest one.

    :param start: how they are cut where nobody chooses; `pieces` counts the word pieces of the model that it names.
    """
    cut = st.toggle(
        "Cut long documents into passages",
        value=start.tokens > 0,
        help=f"A model reads the beginning of a text; what follows is never seen. Passages fit what {literal(start.counted_as)} "
        "reads. A search finds the document by its best passage, and shows that.",
        key="cut",
    )
    if not cut:
        return Chunking(0, 0)
    left, right = st.columns(2)
    tokens = left.slider(
        f"Word pieces of {literal(start.counted_as)} in a passage, at most",
        32,
        max(512, start.tokens),
        start.tokens or Chunking().tokens,
        key="cut-tokens",
    )
    overlap = right.slider(
        "Word pieces repeated from the passage before",
        0,
        tokens // 2,
        min(start.overlap if start.tokens else Chunking().overlap, tokens // 2),
        key="cut-overlap",
    )
    chunking = replace(start, tokens=int(tokens), overlap=int(overlap))
    _preview_passages(documents, chunking, pieces)
    return chunking


def _preview_passages(
    documents: Sequence[Document], chunking: Chunking, pieces: SubwordCounter
) -> None:
    """Show the longest of some documents in passages."""
    if not documents:
        return
    longest = max(documents, key=lambda document: len(document.embedded))
    passages = Chunker(chunking, pieces).cut(longest)
    count = widgets.counted(len(passages), "passage")
    name = literal(longest.title or longest.id)
    with st.expander(f"The longest of these documents makes {count}: {name[:80]}"):
        cards, end = [], 0
        for number, passage in enumerate(passages[:_PASSAGES], start=1):
            again = longest.text[passage.start : max(end, passage.start)]
            rest = longest.text[max(end, passage.start) : passage.stop]
            end = passage.stop
            size = pieces.of(embedded_passage(longest.title, longest.text, passage))
            facts = [f"{number}", f"{size} word pieces"]
            facts += [f"page {passage.page}"] if passage.page is not None else []
            facts += [passage.heading] if passage.heading else []
            cards.append((facts, again, rest))
        st.html(render("passages.html", passages=cards))
        if len(passages) > _PASSAGES:
            st.caption(f"The first {_PASSAGES} of {len(passages):,}.")


def _tiers(documents: Sequence[Document], corpus: Corpus | None) -> str | None:
    """The rule by which sources rank, as an option of the command; None for no new rule."""
    values: dict[str, dict[str, None]] = {}
    for document in documents:
        for name, value in document.metadata.items():
            values.setdefault(name, {})[value] = None
    usable = {n: list(v) for n, v in values.items() if 1 < len(v) <= 12 and max(map(len, v)) <= 40}
    if not usable:
        return None
    with st.popover("Source tiers", icon=":material/gavel:"):
        st.caption(
            "Some sources bind more than others: case law before statutes before blogs. Choose the column, "
            "then its values from the most to the least binding. Compare can rank by it."
        )
        column = st.selectbox("Column", list(usable), index=None, key="tier-column")
        if column is None:
            return None
        order = st.multiselect(
            "Order, the most binding first", usable[column], key=f"tier-order-{column}"
        )
    return f"{column}={','.join(order)}" if order else None


def _cut_again(project: Project, corpus: Corpus | None) -> None:
    """Offer to cut the documents to what today's models read, where that is another way than today's."""
    if corpus is None:
        return
    wanted, _ = chunking_for(project, again=True)
    if corpus.chunking == wanted:
        return
    left, right = st.columns([6, 1], vertical_alignment="center")
    left.caption(
        f"Now: {literal(in_words(corpus.chunking))}. For the models of this project: {literal(in_words(wanted))}. Cutting again makes a new "
        "version; judgments are of documents, so they stay."
    )
    if right.button("Cut again", key="cut-again"):
        reading.start(project, ["cut", project.name])


def _versions(project: Project) -> None:
    """Earlier versions of the corpus: what each changed, and a way to delete one."""
    known = project.manifests("corpora")
    versions = cache.versions(project, known)
    with st.expander(f"Versions ({len(versions)})"):
        for one in reversed(versions):
            left, right = st.columns([6, 1], vertical_alignment="center")
            newest = " · **current**" if one is versions[-1] else ""
            left.markdown(literal(one.sentence) + newest)
            with right:
                deleting.artifact(project, one.manifest, f"version {one.number}")
            if one.changes is not None and one.changes.any:
                changes = one.changes
                rows = [(identity, "removed") for identity in changes.removed_ids]
                rows += [(identity, "changed") for identity in changes.changed_ids]
                rows += [(identity, "added") for identity in changes.added_ids]
                with left:
                    widgets.dataframe(rows[:_ROWS], ["document", "what happened"], height=140)


def _metadata_key(path: Path) -> str:
    """Another choice of columns begins with all others as metadata again."""
    roles = [str(st.session_state.get(f"{role}-{path}")) for role in _ROLES]
    return f"metadata-{path}-{'|'.join(roles)}"


def _unit_key(path: Path) -> str:
    return f"unit-{path}"


def _reading_options(path: Path, report: Report) -> list[str]:
    """What was chosen about one file, as options of the command."""
    if not report.roles:
        unit = st.session_state.get(_unit_key(path))
        return [*(["--document-per", unit] if unit else []), *reading.options(path)]
    made = reading.column_options(path, report, list(_ROLES))
    others = [c for c in report.columns if c and c not in report.roles.values()]
    chosen = st.session_state.get(_metadata_key(path))
    if chosen is not None and set(chosen) != set(others):
        made += [part for name in chosen or [""] for part in ("--metadata-column", name)]
    return made + reading.options(path)


def _table(documents: Sequence[Document]) -> None:
    rows = [_row(document) for document in documents]
    names = list(dict.fromkeys(name for row in rows for name in row))
    widgets.dataframe([[row.get(name, "") for name in names] for row in rows], names, height=220)


def _row(document: Document) -> dict[str, str]:
    """A document as a row; a further column that is also called "text" does not hide the text."""
    own = {"id": document.id, "title": document.title, "text": document.text[:2_000]}
    return own | {f"{k} *" if k in own else k: v for k, v in document.metadata.items()}
