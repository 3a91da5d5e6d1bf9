"""What a verdict says and rests on, as JSON: all of it out of one evaluation, so that the same evaluation says the same."""

import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from search.corpus.corpus import Corpus
from search.evaluation.evaluation import Evaluation, load_evaluation
from search.evaluation.ledger.looks import Looks
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.slices.tested import SliceTest, worse_on
from search.evaluation.statistics.flips import SEED
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import PairedTest
from search.evaluation.verdict.both_questions import question_sentences
from search.evaluation.verdict.gains import Gain, gain_of
from search.insight.verdict_page.questions import questions_as_json
from search.judging.inter_rater import InterRaterAgreement
from search.judging.setup import saved_setup
from search.judging.summary import summary
from search.models.registry import GENERIC
from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError, Refused
from search.projects.project import Project
from search.retrieval.columns import column_title, parse_column

_QUOTED = re.compile(r"(?<!\w)'[^'\n]+'(?!\w)|\"[^\"\n]+\"|“[^“”\n]+”")


@dataclass(frozen=True)
class MeasuredPair:
    """One comparison of one evaluation: what a verdict is about."""

    project: Project
    manifest: Manifest
    result: Evaluation
    test: PairedTest

    @classmethod
    def of(cls, project: Project, manifest: Manifest, model: str, against: str) -> "MeasuredPair":
        """The comparison of two columns in an evaluation.

        :raises Refused: where it did not compare these, or on too few questions for a figure.
        """
        result = load_evaluation(project, manifest)
        if result.too_few:
            raise Refused(result.too_few)
        for test in result.comparisons:
            if (test.candidate, test.baseline) == (model, against):
                return cls(project, manifest, result, test)
        raise Refused(f"The evaluation {manifest.id} did not compare {model} with {against}.")

    @property
    def slices(self) -> list[SliceTest]:
        """The tests of this comparison inside slices."""
        pair = (self.test.baseline, self.test.candidate)
        return [one for one in self.result.slices if (one.baseline, one.candidate) == pair]

    @property
    def headline(self) -> str:
        """The verdict in a sentence, with what got worse for certain."""
        return headline(self.test, self.slices)


def headline(test: PairedTest, slices: list[SliceTest]) -> str:
    """The verdict in a sentence, with the slices that got worse for certain."""
    candidate, baseline = within_sentence(test.candidate), within_sentence(test.baseline)
    if not test.can_tell:
        groups = "1 independent group" if test.groups == 1 else f"{test.groups} independent groups"
        return f"Cannot tell whether {candidate} is better than {baseline}: only {groups} of questions."
    said = f"No clear difference between {candidate} and {baseline}"
    if test.verdict != "no clear difference":
        said = f"{column_title(test.candidate)} is {test.verdict} than {baseline}"
    lost = [one for one in slices if one.is_certain_loss]
    if not lost:
        return f"{said}."
    if test.verdict == "worse":  # Which part did so most is enough.
        return f"{said}, most of all on {min(lost, key=lambda one: one.delta).title}."
    return f"{said} overall, but {worse_on(slices, test.baseline, test.candidate)}."


def _asked(measured: MeasuredPair) -> list[str]:
    """Which question the figures answer, and what this comparison says to the other one."""
    pair = (measured.test.baseline, measured.test.candidate)
    own = {
        asked: replace(
            said,
            comparisons=[t for t in said.comparisons if (t.baseline, t.candidate) == pair],
        )
        for asked, said in measured.result.questions.items()
    }
    return question_sentences(measured.result.question, own)


def within_sentence(column: str) -> str:
    """What a column is called in the middle of a sentence: a model's own name stays as it is.

    >>> within_sentence("bm25"), within_sentence("hybrid:Ada"), within_sentence("Ada"), within_sentence("generic")
    ('keyword search', 'keywords + Ada', 'Ada', 'generic')
    """
    title = column_title(column)
    is_own_name = parse_column(column).kind == "model" and column != GENERIC
    return title if is_own_name else title[0].lower() + title[1:]


def verdict_content(measured: MeasuredPair, with_text: bool = True) -> dict[str, Any]:
    """Everything that the page says, as JSON.

    :param with_text: False leaves out every text of corpus and query set, with ids and values that may be such.
    """
    project, manifest, result, test = (
        measured.project,
        measured.manifest,
        measured.result,
        measured.test,
    )
    facts = manifest.details
    gain = _gain(measured)
    slices = measured.slices
    if not with_text:
        slices = [_without_corpus(one, n) for n, one in enumerate(slices, 1)]
    corpus, judgments = _sources(project, manifest)
    return {
        "project": project.name,
        "evaluation": manifest.id,
        "measured": manifest.created,
        "sentence": headline(test, slices),
        **test.as_json(),
        "queries": len(result.queries),
        "query_groups": facts.get("groups"),
        "relevant_documents": result.relevant_documents,
        "clean": result.clean,
        "not_clean": result.not_clean,
        "gain": None if gain is None else gain.as_json(),
        "in_words": _in_words(measured, gain),
        "question": result.question,
        "asked": _asked(measured),
        "columns": [_column(measured, name) for name in result.scores],
        "slices": [one.as_json() for one in slices],
        "questions": questions_as_json(
            result, test.baseline, test.candidate, judgments, corpus if with_text else None
        ),
        "notes": [note if with_text else _QUOTED.sub("…", note) for note in result.notes],
        "protocol": result.decision.protocol.as_json(),
        "opened": result.decision.opened,
        "counted": [*result.counted.sentences, *result.copies.sentences],
        "looks": _looks(project, manifest),
        "judges": _judges(project),
        "made_from": {
            role: _artifact(project, role, identity)
            for role, identity in sorted(manifest.made_from.items())
        },
        "fingerprints": dict(sorted(facts["fingerprints"].items())),
        "libraries": facts.get("libraries", {}),
        "seed": SEED,
        "repeat": _commands(project.name, list(result.scores), test),
    }


def _gain(measured: MeasuredPair) -> Gain | None:
    """The gain in plain words: that of the evaluation where it is about these two columns."""
    result, test = measured.result, measured.test
    names = (test.baseline, test.candidate)
    main = result.decision.main
    if main is not None and (main.baseline, main.candidate) == names and result.decision.gain:
        return result.decision.gain
    ours, theirs = (result.scores[name][test.metric] for name in names)
    groups = result.groups or QueryGroups.single(len(ours))
    return gain_of(
        ours, theirs, (result.first_relevant[names[0]], result.first_relevant[names[1]]), groups
    )


def _in_words(measured: MeasuredPair, gain: Gain | None) -> list[str]:
    """What belongs to the sentence of the verdict: the gain in plain words, and what keyword search does for nothing."""
    decision, test = measured.result.decision, measured.test
    main = decision.main
    is_main = main is not None and (main.baseline, main.candidate) == (
        test.baseline,
        test.candidate,
    )
    said = [gain.sentence] if gain is not None else []
    said += [decision.about_keywords] if is_main and decision.about_keywords else []
    pair = (test.baseline, test.candidate)
    sides = [s for s in measured.result.unjudged if (s.baseline, s.candidate) == pair]
    return said + [side.sentence for side in sides if side.sentence]


def _column(measured: MeasuredPair, name: str) -> dict[str, Any]:
    """One row of the table of all columns: what it finds, how sure its difference is, and what it costs."""
    result, baseline = measured.result, measured.test.baseline
    against = next(
        (t for t in result.comparisons if (t.baseline, t.candidate) == (baseline, name)), None
    )
    cost = result.costs.get(name)
    return {
        "name": name,
        "title": column_title(name),
        "metrics": result.means(name),
        "comparison": None if against is None else against.as_json(),
        "cost": None if cost is None else cost.as_json(),
    }


def _without_corpus(one: SliceTest, number: int) -> SliceTest:
    """A slice whose title quotes nothing of the corpus."""
    if not one.of_corpus:
        return one
    kind = one.key.partition(":")[0]
    titles = {"tier": f"questions answered by one source tier (slice {number})"}
    title = titles.get(kind, f"questions answered by one value of the metadata (slice {number})")
    return replace(one, key=f"{kind}:{number}", title=title)


def _sources(
    project: Project, manifest: Manifest
) -> tuple[Corpus | None, Mapping[str, Mapping[str, int]]]:
    """Corpus and judgments of an evaluation, as far as they are still there."""
    corpus, judgments = None, {}
    with suppress(BespokeError):
        corpus = Corpus.of(project, project.artifact("corpora", manifest.made_from["corpus"]))
    with suppress(BespokeError):
        queries = project.artifact("queries", manifest.made_from["queries"])
        judgments = dict(QuerySet.load(project, queries).judgments)
    return corpus, judgments


def _looks(project: Project, manifest: Manifest) -> list[dict[str, Any]]:
    """What was ever measured on these queries, the oldest first."""
    with suppress(BespokeError):
        queries = project.artifact("queries", manifest.made_from["queries"])
        return [
            {
                "time": look.time,
                "baseline": look.names[0],
                "candidate": look.names[1],
                "p_value": look.p_value,
                "since": look.time > manifest.created,
            }
            for look in Looks.open(project, queries).all
        ]
    return []


def _judges(project: Project) -> dict[str, Any] | None:
    """What people said blind, and how far they agree; None where nobody judged. Nobody is named."""
    setup = saved_setup(project)
    if setup is None:
        return None
    found = summary(project, setup)
    if not found.judges:
        return None
    agreements = [(found.votes_agreement, "question"), (found.grades_agreement, "document")]
    tally = found.study.tally
    return {
        "judges": len(found.judges),
        "columns": [setup.one, setup.other],
        "votes": sum(counts["votes"] for counts in found.judges.values()),
        "grades": sum(counts["grades"] for counts in found.judges.values()),
        "preference": tally.sentence if tally.voted else "",
        "agreement": [_unnamed(one).sentence(what) for one, what in agreements if one.items],
    }


def _unnamed(agreement: InterRaterAgreement) -> InterRaterAgreement:
    if len(agreement.judges) != 2:
        return agreement
    return replace(agreement, judges=("One judge", "another"))


def _artifact(project: Project, role: str, identity: str) -> dict[str, str]:
    """What names a part of the data: its id, and the hash of its content where it is still there."""
    kind: Any = {"corpus": "corpora", "queries": "queries"}.get(role, role.partition(":")[0] + "s")
    named = {"id": identity}
    with suppress(BespokeError):
        named["fingerprint"] = project.artifact(kind, identity).fingerprint
    return named


def _commands(project: str, columns: list[str], test: PairedTest) -> list[str]:
    """What to type to measure the same again, and to write this page again."""
    models = [part for name in columns for part in ("--model", name)]
    against = ["--model", test.candidate, "--against", test.baseline, "--out", "verdict.html"]
    return [
        shlex.join(["python", "cli.py", "evaluate", project, *models]),
        shlex.join(["python", "cli.py", "verdict", project, *against]),
    ]
