"""Bringing in a large CSV: speed against a plain pandas script, and memory above the interpreter's base.

    python -m benchmarks.intake [ROWS]

Writes a CSV of 1,000,000 rows (about 1 GB) to a temporary folder, imports it with `python cli.py add`, and beside
it reads the same file with pandas.read_csv and writes its rows into SQLite with executemany: what a person
would write by hand, without checks, passages, a word index or filters.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent
_ROWS = 1_000_000
_PLAIN = """
import sqlite3, sys
import pandas
frame = pandas.read_csv(sys.argv[1])
base = sqlite3.connect(sys.argv[2])
base.execute("CREATE TABLE documents (id TEXT, title TEXT, text TEXT, year INTEGER, kind TEXT)")
base.executemany("INSERT INTO documents VALUES (?, ?, ?, ?, ?)", frame.itertuples(index=False, name=None))
base.commit()
"""
_BASE = "import time; time.sleep(1)"


def main(rows: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="bespoke-bench-") as name:
        folder = Path(name)
        path = folder / "large.csv"
        _write(path, rows)
        size = path.stat().st_size / 1e9
        print(f"{rows:,} rows, {size:.2f} GB, {os.cpu_count()} cores")
        _, base = _measured([sys.executable, "-c", _BASE], folder)
        plain, plain_memory = _measured(
            [sys.executable, "-c", _PLAIN, str(path), str(folder / "plain.sqlite")], folder
        )
        print("| | seconds | against pandas | peak memory above the interpreter |")
        print("|---|---|---|---|")
        print(
            f"| pandas.read_csv + executemany | {plain:.0f} | 1.0 | {plain_memory - base:,.0f} MiB |"
        )
        for label, options in (
            ("add, cut into passages", []),
            ("add, documents kept whole", ["--passage-tokens", "0"]),
        ):
            command = [sys.executable, "cli.py", "add", label[-5:], str(path), *options]
            taken, memory = _measured(command, folder)
            print(f"| {label} | {taken:.0f} | {taken / plain:.1f} | {memory - base:,.0f} MiB |")


def _write(path: Path, rows: int) -> None:
    """Rows of about a kilobyte over a vocabulary of 20,000 words, drawn as often as in a language."""
    chance = random.Random(7)
    words = [
        "".join(chance.choices("aeioulnrstmdkp", k=chance.randint(2, 10))) for _ in range(20_000)
    ]
    weights = list(accumulate(1 / (rank + 10) for rank in range(len(words))))
    with path.open("w", encoding="utf-8") as stream:
        stream.write("id,title,text,year,kind\n")
        for number in range(rows):
            drawn = chance.choices(words, cum_weights=weights, k=150)
            text = ". ".join(" ".join(drawn[at : at + 15]).capitalize() for at in range(0, 150, 15))
            kind = ("case", "statute", "blog")[number % 3]
            stream.write(f'd{number},{drawn[0]} {drawn[1]},"{text}.",{1950 + number % 76},{kind}\n')


def _measured(command: list[str], home: Path) -> tuple[float, float]:
    """Seconds that a command took, and its highest resident memory in MiB."""
    environment = {**os.environ, "BESPOKE_HOME": str(home / "workspace")}
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        watched, highest = psutil.Process(process.pid), 0
        while process.poll() is None:
            try:
                highest = max(highest, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.05)
        errors = process.stderr.read().decode() if process.stderr else ""
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {errors}")
    return time.perf_counter() - started, highest / 2**20


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _ROWS)
