"""A comparison to take away: as Markdown, CSV and JSON."""

import json
import re
from collections.abc import Sequence

from search.retrieval.results import Comparison
from search.text.spreadsheet_cells import csv_text
from ui.comparing.cards import name_of
from ui.comparing.sides import Board, movement

_PASSAGE = 240
FIELDS = (
    "query", "column", "rank", "id", "title", "passage", "score", "movement", "judged", "tier",
    "first_column",
)  # fmt: skip


def as_markdown(board: Board, sentence: str, address: str) -> str:
    """The comparison as a table: a row for each rank, a column for each side.

    :param sentence: what the page says of it.
    :param address: where the view is found again; may be empty.
    """
    lines = [f"**{_flat(board.query)}**", "", _flat(sentence), ""]
    lines.append("| | " + " | ".join(_flat(side.title) for side in board.sides) + " |")
    lines.append("|---:|" + "---|" * len(board.sides))
    for row in range(board.rows):
        cells = []
        for column, result in enumerate(board.results):
            if row < len(result.hits):
                hit = result.hits[row]
                _, move = movement(board, column, hit)
                known = " ✓ judged relevant" if hit.id in board.judged else ""
                cells.append(f"{_flat(name_of(hit))}{f' ({move})' if move else ''}{known}")
            else:
                cells.append("")
        lines.append(f"| {row + 1} | " + " | ".join(cells) + " |")
    if address:
        lines += ["", address]
    return "\n".join(lines) + "\n"


def as_csv(board: Board) -> bytes:
    """A line for each hit, UTF-8 with a byte order mark, so that spreadsheets read it."""
    rows: list[Sequence[object]] = []
    for column, result in enumerate(board.results):
        for hit in result.hits:
            _, move = movement(board, column, hit)
            row = (
                board.query, board.sides[column].title, hit.rank, hit.id, hit.title,
                " ".join(hit.passage.text.split())[:_PASSAGE], f"{hit.score:.6f}", move,
                board.judged.get(hit.id, ""), hit.tier or "", board.sides[0].title,
            )  # fmt: skip
            rows.append(row)
    return csv_text(FIELDS, rows).encode("utf-8-sig")


def as_json(board: Board) -> bytes:
    """The shape of `search --json`, with the judged documents of the question where there are any."""
    made = Comparison(board.query, board.k, list(board.results)).as_json()
    if board.judged:
        made["judged"] = dict(board.judged)
    return json.dumps(made, ensure_ascii=False, indent=2).encode()


def file_name(project: str, query: str, ending: str) -> str:
    """A name for a download, from the project and the question; safe on every system."""
    words = re.sub(r"[^\w]+", "-", f"{project} {query}").strip("-")[:60].strip("-")
    return f"{words or 'comparison'}.{ending}"


def _flat(text: str) -> str:
    """Text for one cell of a Markdown table: what would end the cell or start markup is escaped."""
    return re.sub(r"([\\`*_\[\]<>|$])", r"\\\1", " ".join(text.split()))
