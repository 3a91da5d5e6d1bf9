"""One question to a chat server, in the form that it takes, and everything that can go wrong with it."""

import pytest
from chat_server import GOOD, ChatServer, chat_server

from search.models.api.chat import ChatClient, the_model
from search.models.api.server_client import KEPT, TooMuch
from search.models.api.settings import ChatSettings, chat_settings
from search.projects.errors import Failed, Refused
from search.projects.outgoing import contacts

SCHEMA = {"type": "object", "properties": {"question": {"type": "string"}}}
MESSAGES = [
    {"role": "system", "content": "Write."},
    {"role": "user", "content": "The velkorin affects the hand after frost."},
]
KEY = "sk-of-the-chat-9c1f"


@pytest.fixture
def server(workspace):
    with chat_server() as made:
        yield made


@pytest.fixture
def client(server, monkeypatch):
    monkeypatch.setenv("BESPOKE_KEY_CHAT", KEY)
    waits: list[float] = []

    def made(**more):
        given = {"base_url": server.url, "model": "tiny-chat", "key_variable": "BESPOKE_KEY_CHAT"}
        settings = ChatSettings(**{**given, "timeout": 5.0, **more})
        client = ChatClient(settings, sleep=waits.append, project="lab")
        client.waits = waits
        return client

    return made


def test_the_question_and_the_form_that_is_asked_for(server: ChatServer, client):
    answer = client(answer_tokens=77).ask(MESSAGES, SCHEMA)
    (request,) = server.requests
    body = request["body"]
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert (
        body["messages"] == MESSAGES and body["max_tokens"] == 77 and body["model"] == "tiny-chat"
    )
    assert request["key"] == KEY and request["headers"]["User-Agent"] == "bespoke"
    assert GOOD["lay"].format(word="velkorin") in answer.text
    assert answer.read == 200 and answer.written == len(answer.text.split())
    assert (answer.cut, answer.refused) == (False, False)
    (contact,) = contacts("lab")
    assert (contact.what, contact.host) == ("chat", server.url.split("/")[2])


@pytest.mark.parametrize("forms", [("json_object", ""), ("",)])
def test_a_form_that_is_not_taken_is_not_asked_for_again(server, client, forms):
    server.forms = forms
    asker = client()
    asker.ask(MESSAGES, SCHEMA)
    refused = 3 - len(forms)
    assert [r["did"] for r in server.requests] == ["refused form"] * refused + ["good"]
    asker.ask(MESSAGES, SCHEMA)
    assert len(server.requests) == refused + 2
    assert server.requests[-1]["body"].get("response_format", {}).get("type", "") == forms[0]
    assert asker.waits == []


def test_the_longest_answer_is_called_as_the_server_calls_it(server, client):
    server.longest = "max_completion_tokens"
    asker = client(answer_tokens=50)
    asker.ask(MESSAGES, SCHEMA)
    asker.ask(MESSAGES, SCHEMA)
    assert [r["did"] for r in server.requests] == ["refused form", "good", "good"]
    assert server.requests[-1]["body"]["max_completion_tokens"] == 50


@pytest.mark.parametrize("did", ["502", "503:2", "429:2", "dead", "html"])
def test_what_may_pass_is_asked_again(server, client, did):
    server.script.append(did)
    asker = client()
    assert asker.ask(MESSAGES, SCHEMA).text.startswith("{")
    assert len(asker.waits) == 1
    if ":2" in did:
        assert asker.waits == [2.0]


def test_a_form_in_which_one_answer_failed_is_left_for_that_answer_alone(server, client):
    server.script.extend(["500", "500"])
    asker = client()
    assert asker.ask(MESSAGES, SCHEMA).text.startswith("{")
    asker.ask(MESSAGES, SCHEMA)
    forms = [r["body"].get("response_format", {}).get("type", "") for r in server.requests]
    assert forms == ["json_schema", "json_object", "", "json_schema"] and asker.waits == []
    server.always = "500"
    with pytest.raises(Failed, match="did not answer, asked 2 times: status 500"):
        client(retries=1).ask(MESSAGES, SCHEMA)


@pytest.mark.parametrize(
    ("did", "words"),
    [
        ("quota", "has no credit left|account has no credit"),
        ("401", r"refused the key \(status 401\)"),
        ("404", r"no model 'tiny-chat', or no chat under this address"),
        ("other", "answered without a message: it may not speak OpenAI's chat API"),
        ("429:900", "asks to wait 900 seconds"),
    ],
)
def test_what_will_not_pass_is_one_sentence_and_not_asked_again(server, client, did, words):
    server.always = did
    with pytest.raises(Failed, match=words) as told:
        client().ask(MESSAGES, SCHEMA)
    assert len(server.requests) == 1
    assert KEY not in str(told.value) and "velkorin" not in str(told.value)
    assert str(told.value).endswith(KEPT)


def test_a_question_that_is_refused_may_be_refused_for_what_is_in_it(server, client):
    server.always = "400"
    with pytest.raises(TooMuch, match=r"refused a question \(status 400\): scripted 400"):
        client().ask(MESSAGES, SCHEMA)
    assert len(server.requests) == 3  # In each form.


def test_a_slow_server(server, client):
    server.always = "slow:0.5"
    with pytest.raises(TooMuch, match=r"asked 2 times: no answer within 0\.1 seconds"):
        client(timeout=0.1, retries=1).ask(MESSAGES, SCHEMA)


@pytest.mark.parametrize(
    ("did", "text", "cut", "refused"),
    [
        ("empty", "", False, False),
        ("nothing", "", False, False),
        ("no choices", "", False, False),
        ("refusal", "", False, True),
        ("still thinking", "<think>Okay, so the passage says", True, False),
    ],
)
def test_answers_that_say_nothing(server, client, did, text, cut, refused):
    server.script.append(did)
    answer = client().ask(MESSAGES, SCHEMA)
    assert (answer.text, answer.cut, answer.refused) == (text, cut, refused)


def test_the_only_model_goes_without_saying(server):
    settings = chat_settings({"base_url": server.url, "model": "unknown"})
    assert the_model(settings, "lab") == "tiny-chat"
    server.models = ("small", "large")
    with pytest.raises(
        Refused, match=r"has several models: small, large\. Say which: --chat-model"
    ):
        the_model(settings, "lab")
    server.models = ()
    with pytest.raises(Refused, match="names no model"):
        the_model(settings, "lab")
    gone = chat_settings({"base_url": "http://127.0.0.1:9/v1", "model": "unknown"})
    with pytest.raises(Refused, match=r"did not answer, asked once.*Nothing was sent\."):
        the_model(gone, "lab")


def test_openais_key_is_known_and_a_wrong_setting_is_named():
    assert (
        chat_settings({"base_url": "https://api.openai.com/v1", "model": "m"}).key_variable
        == "OPENAI_API_KEY"
    )
    with pytest.raises(Refused, match="--base-url: must begin with http"):
        chat_settings({"base_url": "localhost:11434", "model": "m"})
