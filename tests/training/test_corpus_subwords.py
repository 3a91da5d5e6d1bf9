"""Word pieces of a corpus: what is a scrap, and what is not."""

from search.models.word_tokenizers import SubwordTokenizer
from training.corpus_subwords import train_subword_tokenizer, without_scraps


def test_scraps_of_words_are_left_out():
    sentences = [
        ["▁bp", "▁kill", "sw", "itch"],
        ["▁bp", "▁sw", "itch", "ing"],
        ["▁a", "b", "▁high"],
    ]
    assert without_scraps(sentences) == [
        ["▁bp", "▁kill", "itch"],
        ["▁bp", "itch", "ing"],
        ["▁high"],
    ]


def test_what_is_mostly_a_word_of_its_own_stays():
    assert without_scraps([["▁is"], ["▁is", "▁it"], ["▁is", "land"]]) == [
        ["▁is"],
        ["▁is", "▁it"],
        ["▁is", "land"],
    ]


def test_signs_that_are_words_are_no_scraps():
    assert without_scraps([["▁東", "京", "都"], ["▁한", "국어", "ab"]]) == [
        ["▁東", "京", "都"],
        ["▁한", "국어"],
    ]


def test_chinese_is_parted_where_words_would_be_whole_lines():
    who, what = ["高血压", "糖尿病", "心脏病", "老年"], ["患者应当注意饮食", "是什么", "怎么治疗"]
    lines = [one + two for one in who for two in what]
    pieces = SubwordTokenizer(train_subword_tokenizer(lines, 60))
    read = without_scraps([pieces.of(line) for line in lines])
    assert all(len(line) > 1 for line in read)
    assert set(read[0]) & set(read[3])
