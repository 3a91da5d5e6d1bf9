"""What a report refused."""

from search.corpus.readers.report import Report


def refusals(report: Report) -> list[tuple[str, str]]:
    """Where the refused rows of a report stand, and why they were refused."""
    return [(row.where, row.reason) for row in report.refused]
