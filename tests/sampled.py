"""A part of a data set in BEIR layout, drawn with a seed: what takes minutes on all of it takes seconds here."""

import json
import random
from pathlib import Path

_HEAD = "query-id\tcorpus-id\tscore"


def sampled(source: Path, folder: Path, queries: dict[str, int], documents: int) -> Path:
    """Write a part of a data set into a new folder.

    :param queries: how many queries of each split; all that is judged for them comes along.
    :param documents: how many documents there are in the end; others than judged ones are drawn.
    :returns: the new folder.
    """
    draw = random.Random(20261127)
    (folder / "qrels").mkdir(parents=True)
    wanted: set[str] = set()
    judged: set[str] = set()
    for split, count in queries.items():
        rows = (source / "qrels" / f"{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]
        chosen = set(draw.sample(sorted({row.split("\t")[0] for row in rows}), count))
        kept = [row for row in rows if row.split("\t")[0] in chosen]
        lines = "\n".join([_HEAD, *kept, ""])
        (folder / "qrels" / f"{split}.tsv").write_text(lines, encoding="utf-8")
        wanted |= chosen
        judged |= {row.split("\t")[1] for row in kept}
    corpus = _by_id(source / "corpus.jsonl")
    others = sorted(set(corpus) - judged)
    judged |= set(draw.sample(others, documents - len(judged)))
    _write(folder / "corpus.jsonl", corpus, judged)
    _write(folder / "queries.jsonl", _by_id(source / "queries.jsonl"), wanted)
    return folder


def _by_id(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8") as stream:
        return {json.loads(line)["_id"]: line for line in stream}


def _write(path: Path, lines: dict[str, str], wanted: set[str]) -> None:
    kept = [line for key, line in lines.items() if key in wanted]
    path.write_text("".join(kept), encoding="utf-8")
