"""The contract suite of every index, over Milvus: Milvus Lite and a real standalone server.

The tests are those of `test_index_contract`, all that take a `kind`; the generated ones, which build hundreds of
indexes, stay with the indexes on this machine. The server takes seconds for each collection, so there the
tests that would only show again what another shows are left out.
"""

import inspect

import pytest

from tests.indexes import test_index_contract as contract
from tests.indexes.milvus_kinds import milvus_kind
from tests.milvus_server import TOKEN

pytestmark = pytest.mark.slow


def _belongs(name, test):
    taken = name.startswith("test_") and not hasattr(test, "hypothesis")
    return taken and "kind" in inspect.signature(test).parameters


globals().update({name: test for name, test in vars(contract).items() if _belongs(name, test)})

ONLY_ON_LITE = {
    "test_a_truncated_index_is_broken",
    "test_garbage_is_a_broken_index",
    "test_nan_and_infinity_are_refused_with_the_row",
    "test_k_below_one_is_refused",
    "test_what_was_given_is_not_changed",
    "test_no_queries_give_no_rows",
}


@pytest.fixture(scope="session")
def lite_uri(tmp_path_factory):
    return str(tmp_path_factory.mktemp("milvus-lite") / "contract.db")


@pytest.fixture(params=["lite", "server"])
def kind(request):
    if request.param == "lite":
        return milvus_kind("flat", request.getfixturevalue("lite_uri"))
    if request.node.originalname in ONLY_ON_LITE:
        pytest.skip("shown on Milvus Lite")
    server = request.getfixturevalue("milvus_server")
    return milvus_kind("flat", server.uri, TOKEN)
