"""The contract suite of every index, over Milvus: Milvus Lite and a real standalone server.

The tests are those of `test_index_contract` and `test_index_files`, all that take a `kind`; the generated ones, which build hundreds of
indexes, stay with the indexes on this machine. The server takes seconds for each collection, so there the
tests that would only show again what another shows are left out.
"""

import inspect

import pytest

from tests.indexes import test_index_contract, test_index_files
from tests.indexes.milvus_kinds import milvus_kind
from tests.milvus_server import TOKEN

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.sample(14)]


def _belongs(name, test):
    taken = name.startswith("test_") and not hasattr(test, "hypothesis")
    return taken and "kind" in inspect.signature(test).parameters


for contract in (test_index_contract, test_index_files):
    globals().update({name: test for name, test in vars(contract).items() if _belongs(name, test)})

ON_THE_SERVER_TOO = {
    "test_random_vectors_equal_brute_force",
    "test_a_tie_across_the_boundary_of_k_keeps_the_lowest_positions",
    "test_many_duplicates_come_in_order_of_position",
    "test_a_zero_vector_is_never_found",
    "test_only_zero_vectors_are_an_index_in_which_nothing_is_found",
    "test_k_beyond_the_size_is_padded",
    "test_one_vector",
    "test_an_index_read_back_answers_the_same_bit_for_bit",
    "test_nothing_allowed_finds_nothing",
}


@pytest.fixture(scope="session")
def lite_uri(tmp_path_factory):
    return str(tmp_path_factory.mktemp("milvus-lite") / "contract.db")


def pytest_generate_tests(metafunc):
    both = metafunc.function.__name__ in ON_THE_SERVER_TOO
    metafunc.parametrize("kind", ["lite", "server"] if both else ["lite"], indirect=True)


@pytest.fixture
def kind(request):
    if request.param == "lite":
        return milvus_kind("flat", request.getfixturevalue("lite_uri"))
    server = request.getfixturevalue("milvus_server")
    return milvus_kind("flat", server.uri, TOKEN)
