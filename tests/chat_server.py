"""A chat server that speaks OpenAI's API and misbehaves on demand; it notes every request."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.scripted_chat import Reply, said, serving

KEY = "sk-very-secret-chat-5b1d"
GOOD = {
    "keyword": "helps against {word}",
    "question": "What can be done about {word} at home?",
    "lay": "my cousin has {word} and is scared",
    "situation": "since yesterday there is {word} everywhere in my flat",
}


@dataclass
class ChatServer:
    """`script` holds what to do with the next questions, by name; when it is empty, all goes well.

    `always` is done to every question instead. `word` finds, in what is asked, the word that good questions are about.
    `forms` are the response formats that it takes, `longest` what it calls the longest answer.
    """

    url: str = ""
    word: Callable[[str], str] = lambda passage: passage.split()[1]
    script: deque[str] = field(default_factory=deque)
    always: str | None = None
    forms: tuple[str, ...] = ("json_schema", "json_object", "")
    longest: str = "max_tokens"
    models: tuple[str, ...] = ("tiny-chat",)
    requests: list[dict[str, Any]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    @property
    def passages(self) -> list[str]:
        """What was asked about, in the order in which it was answered well."""
        return [r["passage"] for r in self.requests if r["did"] != "refused form"]

    def __call__(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        given = headers.get("Authorization", "").removeprefix("Bearer ")
        if path.endswith("/models"):
            return Reply({"object": "list", "data": [{"id": name} for name in self.models]})
        if path != "/v1/chat/completions":
            return error(404, "no such path")
        passage = body["messages"][-1]["content"]
        noted = {"passage": passage, "body": dict(body), "headers": dict(headers), "key": given}
        form = body.get("response_format", {}).get("type", "")
        with self.lock:
            self.requests.append(noted)
            if form not in self.forms:
                noted["did"] = "refused form"
                return error(400, f"response_format {form} is not supported")
            if self.longest not in body:
                noted["did"] = "refused form"
                return error(400, f"Unsupported parameter. Use '{self.longest}' instead.")
            what = self.always or (self.script.popleft() if self.script else "good")
            noted["did"] = what
        return self.act(what, passage)

    def act(self, what: str, passage: str) -> Reply:
        name, _, more = what.partition(":")
        good = {kind: text.format(word=self.word(passage)) for kind, text in GOOD.items()}
        text = json.dumps(good)
        replies: dict[str, Callable[[], Reply]] = {
            "good": lambda: said(text),
            "quota": lambda: error(429, "You exceeded your current quota", code="insufficient_quota"),
            "fenced": lambda: said(f"Sure, here you go:\n```json\n{text}\n```\nAnything else?"),
            "thinking": lambda: said(f'<think>Maybe {{"keyword": "a thought"}}?</think>\n{text}'),
            "still thinking": lambda: said("<think>Okay, so the passage says", "length"),
            "refuses": lambda: said("I'm sorry, but I can't help with that."),
            "refusal": lambda: said(None, refusal="No."),
            "cut": lambda: said(text[: len(text) // 2], "length"),
            "empty": lambda: said(""),
            "nothing": lambda: said(None),
            "list": lambda: said("\n".join(f"{n}. **{k.title()}**: {q}" for n, (k, q) in enumerate(good.items(), 1))),
            "bullets": lambda: said("Here are the queries:\n" + "\n".join(f"- {q}" for q in good.values())),
            "other language": lambda: said(json.dumps({"question": "Was kann man zu Hause gegen diese schlimmen Beschwerden am besten unternehmen?"})),
            "same": lambda: said(json.dumps({"question": "What is this passage about, please?"})),
            "copy": lambda: said(json.dumps({"question": " ".join(passage.split()[1:-1])})),
            "babble": lambda: said("lorem } ipsum ] dolor"),
            "no choices": lambda: Reply({"choices": []}),
            "other": lambda: Reply({"result": "ok"}),
            "html": lambda: Reply("<html>Welcome to nginx</html>"),
            "dead": lambda: Reply(said(text).body, length=20),
        }  # fmt: skip
        if name.isdigit():
            return error(int(name), f"scripted {name}", {"Retry-After": more} if more else {})
        if name == "slow":
            time.sleep(float(more))
            return said(text)
        return replies[name]()


def error(
    status: int, words: str, headers: Mapping[str, str] | None = None, code: str = ""
) -> Reply:
    content = {"error": {"message": words, "type": code or "scripted", "code": code or None}}
    return Reply(content, status, headers or {})


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """Serve on a free port of this machine."""
    state = ChatServer()
    with serving(state) as url:
        state.url = url
        yield state
