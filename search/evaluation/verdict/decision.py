"""What an evaluation comes to: the comparison that decides, what keyword search does for nothing, and the gain in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from search.evaluation.ledger.protocol import Protocol
from search.evaluation.rankings.metrics import Scores, metric_title
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.significance import PairedTest
from search.evaluation.verdict.gains import Gain, gain_of
from search.evaluation.verdict.verdicts import against_keywords, headline


@dataclass(frozen=True)
class Decision:
    """The comparison that the verdict is about, and what belongs to its sentence.

    `keywords` is its candidate against keyword search (None where that is no column), `looks` how many candidates were ever
    measured on these queries, `opened` when the sealed part on which this was measured was opened (empty for any other).

    >>> from search.evaluation.statistics.significance import paired_test
    >>> main = paired_test("generic", "mine", [0.1, 0.2, 0.3] * 10, [0.5, 0.4, 0.6] * 10)
    >>> words = paired_test("bm25", "mine", [0.5, 0.4, 0.6] * 10, [0.5, 0.4, 0.6] * 10)
    >>> Decision(main=main, keywords=words).about_keywords
    'Keyword search, free of training, does as well (+0.000 nDCG@10).'
    """

    main: PairedTest | None = None
    keywords: PairedTest | None = None
    gain: Gain | None = None
    protocol: Protocol = field(default_factory=Protocol)
    looks: int = 0
    opened: str = ""

    @classmethod
    def of(
        cls,
        tests: Sequence[PairedTest],
        scores: Mapping[str, Scores],
        firsts: Mapping[str, Sequence[int | None]],
        groups: QueryGroups | None,
        protocol: Protocol,
    ) -> "Decision":
        """What tests come to.

        :param scores: column to metric to one score a query.
        :param firsts: column to the rank of the first right document of each query.
        """
        main = headline(tests)
        if main is None:
            return cls(protocol=protocol)
        names = main.baseline, main.candidate
        ours, theirs = (scores[name][main.metric] for name in names)
        groups = groups or QueryGroups.single(len(ours))
        gain = gain_of(ours, theirs, (firsts[names[0]], firsts[names[1]]), groups)
        return cls(main, against_keywords(scores, groups, main, protocol), gain, protocol)

    @property
    def about_keywords(self) -> str:
        """What keyword search does in comparison, where it is not clearly below; else empty."""
        test = self.keywords
        if test is None or test.verdict == "better" or not test.can_tell:
            return ""
        size = f"{0.0 - test.delta:+.3f} {metric_title(test.metric)}"
        if test.verdict == "worse":
            return f"Keyword search, free of training, is ahead of it ({size})."
        said = "is not clearly behind" if test.delta > test.margin else "does as well"
        return f"Keyword search, free of training, {said} ({size})."

    def sentences(self, queries: int) -> list[str]:
        """The verdict, what keyword search does, and the gain in plain words; none where nothing was compared."""
        if self.main is None:
            return []
        said = [self.main.sentence(queries), self.about_keywords]
        if self.gain is not None:
            relative = self.gain.relative_words
            said += [
                self.gain.sentence,
                f"That is {relative} of {self.main.baseline}'s {metric_title(self.main.metric)}."
                if relative
                else "",
            ]
        return [sentence for sentence in said if sentence]

    def as_json(self) -> dict[str, Any]:
        """What `evaluate --json` says beside the comparisons."""
        main = self.main
        return {
            "headline": main and {"baseline": main.baseline, "candidate": main.candidate},
            "keyword_search": self.keywords and self.keywords.as_json(),
            "gain": self.gain and self.gain.as_json(),
            "protocol": self.protocol.as_json(),
            "looks": self.looks,
            "opened": self.opened,
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any], tests: Sequence[PairedTest]) -> "Decision":
        """What an evaluation holds of it; of one that was made before all of this, what its tests come to."""
        said = facts.get("headline")
        if "protocol" not in facts:
            return cls(headline(tests))
        named = (
            test
            for test in tests
            if said and (test.baseline, test.candidate) == (said["baseline"], said["candidate"])
        )
        words, gain = facts["keyword_search"], facts["gain"]
        return cls(
            next(named, None),
            TypeAdapter(PairedTest).validate_python(words) if words else None,
            Gain.from_json(gain) if gain else None,
            TypeAdapter(Protocol).validate_python(facts["protocol"]),
            facts["looks"],
            facts["opened"],
        )
