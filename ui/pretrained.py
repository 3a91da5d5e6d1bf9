"""Models of a project that were not trained here: ready-made ones, which one is called generic, and rerankers."""

from typing import Any

import streamlit as st

from search.models.api.settings import OPENAI, api_settings
from search.models.cross_encoders import DEPTH, RerankerInfo, reranker_truncation, rerankers
from search.models.encoding.index_vectors import how_encoded
from search.models.registry import BUILT_IN, GENERIC, ModelInfo, choose_generic, models
from search.projects.errors import BespokeError
from search.projects.files import size_in_words
from search.projects.outgoing import contacts
from search.projects.project import Project
from search.projects.settings import LIMITS, OPENAI_KEY, settings
from training.quantizing.making import may_be_fast
from ui import cache, deleting, run_view, widgets
from ui.rendering import literal, render

_HUB, _FOLDER, _STATIC, _SERVER = "A model hub", "A folder here", "Fast and small", "A server (API)"
_OTHER = "Another server"
_OPENAI_MODELS = ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002")
_WORDS = {
    "checkpoint": "runs on this machine",
    "static": "runs on this machine",
    "eight-bit": "runs on this machine, fast class",
    "endpoint": "computed by a server",
}
_LABELS = {
    "--base-url": "Address",
    "--key-variable": "Environment variable",
    "--model": "The model’s name",
}
_WORDS_A_PIECE = 0.75
"""About how many words of English a subword token is."""
_BACKENDS = {"openvino": "OpenVINO", "torch": "PyTorch", "ray": "Ray"}


def section(project: Project) -> None:
    """The ready-made models, and the form that adds one."""
    st.header("Ready-made models", anchor=False)
    st.write(
        "What a custom model is compared with. The one called generic is the first column of every "
        "comparison, and the baseline of every proof; the others can be chosen beside it."
    )
    for info in models(project):
        if info.kind == "generic":
            _card(project, info)
    run = run_view.latest(project, ["add-model", "fast"])
    if run_view.watched(run):
        return
    run_view.ended(run)
    with st.container(border=True, key="add-ready-made"):
        st.markdown("**Add a ready-made model**")
        _form(project)


def _card(project: Project, info: ModelInfo) -> None:
    with st.container(border=True, key=f"ready-{info.id}"):
        left, right = st.columns([3, 1], vertical_alignment="center")
        with left:
            is_default = info.name == GENERIC
            called = " · called generic" if is_default else ""
            st.markdown(f"**{literal(info.title)}**{called}")
            st.html(render("soft.html", text=" · ".join(_facts(project, info))))
            if not is_default and (verdict := widgets.verdict(project, info.name)):
                st.write(literal(verdict))
            if (encoded := how_encoded(project, info)) is not None:
                st.caption(literal(encoded))
            widgets.draw_index_line(project, info)
            if info.id != BUILT_IN:
                for note in project.artifact("models", info.id).details["notes"]:
                    st.caption(literal(note))
        if not is_default and right.button(
            "Call it generic",
            key=f"default-{info.id}",
            width="stretch",
            help="What was measured before stays as it is; what is measured next is held against this one.",
        ):
            choose_generic(project, info.title)
            st.rerun()
        if may_be_fast(project, info) and right.button(
            "Make it faster",
            key=f"fast-{info.id}",
            width="stretch",
            help="Makes a second model of it that computes in eight bits, if that finds nearly the same on your passages.",
        ):
            run_view.start(project, ["fast", project.name, info.title])
        if not is_default and info.id != BUILT_IN:
            with right:
                deleting.artifact(project, project.artifact("models", info.id), "this model")


def _facts(project: Project, info: ModelInfo) -> list[str]:
    """What is known of a ready-made model, in short phrases."""
    if info.id == BUILT_IN:
        facts = ["comes with Bespoke", "runs on this machine"]
        reads: int | None = 256
    else:
        details = project.artifact("models", info.id).details
        facts = [info.origin, _WORDS[info.format]]
        if "bytes" in details:
            facts.append(size_in_words(details["bytes"]))
        reads = details["max_length"]
    facts.append(f"{info.dimension} dimensions")
    if reads:
        facts.append(
            f"reads about the first {round(_WORDS_A_PIECE * reads, -1):,.0f} words of a text"
        )
    elif info.format != "endpoint":
        facts.append("reads texts of any length")
    return [*facts, *_speed(project, info)]


def _speed(project: Project, info: ModelInfo) -> list[str]:
    """How fast it was when it was indexed last, if anything was encoded then."""
    index = project.newest_where("indexes", model=info.id)
    if index is None:
        return ["not indexed yet"]
    facts = index.details
    encoded = facts["vectors"] - facts.get("reused", 0)
    name = _BACKENDS.get(facts.get("encoding", {}).get("backend", "").partition(" ")[0])
    backend = f" with {name}" if name else ""
    if encoded <= 0 or not facts["seconds"]:
        return []
    return [f"{encoded / facts['seconds']:,.0f} passages a second when indexed{backend}"]


def _form(project: Project) -> None:
    # A folder of the machine is its owner's to open; where others reach the app, a terminal adds it.
    kinds = (_HUB, _STATIC, _SERVER) if _is_open() else (_HUB, _FOLDER, _STATIC, _SERVER)
    kind = st.segmented_control("Where is it?", kinds, default=_HUB, required=True, key="add-kind")
    given: dict[str, Any] = {}
    if kind == _HUB:
        given["reference"] = st.text_input(
            "Its name on the hub", placeholder="intfloat/e5-small-v2", key="add-hub"
        )
        st.caption("Downloaded once from huggingface.co; from then on it needs no network.")
    elif kind == _FOLDER:
        given["reference"] = st.text_input(
            "The folder, on the machine that Bespoke runs on",
            placeholder="/home/me/models/my-bert",
            key="add-folder",
        )
        st.caption(
            "Any SentenceTransformer or BERT-like model with .safetensors weights. It stays where it is; when "
            "it changes, Bespoke says so."
        )
    elif kind == _STATIC:
        given["reference"] = "static"
        st.caption(
            "WordLlama: one vector for each part of a word, averaged. It comes with Bespoke, answers in a "
            "fraction of the time, and knows nothing of word order: the quick rung to measure others by."
        )
    else:
        given = _server(project)
    with st.expander("Name and settings"):
        name = st.text_input("What to call it here", placeholder="its own name", key="add-name")
        if kind != _STATIC:
            _prompts(given)
    if st.button("Add", key="add-go", icon=":material/add:"):
        _start(project, given, name.strip())


def _is_open() -> bool:
    """Whether others than this machine's own people reach the app."""
    return settings().beyond_loopback


def _prompts(given: dict[str, Any]) -> None:
    left, right = st.columns(2)
    query = left.text_input(
        "Text before each query", placeholder="what the model asks for", key="add-query"
    )
    document = right.text_input(
        "Text before each document", placeholder="what the model asks for", key="add-document"
    )
    given["query_prompt"], given["document_prompt"] = query or None, document or None
    st.caption(
        "Some models want to be told what a text is (“query: ”). Where a model says so, or is known for it "
        "(E5, BGE and others), that is done by itself."
    )


def _server(project: Project) -> dict[str, Any]:
    """The fields of a server, with what indexing would send there."""
    which, name, address, key, price, cap = (c for _ in range(3) for c in st.columns(2))
    service = which.selectbox("Which server?", ("OpenAI", _OTHER), key="add-service")
    given: dict[str, Any] = {}
    if service == "OpenAI":
        given["reference"] = name.selectbox("Model", _OPENAI_MODELS, key="add-openai")
        given["base_url"], variable = OPENAI, OPENAI_KEY
        # Its address is known: the fields after it move up.
        key, price, cap = address, key, price
    else:
        given["reference"] = name.text_input(
            "The model’s name there", placeholder="nomic-embed-text", key="add-model-name"
        )
        given["base_url"] = address.text_input(
            "Address", placeholder="http://localhost:11434/v1", key="add-url"
        ).strip()
        variable = ""
    label, called = "Environment variable with the key", f"add-key-{service}"
    typed = key.text_input(label, variable, placeholder="none: no key", key=called)
    given["key_variable"] = typed.strip() or None
    given["price"] = price.number_input(
        "Dollars for a million tokens",
        0.0,
        value=None,
        placeholder="see the price list",
        key="add-price",
    )
    label, usual = "At most so many tokens a command", LIMITS.endpoint_tokens
    given["max_tokens"] = cap.number_input(label, 1, value=usual, step=100_000, key="add-cap")
    st.caption(
        "Texts of this project are sent to that address. The key stays in the environment: only the name of "
        "its variable is kept."
    )
    corpus = project.newest("corpora")
    if corpus is not None:
        expected = cache.tokens(project, corpus)
        fits = expected.tokens <= given["max_tokens"]
        over = f": more than the {given['max_tokens']:,} allowed, so it would be refused"
        st.info(
            f"Indexing this project would send {literal(expected.in_words(given['price']))}{'' if fits else over}. Each text is "
            "sent once and then remembered. Adding the model sends one word, to try it.",
            icon=":material/payments:",
        )
    return given


def _start(project: Project, given: dict[str, Any], name: str) -> None:
    """Start the command, unless it would be refused for what it says."""
    reference = (given.pop("reference") or "").strip()
    if not reference:
        st.error("Say which model.")
        return
    if "base_url" in given:
        try:
            # Before anything is written down: what was typed into the wrong field may be a key.
            facts = {k: v for k, v in given.items() if not k.endswith("_prompt")}
            api_settings({"model": reference, **facts}).key()
        except BespokeError as error:
            st.error(literal(_in_words(str(error))))
            return
    arguments = ["add-model", project.name, reference]
    for key, value in {"name": name or None, **given}.items():
        if value is not None:
            arguments += [f"--{key.replace('_', '-')}", f"{value}"]
    run_view.start(project, arguments)


def _in_words(refusal: str) -> str:
    """A refusal that names an option of the terminal, by the label of the field."""
    option, _, reason = refusal.partition(": ")
    return f"{_LABELS.get(option, option)}: {reason}"


def rerankers_section(project: Project) -> None:
    """The rerankers, and the form that adds one."""
    st.header("Rerankers", anchor=False)
    st.write(
        "A reranker reads the question and each of the best answers of a column side by side: slower, and often "
        "better at the top. Each makes further columns for Compare and Evaluate."
    )
    for info in rerankers(project):
        _reranker_card(project, info)
    run = run_view.latest(project, ["add-reranker"])
    if run_view.watched(run):
        return
    run_view.ended(run)
    with st.expander("Add a reranker"):
        _reranker_form(project)


def hosts_section(project: Project) -> None:
    """Which other machines were asked for this project."""
    found = contacts(project.name, most=200)
    with st.expander("Which other machines were asked", icon=":material/lan:"):
        if not found:
            st.write(
                "None. A line appears here before a model hub, a server that embeds or chats, or a Milvus server is asked."
            )
            return
        columns = ("When (UTC)", "Machine", "Address", "For what")
        rows = [(c.time[:16].replace("T", " "), c.host, c.address, c.what) for c in found]
        widgets.dataframe(rows, list(columns), height=min(38 * len(rows) + 40, 320))


def _reranker_card(project: Project, info: RerankerInfo) -> None:
    with st.container(border=True, key=f"reranker-{info.id}"):
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.markdown(f"**{literal(info.name)}**")
        reads = f"{info.reference} · reads the best {info.depth:,} documents again"
        left.caption(literal(reads))
        corpus = project.newest("corpora")
        cut = reranker_truncation(project, info, corpus) if corpus is not None else None
        if cut is not None and cut.read:
            left.caption(literal(cut.sentence(info.name)))
        with right:
            deleting.artifact(project, project.artifact("rerankers", info.id), "this reranker")


def _reranker_form(project: Project) -> None:
    left, middle, right = st.columns([3, 2, 1])
    reference = left.text_input(
        "Its name on a model hub" if _is_open() else "A folder here, or its name on a model hub",
        placeholder="cross-encoder/ms-marco-MiniLM-L6-v2",
        key="reranker-reference",
    ).strip()
    name = middle.text_input(
        "What to call it here", placeholder="careful reader", key="reranker-name"
    ).strip()
    depth = right.number_input(
        "Reads so many", 1, LIMITS.max_hits, DEPTH, step=10, key="reranker-depth"
    )
    st.caption(
        "Any cross-encoder with one score and .safetensors weights. From a hub it is downloaded once; from then on "
        "it needs no network."
    )
    if st.button("Add", key="reranker-add", icon=":material/add:"):
        if not reference or not name:
            st.error("Say which reranker, and what to call it.")
            return
        arguments = ["add-reranker", project.name, reference, "--name", name]
        run_view.start(project, [*arguments, "--depth", str(depth)])
