"""From a file to the first search: Bespoke, txtai, and the plain script that a person would write.

Run it with `make bench`, or choose: python -m benchmarks.first_search --documents 1000. Each runs in a process of its
own with an empty workspace, from its start to the first answer, with the same weights, on the same file: documents of
the shared sets, in a mixture drawn by a fixed seed. Data sets are looked for in BESPOKE_DATA (default ../shared/data).
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import json_lines, machine
from search.projects.settings import HOME_VARIABLE

_SETS = ("medquad_small", "scifact", "ask_cfpb", "tos_plain_english", "esci_sample", "hinglish_top")
_QUERY = "How is high blood pressure treated?"
_SYSTEMS = ("bespoke", "script", "txtai")


def main() -> None:
    """Measure and print; with --system, be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--system", choices=_SYSTEMS)
    parser.add_argument("--file", type=Path)
    chosen = parser.parse_args()
    if chosen.system:
        answer = {"bespoke": bespoke, "script": script, "txtai": txtai}[chosen.system](chosen.file)
        print(f"\n{answer}")
        return
    with tempfile.TemporaryDirectory(prefix="bespoke-bench-") as scratch:
        file = Path(scratch) / "documents.jsonl"
        characters = write_documents(file, chosen.documents)
        print(
            f"Machine: {machine()}; {chosen.documents:,} documents, {characters / chosen.documents:.0f} characters on average\n"
        )
        print(
            "| system | seconds to the first answer | Bespoke is so many times as fast | first answer |"
        )
        print("|---|---|---|---|", flush=True)
        seconds: dict[str, float] = {}
        for system in _SYSTEMS:
            seconds[system], answer = run(system, file, Path(scratch) / system)
            ratio = seconds[system] / seconds["bespoke"]
            print(f"| {system} | {seconds[system]:.1f} | {ratio:.2f} | {answer} |", flush=True)


def write_documents(path: Path, count: int) -> int:
    """Write documents of all sets, mixed; returns their characters."""
    rows = []
    for name in _SETS:
        for row in json_lines(name, "corpus.jsonl"):
            text = f"{row.get('title') or ''} {row['text']}".strip()
            rows.append({"id": f"{name}-{row['_id']}", "text": text})
    random.Random(7).shuffle(rows)
    with path.open("w", encoding="utf-8") as stream:
        for row in rows[:count]:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    return sum(len(row["text"]) for row in rows[:count])


def run(system: str, file: Path, home: Path) -> tuple[float, str]:
    """Seconds of a system in a process of its own, and the id that it finds first."""
    command = [sys.executable, "-m", "benchmarks.first_search"]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--system", system, "--file", str(file)],
        env={**os.environ, HOME_VARIABLE: str(home)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return time.perf_counter() - started, done.stdout.strip().splitlines()[-1]


def bespoke(file: Path) -> str:
    """Bespoke: the documents as they are, uncut, as the others take them."""
    from search.corpus.ingest import IngestChoices, add_documents
    from search.projects.project import project_to_be
    from search.retrieval.search import compare

    project = project_to_be("bench")
    add_documents(project, [file], IngestChoices(tokens=0))
    return compare(project, _QUERY, ["generic"]).results[0].hits[0].id


def script(file: Path) -> str:
    """sentence-transformers and FAISS, in ten lines."""
    import faiss
    from sentence_transformers import SentenceTransformer

    from search.corpus.tokenizer import generic_folder

    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    model = SentenceTransformer(str(generic_folder()))
    vectors = model.encode([row["text"] for row in rows], normalize_embeddings=True)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    _, found = index.search(model.encode([_QUERY], normalize_embeddings=True), 10)
    return str(rows[found[0][0]]["id"])


def txtai(file: Path) -> str:
    """Txtai as its documentation shows it: its own choice of index."""
    from txtai import Embeddings

    from search.corpus.tokenizer import generic_folder

    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    embeddings = Embeddings(path=str(generic_folder()))
    embeddings.index((row["id"], row["text"], None) for row in rows)
    return str(embeddings.search(_QUERY, 10)[0][0])


if __name__ == "__main__":
    main()
