"""A misbehaving server for each test, and settings for it."""

from collections.abc import Callable, Iterator

import pytest
from bad_server import KEY, BadServer, bad_server

from search.models.api.settings import ApiSettings

VARIABLE = "BESPOKE_KEY_TEST"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[BadServer]:
    """It wants a key, which is in the environment."""
    monkeypatch.setenv(VARIABLE, KEY)
    with bad_server(KEY) as made:
        yield made


@pytest.fixture
def settings(server: BadServer) -> Callable[..., ApiSettings]:
    def make(**more: object) -> ApiSettings:
        given = {"base_url": server.url, "model": "bad", "key_variable": VARIABLE, "timeout": 5.0}
        return ApiSettings(**{**given, **more})

    return make
