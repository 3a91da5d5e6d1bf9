"""llama.cpp's server with the packaged MiniLM: what is known of it is what is said of it."""

import pytest
from llama_server import MODEL, llama_server

from search.projects.project import project_to_be
from search.verification.verify import verify

pytestmark = pytest.mark.slow


def test_what_llama_cpp_does_otherwise_is_named(tmp_path, one_thread):
    project = project_to_be("lab").create()
    with llama_server(tmp_path) as address:
        made = verify(project, "generic", address, served_name=MODEL)
    said = {fault.name: fault.sentence for fault in made.faults}
    # It reads 512 tokens where the model reads 256, refuses longer ones, and has a WordPiece of its own.
    assert set(said) == {"refuses texts", "tokenizer"}, said
    assert "identifiers of more than 100 characters, Korean" in said["tokenizer"]
    assert made.seen.noise < 1e-5
