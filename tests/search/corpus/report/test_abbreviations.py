"""Abbreviations and what they stand for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.corpus.report.abbreviations import Expansion, abbreviations, definitions


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("High blood pressure (BP) is common.", [("BP", "blood pressure")]),
        ("The BP (blood pressure) is high.", [("BP", "blood pressure")]),
        ("a urinary tract infection (UTI), and", [("UTI", "urinary tract infection")]),
        ("acute lymphoblastic leukemia (ALL; also called ALL-L1)", [("ALL", "acute lymphoblastic leukemia")]),
        ("heat shock transcription factor (HSF)", [("HSF", "heat shock transcription factor")]),
        ("gastrointestinal (GI) tract", [("GI", "gastrointestinal")]),
        ("an X-ray and 3-dimensional (3-D) images", [("3-D", "3-dimensional")]),
        (
            "the National Institute of Neurological Disorders and Stroke (NINDS) says",
            [("NINDS", "National Institute of Neurological Disorders and Stroke")],
        ),
        ("das Bürgerliche Gesetzbuch (BGB) gilt", [("BGB", "Bürgerliche Gesetzbuch")]),
        ("die GmbH (Gesellschaft mit beschränkter Haftung)",
         [("GmbH", "Gesellschaft mit beschränkter Haftung")]),
        ("первая Организация Объединённых Наций (ООН)",
         [("ООН", "Организация Объединённых Наций")]),
        ("A first one (BP). It is blood pressure (BP).", [("BP", "blood pressure")]),
    ],
)  # fmt: skip
def test_found(text, found):
    assert definitions(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "A dress for parties (Black)",
        "See the picture (Fig. 2) below.",
        "He came back (see above) later (2019).",
        "it was cold (very cold, in fact)",
        "a completely different thing (BP)",
        "Bread. Pressure rose in 1999; nothing else (XY)",
        "(BP)",
        "BP (BP)",
        "the blood pressure ()",
        "much is open (BP",
        "(((((((((",
    ],
)
def test_not_found(text):
    assert definitions(text) == []


def test_counts_variants_and_conflicts():
    found = abbreviations(
        [
            "Acute coronary syndrome (ACS) and acute coronary syndromes (ACS)",
            "ACS (acute coronary syndrome) hurts",
            "the American Cancer Society (ACS) helps",
            "several urinary tract infections (UTIs)",
            "a urinary tract infection (UTI)",
            "nothing",
        ]
    )
    first, second = found
    assert (first.short, first.count, first.documents, first.ambiguous) == ("ACS", 4, 3, True)
    assert [(e.text.casefold(), e.count) for e in first.expansions] == [
        ("acute coronary syndrome", 3),
        ("american cancer society", 1),
    ]
    assert (second.short, second.count, second.documents) == ("UTI", 2, 2)
    assert second.expansions == (Expansion("urinary tract infection", 2),)
    assert not second.ambiguous


def test_two_words_for_one_thing_are_no_conflict():
    [found] = abbreviations(["electromyography (EMG)", "an electromyogram (EMG)"])
    assert len(found.expansions) == 2
    assert not found.ambiguous


def test_the_possessive_is_the_same():
    [found] = abbreviations(["Federal Trade Commission (FTC)", "Federal Trade Commission’s (FTC)"])
    assert [e.count for e in found.expansions] == [2]


def test_nothing_explained():
    assert abbreviations([]) == ()
    assert abbreviations(["plain words"]) == ()


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(st.text("sSaB-'’. (),²", max_size=40), max_size=4))
def test_whatever_the_text_each_definition_is_counted_once(texts):
    found = abbreviations(texts)
    assert sum(a.count for a in found) == sum(len(definitions(text)) for text in texts)
    for abbreviation in found:
        assert abbreviation.count == sum(e.count for e in abbreviation.expansions)
        assert all(len(e.text) > len(abbreviation.short) for e in abbreviation.expansions)


def test_a_short_form_of_signs():
    assert abbreviations(["s-- (S-)"])[0].expansions == (Expansion("s--", 1),)
