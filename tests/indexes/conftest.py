"""Every kind of index, one after another."""

import pytest

from tests.indexes.kinds import KINDS


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    return request.param
