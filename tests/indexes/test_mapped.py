"""Files that are cut under whoever has them mapped: a sentence, and the process goes on.

Where a page of a mapped file is gone, the system ends the process. So each reader is a process of its own.
"""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

READER = """
import os, sys
import numpy as np
from pathlib import Path
from indexes.opening import build, open_index
from indexes.vector_index import BrokenIndex, IndexPlan

folder, kind, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
rows = np.random.default_rng(1).normal(size=(6_000, 64)).astype(np.float32)
facts = build(rows, IndexPlan(type=kind), folder).details()
index = open_index(folder, facts)
before = index.search(rows[:3], 5)[0].tolist()
os.truncate(folder / name, 4_096)
for use in (lambda: index.search(rows[:3], 5), lambda: index.vectors[5_000:].sum()):
    try:
        use()
    except BrokenIndex as broken:
        print(broken.folder == folder, broken)
print("goes on", len(before))
"""


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("flat", "vectors.npy"),
        ("hnsw", "vectors.npy"),
        ("hnsw", "index.faiss"),
        ("ivf", "index.faiss"),
    ],
)
def test_an_index_that_is_cut_under_its_reader_is_a_sentence(tmp_path, kind, name):
    done = subprocess.run(
        [sys.executable, "-c", READER, str(tmp_path), kind, name],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    said = f"True {tmp_path / name} was cut while it was open"
    assert (done.returncode, done.stdout.splitlines()) == (0, [said, said, "goes on 3"]), (
        done.stderr
    )
