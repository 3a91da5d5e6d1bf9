"""The corpus report as a whole: what it counts, what it says, and its JSON."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.corpus.document import Document
from search.corpus.report.corpus_report import build_report, findings, percent

PLAIN = (
    "The library opens at nine and closes when the last reader has gone home in the evening.",
    "You can bring back your books on any day of the week, even when we are not there.",
    "If you lose a book, tell us about it and we will find out together what to do next.",
    "Children may take as many books as they can carry, and nobody asks them to be quiet.",
)


def documents(*texts, title=""):
    return [Document(f"d{n}", title, text) for n, text in enumerate(texts)]


def portrait_of(*texts):
    return build_report(documents(*texts), len(texts), len(texts))


def said(portrait, *parts):
    """The places among the findings of the sentences with these parts, each exactly one."""
    places = []
    for part in parts:
        [place] = [n for n, sentence in enumerate(portrait.findings) if part in sentence]
        places.append(place)
    return places


def test_an_ordinary_corpus():
    found = portrait_of(*PLAIN)
    assert (found.documents, found.passages, found.sampled) == (4, 4, 4)
    assert found.words == sum(len(text.split()) for text in PLAIN)
    assert not found.estimated
    assert found.lengths.median == 17
    assert (found.title_only, found.copies.exact, found.copies.near) == (0, 0, 0)
    assert found.unread.texts == 0
    assert [(item.code, item.share) for item in found.languages] == [("en", 1.0)]
    assert found.foreignness.ratio < 1.05
    assert found.terms.words[0].text == "books"
    assert found.abbreviations == ()
    said(found, "the generic model knows this vocabulary")
    assert not any("cut the documents" in sentence for sentence in found.findings)


def test_numbers_of_a_sample_are_scaled_and_say_so():
    texts = [*PLAIN, PLAIN[0]]
    found = build_report(documents(*texts), 1_000, 1_500)
    assert found.estimated
    assert found.words == round(sum(len(text.split()) for text in texts) / 5 * 1_000)
    assert (found.documents, found.passages, found.sampled) == (1_000, 1_500, 5)
    said(
        found,
        "Word-for-word repetitions of other documents: 1 of the 5 documents looked at (d4 of d0",
    )
    assert found.as_json()["estimated"] is True


def test_titles_without_texts():
    sample = [*documents(*PLAIN), Document("bare", "A title", ""), Document("dots", "", "...")]
    found = build_report(sample, 6, 6)
    assert (found.title_only, found.title_only_examples) == (2, ("bare", "dots"))
    assert [b.count for b in found.lengths.bins if b.high is not None and b.high < 10] == [1, 1]
    said(found, "Without a text: 2 of the 6 documents (bare, for example)")


def test_long_documents_unless_they_are_cut():
    long = " ".join(PLAIN * 8)
    found = build_report(documents(*PLAIN, long), 5, 5)
    assert found.unread.texts == 1
    assert 0.5 < found.unread.share < 0.6
    assert found.findings[0].startswith(
        "Longer than the 256 word pieces that the generic model reads: 1 of the 5 documents."
    )
    cut = build_report(documents(*PLAIN, long), 5, 9)
    assert not any("256" in sentence for sentence in cut.findings)


def test_jargon_outranks_repetitions():
    jargon = (
        "Hematopoietic phosphorylation of endothelial fibroblasts in atherosclerosis is described.",
        "Pluripotent macrophages undergo apoptosis when chromatin reprogramming is inhibited.",
    )
    found = portrait_of(*jargon, jargon[0])
    assert found.foreignness.ratio > 1.4
    assert found.foreignness.shredded[0].count == 2
    places = said(
        found, "the generic model hardly knows this vocabulary", "Word-for-word repetitions"
    )
    assert places == sorted(places)
    assert places[0] == 0
    assert found.findings[0].startswith(
        f"Words here are cut into {found.foreignness.pieces_per_word:.2f} pieces on average, those of "
        f"ordinary English into {found.foreignness.ordinary_pieces_per_word:.2f}: "
    )


def test_a_german_corpus():
    found = portrait_of(
        "Der Vermieter übergibt die Wohnung in einem Zustand, der zum Gebrauch taugt (BGB).",
        "Das Bürgerliche Gesetzbuch (BGB) sagt, wann der Mieter weniger Miete zahlen muss.",
        "Die Kündigung der Wohnung muss dem Vermieter schriftlich und rechtzeitig zugehen.",
    )
    assert [item.name for item in found.languages] == ["German"]
    assert found.terms.against == "de"
    assert {term.text for term in found.terms.words} == {"wohnung", "vermieter", "bgb"}
    assert [(a.short, a.expansions[0].text) for a in found.abbreviations] == [
        ("BGB", "Bürgerliche Gesetzbuch")
    ]
    assert found.foreignness.ratio > 1.4
    said(
        found,
        "Most documents are in German; the generic model (all-MiniLM-L6-v2) learned from English.",
    )


def test_a_hindi_corpus():
    found = portrait_of(
        "मधुमेह एक ऐसी बीमारी है जिसमें शरीर में शर्करा की मात्रा बहुत बढ़ जाती है और इलाज ज़रूरी होता है।",
        "मधुमेह के रोगी को रोज़ाना टहलना चाहिए और मीठा कम खाना चाहिए, ऐसा डॉक्टर कहते हैं।",
        "इंसुलिन शरीर में शर्करा को नियंत्रित करता है और मधुमेह के रोगी को इसकी ज़रूरत पड़ सकती है।",
    )
    assert [item.name for item in found.languages] == ["Hindi"]
    assert found.terms.words[0].text == "मधुमेह"
    assert found.foreignness.pieces_per_word > 2.5
    places = said(found, "hardly knows this vocabulary", "Most documents are in Hindi")
    assert places == sorted(places)


def test_two_languages_are_named_with_their_shares():
    german = (
        "Die Kündigung der Wohnung muss dem Vermieter schriftlich und rechtzeitig zugehen, Nummer"
    )
    found = portrait_of(*PLAIN, *(f"{german} {n}." for n in range(4)))
    said(found, "The documents are in 2 languages: German 50%, English 50%.")


def test_short_documents_and_words_nobody_lists():
    found = portrait_of("zorbitis alarm", "zorbitis timer", "set zorbitis", "zorbitis off")
    said(found, "Half of the documents have at most 2 words", "ordinary English words: zorbitis.")


def test_no_documents():
    found = build_report([], 0, 0)
    assert (found.words, found.sampled, found.languages) == (0, 0, ())
    assert found.findings == ("There are no documents.",)
    assert json.loads(json.dumps(found.as_json())) == found.as_json()


def test_documents_without_words():
    found = portrait_of("...", "?!", "...")
    assert (found.words, found.title_only) == (0, 3)
    assert (found.copies.exact, found.copies.near) == (0, 0)
    assert found.findings[0].startswith("Without a text: 3 of the 3 documents")


def test_json_is_plain_and_whole():
    found = portrait_of(
        *PLAIN, "The World Health Organization (WHO) met.", "WHO (who is he only) met"
    )
    shape = found.as_json()
    assert json.loads(json.dumps(shape)) == shape
    assert shape["findings"] == list(found.findings)
    assert shape["lengths"]["bins"][1] == {"low": 1, "high": 9, "count": 2}
    assert shape["languages"][0]["code"] == "en"
    assert shape["abbreviations"] == [
        {
            "short": "WHO",
            "count": 1,
            "documents": 1,
            "expansions": [{"text": "World Health Organization", "count": 1}],
            "ambiguous": False,
        }
    ]
    assert set(shape["foreignness"]) >= {"ratio", "pieces_per_word", "shredded"}


def test_the_same_each_time():
    assert portrait_of(*PLAIN) == portrait_of(*PLAIN)


def test_progress_goes_forward_to_the_end():
    seen = []
    build_report(
        documents(*PLAIN),
        4,
        4,
        lambda done, total, message, metrics=None: seen.append(done / total),
    )
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 1)
    assert len(seen) >= 7


def test_unreadable_characters_come_first():
    found = portrait_of(*PLAIN)
    foreign = replace(found.foreignness, unreadable_share=0.3, ratio=2.0)
    sentences = findings(replace(found, foreignness=foreign))
    assert sentences[0].startswith("30% of the words are written in characters")
    assert "hardly knows this vocabulary" in sentences[1]


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0%"), (1, "100%"), (0.004, "0.4%"), (0.999, "99.9%"), (0.126, "13%")]
)
def test_percent(share, words):
    assert percent(share) == words


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(st.text(max_size=10), st.text(max_size=60)), max_size=6))
def test_any_text_can_be_portrayed(texts):
    sample = [Document(str(n), title, text) for n, (title, text) in enumerate(texts)]
    found = build_report(sample, len(sample), len(sample))
    assert sum(b.count for b in found.lengths.bins) == len(sample)
    assert sum(language.texts for language in found.languages) == len(sample)
    assert found.copies.exact + found.copies.near < max(1, len(sample))
    assert json.loads(json.dumps(found.as_json())) == found.as_json()


def test_real_documents_of_consumer_finance(shared_data):
    rows = (shared_data / "ask_cfpb" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    sample = [Document(row["_id"], "", row["text"]) for row in map(json.loads, rows)]
    found = build_report(sample, len(sample), len(sample))
    assert found.terms.words[0].text == "loan"
    assert {"debt collector", "card issuer"} <= {term.text for term in found.terms.phrases}
    known = {a.short: a.expansions[0].text.casefold() for a in found.abbreviations}
    assert known["APR"] == "annual percentage rate"
    assert known["GFE"] == "good faith estimate"
    assert 1.0 < found.foreignness.ratio < 1.05
    assert found.languages[0].share > 0.99
    assert ("ask349", "ask1187") in {(c.first, c.second) for c in found.copies.near_examples}
    assert "cut the documents into passages" in found.findings[0]
