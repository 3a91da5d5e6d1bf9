"""One spelling for words that people write in several ways."""

import pytest

from search.retrieval.bm25.letters import spellings


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("أمراض", "امراض"),
        ("إلى", "الي"),
        ("مدرسة", "مدرسه"),
        ("آب", "اب"),
        ("کتابی", "كتابي"),
        ("ہسپتال", "هسپتال"),
        ("مُسْتَشْفى", "مستشفي"),
        ("ज़्यादा", "ज्यादा"),
        ("मरीज़", "मरीज"),
        ("मरी\u095b", "मरीज"),
        ("हिन्दी", "हिंदी"),
        ("माँग", "मांग"),
        ("डॉक्टर", "डोक्टर"),
        ("\u0905\u093eप", "आप"),
        ("\u0905\u093e\u0947र", "ओर"),
        ("\u0985\u09beমি", "আমি"),
        ("\u0a85\u0abeપ", "આપ"),
        ("\u0a73\u0a41", "ਉ"),
        ("\u0d05വ\u0d7c", "\u0d05വ\u0d30\u0d4d"),
        ("५००", "500"),
        ("٥٠٠", "500"),
        ("๕๐๐", "500"),
        ("crème", "creme"),
        ("spo₂", "spo2"),
        ("mm³", "mm3"),
        ("¹³c", "13c"),
        ("ﬁbrosis", "fibrosis"),
    ],
)
def test_written_and_typed_are_one(written, typed):
    assert spellings(written) == spellings(typed)
    assert len(spellings(written)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("10⁹", "109"), ("2½", "212"), ("दवा", "दिवा"), ("ड", "द"), ("й", "и"), ("で", "て")],
)
def test_what_differs_stays_apart(one, other):
    assert spellings(one) != spellings(other)


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("10⁹", ("10", "9")),
        ("10¹²", ("10", "12")),
        ("2½", ("2", "1", "2")),
        ("½", ("1", "2")),
        ("x²", ("x2",)),
        ("common¹", ("common", "1")),
        ("na⁺", ("na+",)),
        ("\u064b", ("\u064b",)),
    ],
)
def test_small_numbers_are_never_more_than_they_are(word, parts):
    assert spellings(word) == parts
