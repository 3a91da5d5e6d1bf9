"""Exports of annotation tools into flat rows: Label Studio's tasks, Argilla's records, Quepid's cases and books; rows of several texts."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from search.corpus.readers.cells import with_columns
from search.corpus.readers.report import Report, Row

_Flat = Iterator[dict[str, Any]]
_RESPONSES = ".responses"
_SETS = ("texts", "set")
_CASES = ("queries", "query_doc_pairs")
_TEXT_LISTS = ("docs", "documents", "passages", "candidates", "texts", "sentences")
_LABEL_LISTS = ("labels", "scores", "relevances", "grades")


def unfolded(rows: Iterator[Row], report: Report) -> Iterator[Row]:
    """The rows of a table; those of an export of an annotation tool as a row for each judgment, with flat columns.

    :param rows: from `read_rows`; the first one tells the tool.
    :param report: its columns are set anew, and the tool is noted.
    """
    first = next(rows, None)
    if first is None:
        return rows
    rows = chain([first], rows)
    tool = next((t for t in _TOOLS if t[1](first.fields)), None)
    if tool is None:
        return rows
    name, _, flatten = tool
    report.notes.append(f"read as {name}" if " of " in name else f"read as an export of {name}")
    return with_columns(_flat(rows, flatten, name, report), report)


def _flat(
    rows: Iterator[Row], flatten: Callable[[Mapping[str, Any]], _Flat], name: str, report: Report
) -> Iterator[Row]:
    for row in rows:
        made = [Row(row.where, fields) for fields in flatten(row.fields)]
        if not made:
            report.refuse(row.where, f"holds no judgment that {name} counts as submitted")
        yield from made


def _is_label_studio(fields: Mapping[str, Any]) -> bool:
    return isinstance(fields.get("data"), dict) and isinstance(fields.get("annotations"), list)


def _label_studio(fields: Mapping[str, Any]) -> _Flat:
    """A row for each annotation of a task: what was shown, and under each control's name what was chosen."""
    for annotation in fields.get("annotations") or ():
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            continue
        said = {}
        for result in annotation.get("result") or ():
            if isinstance(result, dict) and isinstance(result.get("value"), dict):
                said[str(result.get("from_name"))] = _value_of(result["value"])
        if said:
            yield {
                **_shown(fields, "data"),
                **said,
                "annotator": str(annotation.get("completed_by")),
            }


def _value_of(value: Mapping[str, Any]) -> Any:
    """What a control says: the one choice, a number of stars, a number, a text."""
    for name in ("choices", "rating", "number", "text", "taxonomy"):
        if name in value:
            chosen = value[name]
            return chosen[0] if isinstance(chosen, list) and len(chosen) == 1 else chosen
    return None


def _is_argilla(fields: Mapping[str, Any]) -> bool:
    return isinstance(fields.get("fields"), dict) and isinstance(
        fields.get("responses"), dict | list
    )


def _argilla(fields: Mapping[str, Any]) -> _Flat:
    """A row for each record: its fields, its metadata, and for each question what was submitted."""
    responses = fields.get("responses")
    said: dict[str, list[Any]] = {}
    if isinstance(responses, dict):
        for question, given in responses.items():
            said[question] = [_submitted(one) for one in given or ()]
    else:  # Before version 2: a list of responses, each with the values of all questions.
        for one in responses or ():
            for question, value in (one.get("values") or {}).items() if _counts(one) else ():
                said.setdefault(question, []).append(_submitted(value))
    answers = {q: [v for v in values if v is not None] for q, values in said.items()}
    if any(answers.values()):
        yield {**_shown(fields, "metadata"), **_shown(fields, "fields"), **answers}


def _counts(response: Any) -> bool:
    return isinstance(response, dict) and response.get("status") in (None, "submitted")


def _submitted(response: Any) -> Any:
    """The value of a response; None for a draft or one that was discarded."""
    if not isinstance(response, dict):
        return response
    return response.get("value") if _counts(response) else None


def _is_flat_argilla(fields: Mapping[str, Any]) -> bool:
    return any(name.endswith(_RESPONSES) and isinstance(v, list) for name, v in fields.items())


def _flat_argilla(fields: Mapping[str, Any]) -> _Flat:
    """Columns QUESTION.responses, QUESTION.responses.users and .status: only what was submitted."""
    row = {n: v for n, v in fields.items() if _RESPONSES not in n and ".suggestion" not in n}
    answered = False
    for name, given in fields.items():
        if name.endswith(_RESPONSES):
            status = fields.get(f"{name}.status") or []
            values = [
                value
                for n, value in enumerate(given or ())
                if value is not None and (n >= len(status) or status[n] == "submitted")
            ]
            row[name.removesuffix(_RESPONSES)] = values
            answered = answered or bool(values)
    if answered:
        yield row


def _is_old_argilla(fields: Mapping[str, Any]) -> bool:
    return isinstance(fields.get("inputs"), dict) and "annotation" in fields


def _old_argilla(fields: Mapping[str, Any]) -> _Flat:
    """Argilla before version 1.8: a record with inputs and one annotation; predictions are none."""
    if fields.get("annotation") is not None and fields.get("status") in (None, "Validated"):
        yield {
            **_shown(fields, "metadata"),
            **_shown(fields, "inputs"),
            "annotation": fields["annotation"],
        }


def _is_quepid(fields: Mapping[str, Any]) -> bool:
    rated = fields.get("ratings")
    return isinstance(rated, dict | list) and any(n in fields for n in ("query", "query_text"))


def _quepid(fields: Mapping[str, Any]) -> _Flat:
    """A row for each rated document of a query: {"query": ..., "ratings": {document id: rating}}."""
    query = fields.get("query", fields.get("query_text"))
    rated = fields["ratings"]
    if isinstance(rated, dict):
        yield from ({"query": query, "document_id": d, "rating": g} for d, g in rated.items())
        return
    for one in rated:
        if isinstance(one, dict):
            document = one.get("doc_id", one.get("docid", one.get("document_id")))
            yield {"query": query, "document_id": document, "rating": one.get("rating")}


def _is_case(fields: Mapping[str, Any]) -> bool:
    return any(isinstance(fields.get(n), list) for n in _CASES)


def _case(fields: Mapping[str, Any]) -> _Flat:
    """The rows of a case ("queries") or a book ("query_doc_pairs") that is one object."""
    for name in _CASES:
        for one in fields.get(name) or ():
            if isinstance(one, dict) and _is_quepid(one):
                yield from _quepid(one)
            elif isinstance(one, dict) and _is_book(one):
                yield from _book(one)


def _is_book(fields: Mapping[str, Any]) -> bool:
    judged = fields.get("judgements", fields.get("judgments"))
    return isinstance(judged, list) and any(n in fields for n in ("doc_id", "docid"))


def _book(fields: Mapping[str, Any]) -> _Flat:
    """A row for each pair of query and document of a book of judgments, with what each judge gave."""
    judged = fields.get("judgements", fields.get("judgments")) or ()
    ratings = [
        one.get("rating")
        for one in judged
        if isinstance(one, dict) and not one.get("unrateable") and one.get("rating") is not None
    ]
    if ratings:
        yield {**{n: v for n, v in fields.items() if _is_plain(v)}, "rating": ratings}


def _is_marco(fields: Mapping[str, Any]) -> bool:
    passages = fields.get("passages")
    if isinstance(passages, list):
        return bool(passages) and isinstance(passages[0], dict) and "is_selected" in passages[0]
    return isinstance(passages, dict) and isinstance(passages.get("is_selected"), list)


def _marco(fields: Mapping[str, Any]) -> _Flat:
    """A row for each passage that was shown for a query, and whether it was chosen as what answers it."""
    passages = fields.get("passages") or ()
    if isinstance(passages, dict):
        texts, said_of = passages.get("passage_text") or (), passages["is_selected"]
    else:
        texts = [one.get("passage_text") for one in passages if isinstance(one, dict)]
        said_of = [one.get("is_selected") for one in passages if isinstance(one, dict)]
    for text, said in zip(texts, said_of, strict=False):
        yield {"query": fields.get("query"), "passage": text, "is_selected": said}


def _lists(fields: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of a list of texts and of a list of as many labels for them, in a row of one query."""
    labels = [n for n in _LABEL_LISTS if isinstance(fields.get(n), list)]
    texts = [n for n in _TEXT_LISTS if isinstance(fields.get(n), list)]
    if labels and texts and len(fields[labels[0]]) == len(fields[texts[0]]):
        return texts[0], labels[0]
    return None


def _are_lists(fields: Mapping[str, Any]) -> bool:
    return "query" in fields and _lists(fields) is not None


def _from_lists(fields: Mapping[str, Any]) -> _Flat:
    if (names := _lists(fields)) is not None:
        for text, label in zip(*(fields[name] for name in names), strict=True):
            yield {"query": fields.get("query"), "document": text, "label": label}


def _is_set(fields: Mapping[str, Any]) -> bool:
    if any(name in fields for name in ("query", "question", "anchor")):
        return False
    return any(isinstance(v := fields.get(n), list) and len(v) in (2, 3) for n in _SETS)


def _set(fields: Mapping[str, Any]) -> _Flat:
    """Two texts that belong together, maybe with one that does not: {"texts": [a, b], "label": 1}, {"set": [a, b]}."""
    texts: list[Any] = next(
        (fields[name] for name in _SETS if isinstance(fields.get(name), list)), []
    )
    others = {name: value for name, value in fields.items() if name not in _SETS}
    if len(texts) in (2, 3):
        yield dict(zip(("query", "answer", "negative"), texts, strict=False)) | others


def _shown(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The plain fields of an object inside a record."""
    inside = fields.get(name)
    return {n: v for n, v in inside.items() if _is_plain(v)} if isinstance(inside, dict) else {}


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


_TOOLS = (
    ("Label Studio", _is_label_studio, _label_studio),
    ("Argilla", _is_argilla, _argilla),
    ("Argilla", _is_flat_argilla, _flat_argilla),
    ("Argilla", _is_old_argilla, _old_argilla),
    ("Quepid", _is_quepid, _quepid),
    ("Quepid", _is_book, _book),
    ("Quepid", _is_case, _case),
    ("MS MARCO", _is_marco, _marco),
    ("lists of texts and labels", _are_lists, _from_lists),
    ("lists of texts", _is_set, _set),
)
