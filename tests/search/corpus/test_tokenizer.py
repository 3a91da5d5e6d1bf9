"""Word pieces: counted as the tokenizer counts them, remembered or not."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from search.corpus import tokenizer as room
from search.corpus.tokenizer import SubwordCounter, generic_folder, generic_subwords


def _tokenizer():
    tokenizer = Tokenizer.from_file(str(generic_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


REFERENCE = _tokenizer()


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=200))
def test_the_count_is_the_tokenizers(text):
    assert generic_subwords().of(text) == len(REFERENCE.encode(text, add_special_tokens=False).ids)


def test_known_words():
    pieces = generic_subwords()
    assert pieces.of("the blood pressure") == 3
    assert pieces.of("brachycephaly") > 3
    assert pieces.of("") == 0


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(room, "_REMEMBERED", 10)
    pieces = SubwordCounter(REFERENCE)
    assert [pieces.of(f"word{n}") for n in range(50)] == [
        len(REFERENCE.encode(f"word{n}", add_special_tokens=False).ids) for n in range(50)
    ]
    assert len(pieces) <= 10
    pieces.of("x" * 5_000)
    assert all(len(run) <= 40 for run in pieces)


def test_spans_are_places_in_the_text():
    text = "Blood-pressure drugs"
    spans = generic_subwords().spans(text)
    assert [text[start:stop] for start, stop in spans] == ["Blood", "-", "pressure", "drugs"]
