"""Whatever a model answers: the questions that are in it, and nothing else."""

import json

import pytest

from training.synthetic.chat.parsing import is_refusal, questions_of

FOUR = {
    "keyword": "late fee waiver",
    "question": "When can a bank charge a late fee?",
    "lay": "why did they take 30 dollars more",
    "situation": "I paid two days late and they want more money",
}
WHOLE = json.dumps(FOUR)
CUT = WHOLE[: WHOLE.index("I paid") + 3]


@pytest.mark.parametrize(
    "answer",
    [
        WHOLE,
        f"```json\n{WHOLE}\n```",
        f"Sure! Here are the queries:\n\n```\n{WHOLE}\n```\nLet me know if you need more.",
        f"<think>The user wants {{\"keyword\": \"nonsense\"}}, so\n1. first?</think>\n\n{WHOLE}",
        f"The passage is about fees, right?\n</think>{WHOLE}",
        json.dumps({"queries": FOUR}),
        json.dumps([{"kind": kind, "query": text} for kind, text in FOUR.items()]),
        json.dumps({"queries": [{"type": k.title(), "text": t} for k, t in FOUR.items()]}),
        "\n".join(f"{n}. **{kind.title()}**: {text}" for n, (kind, text) in enumerate(FOUR.items(), 1)),
        "\n".join(f'- {kind.title()} query: "{text}"' for kind, text in FOUR.items()),
        "\n".join(f"{kind}: {text}" for kind, text in FOUR.items()),
        WHOLE.replace("bank", "bank\n"),
    ],
)  # fmt: skip
def test_four_questions_of_four_kinds_in_any_wrapping(answer):
    assert {kind: " ".join(text.split()) for kind, text in questions_of(answer)} == FOUR


def test_of_an_answer_that_was_cut_the_whole_parts_are_used():
    assert dict(questions_of(CUT)) == {k: t for k, t in FOUR.items() if k != "situation"}
    assert questions_of("<think>Let me see. The passage speaks of fees? And") == []


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        ("Here you go:\n- what is a late fee\n- fees on cards", ["what is a late fee", "fees on cards"]),
        ("What is a late fee?", ["What is a late fee?"]),
        ("延滞料とは何ですか？", ["延滞料とは何ですか？"]),
        ('["what is a fee", "What is a fee", "what is a fee "]', ["what is a fee"]),
        ('{"question": "a fee?", "title": "Fees"}', ["a fee?"]),
        ('{"question": null, "lay": 7, "keyword": ["one fee", "two fees"]}', ["one fee", "two fees"]),
        ('{"question": "...", "lay": "string", "keyword": ""}', []),
        ('{"question": "I\'m sorry, but I cannot help."}', []),
        ("This passage explains when a fee may be charged.", []),
        ("", []),
        ("{}[]{[}]", []),
        ("\ud800 \x00", []),
        ("[" * 5_000, []),
        ("{" * 50_000 + '"lay": "x', []),
        (json.dumps({"question": "word " * 200}), []),
        ("<a href=x>?", []),
    ],
)  # fmt: skip
def test_odd_answers(answer, texts):
    assert [question.text for question in questions_of(answer)] == texts


def test_an_endless_list_is_cut_and_deep_json_breaks_nothing():
    assert len(questions_of(json.dumps([f"what is fee number {n}" for n in range(99)]))) == 12
    deep = '{"a":' * 9 + '{"question": "too deep?"}' + "}" * 9
    assert questions_of(deep) == []


def test_refusals_are_known_as_such():
    assert is_refusal("<think>hm</think>I'm sorry, but I can't do that.")
    assert is_refusal("Sorry, I won't write that.")
    assert not is_refusal("sorry works of a builder: who pays?")
