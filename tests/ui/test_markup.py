"""What comes from people, files, models and runs is text: no call that takes Markdown gets it unescaped."""

import ast
import re
from pathlib import Path

import pytest

from ui.rendering import literal

REPOSITORY = Path(__file__).resolve().parents[2]
BODIES = {
    "markdown", "write", "caption", "error", "warning", "info", "success", "title", "header", "subheader", "toast",
    "text_input", "text_area", "number_input", "selectbox", "multiselect", "checkbox", "toggle", "radio", "button",
    "download_button", "link_button", "page_link", "expander", "popover", "status", "spinner", "metric",
    "file_uploader", "slider", "select_slider", "pills", "segmented_control", "dialog", "form_submit_button",
    "date_input", "time_input", "chat_input", "badge", "tabs", "camera_input", "audio_input", "color_picker", "menu_button",
}  # fmt: skip
"""Of these the first argument is Markdown."""
FURTHER = {"help", "captions", "delta", "label", "body", "text"}
OPTIONS = {"radio", "pills", "segmented_control", "select_slider", "tabs"}
"""Of these the options are Markdown, too."""
AS_IT_IS = {"selectbox", "multiselect"}
"""Of these the options are text: what is escaped shows its backslashes."""
NEVER = {"unsafe_allow_html", "unsafe_allow_javascript"}
FETCHING = {
    "LinkColumn",
    "ImageColumn",
    "VideoColumn",
    "AudioColumn",
    "MarkdownColumn",
    "image",
    "video",
    "audio",
    "iframe",
    "pdf",
}
OWN = {
    "literal", "len", "counted", "slider", "number_input", "duration", "size_in_words", "render", "round", "sum", "min", "max", "int", "float", "abs",
}  # fmt: skip
"""These give escaped text, words of ours, or numbers."""
NUMBER = re.compile(r"[+ ]?\d*,?(\.\d+)?[dfgeE%,]")
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")


def functions(tree):
    """Every call with the functions that it stands in, the innermost last."""

    def walk(node, inside):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                yield from walk(decorator, inside)
            inside = (*inside, node)
        if isinstance(node, ast.Call):
            yield node, inside
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inside)

    yield from walk(tree, ())


class Scope:
    """What names stand for in a function: every expression that is assigned to each."""

    def __init__(self, inside):
        self.values, self.given = {}, set()
        for function in inside:
            self.given |= {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
            for node in ast.walk(function):
                if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value:
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    for target in targets:
                        self.bind(target, node.value)
                elif isinstance(node, ast.NamedExpr):
                    self.bind(node.target, node.value)
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    if node.func.attr in ("append", "extend", "insert", "add"):
                        self.bind(node.func.value, node.args[-1])
                elif isinstance(node, ast.For | ast.comprehension):
                    self.loop(node.target, node.iter)

    def bind(self, target, value):
        if isinstance(target, ast.Name):
            self.values.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple | ast.List):
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            for i, part in enumerate(target.elts):
                self.bind(part, values[i] if len(values) == len(target.elts) else ast.Name("?"))

    def loop(self, target, over):
        rows = over.args[-1 if over.func.id == "zip" else 0] if (
            isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id in ("zip", "enumerate")
        ) else over  # fmt: skip
        if isinstance(rows, ast.Tuple | ast.List):
            inner = target
            if rows is not over and isinstance(target, ast.Tuple):
                inner = target.elts[-1]
            for row in rows.elts:
                self.bind(inner, row)
        else:
            self.bind(target, ast.Name("?"))


def is_ours(node, scope, seen=frozenset()):
    """Whether an expression is our own words, a number, or escaped."""

    def ours(part):
        return is_ours(part, scope, seen)

    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.JoinedStr):
        return all(ours(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        if node.format_spec is not None:
            spec = "".join(str(getattr(part, "value", "")) for part in node.format_spec.values)
            return NUMBER.fullmatch(spec) is not None
        return ours(node.value)
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name == "join" and isinstance(node.func, ast.Attribute):
            return ours(node.func.value) and all(ours(a) for a in node.args)
        if name == "map" and node.args:
            return ast.unparse(node.args[0]) == "literal"
        if name in ("lower", "upper", "strip", "capitalize", "replace", "partial"):
            return name != "partial" and ours(node.func.value) and all(ours(a) for a in node.args)
        if name == "get" and isinstance(node.func, ast.Attribute) and len(node.args) == 2:
            return ours(node.func.value) and ours(node.args[1])
        return name in OWN
    if isinstance(node, ast.IfExp):
        return ours(node.body) and ours(node.orelse)
    if isinstance(node, ast.BoolOp):
        return all(ours(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return ours(node.left) and ours(node.right)
    if isinstance(node, ast.Subscript | ast.Starred):
        return ours(node.value)
    if isinstance(node, ast.Tuple | ast.List):
        return all(ours(part) for part in node.elts)
    if isinstance(node, ast.Dict):
        return all(ours(part) for part in node.values)
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        return ours(node.elt)
    if isinstance(node, ast.Lambda):
        return ours(node.body)
    if isinstance(node, ast.Attribute):
        # A constant of ours, the look-up in one, and what is a number by its name everywhere.
        return (node.attr == "__getitem__" and ours(node.value)) or CONSTANT.fullmatch(
            node.attr
        ) is not None
    if isinstance(node, ast.Name):
        if CONSTANT.fullmatch(node.id) or node.id == "literal":
            return True
        known = scope.values.get(node.id)
        if node.id in scope.given or not known or node.id in seen:
            return node.id in seen
        return all(is_ours(value, scope, seen | {node.id}) for value in known)
    return False


def unescaped(code):
    """What goes into a call that takes Markdown although it may be anybody's text: (line, text)."""
    for call, inside in functions(ast.parse(code)):
        if not isinstance(call.func, ast.Attribute):
            continue
        name = call.func.attr
        keywords = {k.arg: k.value for k in call.keywords}
        checked = [
            keywords[key] for key in FURTHER & keywords.keys() if name in BODIES | {"progress"}
        ]
        if name in BODIES and ast.unparse(call.func.value) not in OURS:
            # All that is written, and all three parts of a metric.
            checked += call.args if name in ("write", "metric") else call.args[:1]
        if name in OPTIONS:
            shown = keywords.get(
                "format_func", keywords.get("options", (call.args + [None] * 2)[1])
            )
            checked += [shown] if shown is not None else []
        # What stands in for what is not typed yet is text everywhere.
        plain = [
            keywords.get("format_func") if name in AS_IT_IS else None,
            keywords.get("placeholder"),
        ]
        if any(node is not None and "literal" in ast.unparse(node) for node in plain):
            yield call.lineno, f"{name} shows the backslashes of literal"
        if name == "progress":
            checked += call.args[1:2]
        scope = Scope(inside)
        for value in checked:
            if not is_ours(value, scope):
                yield call.lineno, f"{name}({ast.unparse(value)})"
        yield from ((call.lineno, f"{name}({key}=...)") for key in NEVER & keywords.keys())
        if name in FETCHING and not all(is_ours(a, scope) for a in call.args):
            yield call.lineno, f"{name} shows what an address names"


OURS = {path.stem for path in (REPOSITORY / "ui").rglob("*.py")} | {"archive", "sys.stderr"}
"""What has functions of the same names that escape what they are given, or are no pages."""
PAGES = sorted([*(REPOSITORY / "ui").rglob("*.py"), REPOSITORY / "app.py"])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_foreign_text_is_escaped_where_markdown_is_taken(path):
    assert list(unescaped(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("code", "bad"),
    [
        ("def f(x):\n st.write(x)", True),
        ("def f(x):\n st.write(literal(x))", False),
        ("def f(x):\n box.caption(f'{x} rows')", True),
        ("def f(x):\n box.caption(f'{x:,} rows, {x:.2f}, {x:+.1%}')", False),
        ("def f(x):\n st.caption(f'{x:>10}')", True),
        ("def f(x):\n y = 'a' if x else 'b'\n st.error(y)", False),
        ("def f(x):\n y = 'a'\n y = x\n st.error(y)", True),
        ("def f(x):\n st.button('Go', help=x.name)", True),
        ("def f(x):\n st.radio('Which?', x)", True),
        ("def f(x):\n st.radio('Which?', x, format_func=literal)", False),
        ("def f(x):\n st.radio('Which?', ('a', 'b'))", False),
        ("def f(x):\n st.selectbox('Which?', x, format_func=literal)", True),
        ("def f(x):\n st.multiselect('Which?', x, format_func=lambda n: literal(x[n]))", True),
        ("def f(x):\n st.selectbox('Which?', x)", False),
        ("def f(x):\n st.text_input('What?', placeholder=literal(x))", True),
        ("def f(x):\n st.pills('Which?', x, format_func=lambda n: x[n])", True),
        ("def f(x):\n for y in x:\n  st.tabs([y])", True),
        ("def f(x):\n for y in ('a', 'b'):\n  st.expander(y)", False),
        ("def f(x):\n st.progress(0.5, text=x)", True),
        ("def f(x):\n st.progress(0.5, x)", True),
        ("def f(x):\n st.metric('a', 1, x)", True),
        ("def f(x):\n st.markdown('<b>', unsafe_allow_html=True)", True),
        ("def f(x):\n st.dataframe(x, column_config={'a': st.column_config.LinkColumn(x)})", True),
        ("def f(x):\n st.image(x)", True),
        ("@st.dialog(TITLES[0] + x)\ndef f(): pass", True),
        ("def f(x):\n st.write(' · '.join(x))", True),
        ("def f(x):\n st.write(' · '.join(map(literal, x)))", False),
        ("def f(x):\n st.write(_WORDS.get(x, x))", True),
        ("def f(x):\n st.write('a', x)", True),
        ("def f(x):\n y = ['a', *(literal(z) for z in x)]\n st.write(' '.join(y))", False),
        ("def f(x):\n y = ['a']\n y.append(x)\n st.write(' '.join(y))", True),
    ],
)  # fmt: skip
def test_the_check_sees_what_it_should(code, bad):
    assert bool(list(unescaped(code))) == bad


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://127.0.0.1:9/x.png)", "[a](http://x.example)", "<img src=//x>", "**a** _b_ `c` ~~d~~", "# a", "- a", "1. a",
        "> a", "$x^2$", ":red[a]", ":material/home:", "http://x.example/a", "www.x.example", "a@x.example", "&lt;", "\\![a](b)",
        "a\n\n![b](c)", "[a]: http://x", "![a][b]", "| a | b |", "-> <- --", "***", "--- ", "+ a", "a\u2028# b",
    ],
)  # fmt: skip
def test_nothing_is_left_of_markup(text):
    """What a reader of Markdown makes of it is one paragraph of just that text."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    assert not re.search(
        r"(?i)www\.|(?<!\\):/|(?<!\\):material|(?<!\\):red|[^\\]@|[^\\]\$", literal(text)
    )
    tokens = reader.parse(literal(text))
    assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    parts = tokens[1].children
    assert {part.type for part in parts} <= {"text", "text_special"}
    assert "".join(part.content for part in parts) == " ".join(text.split())
