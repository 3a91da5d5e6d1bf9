"""What can be asked over HTTP, and who answers it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from search.models.registry import ModelInfo
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.projects.settings import LOOPBACK, settings
from serving import embeddings, reference, refusals, searching
from serving.batcher import Batcher
from serving.current import Current, Snapshot
from serving.gate import HEALTH, ServingGate
from serving.metrics import CONTENT_TYPE, Metrics
from serving.models import Models
from serving.requests import EmbeddingsAnswer, EmbeddingsRequest, RerankRequest, SearchRequest

_AT_ONCE = 64
"""Vectors that are written out without leaving the loop: more are written by a thread."""
_PATHS = frozenset(
    ("/v1/embeddings", "/v1/models", "/v1/search", "/v1/rerank", HEALTH, "/metrics", "/docs")
)
_ABOUT = "Vectors, searches and rerankings of one project of Bespoke."


class Served:
    """What one server answers with.

    :param model: the name of the model that answers where a request names none; None for the winner.
    """

    def __init__(self, project: Project, model: str | None = None) -> None:
        self.project = project
        self.metrics = Metrics()
        self.batcher = Batcher(observe=self.metrics.batch)
        self.models = Models(project, self.batcher)
        self.current = Current(project, self.models, model, self.metrics.takeovers.inc)

    def close(self) -> None:
        """Answer what was asked, and stop."""
        self.current.stop()
        self.batcher.close()

    def model_named(self, name: str, snapshot: Snapshot) -> ModelInfo:
        """The model of a name; none and the project's own stand for what answers now.

        :raises UnknownModel: for an unknown one.
        """
        if name in snapshot.models:
            return snapshot.models[name]
        if name in ("", self.project.name):
            return snapshot.model
        known = ", ".join([*snapshot.models, self.project.name])
        raise refusals.UnknownModel(f"There is no model {name!r} here. There are: {known}.")


def application(served: Served) -> ServingGate:
    """The application, behind its gate.

    :param served: begun already; it is closed when the application ends.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(served.close)

    # Its own pages of documentation would have a browser load scripts from elsewhere.
    app = FastAPI(
        title=f"Bespoke: {served.project.name}",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    _refuse(app)
    _embed(app, served)
    _search(app, served)
    _look(app, served)
    known = settings()
    return ServingGate(app, known.serve_key, known.listens == LOOPBACK, served.metrics, _PATHS)


def _embed(app: FastAPI, served: Served) -> None:
    @app.post("/v1/embeddings", response_model=EmbeddingsAnswer)
    async def embed(asked: EmbeddingsRequest) -> Any:
        """Vectors of texts, of length 1, in the order of the texts: OpenAI's embeddings API."""
        name, role = asked.asked
        snapshot = served.current.snapshot
        info = served.model_named(asked.model if asked.model in snapshot.models else name, snapshot)
        embeddings.check_dimensions(asked.dimensions, info.dimension)
        model = served.models.ready(info)
        if model is None:
            model = await run_in_threadpool(served.models.get, info)
        encoded = await asyncio.wrap_future(served.batcher.submit(model.side(role), asked.texts))
        served.metrics.tokens.labels(info.name).inc(encoded.tokens)
        given = encoded, info.name, asked.dimensions, asked.encoding_format == "base64"
        many = len(encoded.vectors) > _AT_ONCE
        body = (
            await run_in_threadpool(embeddings.answer, *given)
            if many
            else embeddings.answer(*given)
        )
        return Response(body, media_type="application/json")

    @app.get("/v1/models")
    def list_models() -> JSONResponse:
        """The models that can be asked; what has the project's name is what answers where none is named."""
        snapshot = served.current.snapshot
        rows = [_described(info, name) for name, info in snapshot.models.items()]
        alias = _described(snapshot.model, served.project.name)
        return JSONResponse({"object": "list", "data": [alias, *rows]})


def _described(info: ModelInfo, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "owned_by": "bespoke",
        "root": info.name,
        "kind": info.kind,
        "dimensions": info.dimension,
        "fingerprint": info.fingerprint,
    }


def _search(app: FastAPI, served: Served) -> None:
    @app.post("/v1/search")
    def search(asked: SearchRequest) -> JSONResponse:
        """Search by any column, and say which version of the documents, model and verdict answered."""
        return JSONResponse(searching.searched(served.current, asked))

    @app.post("/v1/rerank")
    def rerank(asked: RerankRequest) -> JSONResponse:
        """Put documents in order for a question, in the shape of Cohere's and Jina's rerankers."""
        snapshot = served.current.snapshot
        return JSONResponse(searching.reranked(served.project, snapshot, served.models, asked))


def _look(app: FastAPI, served: Served) -> None:
    @app.get(HEALTH)
    async def health() -> JSONResponse:
        """Whether it answers; asked without the key."""
        return JSONResponse({"status": "ok"})

    @app.get("/metrics")
    async def metrics() -> Response:
        """Counters, for Prometheus."""
        served.metrics.waiting.set(served.batcher.waiting)
        return Response(served.metrics.page(), media_type=CONTENT_TYPE)

    @app.get("/v1/status")
    async def status() -> JSONResponse:
        """What answers now, and why something newer does not."""
        snapshot = served.current.snapshot
        return JSONResponse(
            {
                "project": served.project.name,
                "model": _described(snapshot.model, snapshot.model.name),
                "corpus": snapshot.corpus,
                "since": snapshot.since,
                "verdict": snapshot.verdict_on(snapshot.model.name),
                "behind": served.current.behind or None,
            }
        )

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(reference.page(app.openapi()))


def _refuse(app: FastAPI) -> None:
    """Answer what cannot be answered in OpenAI's shape."""

    @app.exception_handler(RequestValidationError)
    async def of_body(_request: Request, error: RequestValidationError) -> JSONResponse:
        return refusals.of_body(error.errors())

    @app.exception_handler(HTTPException)
    async def of_status(_request: Request, error: HTTPException) -> JSONResponse:
        return refusals.refusal(error.status_code, str(error.detail))

    @app.exception_handler(BespokeError)
    async def of_refused(_request: Request, error: BespokeError) -> JSONResponse:
        return refusals.of_error(error)

    @app.exception_handler(Exception)
    async def of_error(_request: Request, error: Exception) -> JSONResponse:
        return refusals.of_error(error)
