"""The parts of a corpus portrait: lengths, copies, languages, word pieces, typical terms."""

from itertools import combinations

import pytest

from search.corpus.report.duplicates import Copy, find_duplicates, near_pairs
from search.corpus.report.keywords import typical_terms
from search.corpus.report.lengths import lengths, unread
from search.corpus.report.tokenizer_fit import tokenizer_fit
from search.text.languages import languages, listed, main_language, ordinary_words
from search.text.near_duplicates import THRESHOLD, shingles
from search.text.words import word_runs

ENGLISH = (
    "The registrar opens the hearing at nine in the morning and reads the names of everybody present.",
    "Nobody may leave the room before the judge has answered the last question of the two parties.",
    "A letter with the decision is sent to both of them within three weeks after the hearing ended.",
    "Whoever disagrees with the decision may write to the higher court, which takes a few months.",
)
GERMAN = (
    "Der Vermieter muss die Wohnung in einem Zustand übergeben, der zum vertragsgemäßen Gebrauch taugt.",
    "Hat die Wohnung einen Mangel, so zahlt der Mieter weniger Miete, bis der Mangel beseitigt ist.",
    "Die Kündigung des Mietvertrags muss schriftlich erfolgen und dem Vermieter rechtzeitig zugehen.",
    "Nach dem Ende des Mietverhältnisses gibt der Mieter die Wohnung an den Vermieter zurück.",
)
HINDI = (
    "मधुमेह एक ऐसी बीमारी है जिसमें शरीर में शर्करा की मात्रा बहुत बढ़ जाती है और इलाज ज़रूरी होता है।",
    "मधुमेह के रोगी को रोज़ाना टहलना चाहिए और मीठा कम खाना चाहिए, ऐसा डॉक्टर कहते हैं।",
    "इंसुलिन शरीर में शर्करा को नियंत्रित करता है और मधुमेह के रोगी को इसकी ज़रूरत पड़ सकती है।",
)
HINGLISH = (
    "Saturday ki subah 6 baje ke liye alarm lagaye",
    "Mujhe saare events ki list do jo Phoneix area me hone wale hai this month",
    "mere ghar ka koi doosra raasta dhoonde",
)


def counted(found):
    return [(language.code, language.texts) for language in found]


def test_lengths():
    found = lengths([0, 3, 9, 10, 30, 5_000])
    assert (found.p5, found.median, found.p95) == (0, 9, 5_000)
    filled = [(b.low, b.high, b.count) for b in found.bins if b.count]
    assert filled == [(0, 0, 1), (1, 9, 2), (10, 24, 1), (25, 49, 1), (3_200, None, 1)]
    assert [b.low for b in found.bins[1:]] == [b.high + 1 for b in found.bins[:-1]]
    nothing = lengths([])
    assert (nothing.p5, nothing.median, nothing.p95) == (0, 0, 0)
    assert sum(b.count for b in nothing.bins) == 0


def test_unread_is_what_stands_behind_254_pieces_and_the_two_marks():
    found = unread(["the " * 254, "the " * 255, "osteoporosis"])
    assert (found.reads, found.texts) == (256, 1)
    assert found.share == pytest.approx(1 / (254 + 255 + 5))
    assert unread([]).share == 0.0


def test_phrases_end_at_punctuation_and_not_at_hyphens():
    assert word_runs("Blood-pressure, the Straße!\nNext - one; don't") == [
        ["blood", "pressure"], ["the", "straße"], ["next"], ["one"], ["don", "t"],
    ]  # fmt: skip
    assert word_runs("?!") == []


WORDS = [f"clause{n}" for n in range(60)]


def test_copies():
    text = " ".join(WORDS)
    changed = " ".join(["other", *WORDS[1:]])
    ids = ["a", "b", "c", "d", "e", "f"]
    found = find_duplicates(ids, [text, "unlike anything", text.upper() + "!", changed, "...", "?"])
    assert (found.exact, found.near) == (1, 1)
    assert found.exact_examples == (Copy("a", "c", 1.0),)
    [near] = found.near_examples
    similarity = len(shingles(text) & shingles(changed)) / len(shingles(text) | shingles(changed))
    assert (near.first, near.second) == ("a", "d")
    assert near.similarity == pytest.approx(similarity, abs=1e-4)
    assert find_duplicates([], []).exact == 0


def test_near_pairs_are_near_and_hold_every_near_group_together(rng):
    vocabulary = [f"w{n}" for n in range(80)]
    texts = [" ".join(rng.choices(vocabulary, k=50)) for _ in range(20)]
    for text in list(texts):
        for changes in (1, 1, 3, 8):
            copy = text.split()
            for _ in range(changes):
                copy[rng.randrange(50)] = rng.choice(vocabulary)
            texts.append(" ".join(copy))
    sets = [shingles(text) for text in texts]
    near = {
        (a, b)
        for a, b in combinations(range(len(texts)), 2)
        if len(sets[a] & sets[b]) / len(sets[a] | sets[b]) >= THRESHOLD
    }
    found = near_pairs(range(len(texts)), texts)
    assert {(a, b) for a, b, _ in found} <= near
    assert components(near, len(texts)) == components({(a, b) for a, b, _ in found}, len(texts))
    assert len(near) > 20


def components(joined, count):
    group = {n: {n} for n in range(count)}
    for a, b in joined:
        group[a] |= group[b]
        for n in group[a]:
            group[n] = group[a]
    return {frozenset(members) for members in group.values()}


def test_a_boilerplate_is_one_group_and_not_half_a_million_pairs():
    texts = [" ".join([*WORDS, f"number{n}"]) for n in range(400)]
    assert len(near_pairs(range(400), texts)) == 399
    found = find_duplicates([f"d{n}" for n in range(400)], texts)
    assert (found.exact, found.near, len(found.near_examples)) == (0, 399, 10)


def test_languages():
    found = languages([*GERMAN, *HINDI, *ENGLISH[:2], "4711 0815", ""])
    assert counted(found) == [("de", 4), ("hi", 3), ("en", 2), ("unknown", 2)]
    assert [language.name for language in found] == ["German", "Hindi", "English", "unknown"]
    assert sum(language.share for language in found) == pytest.approx(1)
    assert main_language(found) == "de"
    assert languages([]) == ()
    assert main_language(languages(["", "12"])) is None


def test_mixed_languages_are_not_called_haitian():
    assert counted(languages(HINGLISH)) == [("unknown", 3)]


def test_a_short_text_is_believed_only_where_its_language_is_at_home():
    short = "Is it raining in Hawaii ?"
    assert counted(languages([short])) == [("unknown", 1)]
    assert counted(languages([*ENGLISH, short])) == [("en", 5)]
    assert counted(languages([*GERMAN, short])) == [("de", 4), ("unknown", 1)]


def test_foreignness_counts_running_words():
    found = tokenizer_fit({"the": 3, "osteoporosis": 1, "2019": 50})
    assert found.pieces_per_word == (3 * 1 + 5) / 4
    assert found.shredded_share == 0.25
    [word] = found.shredded
    assert (word.word, word.count, "".join(word.pieces)) == ("osteoporosis", 1, "osteoporosis")
    assert len(word.pieces) == 5
    assert found.ratio == found.pieces_per_word / found.ordinary_pieces_per_word
    assert 1.03 < found.ordinary_pieces_per_word < 1.08
    assert 0.005 < found.ordinary_shredded_share < 0.02
    assert found.unreadable_share == 0


def test_words_the_model_cannot_read_at_all():
    found = tokenizer_fit({"the": 1, "ꯃꯤꯇꯩ": 3})
    assert found.unreadable_share == 0.75


def test_a_vocabulary_without_words():
    found = tokenizer_fit({"12": 4})
    assert (found.pieces_per_word, found.ratio, found.shredded) == (0, 0, ())


def test_ordinary_words():
    english = ordinary_words("en")
    assert list(english)[:3] == ["the", "to", "and"]
    assert 0.03 < english["the"] < 0.08
    assert english["didn"] > 1e-4
    assert "didn't" not in english
    assert (listed("de"), listed("no"), listed("yo"), listed(None)) == ("de", "nb", "en", "en")


def terms_of(*texts, language="en"):
    return typical_terms([word_runs(text) for text in texts], language)


def test_terms_are_what_is_frequent_here_and_not_elsewhere():
    found = terms_of(
        *(
            f"The patient number {n} has the acute zorbitis, and the acute zorbitis hurts."
            for n in range(5)
        ),
        "The once-only weather.",
    )
    assert found.against == "en"
    top = [(term.text, term.count, term.documents) for term in found.words[:2]]
    assert top == [("zorbitis", 10, 5), ("acute", 10, 5)]
    assert found.words[0].times is None
    assert found.words[1].times > 1_000
    assert {"the", "has", "and", "weather"}.isdisjoint(term.text for term in found.words)
    [phrase] = [term for term in found.phrases if term.text == "acute zorbitis"]
    assert (phrase.count, phrase.documents, phrase.times) == (10, 5, None)
    assert found.phrases[0] == phrase
    assert not any("the" in term.text.split() for term in found.phrases)
    assert [term.text for term in found.new_words] == ["zorbitis"]
    words = 5 * 12 + 4
    assert found.new_share == pytest.approx(10 / words)


def test_a_phrase_does_not_cross_a_full_stop():
    found = terms_of("Heavy zorbitis. Mild fever.", "Heavy zorbitis. Mild fever.")
    assert {term.text for term in found.phrases} == {"heavy zorbitis", "mild fever"}


def test_german_is_held_against_german():
    found = terms_of(*GERMAN, language="de")
    assert found.against == "de"
    words = [term.text for term in found.words]
    assert {"wohnung", "mieter", "vermieter"} <= set(words)
    assert {"der", "die", "und", "dem"}.isdisjoint(words)
    assert found.words[0].text in {"vermieter", "mieter", "wohnung"}


def test_hindi_words_are_whole():
    found = terms_of(*HINDI, language="hi")
    assert found.words[0].text == "मधुमेह"
    assert (found.words[0].count, found.words[0].documents) == (3, 3)
    assert "है" not in {term.text for term in found.words}


def test_a_language_without_spaces_has_no_terms():
    found = terms_of("我喜欢苹果。", "我喜欢苹果。", language="zh")
    assert (found.against, found.words, found.phrases, found.new_words) == (None, (), (), ())


def test_no_documents_no_terms():
    assert terms_of().words == ()
    assert terms_of().new_share == 0
