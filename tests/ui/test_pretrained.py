"""Ready-made models on the Models page: shown, chosen as generic, added; an API's cost before anything is sent."""

import pytest
from app_help import TINY, alive, columns, gone, markup, open_page, press, run, shown, write_run
from bad_server import KEY, bad_server

from search.models.pretrained.add import Choices, add_model
from search.models.registry import find_model
from search.projects.project import Project
from ui import pretrained


def form(at, kind):
    at.segmented_control(key="add-kind").set_value(kind)
    return run(at)


def test_the_built_in_model_and_what_is_known_of_it(evaluated: Project) -> None:
    text = shown(open_page("models", TINY))
    assert "**all-MiniLM-L6-v2** · called generic" in text
    assert "comes with Bespoke · runs on this machine · 384 dimensions" in text
    assert "reads about the first 190 words of a text" in text
    assert "passages a second when indexed" in text
    assert "Search index: 40 passages: every passage is compared (exact)." in text


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("openvino f32", " with OpenVINO"),
        ("torch on cuda", " with PyTorch"),
        ("its server", ""),
        (None, ""),
    ],
)
def test_the_card_of_a_ready_made_model_names_the_backend(
    evaluated: Project, monkeypatch, backend, said
) -> None:
    info = find_model(evaluated, "generic")
    index = evaluated.newest_where("indexes", model=info.id)
    encoding = {"backend": backend} if backend else {}
    monkeypatch.setitem(index.details, "encoding", encoding)
    monkeypatch.setattr(Project, "newest_where", lambda *_, **__: index)
    (speed,) = pretrained._speed(evaluated, info)
    assert speed.endswith(f" passages a second when indexed{said}")


def test_several_models_and_another_default(data: Project, tiny_model) -> None:
    add_model(data, str(tiny_model), Choices(name="tiny"))
    static = add_model(data, "static").info
    at = open_page("models", TINY)
    text = shown(at)
    assert "**tiny**" in text and "reads about the first 50 words of a text" in text
    assert "**static**" in text and "reads texts of any length" in text
    assert "not indexed yet" in text
    press(at, f"default-{static.id}")
    text = shown(at)
    assert "**static** · called generic" in text
    assert "**all-MiniLM-L6-v2** · called" not in text
    assert find_model(data, "generic").id == static.id
    press(at, "default-generic")
    assert find_model(data, "generic").title == "all-MiniLM-L6-v2"


def test_ready_made_models_are_not_counted_as_custom(data: Project, tiny_model) -> None:
    add_model(data, str(tiny_model), Choices(name="tiny"))
    assert "No custom model yet" in shown(open_page("models", TINY))
    for page in ("train", "projects", "evaluate", "corpus", "compare"):
        open_page(page, TINY)
    row = markup(open_page("projects", TINY)).split('class="b-row"')[1].split("</div>")[0]
    assert "not measured yet" in row and "tiny" not in row


def test_the_first_column_of_compare_says_which_model_is_generic(data: Project) -> None:
    from search.retrieval.indexing.build import index_model

    add_model(data, "static", Choices(default=True))
    index_model(data, "generic")
    at = open_page("compare", TINY, q="frost", model="generic")
    (column,) = columns(at)
    assert (column.title, column.subtitle) == ("Generic", "static · ready-made")


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("A model hub", "add-hub", "intfloat/e5-small-v2"),
        ("A folder here", "add-folder", "/models/mine"),
    ],
)
def test_adding_starts_the_command(data: Project, started, kind, key, value) -> None:
    at = form(open_page("models", TINY), kind)
    press(at, "add-go")
    assert [e.value for e in at.error] == ["Say which model."] and started == []
    at.text_input(key=key).set_value(value)
    at.text_input(key="add-name").set_value(" mine ")
    at.text_input(key="add-query").set_value("query: ")
    press(at, "add-go")
    assert started == [["add-model", TINY, value, "--name", "mine", "--query-prompt", "query: "]]


def test_where_others_reach_the_app_no_folder_is_offered(data: Project, monkeypatch) -> None:
    offered = open_page("models", TINY).get("button_group")[0].options
    monkeypatch.setenv("BESPOKE_BEYOND_LOOPBACK", "1")
    at = open_page("models", TINY)
    left = at.get("button_group")[0].options
    assert [one for one in offered if one not in left] == ["A folder here"]
    assert "A folder" not in "".join(box.label for box in at.text_input)


def test_adding_the_static_model(data: Project, started) -> None:
    at = form(open_page("models", TINY), "Fast and small")
    assert "knows nothing of word order" in shown(at)
    press(at, "add-go")
    assert started == [["add-model", TINY, "static"]]


def test_openai_with_the_estimate_before_anything_is_sent(
    data: Project, started, monkeypatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    at = form(open_page("models", TINY), "A server (API)")
    (told,) = [i.value for i in at.info]
    assert "would send about" in told and "tokens in 40 texts." in told
    at.number_input(key="add-price").set_value(0.02)
    run(at)
    (told,) = [i.value for i in at.info]
    assert "tokens in 40 texts, less than a cent at \\$0.02 for a million." in told
    at.number_input(key="add-cap").set_value(100)
    run(at)
    (told,) = [i.value for i in at.info]
    assert "more than the 100 allowed, so it would be refused" in told
    press(at, "add-go")
    assert "OPENAI_API_KEY is not set" in at.error[0].value
    assert started == []
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    press(at, "add-go")
    (line,) = started
    assert line == [
        "add-model", TINY, "text-embedding-3-small", "--base-url", "https://api.openai.com/v1",
        "--key-variable", "OPENAI_API_KEY", "--price", "0.02", "--max-tokens", "100",
    ]  # fmt: skip
    assert "sk-secret" not in str(line)


def test_a_key_in_the_wrong_field_is_refused_and_written_nowhere(data: Project, started) -> None:
    at = form(open_page("models", TINY), "A server (API)")
    at.selectbox(key="add-service").set_value("Another server")
    run(at)
    at.text_input(key="add-model-name").set_value("m")
    at.text_input(key="add-url").set_value("http://localhost:1/v1")
    at.text_input(key="add-key-Another server").set_value(KEY)
    press(at, "add-go")
    assert at.error[0].value.startswith("Environment variable: must be the name of an environment")
    assert KEY not in at.error[0].value and started == []
    at.text_input(key="add-url").set_value("nonsense")
    at.text_input(key="add-key-Another server").set_value("")
    press(at, "add-go")
    assert at.error[0].value.startswith("Address: must begin with http")


def test_a_model_being_added_is_watched_and_its_failure_told(data: Project) -> None:
    write_run(data, ["add-model", TINY, "x"], state="running", message="loading x", **alive())
    at = open_page("models", TINY)
    assert "**Adding the model** · loading x" in shown(at)
    assert "add-go" not in [b.key for b in at.button]
    write_run(
        data, ["add-model", TINY, "x"], state="refused", error="The hub has no model x.", **gone()
    )
    at = open_page("models", TINY)
    assert "Adding the model did not finish: The hub has no model x." in at.error[0].value
    assert "add-go" in [b.key for b in at.button]


def test_a_server_model_is_shown(data: Project) -> None:
    with bad_server() as server:
        options = {"base_url": server.url}
        add_model(data, "bad", Choices(server=options, max_length=512))
    text = shown(open_page("models", TINY))
    assert "computed by a server" in text and "reads about the first 380 words" in text
