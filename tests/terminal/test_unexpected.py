"""Errors that nobody foresaw: one line with a hint and a file, whatever the command; never a traceback."""

import pytest


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("index 66 is out of bounds\nfor size 66"), "(RuntimeError)"),
        (MemoryError(), r"not enough memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "not enough memory"),
        (ImportError("cannot import name 'x'"), "make app"),
        (ConnectionError("name resolution failed"), "The network failed"),
        (KeyError("sentence_embedding"), "report it with that file"),
    ],
)
@pytest.mark.parametrize("recorded", [True, False])
def test_an_error_is_a_line_with_a_hint_and_a_file(
    lab, call_cli, monkeypatch, workspace, error, said, recorded
):
    def fail(*_, **__):
        raise error

    if recorded:
        monkeypatch.setattr("search.retrieval.indexing.build.index_model", fail)
        done = call_cli("index", lab)
    else:
        monkeypatch.setattr("search.retrieval.search.compare", fail)
        done = call_cli("search", lab, "frost")
    assert done.status == 1 and done.out == ""
    last = done.err.strip().splitlines()[-1]
    assert said in last and "Traceback" not in done.err
    logs = [*workspace.rglob("error.log"), *workspace.glob(".logs/*.log")]
    assert len(logs) == 1 and str(logs[0]) in last
    assert "Traceback" in logs[0].read_text() and type(error).__name__ in logs[0].read_text()
    assert call_cli("models", lab).status == 0, "the log is no project"
