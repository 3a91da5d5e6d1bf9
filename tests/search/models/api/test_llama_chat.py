"""A chat server of somebody else's: llama.cpp with a model that babbles. What comes is survived, and said."""

import pytest
from llama_server import CHAT_MODEL, llama_server

from search.corpus.corpus import current_corpus
from search.models.api.chat import ChatClient, the_model
from search.models.api.settings import ChatSettings, chat_settings
from search.projects.errors import Failed, Refused
from search.projects.progress import silent
from search.projects.project import project_to_be
from training.synthetic.chat.answers import FILE
from training.synthetic.chat.asking import ask
from training.synthetic.chat.prompt import SCHEMA, Style, messages_of
from training.synthetic.chat.written import ChatRequest, planned

KEY = "sk-of-the-babbler"
MESSAGES = messages_of("The velkorin affects the hand after frost.", Style(), "en")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with llama_server(tmp_path_factory.mktemp("babbler"), KEY, CHAT_MODEL) as url:
        yield url


@pytest.fixture
def settings(address, monkeypatch, workspace) -> ChatSettings:
    monkeypatch.setenv("BESPOKE_KEY_CHAT", KEY)
    given = {"base_url": address, "model": CHAT_MODEL, "key_variable": "BESPOKE_KEY_CHAT"}
    return chat_settings({**given, "answer_tokens": 64, "retries": 0})


def test_its_only_model_and_an_answer_with_its_tokens(settings):
    assert the_model(settings, "lab") == CHAT_MODEL
    answer = ChatClient(settings).ask(MESSAGES, SCHEMA)
    assert 200 < answer.read < 4_096  # A token for each byte.
    assert 0 < answer.written <= 64


@pytest.mark.parametrize("form", range(3))
def test_each_form_is_taken_or_left(settings, form):
    client = ChatClient(settings)
    client._form = form
    assert client.ask(MESSAGES, SCHEMA).written > 0
    assert client._form == form


def test_a_wrong_key_and_a_text_that_is_too_long(settings, monkeypatch):
    with pytest.raises(Failed, match=r"refused a question \(status 400\): .*context size"):
        ChatClient(settings).ask(messages_of("word " * 9_000, Style(), "en")[:1] * 9, SCHEMA)
    monkeypatch.setenv("BESPOKE_KEY_CHAT", "sk-wrong")
    with pytest.raises(Refused, match=r"refused the key \(status 401\)"):
        the_model(settings, "lab")


def test_what_it_babbles_is_on_disk_and_after_ten_answers_it_is_asked_no_more(
    settings, import_tiny
):
    project = project_to_be("lab")
    import_tiny(project)
    wanted = ChatRequest(settings.base_url, None, "BESPOKE_KEY_CHAT", answer_tokens=64, parallel=1)
    plan = planned(project, current_corpus(project)[1], wanted)
    try:
        answered = ask(plan, silent)
    except Failed as failed:
        assert "10 answers in a row held no question" in str(failed)
        answered = plan.known
    lines = (project.folder / FILE).read_bytes().splitlines()
    again = planned(project, current_corpus(project)[1], wanted)
    assert len(again.known) == len(lines) >= 10
    assert len(again.open) == len(again.asked) - len(lines)
    assert not answered or len(answered) == len(lines)
