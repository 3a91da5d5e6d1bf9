"""Train: questions written by a chat server; what would be sent is shown before anything is, and examples before training."""

import pytest
from app_help import TINY, labels, open_page, press, run, shown
from chat_server import chat_server

from search.models.pretrained.add import Choices, add_model
from search.models.registry import choose_generic
from search.projects.project import Project
from training.synthetic.chat.written import ChatRequest
from training.synthetic.make import SyntheticRequest, make_synthetic_pairs


@pytest.fixture
def server():
    with chat_server() as made:
        yield made


@pytest.fixture
def quick(data: Project, tiny_model) -> Project:
    add_model(data, str(tiny_model), Choices(name="tiny"))
    choose_generic(data, "tiny")
    return data


def test_what_would_be_sent_is_shown_before_it_is(
    documents_only: Project, server, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BESPOKE_CHAT_URL", server.url)
    monkeypatch.setenv("BESPOKE_CHAT_MODEL", "tiny-chat")
    at = open_page("train", TINY)
    assert at.text_input(key="chat-url-train").value == server.url
    assert "Let it write questions" not in labels(at)
    at.number_input(key="chat-calls-train").set_value(7)
    press(at, "chat-look-train")
    assert "Passages of 7 documents would be sent to 127.0.0.1:" in shown(at)
    assert server.requests == [] and started == []
    at.number_input(key="chat-calls-train").set_value(8)
    run(at)
    assert "Let it write questions" not in labels(at), "what was shown is of another request"
    press(at, "chat-look-train")
    press(at, "chat-go-train")
    asked = ["--with", server.url, "--calls", "8", "--chat-model", "tiny-chat"]
    assert started == [["mine", TINY, *asked]] and server.requests == []


def test_a_wrong_address_is_said_where_it_was_typed(documents_only: Project, server) -> None:
    at = open_page("train", TINY)
    assert at.button(key="chat-look-train").disabled
    at.text_input(key="chat-url-train").set_value("localhost:11434")
    run(at)
    press(at, "chat-look-train")
    assert "Address: must begin with http:// or https://" in shown(at)
    server.models = ("one", "two")
    at.text_input(key="chat-url-train").set_value(server.url)
    run(at)
    press(at, "chat-look-train")
    assert "has several models: one, two." in shown(at)
    assert "chat-go-train" not in [button.key for button in at.button]


def test_examples_are_shown_and_used_without_asking_again(
    quick: Project, server, started: list[list[str]]
) -> None:
    make_synthetic_pairs(quick, SyntheticRequest(chat=ChatRequest(server.url, calls=6)))
    at = open_page("train", TINY)
    assert "Add questions written by a chat server" in [part.label for part in at.expander]
    assert "**Written questions** · " in shown(at)
    assert "wrote 24 questions about 6 passages" in shown(at)
    tables = [part.proto.body for part in at.get("html")]
    assert any("<td>helps against" in table for table in tables)
    press(at, "save-beside")
    asked = ["--with", server.url, "--calls", "6", "--chat-model", "tiny-chat"]
    assert started == [["mine", TINY, "--save", *asked]]
