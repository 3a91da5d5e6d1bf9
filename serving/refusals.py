"""What is said where a request is not answered: OpenAI's shape of an error, which its clients know how to read."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

from search.projects.errors import BespokeError, Refused
from search.projects.unexpected import unexpected
from serving.batcher import Busy

_LOG = logging.getLogger(__name__)
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
}
_SHOWN = 3


class UnknownModel(Refused):
    """A request names a model that the project does not have."""


def refusal(
    status: int,
    message: str,
    param: str | None = None,
    code: str | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """An error as OpenAI's clients read it."""
    kind = _TYPES.get(status, "server_error")
    content = {"message": message, "type": kind, "param": param, "code": code}
    if status == 429:
        headers = {"Retry-After": "1", **(headers or {})}
    return JSONResponse({"error": content}, status, headers)


def of_body(problems: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """For a body that has not the right shape; nothing of what it holds is repeated.

    :param problems: as pydantic tells them: where, as the path to the field, and what.
    """
    sentences, first = [], None
    for problem in problems[:_SHOWN]:
        field = problem["loc"][1] if len(problem["loc"]) > 1 else None
        if not isinstance(field, str):  # Where JSON breaks off, it is a position.
            sentences.append("The body is no JSON object of this request.")
            continue
        first = first or field
        said = str(problem["msg"]).removeprefix("Value error, ")
        sentences.append(f"{field}: {said[:1].lower()}{said[1:].rstrip('.')}.")
    return refusal(422, " ".join(dict.fromkeys(sentences)), first)


def of_error(error: Exception) -> JSONResponse:
    """For what was raised while a request was answered."""
    if isinstance(error, Busy):
        return refusal(429, str(error), code="busy")
    if isinstance(error, UnknownModel):
        return refusal(404, str(error), "model", "model_not_found")
    if isinstance(error, Refused):
        return refusal(422, str(error))
    if isinstance(error, BespokeError):
        _LOG.error("%s", error)
        return refusal(500, str(error))
    said = str(unexpected(error, what="An answer", after="Other requests are answered as before"))
    _LOG.error("%s", said)
    return refusal(500, said)
