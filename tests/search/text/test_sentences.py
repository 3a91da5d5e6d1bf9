"""Where sentences end: not inside citations, prescriptions and names."""

import pytest

from search.text.sentences import sentence_bounds


def _cut(text):
    return [text[start:stop] for start, stop in sentence_bounds(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        [
            "He moved under Fed. R. Civ. P. 12(b)(6) and as in Ex. A. to the complaint.",
            "It was denied.",
        ],
        ["See Def.'s Br. at 5.", "The rest is moot."],
        ["Smith v. Jones, 410 U.S. 113 (1973).", "Id. at 5."],
        ["See Bell Atl. Corp. v. Twombly, 550 U.S. 544, 555 (2007).", "The court agreed."],
        ["Ashcroft v. Iqbal, 129 S. Ct. 1937 (2009).", "See 28 U.S.C. § 1331.", "He won."],
        [
            "Given Tab. Paracetamol 500 mg and Inj. Ceftriaxone 1 vial.",
            "Temp. 38.5 C noted by Dr. Rao.",
            "Slept.",
        ],
        ["Cap. Amoxicillin 500 mg p.o. for 5 days.", "Syr. Ambroxol 5 ml b.d. with food."],
        ["O/E abd. soft.", "Wt. 60 kg.", "Approx. 5 ml. vs. placebo."],
        ["Sec. 12 of the Act and No. 5 of the schedule.", "Vgl. Art. 3 Abs. 1 GG."],
        ["He was seen by Dr. A. Smith.", "She left."],
        ["रोगी को डॉ. राव ने देखा।", "फिर घर गया।"],
        ["रोगी को 500 मि. ग्रा. पैरासिटामोल और 5 मि.ली. सिरप दें।", "दूरी 5 कि.मी. है।"],
        ["मो. शरीफ बनाम राज्य, ए.आई.आर. 1985 सु. को. 945 में।", "धारा 125 द. प्र. सं. के अंतर्गत है।"],
        ["स्व. एम. के. वर्मा आए थे।", "वह गया है.", "फिर आया."],
        ["पं. राव के पास रु. 500 थे.", "दवा ली.", "फिर गया."],
        ["রোগীকে ৫ মি. গ্রা. ওষুধ দিন।", "তিনি এলেন।"],
        ["Is it so?", "No.", "He took a cap.", "Then he slept at 5 p.m.", "All was well."],
        ["It has hepatitis A.", "The liver is big.", "He lives in the U.S.", "The court held so."],
        ["he went home.", "it rained.", "all was in order.", "then he slept."],
        ["肺癌の治療。", "手術がある。"],
    ],
)
def test_sentences_are_whole(sentences):
    glue = "" if "。" in sentences[0] else " "
    assert _cut(glue.join(sentences)) == sentences


def test_lines_go_on_and_paragraphs_end():
    assert _cut("under Fed.\nR. Civ. P.\n12(b)(6).\n\nNo.\n\n5 men came.") == [
        "under Fed.\nR. Civ. P.\n12(b)(6).",
        "No.",
        "5 men came.",
    ]
    assert _cut("") == _cut(" \n ") == []
