"""Whether the sentence that is underlined lies in the answer: the judged answer set between two other documents, as one text.

Run it with: python -m benchmarks.answering --folder ~/relevance --sets ask_cfpb medquad_small. Up to 200 test queries a set, drawn
once. Beside the column's own model: the sentence with the most words of the question, and the share of all marked words (which is
what marking words shows) that lie in the answer. Projects as in `benchmarks.relevance`.
"""

import argparse
import os
from pathlib import Path

import numpy as np

from benchmarks.common import machine
from benchmarks.targets import ready_project
from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.query_set import current_query_set
from search.evaluation.rankings.parts import PartsOnce
from search.insight.answering import answering_sentences
from search.insight.spans import sentence_spans
from search.models.registry import GENERIC, KEYWORD, find_model
from search.projects.project import Project
from search.projects.settings import HOME_VARIABLE
from ui.hits import query_words, segments

_QUERIES = 200
_SEED = 3


def main() -> None:
    """Measure and print, one row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where projects are kept")
    parser.add_argument("--sets", nargs="+", default=("ask_cfpb", "medquad_small"))
    parser.add_argument("--models", nargs="+", default=[GENERIC, KEYWORD])
    chosen = parser.parse_args()
    os.environ[HOME_VARIABLE] = str(chosen.folder)
    print(f"Machine: {machine()}\n")
    print("| set | queries | answer's share of the text | marked words | most words | models |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in chosen.sets:
        print(_row(ready_project(name, name), name, chosen.models), flush=True)


def _row(project: Project, name: str, models: list[str]) -> str:
    manifest, corpus = current_corpus(project)
    _, test = current_query_set(project)
    test, _ = test.restricted_to(set(corpus.ids()))
    rng = np.random.default_rng(_SEED)
    names = sorted(test.queries)
    parts = PartsOnce(project, manifest, corpus)
    retrievers = {
        one: parts.bm25() if one == KEYWORD else parts.dense(find_model(project, one))
        for one in models
    }
    inside = dict.fromkeys([*models, "words"], 0)
    lengths, marks, asked = list[float](), list[float](), 0
    for i in rng.permutation(len(names))[:_QUERIES]:
        query, right = test.queries[names[i]], test.relevant(names[i])
        answer = corpus.documents_at([corpus.position(sorted(right)[0]) or 0])[0].text
        others = [
            document.text
            for document in corpus.documents_at(rng.permutation(len(corpus))[:20].tolist())
            if document.id not in right and document.text.strip()
        ][:2]
        text = "\n".join([others[0], answer, others[1]])
        span = (len(others[0]) + 1, len(others[0]) + 1 + len(answer))
        lengths.append(len(answer) / len(text))
        words = query_words(query)
        starts = [at for at, marked in _starts(segments(text, words)) if marked]
        marks += [float(np.mean([span[0] <= at < span[1] for at in starts]))] if starts else []
        counts = {
            one.start: len(
                {t.casefold() for t, m in segments(text[one.start : one.stop], words) if m}
            )
            for one in sentence_spans(text)
        }
        inside["words"] += span[0] <= max(counts, key=lambda at: counts[at]) < span[1]
        for model, retriever in retrievers.items():
            (found,) = answering_sentences(retriever, query, [text], most=len(counts))
            inside[model] += found is not None and span[0] <= found.start < span[1]
        asked += 1
    said = ", ".join(f"{model} {inside[model] / asked:.1%}" for model in models)
    return (
        f"| {name} | {asked} | {np.mean(lengths):.1%} | {np.mean(marks):.1%} | {inside['words'] / asked:.1%} "
        f"| {said} |"
    )


def _starts(parts: list[tuple[str, bool]]) -> list[tuple[int, bool]]:
    """Where each part of a text begins."""
    ends = np.cumsum([len(text) for text, _ in parts]).tolist()
    return [(end - len(text), marked) for end, (text, marked) in zip(ends, parts, strict=True)]


if __name__ == "__main__":
    main()
