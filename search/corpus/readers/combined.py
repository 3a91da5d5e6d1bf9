"""One report for the many files of an archive or a folder."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from search.corpus.readers.report import Report, source_of
from search.corpus.readers.sources import Sources

_NOTES = 50


def combined_report(path: Path, sources: Sources, reports: Iterable[Report]) -> Report:
    """What was understood of all files together.

    Members that cannot be read count as refused rows; each refused row and each note names its file.
    Columns are those of all tables; the roles, the encoding and the delimiter are those of the first.

    :param path: the archive or folder that was given.
    :param sources: what `opened_sources` found in it.
    :param reports: one for each file that was read.
    """
    reports = list(reports)
    report = Report(source=source_of(path.resolve()))
    kinds = Counter(part.format for part in reports if part.format)
    report.format = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    report.columns = tuple(dict.fromkeys(name for part in reports for name in part.columns))
    report.roles = next((part.roles for part in reports if part.roles), {})
    report.encoding = next((part.encoding for part in reports if part.encoding), None)
    report.delimiter = next((part.delimiter for part in reports if part.delimiter), None)
    for row in sources.refused:
        report.refuse(row.where, row.reason)
    notes = list(sources.notes)
    for part in reports:
        report.accepted += part.accepted
        for row in part.refused:
            report.refuse(f"{part.source}, {row.where}", row.reason)
        report.refused_count += part.refused_count - len(part.refused)  # those not listed
        notes += [f"{part.source}: {note}" for note in part.notes]
    report.notes = notes[:_NOTES]
    if len(notes) > _NOTES:
        report.notes.append(f"… and {len(notes) - _NOTES:,} more notes")
    return report
