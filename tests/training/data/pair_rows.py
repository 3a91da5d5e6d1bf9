"""Pairs as rows of a file."""


def rows(start, stop, word="topic"):
    return [
        {"query": f"question {n} about {word}{n}", "response": f"{word}{n} is answered by reply{n}"}
        for n in range(start, stop)
    ]


def texts(queries):
    return set(queries.queries.values())


def numbered(start, stop, **more):
    return [
        {"query": f"question {n} about topic{n}", "doc_id": f"doc-{n}", **more}
        for n in range(start, stop)
    ]
