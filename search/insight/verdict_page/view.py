"""How a verdict is drawn: the numbers of its JSON as words, and as places on lines of a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.evaluation.rankings.metrics import metric_title
from search.evaluation.slices.tested import LEAST_GROUPS, LEAST_QUERIES
from search.insight.verdict_page.content import within_sentence
from search.insight.verdict_page.rendering import render
from search.models.registry import GENERIC, KEYWORD
from search.projects.files import size_in_words
from search.retrieval.columns import column_title

_NONE = "–"
_SLICES = 30
_LOOKS = 10
_CLASSES = {"better": "better", "worse": "worse"}
_SHORT = {"no clear difference": "not clear"}
_PRACTICAL = {
    "too small to matter": "The difference is too small to matter: the 90 % interval lies within ±{margin}.",
    "better by at least the margin": "It is better by at least {margin}, the margin that counts here.",
    "worse by at least the margin": "It is worse by at least {margin}, the margin that counts here.",
    "better": "Whether it is better by {margin}, the margin that counts here, is open.",
    "worse": "Whether it is worse by {margin}, the margin that counts here, is open.",
    "cannot tell": "Whether the difference is larger than {margin}, the margin that counts here, is open.",
}


@dataclass(frozen=True)
class Axis:
    """Where differences stand on a line from its left end (0 %) to its right one (100 %).

    >>> axis = Axis.over([-0.1, 0.3])
    >>> axis.at(0.0), axis.ticks
    ('27.5', [('5.0', '−0.1'), ('27.5', '0.0'), ('50.0', '+0.1'), ('72.5', '+0.2'), ('95.0', '+0.3')])
    """

    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float]) -> "Axis":
        """An axis on which all values stand, and zero, with a little room at both ends."""
        low, high = min([0.0, *values]), max([0.0, *values])
        room = (high - low or 1.0) / 18
        return cls(low - room, high + room)

    def at(self, value: float) -> str:
        """The place of a value in percent of the width."""
        share = (value - self.low) / (self.high - self.low)
        return f"{100 * min(max(share, 0.0), 1.0):.1f}"

    @property
    def ticks(self) -> list[tuple[str, str]]:
        """Round values with their places, four to eight of them."""
        span = self.high - self.low
        step = next(
            s
            for s in (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
            if span / s <= 8
        )
        digits = 4 if step < 0.001 else 3 if step < 0.01 else 2 if step < 0.1 or step == 0.25 else 1
        first = int(-(-(self.low + 1e-9) // step))
        last = int((self.high - 1e-9) // step)
        values = [n * step for n in range(first, last + 1)]
        return [(self.at(v), signed(v, digits)) for v in values]

    @property
    def few_ticks(self) -> list[tuple[str, str]]:
        """The ticks for a narrow picture: zero, and every second or third beside it."""
        ticks = self.ticks
        step = -(-len(ticks) // 4)
        zero = next(n for n, (_, value) in enumerate(ticks) if float(value.replace("−", "-")) == 0)
        return [tick for n, tick in enumerate(ticks) if (n - zero) % step == 0]


def signed(value: float, digits: int = 3) -> str:
    """A difference with its sign, as people print it; nothing but zeros has none.

    >>> signed(0.0312), signed(-0.2), signed(-0.0001), signed(0.05, 2)
    ('+0.031', '−0.200', '0.000', '+0.05')
    """
    rounded = round(value, digits)
    if rounded == 0:
        return f"{0:.{digits}f}"
    return f"{rounded:+.{digits}f}".replace("-", "−")


def html_page(content: Mapping[str, Any]) -> str:
    """The page of a verdict, from its JSON: one file without script that needs nothing else."""
    metric = metric_title(content["metric"])
    tested = [c["comparison"] for c in content["columns"] if c["comparison"] is not None]
    intervals = [end for test in tested for end in _interval(test)]
    every = Axis.over(intervals)
    wide = Axis.over([*_interval(content), content["margin"], -content["margin"]])
    names = {column["name"]: column["title"] for column in content["columns"]}
    return render(
        "page.html",
        project=content["project"],
        asked=content["asked"],
        measured=content["measured"][:10],
        sentence=content["sentence"],
        verdict=_CLASSES.get(content["verdict"], "unclear"),
        metric=metric,
        main=_line(wide, content),
        in_words=content["in_words"],
        why=_why(content, metric),
        practical=_PRACTICAL[content["practical"]].format(margin=f"{content['margin']:.3f}"),
        facts=_facts(content),
        bar=[(kind, content[kind]) for kind in ("wins", "ties", "losses") if content[kind]],
        not_clean=content["not_clean"],
        opened=content["opened"][:10],
        wide=wide,
        margin=(wide.at(-content["margin"]), wide.at(content["margin"])),
        every=every,
        columns=[_column(every, column, content) for column in content["columns"]],
        baseline=within_sentence(content["baseline"]),
        candidate=within_sentence(content["candidate"]),
        **_slices(content["slices"]),
        least=(LEAST_QUERIES, LEAST_GROUPS),
        questions=[_question(one, content, names) for one in content["questions"]],
        judges=content["judges"],
        looks=_looks(content["looks"]),
        notes=[*content["counted"], *content["notes"]],
        origin=_origin(content),
        repeat=content["repeat"],
    )


def _interval(test: Mapping[str, Any]) -> tuple[float, float]:
    low, high = test.get("ci95_simultaneous") or test["ci95"]
    return low, high


def _line(axis: Axis, test: Mapping[str, Any]) -> dict[str, str]:
    """An interval on an axis, with what it says in words."""
    low, high = _interval(test)
    return {
        "zero": axis.at(0.0),
        "low": axis.at(low),
        "high": axis.at(high),
        "point": axis.at(test["delta"]),
        "kind": _CLASSES.get(test["verdict"], "unclear"),
        "delta": signed(test["delta"]),
        "range": f"{signed(low)} to {signed(high)}",
    }


def _why(content: Mapping[str, Any], metric: str) -> str:
    low, high = _interval(content)
    several = content["family"] > 1 and content["ci95_simultaneous"] is not None
    all_of_them = "both" if content["family"] == 2 else f"all {content['family']}"
    held = f", which holds for {all_of_them} candidates at once" if several else ""
    few = "; the independent groups of questions are few" if content["few_groups"] else ""
    return (
        f"{signed(content['delta'])} {metric} on {content['queries']:,} held-out questions; 95 % interval {signed(low)} to "
        f"{signed(high)}{held}{few}. {_chance(content)}"
    )


def _chance(test: Mapping[str, Any]) -> str:
    adjusted = test["p_adjusted"]
    p = test["p_value"] if adjusted is None else adjusted
    counted = (
        f", {'both' if test['family'] == 2 else 'all ' + str(test['family'])} candidates counted"
        if adjusted is not None and test["family"] > 1
        else ""
    )
    if p < 0.001:
        return f"Chance alone would hardly ever show so much (p < 0.001{counted})."
    return f"Chance alone would show so much in {p:.1%} of cases (p = {p:.3f}{counted})."


def _facts(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Figures under the picture: what the verdict rests on."""
    groups = content["query_groups"]
    facts = [(f"{content['queries']:,}", "questions, never trained on")]
    if groups and groups["largest"] > 1:
        largest = f"independent groups; the largest has {groups['largest']:,}"
        facts.append((f"{groups['groups']:,}", largest))
        facts.append((f"{groups['effective']:,.0f}", "effective number of questions"))
    elif groups:
        facts.append((f"{groups['groups']:,}", "independent groups: each question its own"))
    if content["relevant_documents"]:
        facts.append((f"{content['relevant_documents']:,}", "documents asked for"))
    if looks := len(content["looks"]):
        facts.append(
            (f"{looks:,}", f"{'candidate' if looks == 1 else 'candidates'} ever measured on them")
        )
    return facts


def _column(axis: Axis, column: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    name, metrics, test = column["name"], column["metrics"], column["comparison"]
    beside = "recall@10" if content["metric"] != "recall@10" else "mrr@10"
    own = "teal" if name == content["candidate"] else "violet"
    verdict = test["verdict"] if test else _NONE
    return {
        "title": column["title"],
        "colour": {GENERIC: "slate", KEYWORD: "ochre"}.get(name, own),
        "is_main": name in (content["baseline"], content["candidate"]),
        "metrics": [f"{metrics[one]:.3f}" for one in (content["metric"], beside)],
        "heads": [metric_title(one) for one in (content["metric"], beside)],
        "line": None if test is None else _line(axis, test),
        "verdict": "the baseline" if name == content["baseline"] else _SHORT.get(verdict, verdict),
        **_cost(column["cost"]),
    }


def _cost(cost: Mapping[str, Any] | None) -> dict[str, str]:
    if cost is None:  # MeasuredPair before costs were.
        return {"milliseconds": _NONE, "size": _NONE, "training": _NONE}
    size = sum(filter(None, (cost["model_bytes"], cost["index_bytes"])))
    spent = cost["milliseconds"]
    return {
        "milliseconds": f"{spent:,.0f} ms" if spent >= 10 else f"{spent:.1f} ms",
        "size": size_in_words(size) if size else _NONE,
        "training": _duration(cost["training_seconds"]),
    }


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return _NONE
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def _slices(tests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The slices that are certain, the worst first; then the others by how much they differ."""
    order = sorted(
        tests,
        key=lambda t: (
            {"worse": 0, "better": 1}.get(t["verdict"], 2),
            t["delta"] if t["verdict"] == "worse" else -abs(t["delta"]),
            t["key"],
        ),
    )
    shown = order[:_SLICES]
    axis = Axis.over([end for test in shown for end in test["ci95"]])
    rows = [
        {
            "title": test["title"],
            "queries": f"{test['queries']:,}",
            "groups": f"{test['groups']:,}",
            "line": _line(axis, test),
            "p": "< 0.001" if test["p_adjusted"] < 0.001 else f"{test['p_adjusted']:.3f}",
            "verdict": _SHORT.get(test["verdict"], test["verdict"]),
        }
        for test in shown
    ]
    return {"slices": rows, "slice_axis": axis, "more_slices": len(order) - len(shown)}


def _question(
    one: Mapping[str, Any], content: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    sides = [
        {
            "title": names[content[side]],
            "rank": _rank(one["first_relevant"][content[side]]),
            "hits": one["hits"][content[side]],
            "side": side,
        }
        for side in ("baseline", "candidate")
    ]
    return {
        "text": one.get("text", f"Question {one['number']:,} of the query set"),
        "difference": signed(one["difference"]),
        "kind": "better" if one["difference"] > 0 else "worse",
        "sides": sides,
    }


def _rank(rank: int | None) -> str:
    return f"right answer at rank {rank}" if rank else "right answer not in the first 100"


def _looks(looks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rows = [
        {
            "day": look["time"][:10],
            "names": f"{column_title(look['candidate'])} against {within_sentence(look['baseline'])}",
            "p": "< 0.001" if look["p_value"] < 0.001 else f"{look['p_value']:.3f}",
            "since": look["since"],
        }
        for look in looks
    ]
    since = sum(row["since"] for row in rows)
    return {"count": len(rows), "since": since, "rows": rows[-_LOOKS:]}


def _origin(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was measured, by ids and hashes of contents; with what libraries, and the seed of all draws."""
    rows = [("evaluation", content["evaluation"])]
    for role, named in content["made_from"].items():
        mark = f" · {named['fingerprint'][:16]}" if "fingerprint" in named else ""
        rows.append((role.replace(":", " "), named["id"] + mark))
    rows += [(f"column {name}", mark[:16]) for name, mark in content["fingerprints"].items()]
    rows.append(("seed of flips and draws", str(content["seed"])))
    if content["libraries"]:
        said = ", ".join(f"{name} {version}" for name, version in content["libraries"].items())
        rows.append(("libraries", said))
    return rows
