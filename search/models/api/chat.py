"""One question to a chat server, asked for in a given form where it can be, and its answer as it came.

What is asked of a server that it does not know is left out the next time: a JSON schema (`response_format`), then JSON
alone, then any form; and `max_tokens` becomes `max_completion_tokens` where that is what it is called.
"""

import contextlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from search.models.api.server_client import KEPT, Passing, ServerClient, TooMuch
from search.models.api.settings import ChatSettings
from search.projects.errors import Failed, Refused

if TYPE_CHECKING:
    import openai

Messages = Sequence[Mapping[str, str]]
"""What is said to a model: each with its "role" (system, user) and "content"."""
_MOST_BYTES = 4_000_000
_LISTED = 10
_FORMS = ("json_schema", "json_object", "")
_LIMITS = ("max_tokens", "max_completion_tokens")


class ChatAnswer(NamedTuple):
    """What a model answered, and the tokens that the server counted, read and written (None: it did not say).

    `cut` says that the answer was longer than it may be, `refused` that the model said it would not answer.

    >>> ChatAnswer("Hello.", 12, 3).cut
    False
    """

    text: str
    read: int | None = None
    written: int | None = None
    cut: bool = False
    refused: bool = False


class ChatClient(ServerClient[ChatSettings]):
    """Asks one server for answers in words; see `ServerClient`.

    >>> client = ChatClient(ChatSettings(base_url="http://localhost:11434/v1", model="qwen"))
    """

    purpose = "chat"
    naming = "give"

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._form = self._asked = 0
        self._limit = 0

    def ask(self, messages: Messages, schema: Mapping[str, Any]) -> ChatAnswer:
        """What the model answers, tried again after failures that may pass.

        :param schema: of the JSON that is wanted: what comes may be anything all the same.
        :raises Failed: naming the server, what it said and what to do.
        :raises TooMuch: where it refused this request, or did not answer it in time.
        """
        sent = [message["content"] for message in messages]
        is_unknown = True
        for form in range(self._form, len(_FORMS)):
            self._asked = form
            try:
                once = partial(self._once, messages, schema, sent, form)
                answer = self._tried(once, slow_again=False)
            except _OtherLimit:
                return self.ask(messages, schema)
            except _NotTaken as refused:
                is_unknown &= refused.is_unknown
                if form == len(_FORMS) - 1:
                    raise TooMuch(str(refused)) from None
            else:
                if is_unknown:
                    self._form = form
                return answer
        raise AssertionError("the last form returns or raises")

    def models(self) -> list[str]:
        """The names of the models that the server has; nothing of a project is sent.

        :raises Failed: where it does not say.
        """

        def listed(client: "openai.OpenAI") -> list[str]:
            return [str(model.id) for model in getattr(client.models.list(), "data", None) or ()]

        return self._tried(
            lambda: self._answer(listed, (), _MOST_BYTES, "answered an endless list of models"),
            slow_again=False,
        )

    def _once(
        self, messages: Messages, schema: Mapping[str, Any], sent: Sequence[str], form: int
    ) -> ChatAnswer:
        more: dict[str, Any] = {_LIMITS[self._limit]: self._settings.answer_tokens}
        if _FORMS[form]:
            more["response_format"] = {"type": _FORMS[form]}
        if _FORMS[form] == "json_schema":
            named = {"name": "questions", "strict": True, "schema": dict(schema)}
            more["response_format"]["json_schema"] = named

        def create(client: "openai.OpenAI") -> Any:
            whole: Any = list(messages)
            return client.chat.completions.create(
                model=self._settings.model, messages=whole, stream=False, **more
            )

        response = self._answer(create, sent, _MOST_BYTES, "answered without end")
        return self._read(response)

    def _read(self, response: Any) -> ChatAnswer:
        """The answer out of a response that may lack anything.

        :raises Failed: where it is no answer of a chat server at all.
        """
        choices = getattr(response, "choices", None)
        if not isinstance(choices, list):
            raise self._failed(
                "answered without a message: it may not speak OpenAI's chat API. The address usually ends in /v1"
            )
        choice = choices[0] if choices else None
        message = getattr(choice, "message", None)
        text = getattr(message, "content", None)
        usage = getattr(response, "usage", None)
        return ChatAnswer(
            text if isinstance(text, str) else "",
            _count(getattr(usage, "prompt_tokens", None)),
            _count(getattr(usage, "completion_tokens", None)),
            cut=getattr(choice, "finish_reason", None) == "length",
            refused=bool(getattr(message, "refusal", None)),
        )

    def _status(self, error: "openai.APIStatusError") -> Exception:
        # llama.cpp says so where an answer was cut off before its JSON ended; in another form it may go well.
        if error.status_code == 500 and _FORMS[self._asked]:
            return _NotTaken("status 500", is_unknown=False)
        return super()._status(error)

    def _refused(self, error: "openai.APIStatusError", said: str) -> Exception:
        if self._limit == 0 and _LIMITS[1] in str(error.message):
            self._limit = 1
            return _OtherLimit()
        return _NotTaken(
            str(self._failed(f"refused a question (status {error.status_code}): {said}"))
        )


class _OtherLimit(Exception):
    """The server calls the longest answer otherwise."""


class _NotTaken(Exception):
    """The server refused a request as it was; its message is for a person. `is_unknown` says that it may not know the form."""

    def __init__(self, message: str, is_unknown: bool = True) -> None:
        super().__init__(message)
        self.is_unknown = is_unknown


def the_model(settings: ChatSettings, project: str) -> str:
    """The name of the one model that a server has, where nobody named one.

    :raises Refused: where it has none, several, or does not say.
    """
    try:
        known = ChatClient(settings.model_copy(update={"retries": 0}), project=project).models()
    except (Failed, Passing) as error:
        said = str(error).removesuffix(KEPT).strip()
        raise Refused(f"{said} Nothing was sent.") from None
    if len(known) == 1:
        return known[0]
    listed = ", ".join(known[:_LISTED]) + (" ..." if len(known) > _LISTED else "")
    has = f"has several models: {listed}" if known else "names no model"
    raise Refused(f"The server {settings.base_url} {has}. Say which: --chat-model NAME.")


def _count(number: Any) -> int | None:
    with contextlib.suppress(TypeError):
        return int(number) if 0 <= number < 10**12 else None
    return None
