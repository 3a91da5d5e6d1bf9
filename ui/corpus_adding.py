"""The drawer that adds documents: what a file holds, how its columns are read, how its documents are cut, and which sources bind most."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from search.corpus.corpus import Corpus
from search.corpus.document import Document
from search.corpus.isolated import door
from search.corpus.passages import Chunker, Chunking, Passage, embedded_passage
from search.corpus.readers.report import RefusedRow, Report
from search.corpus.readers.row_documents import DocumentColumns
from search.corpus.readers.sources import PLAIN_TEXT, READABLE, suffix_of
from search.corpus.tokenizer import SubwordCounter
from search.models.chunking import chunking_for
from search.projects.errors import BespokeError
from search.projects.project import Project
from training.data.beir import BeirCounts
from ui import cache, document_table, reading, uploads, widgets
from ui.question_choice import question_options
from ui.rendering import literal, render

_ROWS = 50
_PASSAGES = 6
_TYPES = sorted({suffix.lstrip(".") for suffix in READABLE} | {"zip", "tar", "tgz", "gz"})
_ROLES = {"text": False, "title": True, "id": True}
_UNITS = {"file": "the whole file", "paragraph": "a paragraph", "line": "a line"}


def draw(project: Project, corpus: Corpus | None) -> None:
    """Draw what the drawer holds."""
    given = st.file_uploader(
        "Tables, PDF, Word, web pages, e-mails or texts; a zip of them; a BEIR data set",
        type=_TYPES,
        accept_multiple_files=True,
        key=uploads.box(project, "documents"),
    )
    paths = [uploads.saved(project, upload) for upload in given] or uploads.brought(project)
    if not paths:
        st.caption("A row of a table is a document, and so is a PDF, a Word file or a web page.")
        return
    if len(paths) == 1 and door.is_beir(paths[0]):
        _data_set(project, paths[0])
        return
    previews = [one for path in paths if (one := _preview(path)) is not None]
    skipped = sum(map(reading.took_too_much, paths))
    if not previews or len(previews) + skipped < len(paths):
        return
    alone = len(paths) == 1
    documents = [document for first, _ in previews for document in first]
    reports = [report for _, report in previews]
    if alone:
        reading.understood(paths[0], reports[0], "document")
    go = st.container()
    if alone:
        _columns(paths[0], reports[0])
    _sources(paths, reports, documents)
    start, pieces = chunking_for(project)
    chunking = _chunking(documents, start, pieces)
    tiers = _tiers(documents, corpus)
    if alone:
        reading.how_to_read(paths[0], reports[0])
    replaced = corpus is not None and st.checkbox(
        "A document whose id is in the corpus already takes the place of the old one",
        key=f"replace-{project.name}",
    )
    count = widgets.counted(sum(report.accepted for report in reports), "document")
    with go:
        pressed = st.button(f"Add {count}", type="primary", key="add-documents")
    if pressed:
        options = _reading_options(paths[0], reports[0]) if alone else []
        if chunking != start:
            tokens, overlap = str(chunking.tokens), str(chunking.overlap)
            options += ["--passage-tokens", tokens, "--overlap", overlap]
        options += ["--tiers", tiers] if tiers else []
        options += ["--replace"] if replaced else []
        reading.start(project, ["add", project.name, *map(str, paths), *options])


def _data_set(project: Project, path: Path) -> None:
    """What a BEIR data set brings, counted before it is imported."""
    try:
        counts = cache.beir_counts(str(path))
    except BespokeError as error:
        st.error(literal(error), icon=":material/error:")
        return
    st.markdown(literal(_in_words(counts)))
    go = st.container()
    asked = question_options(path)
    with go:
        pressed = st.button("Import it", type="primary", key="import")
    if pressed:
        reading.start(project, ["import", project.name, str(path), *asked])


def _in_words(counts: BeirCounts) -> str:
    """What a data set brings, in a sentence."""
    parts = [widgets.counted(counts.documents, "document")]
    if counts.pairs:
        questions = widgets.counted(counts.training, "question")
        parts.append(f"{widgets.counted(counts.pairs, 'pair')} of {questions} to learn from")
    parts.append(
        f"{widgets.counted(counts.test, 'question')} for the proof"
        if counts.test
        else "no questions for the proof (a fifth of the pairs is kept aside for it)"
    )
    return f"A BEIR data set with {', '.join(parts[:-1])} and {parts[-1]}."


def _preview(path: Path) -> tuple[list[Document], Report] | None:
    """What one upload holds; None after an error was shown."""
    metadata = st.session_state.get(_metadata_key(path))
    chosen = DocumentColumns(
        **{role: reading.chosen_column(path, role) for role in _ROLES},
        metadata=tuple(metadata) if metadata is not None else None,
        document_per=st.session_state.get(_unit_key(path)),
    )
    return reading.preview(
        path,
        _ROLES,
        lambda encoding, sign: door.preview_documents(path, chosen, _ROWS, encoding, sign),
    )


def _columns(path: Path, report: Report) -> None:
    """What can be chosen about one file: the columns of a table, or what of a text is a document."""
    if report.columns and report.roles:
        reading.choose_columns(path, (*report.columns, *report.nested), report.roles, _ROLES)
        others = [c for c in report.columns if c and c not in report.roles.values()]
        if others:
            st.multiselect(
                "Columns to filter by and to show",
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


def _sources(
    paths: Sequence[Path], reports: Sequence[Report], documents: Sequence[Document]
) -> None:
    """The first documents, and what is left out of every file."""
    if len(paths) > 1:
        heads = ["file", "read as", "documents", "left out"]
        rows = [(one.source, one.format, one.accepted, one.refused_count) for one in reports]
        widgets.dataframe(rows, heads)
        if any(report.columns for report in reports):
            st.caption(
                "Columns are found for each table by itself; add a table alone to choose them."
            )
    several = len(reports) > 1
    rows_left_out = [
        RefusedRow(_row_in_file(report.source, row.where) if several else row.where, row.reason)
        for report in reports
        for row in report.refused
    ]
    refused = sum(r.refused_count for r in reports)
    reading.refused(
        rows_left_out, refused, refused + sum(r.accepted for r in reports), str(paths[0])
    )
    document_table.draw(documents[:_ROWS], 260)


def _row_in_file(source: str, where: str) -> str:
    """Where a row is among several files; what is in an archive names it already."""
    return where if where.startswith(f"{source}/") else f"{source}, {where}"


def _chunking(documents: Sequence[Document], start: Chunking, pieces: SubwordCounter) -> Chunking:
    """How long documents are cut, shown on the longest one.

    :param start: how they are cut where nobody chooses; `pieces` counts the subword tokens of the model that it names.
    """
    longest = max(documents, key=lambda document: len(document.embedded), default=None)
    chosen = _chosen_chunking(start)
    label, cut = "Long documents", []
    if longest is not None and chosen.tokens:
        cut = Chunker(chosen, pieces).cut(longest)
        count = widgets.counted(len(cut), "passage")
        name = literal(document_table.name_of(longest))[:80]
        label = f"Long documents are cut: the longest of these makes {count}: {name}"
    elif not chosen.tokens:
        label = "Long documents stay whole"
    with st.expander(label, key="cutting"):
        st.toggle(
            "Cut long documents into passages",
            value=start.tokens > 0,
            help=f"A model reads the beginning of a text; what follows is never seen. Passages are short enough for "
            f"{literal(start.counted_as)} to read whole. A search finds the document by its best passage, and shows that.",
            key="cut",
        )
        if chosen.tokens:
            _lengths(start, chosen)
            if longest is not None:
                _passages(longest, cut, pieces)
    return chosen


def _chosen_chunking(start: Chunking) -> Chunking:
    """What the toggle and the sliders say, which are drawn below what depends on them."""
    if not st.session_state.get("cut", start.tokens > 0):
        return Chunking(0, 0)
    usual = Chunking()
    tokens = int(st.session_state.get("cut-tokens", start.tokens or usual.tokens))
    overlap = start.overlap if start.tokens else usual.overlap
    overlap = int(st.session_state.get("cut-overlap", min(overlap, tokens // 2)))
    return replace(start, tokens=tokens, overlap=min(overlap, tokens // 2))


def _lengths(start: Chunking, chosen: Chunking) -> None:
    left, right = st.columns(2)
    counted = f"Counted in pieces of words as {literal(start.counted_as)} reads them; in English, four make about three words."
    left.slider(
        "The longest passage",
        32,
        max(512, start.tokens),
        chosen.tokens,
        help=counted,
        key="cut-tokens",
    )
    right.slider(
        "How much of it is said again in the next",
        0,
        chosen.tokens // 2,
        chosen.overlap,
        help=counted,
        key="cut-overlap",
    )


def _passages(longest: Document, passages: Sequence[Passage], pieces: SubwordCounter) -> None:
    """Show a document in passages."""
    cards, end = [], 0
    for number, passage in enumerate(passages[:_PASSAGES], start=1):
        again = longest.text[passage.start : max(end, passage.start)]
        rest = longest.text[max(end, passage.start) : passage.stop]
        end = passage.stop
        size = pieces.of(embedded_passage(longest.title, longest.text, passage))
        facts = [f"{number}", f"length {size}"]
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
    with st.expander("Some sources count for more than others", key="tiers"):
        st.caption(
            "Case law before statutes before blogs: choose the column that says what a source is, then its values, the "
            "most binding first. Compare can rank by it."
        )
        column = st.selectbox("Column", list(usable), index=None, key="tier-column")
        if column is None:
            return None
        order = st.multiselect("The most binding first", usable[column], key=f"tier-order-{column}")
    return f"{column}={','.join(order)}" if order else None


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
