"""Lists of references: every abstract, keyword and author is in, the id is what people cite by."""

import pytest

from search.corpus.document import Document
from search.projects.errors import Refused
from tests.search.corpus.readers.refused_rows import refusals

MEDLINE = """\ufeff
PMID- 7
OWN - NLM
TI  - On gout and
      its care.
AB  - AIM: To see. RESULTS: Counts
      were seen.
AB  - Zweite Fassung.
OT  - urate
OT  - *diet
MH  - Gout/*therapy
RN  - 268B43MJ25 (Uric Acid)
AU  - Doe J
AU  - Roe R
JT  - A journal
TA  - A J
DP  - 1999 Jan-Feb
AID - S0000(99) [pii]
AID - 10.1000/x7 [doi]
LA  - eng
PMID- 8
TI  - Next.
"""
RIS = """TY  - JOUR
T1  - On gout
AB  - First part.
AB  - Second part.
KW  - urate
KW  - diet
A1  - Doe, J.
A1  - Roe, R.
T2  - A journal
Y1  - 2020/12/01/
DO  - https://doi.org/10.1000/x7
TY  - CASE
TI  - Doe v. Roe
N2  - A carrier was
negligent.
AN  - 55
ER  -
"""
ENDNOTE = "%0 Journal Article\n%T On gout\n%A Doe, J.\n%A Roe, R.\n%D 2020\n%K urate\ndiet\n%X It hurts.\n%R 10.1/x\n\n%0 Book\n%T Two\n"
SCIENCE = """FN Clarivate Analytics Web of Science
VR 1.0
PT J
AU Doe, J
   Roe, R
TI On gout
   and care
AB It hurts.
DE urate; diet
PY 2020
DI 10.1/x
UT WOS:1
ER

PT J
TI Two
UT WOS:2
ER
EF
"""


def test_medline(documents):
    found, report = documents("export.nbib", MEDLINE)
    assert found == [
        Document(
            "7",
            "On gout and its care.",
            "AIM: To see.\n\nRESULTS: Counts were seen.\n\nZweite Fassung.\n\nKeywords: urate; diet; Gout/*therapy\n\n"
            "Substances: 268B43MJ25 (Uric Acid)",
            {
                "keywords": "urate; diet; Gout/*therapy", "authors": "Doe J; Roe R", "year": "1999",
                "journal": "A journal", "doi": "10.1000/x7", "language": "eng",
            },
        ),
        Document("8", "Next.", ""),
    ]  # fmt: skip
    assert (report.format, report.refused_count) == ("MEDLINE", 0)


def test_ris(documents):
    found, report = documents("export.ris", RIS)
    assert found == [
        Document(
            "https://doi.org/10.1000/x7",
            "On gout",
            "First part.\n\nSecond part.\n\nKeywords: urate; diet",
            {
                "keywords": "urate; diet", "authors": "Doe, J.; Roe, R.", "year": "2020", "journal": "A journal",
                "doi": "10.1000/x7", "type": "JOUR",
            },
        ),
        Document("55", "Doe v. Roe", "A carrier was negligent.", {"type": "CASE"}),
    ]  # fmt: skip
    assert report.format == "RIS"


def test_endnote_and_web_of_science(documents):
    found, report = documents("a.enw", ENDNOTE)
    assert (found[0].id, found[0].title, found[0].text) == (
        "10.1/x",
        "On gout",
        "It hurts.\n\nKeywords: urate diet",
    )
    assert found[0].metadata["authors"] == "Doe, J.; Roe, R."
    assert (found[1].id, report.format) == ("a-2", "EndNote")
    found, report = documents("a.ciw", SCIENCE)
    assert (found[0].id, found[0].title, found[0].text) == (
        "10.1/x", "On gout and care", "It hurts.\n\nKeywords: urate; diet",
    )  # fmt: skip
    assert found[0].metadata["authors"] == "Doe, J; Roe, R"
    assert (found[1].id, len(found), report.format) == ("WOS:2", 2, "Web of Science")


@pytest.mark.parametrize("content", [MEDLINE, RIS, SCIENCE])
def test_text_files_are_known_by_what_is_in_them(documents, content):
    found, _ = documents("notes.txt", content)
    assert len(found) == 2
    assert "gout" in found[0].title


def test_prose_is_no_list_of_references(documents):
    found, report = documents("notes.txt", "TY was here - he said.\n@home we rest.\n")
    assert report.format == "plain text"
    assert "@home we rest." in found[0].text or len(found) == 2
    with pytest.raises(
        Refused, match=r"^a\.ris is no list of references that can be read: it begins like none of"
    ):
        documents("a.ris", "Some prose.")


BIBTEX = r"""% A library
@string{jg = "Journal of " # "Gout"}
@comment{ignored, title={no}}
@article{doe2020,
  author = {Doe, J{\"o}rg and Ro{\v{c}}, R.},
  title = "{The} {IL}-1$\beta$ of \emph{gout}: 10$^{9}$/L \& 5\,\% -- \'etude",
  journal = jg, year = 2020, month = jan,
  abstract = {It {h}urts (a \{brace\}).
     A lot.},
  keywords = {urate, diet; pain},
  doi = {10.1000/x},
}
@book(roe, title = {Two})
@article{broken, title = {never closed
@misc{last, title = {Three}, note = {A note}}
"""


def test_bibtex(documents):
    found, report = documents("refs.bib", BIBTEX)
    assert found[0] == Document(
        "doe2020",
        "The IL-1β of gout: 10⁹/L & 5 % – étude",
        "It hurts (a {brace}). A lot.\n\nKeywords: urate; diet; pain",
        {
            "keywords": "urate; diet; pain", "authors": "Doe, Jörg; Roč, R.", "year": "2020",
            "journal": "Journal of Gout", "doi": "10.1000/x", "type": "article",
        },
    )  # fmt: skip
    assert [(d.id, d.title, d.text) for d in found[1:]] == [
        ("roe", "Two", ""),
        ("last", "Three", "A note"),
    ]
    assert refusals(report) == [("line 14", "the entry 'broken' is broken: it does not end")]


def test_broken_bibtex_takes_no_square_of_time(documents):
    for entry in ("@a{x, t = {", "@a{x, t = {y\n"):
        found, report = documents("a.bib", "@a{k, title = {x}}\n" + entry * 2_000)
        assert (len(found), report.refused_count) == (1, 2_000)
