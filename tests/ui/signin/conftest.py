"""The secret that cookies are signed with."""

import pytest
import signin_help

from ui.signin import identity


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch, workspace) -> None:
    monkeypatch.setattr(identity, "get_cookie_secret", lambda: signin_help.SECRET)
