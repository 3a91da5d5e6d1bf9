"""Every template draws what it is given as text, whatever is in it; and no other file makes HTML."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError
from selectolax.lexbor import LexborHTMLParser

from training.gain import TrainingGain
from ui.comparing.cards import Fact
from ui.comparing.sides import Side
from ui.rendering import TEMPLATES, plain, render

EVIL = (
    """<script>alert(1)</script><img src=x onerror=alert(1)>"' onclick='alert(1)' & {{ 7 * 7 }} """
)
ROOT = TEMPLATES.parents[1]
FOREIGN = {
    "first_paint.py": {"<title>Streamlit</title>", "<title>Bespoke</title>", "</head>", "<body>"},
    "map_figure.py": {"%{text}<extra></extra>"},
}
"""Tags of others' documents: Streamlit's own page, and what plotly shows of a point."""

Say = Callable[[str], str]
"""Text for a field, by its name."""


def _card(say: Say, **more: Any) -> dict[str, Any]:
    side = Side(*map(say, ("side name", "side", "subtitle", "in a sentence", "colour")))
    facts = [
        Fact(say("fact")),
        Fact(say("value"), say("name")),
        Fact(say("host"), say("link name"), say("link")),
    ]
    card = {
        "side": side,
        **{key: say(f"card {key}") for key in (
            "column", "number", "rank", "look", "kind", "move", "spoken", "grade", "tier", "score", "probable", "unfold",
        )},
        "graded": True,
        "likely": True,
        **{key: [(say(f"{key} around"), False), (say(f"{key} match"), True)] for key in ("title", "text", "more")},
        "facts": facts,
    }  # fmt: skip
    return card | more


def _head(say: Say, **more: Any) -> dict[str, Any]:
    side = Side(*map(say, ("its name", "its title", "its subtitle", "it", "its colour", "reads")))
    return {
        "side": side,
        "took": say("took"),
        "ms": say("ms"),
        "like": say("like"),
        "answer_rank": say("answer rank"),
        "nothing": say("nothing"),
    } | more


def _acts(say: Say) -> list[tuple[str, str, str]]:
    return [(say("act"), say("label"), say("tip"))]


# What each template is given, with a text in every field that can hold one.
EXAMPLES: dict[str, Callable[[Say], dict[str, Any]]] = {
    "board": lambda say: {
        "k": say("k"),
        "judged": True,
        "heads": [_head(say), _head(say, answer_rank=None)],
        "rows": [[_card(say), None]],
        "gone": [[], [(say("gone number"), say("gone rank"), say("gone name"))]],
        "acts": _acts(say),
    },
    "answer": lambda say: {
        "sentence": say("sentence"),
        "figures": [(say("value"), say("caption"))],
        "proof": say("proof"),
    },
    "caption": lambda say: {"text": say("text")},
    "person": lambda say: {"name": say("name"), "role": say("role")},
    "card": lambda say: {"card": _card(say), "acts": _acts(say)},
    "chips": lambda say: {"chips": [(say("text"), say("more"))]},
    "column": lambda say: {"title": say("title"), "colour": say("colour")},
    "copy": lambda say: {},
    "empty": lambda say: {"title": say("title"), "text": say("text")},
    "figures": lambda say: {"figures": [(say("value"), say("caption"))]},
    "findings": lambda say: {"sentences": [say("sentence")]},
    "first_paint": lambda say: {},
    "first_words": lambda say: {"sides": [(say("colour"), say("model"), say("sentence"))]},
    "heat": lambda say: {
        "model": say("model"),
        "colour": say("colour"),
        "parts": [
            (say(f"part {pull}"), pull, say(f"shade {pull}") if pull in ("strongest", "toward") else 0)
            for pull in ("strongest", "toward", "away", "")
        ],
        "sentences": [(say("sentence"), say("percent"))],
        "asked": [say("asked")],
    },
    "judges": lambda say: {"judges": [(say("judge"), say("votes"), say("grades"))]},
    "legend": lambda say: {"kinds": [(say("colour"), say("name"), say("count"))]},
    "training_neighbours": lambda say: {
        "pairs": say("pairs"),
        "model": say("model"),
        "groups": [(say("title"), [(say("query"), say("answer"), say("nearness"))])],
    },
    "like": lambda say: {"name": say("name")},
    "line": lambda say: {"before": say("before")},
    "macros": lambda say: {},
    "marked": lambda say: {"segments": [(say("around"), False), (say("match"), True)]},
    "metrics": lambda say: {
        "queries": say("queries"),
        "metrics": [(say("name"), say("depth"), say("help"))],
        "rows": [(say("colour"), say("model"), say("reads"), [(say("best"), True), (say("mean"), False)])],
    },
    "moved": lambda say: {
        "documents": [(say("title"), [(say("group"), say("model")), (say("other"), say("model 2"))])]
    },
    "neighbours": lambda say: {
        "title": say("title"),
        "subtitle": say("subtitle"),
        "colour": say("colour"),
        "note": "",
        "words": [(say("shared"), True, say("percent")), (say("own"), False, say("percent 2"))],
    },
    "neighbours (note)": lambda say: {
        "title": say("title"),
        "subtitle": say("subtitle"),
        "colour": say("colour"),
        "note": say("note"),
        "words": [],
    },
    "passages": lambda say: {"passages": [([say("fact")], say("again"), say("rest"))]},
    "picture": lambda say: {
        "question": say("question"),
        "right": "right",
        "sides": [(say("name"), say("colour"), [say("title"), "right"], say("rank"))],
    },
    "preload": lambda say: {"files": [say("file")]},
    "row": lambda say: {"state": say("state"), "colour": say("colour"), "facts": say("facts")},
    "sampled": lambda say: {"segments": [(say("around"), False), (say("match"), True)]},
    "scheme": lambda say: {"dark": True},
    "scope": lambda say: {"conditions": [say("condition")]},
    "selected": lambda say: {"titles": [say("title")], "more": say("more")},
    "shaded": lambda say: {"parts": [(say("part"), "toward", say("shade"))]},
    "sign": lambda say: {"name": say("name")},
    "skeleton": lambda say: {"count": 2, "rows": 3},
    "soft": lambda say: {"text": say("text")},
    "standing": lambda say: {
        key: say(key) for key in ("done", "total", "shared", "kappa", "outlook", "same", "revealed")
    },
    "summary": lambda say: {
        "sentence": say("sentence"),
        "figures": [(say("value"), say("caption"))],
    },
    "switch": lambda say: {"titles": [say("title"), say("other title")]},
    "table": lambda say: {"heads": [say("head")], "rows": [[say("cell")]]},
    "tally": lambda say: {
        "parts": [(say("kind"), say("count"))],
        "words": say("words"),
        "detail": say("detail"),
    },
    "unexplained": lambda say: {
        "model": say("model"),
        "colour": say("colour"),
        "note": say("note"),
    },
    "trained": lambda say: {
        **{name: say(name) for name in ("name", "questions", "own")},
        "gain": TrainingGain(0.5, 0.6, 16, None),
        "is_start": False,
    },
    "training_steps": lambda say: {"steps": [say("step"), say("now")], "at": 1},
    "way": lambda say: {
        **{name: say(name) for name in ("title", "time", "what", "gain", "needs")},
        "recommended": True,
        "ready": True,
    },
    "verdict": lambda say: {
        **{name: say(name) for name in ("colour", "asked", "say", "why")},
        "lines": [say("line")],
        "more": [say("more")],
    },
    "waiting_chart": lambda say: {},
    "why": lambda say: {"title": say("title"), "query": say("query")},
    "wins": lambda say: {
        "said": say("said"),
        "parts": [(say("kind"), say("count"), say("label"))],
    },
}  # fmt: skip


# Fields of a side that are not drawn.
SILENT = {
    "board": ["its name", "it", "its name", "it", "side name", "subtitle", "in a sentence"],
    "card": ["side name", "subtitle", "in a sentence"],
}


def _drawn(example: str, say: Say) -> LexborHTMLParser:
    html = render(f"{example.split()[0]}.html", **EXAMPLES[example](say))
    return LexborHTMLParser(f"<!doctype html>{html}")


def _shape(tree: LexborHTMLParser) -> list[tuple[str, list[str]]]:
    """Every element with the names of its attributes."""
    assert tree.root is not None
    return [(str(node.tag), sorted(node.attributes)) for node in tree.root.traverse()]


def test_every_template_has_an_example() -> None:
    assert {example.split()[0] for example in EXAMPLES} == {p.stem for p in TEMPLATES.iterdir()}
    assert {path.suffix for path in TEMPLATES.iterdir()} == {".html"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_markup_in_any_field_is_text(example: str) -> None:
    said: list[str] = []

    def say(field: str) -> str:
        said.append(f"{EVIL}({field})")
        return said[-1]

    tree = _drawn(example, say)
    assert _shape(tree) == _shape(_drawn(example, lambda field: field)), "no element or attribute more"  # fmt: skip
    assert not tree.css("img")
    assert len(tree.css("script")) == (1 if example == "first_paint" else 0)
    shape = _shape(tree)
    assert not [name for _, names in shape for name in names if name.startswith("on")]
    assert tree.root is not None
    values = [value or "" for node in tree.root.traverse() for value in node.attributes.values()]
    whole = "\n".join([tree.root.text(), *values])
    silent = [text for text in said if text not in whole]
    assert [text.removeprefix(EVIL).strip("()") for text in silent] == SILENT.get(example, [])


def test_what_a_template_needs_has_to_be_given() -> None:
    with pytest.raises(UndefinedError, match="'text' is undefined"):
        render("empty.html", title="A title")


def test_a_template_is_laid_out_in_lines_and_drawn_in_one() -> None:
    html = render("summary.html", sentence="Two\n  lines.", figures=[("1", "of 2")])
    assert html == (
        '<div class="b-card b-summary"><div class="b-say">Two\n  lines.</div>'
        '<div class="b-figure"><b>1</b>of 2</div></div>'
    )
    parts = [("flat ", False), ("feet", True), (" & more", False)]
    assert render("marked.html", segments=parts) == "flat <mark>feet</mark> &amp; more"
    (card,) = _drawn("card", lambda field: field).css(".b-hit")
    assert card.attributes["role"] == "group"
    assert card.attributes["data-doc"] == "card number"


def test_a_text_for_a_chart_is_plain() -> None:
    assert plain("<b>a</b> & 'b'") == "&lt;b&gt;a&lt;/b&gt; &amp; &#39;b&#39;"


@pytest.mark.parametrize(
    "path", [ROOT / "app.py", *sorted((ROOT / "ui").rglob("*.py"))], ids=lambda p: p.name
)
def test_html_stands_in_templates_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    tags = {text for text in texts if re.search(r"</?[a-z]+[\s>]|&[a-z]+;", text)}
    assert tags == FOREIGN.get(path.name, set())
    names = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    assert "unsafe_allow_html" not in names
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    safe = path.name == "rendering.py"
    assert not imported & ({"html.escape"} if safe else {"html.escape", "markupsafe.escape", "markupsafe.Markup"})  # fmt: skip
