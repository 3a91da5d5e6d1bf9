"""Well-known XML: what a document is, its title, text, id and metadata, and what is left out."""

import base64

import pytest

from search.corpus.document import Document, Heading
from search.projects.errors import Refused

PUBMED = """<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>5</PMID><Article><Journal><JournalIssue><PubDate>
<MedlineDate>1999 Jan-Feb</MedlineDate></PubDate></JournalIssue><Title>A Journal</Title></Journal>
<ArticleTitle>On <i>gout</i>.</ArticleTitle><Abstract><AbstractText Label="AIM">To see.</AbstractText>
<AbstractText Label="END">Seen.</AbstractText><CopyrightInformation>c</CopyrightInformation></Abstract>
<AuthorList><Author><CollectiveName>The Group</CollectiveName></Author></AuthorList></Article>
<KeywordList><Keyword>urate</Keyword></KeywordList><OtherAbstract><AbstractText>Voir.</AbstractText></OtherAbstract>
</MedlineCitation><PubmedData><ReferenceList><Reference><Citation>Old.</Citation></Reference></ReferenceList>
</PubmedData></PubmedArticle><PubmedBookArticle><BookDocument><PMID>6</PMID><Book><BookTitle>The Book</BookTitle>
</Book><ArticleTitle>A chapter</ArticleTitle><Abstract><AbstractText>Of it.</AbstractText></Abstract></BookDocument>
</PubmedBookArticle></PubmedArticleSet>"""
JATS = """<article article-type="letter"><front><journal-meta><journal-title>J</journal-title></journal-meta>
<article-meta><article-id pub-id-type="doi">10.1/{0}</article-id><title-group><article-title>Oil {0}</article-title>
<subtitle>a letter</subtitle></title-group><contrib-group><contrib contrib-type="author"><name><surname>Doe</surname>
<given-names>J</given-names></name></contrib></contrib-group><pub-date><year>2001</year></pub-date><permissions>
<p>no</p></permissions><abstract><p>In short.</p></abstract><kwd-group><kwd>wheels</kwd></kwd-group></article-meta>
</front><body><p>A drop of oil<xref ref-type="bibr">1</xref>.</p></body><back><ack><title>Thanks</title><p>To all.</p>
</ack><ref-list><ref><mixed-citation>Old work</mixed-citation></ref></ref-list></back></article>"""


def test_pubmed(documents):
    found, report = documents("export.xml", PUBMED)
    assert found == [
        Document(
            "5",
            "On gout.",
            "AIM: To see.\n\nEND: Seen.\n\nVoir.\n\nKeywords: urate".replace("\\\n", "\n"),
            {"authors": "The Group", "journal": "A Journal", "year": "1999", "keywords": "urate"},
        ),
        Document("6", "A chapter", "Of it."),
    ]
    assert report.format == "PubMed XML"
    assert report.roles == {"id": "id", "title": "title", "text": "text"}
    assert report.notes == ["the lists of references were left out"]


def test_an_article_is_known_by_its_file_and_a_set_of_them_by_their_dois(documents):
    (found,), report = documents("letter.xml", JATS.format(1))
    assert (found.id, found.title) == ("letter.xml", "Oil 1: a letter")
    assert found.text == (
        "Abstract\n\nIn short.\n\nKeywords: wheels\n\nA drop of oil 1.\n\nThanks\n\nTo all."
    )
    assert found.marks[0] == Heading(0, "Abstract")
    assert found.metadata == {
        "authors": "Doe, J", "journal": "J", "year": "2001", "doi": "10.1/1", "type": "letter",
        "keywords": "wheels", "file": "letter.xml",
    }  # fmt: skip
    assert (report.format, report.notes) == ("JATS", ["the lists of references were left out"])
    both, _ = documents("set.xml", f"<articles>{JATS.format(1)}{JATS.format(2)}</articles>")
    assert [(d.id, d.title) for d in both] == [
        ("10.1/1", "Oil 1: a letter"),
        ("10.1/2", "Oil 2: a letter"),
    ]


def test_bioc_and_endnote(documents):
    passage = "<passage><infon key='type'>{}</infon><infon key='section_type'>{}</infon><text>{}</text></passage>"
    parts = [("front", "TITLE", "Gout"), ("paragraph", "INTRO", "It hurts."), ("ref", "REF", "Old")]
    inner = "".join(passage.format(*part) for part in parts)
    found, _ = documents(
        "a.xml", f"<collection><document><id>PMC1</id>{inner}</document></collection>"
    )
    assert found == [Document("PMC1", "Gout", "It hurts.")]
    record = (
        "<record><rec-number>4</rec-number><ref-type name='Book'>6</ref-type><titles><title><style>A</style>"
        "<style>B</style></title></titles><electronic-resource-num><style>10.1/x</style></electronic-resource-num>"
        "<abstract>Of it.</abstract><keywords><keyword>urate</keyword></keywords></record>"
    )
    found, _ = documents("library.xml", f"<xml><records>{record}</records></xml>")
    assert found == [
        Document("10.1/x", "AB", "Of it.\n\nKeywords: urate", {"doi": "10.1/x", "type": "Book", "keywords": "urate"})
    ]  # fmt: skip


def test_a_clinical_document_without_a_narrative_is_read_by_its_codes(documents):
    section = (
        "<component><section><title>Problems</title><entry><observation><value displayName='Gout'/></observation>"
        "</entry><component><section><title>Past</title><text>Sprain<br/>healed</text></section></component>"
        "</section></component>"
    )
    content = (
        "<ClinicalDocument xmlns='urn:hl7-org:v3'><title>Visit</title><effectiveTime value='20240312'/>"
        f"<component><structuredBody>{section}</structuredBody></component></ClinicalDocument>"
    )
    (found,), report = documents("visit.xml", content)
    assert (found.id, found.title) == ("visit.xml", "Visit")
    assert found.text == "Problems\n\nGout\n\nPast\n\nSprain healed"
    assert [mark.heading for mark in found.marks] == ["Problems", "Problems > Past"]
    assert found.metadata == {"date": "2024-03-12", "file": "visit.xml"}
    assert report.notes == ["coded entries were left out: the texts of their sections were read"]


def test_notes_with_tags(documents):
    note = "<TEXT><![CDATA[\nPLAN\n\nRest for\ntwo weeks.\n]]></TEXT><TAGS><ABDOMINAL met='met'/><PHI text='x'/></TAGS>"
    (found,), _ = documents("110.xml", f"<root>{note}</root>")
    assert found == Document(
        "110.xml", "110", "PLAN\n\nRest for\ntwo weeks.", {"ABDOMINAL": "met", "file": "110.xml"}
    )
    found, _ = documents(
        "all.xml", f"<root><RECORD ID='7'>{note}</RECORD><RECORD ID='8'>{note}</RECORD></root>"
    )
    assert [d.id for d in found] == ["7", "8"]


def test_a_trial(documents):
    content = (
        "<clinical_study><id_info><nct_id>NCT1</nct_id></id_info><brief_title>Walking</brief_title><official_title>"
        "Of walking in gout</official_title><brief_summary><textblock>\n  They walk.\n\n  A lot.</textblock>"
        "</brief_summary><condition>Gout</condition><arm_group><arm_group_label>A</arm_group_label><description>"
        "Walks</description></arm_group><eligibility><criteria><textblock>Adults</textblock></criteria><gender>All"
        "</gender></eligibility><location><facility><name>Not read</name></facility></location></clinical_study>"
    )
    (found,), report = documents("NCT1.xml", content)
    assert (found.id, found.title) == ("NCT1", "Walking")
    assert found.text == (
        "Of walking in gout\n\nSummary\n\nThey walk.\n\nA lot.\n\nConditions\n\nGout\n\nArms\n\nA. Walks\n\n"
        "Eligibility\n\nAdults"
    )
    assert found.metadata == {"gender": "All", "conditions": "Gout"}
    assert report.notes == ["sites, contacts, results and documents of trials were left out"]


def test_questions_and_their_answers(documents):
    content = (
        "<Document id='7' source='S' url='http://x'><Focus>Gout</Focus><QAPairs><QAPair pid='1'><Question qid='7-1' "
        "qtype='cause'>What causes gout ?</Question><Answer>Urate does.</Answer></QAPair><QAPair pid='2'><Question "
        "qid='7-2' qtype='care'>And now ?</Question><Answer/></QAPair></QAPairs></Document>"
    )
    found, report = documents("7.xml", content)
    metadata = {"focus": "Gout", "question_type": "cause", "source": "S", "url": "http://x"}
    assert [(d.id, d.title, d.text) for d in found] == [
        ("7-1", "What causes gout ?", "Urate does.")
    ]
    assert {name: found[0].metadata[name] for name in metadata} == metadata
    assert [row.reason for row in report.refused] == ["text is missing: the question has no answer"]


HOUSE = (
    "<bill><legis-body><section id='S1'><enum>1.</enum><header>Short title</header><text>This is the <quote>Bee Act"
    "</quote>.</text></section><section id='S2'><enum>2.</enum><header>Hives</header><subsection><enum>(a)</enum>"
    "<text>Count them<quoted-block><section id='S9'><enum>9.</enum><text>Quoted.</text></section></quoted-block>"
    "</text></subsection></section></legis-body></bill>"
)
UK = (
    "<Legislation><Metadata><title>Bees Act 2020</title></Metadata><Primary><Body><Part><Number>Part 1</Number>"
    "<Title>Hives</Title><P1group><Title>Keeping</Title><P1 id='section-1'><Pnumber>1</Pnumber><P1para><Text>Keep "
    "them.</Text></P1para></P1></P1group></Part></Body></Primary></Legislation>"
)
ECFR = (
    "<ECFR><DIV5 N='1'><HEAD>PART 1—BEES</HEAD><DIV8 N='1.1'><HEAD>§ 1.1 Hives.</HEAD><P>(a) Count.</P></DIV8>"
    "<DIV8 N='1.1'><HEAD>§ 1.1 Hives.</HEAD><P>(b) Again.</P></DIV8></DIV5></ECFR>"
)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (HOUSE, [("S1", "1. Short title", "This is the Bee Act."), ("S2", "2. Hives", "(a) Count them\n\n9. Quoted."), ("a.xml", "a", "")]),
        (UK, [("a-1", "1 Keeping", "1 Keep them."), ("a.xml", "Bees Act 2020", "Part 1 Hives")]),
        (ECFR, [("1.1", "§ 1.1 Hives.", "(a) Count."), ("1.1-2", "§ 1.1 Hives.", "(b) Again."), ("a.xml", "PART 1—BEES", "PART 1—BEES")]),
    ],
)  # fmt: skip
def test_sections_of_statutes(documents, content, expected):
    found, _ = documents("a.xml", content)
    assert [(d.id, d.title, d.text) for d in found] == expected


def test_codes(documents):
    claml = (
        "<ClaML><Class code='A00' kind='category'><SuperClass code='A00-A09'/><Rubric kind='preferred'><Label>Cholera"
        "</Label></Rubric><Rubric kind='exclusion'><Label>shigellosis</Label></Rubric></Class></ClaML>"
    )
    assert documents("a.xml", claml)[0] == [
        Document(
            "A00",
            "A00 Cholera",
            "Exclusion: shigellosis",
            {"kind": "category", "parent": "A00-A09"},
        )
    ]
    index = (
        "<ICD10CM.index><letter><mainTerm><title>Pain</title><code>R52</code><term level='1'><title>ankle</title>"
        "<code>M25.5</code><term level='2'><title>left</title><see>Sprain</see></term></term></mainTerm></letter>"
        "</ICD10CM.index>"
    )
    assert documents("b.xml", index)[0] == [
        Document("b-1", "Pain", "Pain: R52\n\nPain, ankle: M25.5\n\nPain, ankle, left: see Sprain", {"code": "R52"})
    ]  # fmt: skip
    tabular = (
        "<ICD10CM.tabular><chapter><name>1</name><desc>Infections</desc><diag><name>A01</name><desc>Typhoid</desc>"
        "<excludes1><note>B (B00)</note></excludes1><sevenChrDef><extension char='A'>initial</extension></sevenChrDef>"
        "</diag></chapter></ICD10CM.tabular>"
    )
    _, code = documents("c.xml", tabular)[0]
    assert (code.id, code.title) == ("A01", "A01 Typhoid")
    assert code.text == "Excludes 1: B (B00)\n\nSeventh characters: A initial"
    assert code.metadata["within"] == "Chapter 1 Infections"


def cda_with(body: str) -> str:
    return f"<ClinicalDocument xmlns='urn:hl7-org:v3'><title>Visit</title><component>{body}</component></ClinicalDocument>"


def test_a_clinical_document_around_a_file(documents):
    inside = "<nonXMLBody><text mediaType='{}' representation='B64'>{}</text></nonXMLBody>"
    data = base64.b64encode(b"Infarction.").decode()
    (found,), _ = documents("a.xml", cda_with(inside.format("text/plain", data)))
    assert found.text == "Infarction."
    (found,), _ = documents("b.xml", cda_with("<nonXMLBody><text>In words.</text></nonXMLBody>"))
    assert found.text == "In words."
    with pytest.raises(
        Refused, match="text is missing: the document inside is RTF, which is not read here"
    ):
        documents("c.xml", cda_with(inside.format("application/rtf", data)))


def test_a_drug_label(documents):
    section = (
        "<section><title>Dosage</title><text><paragraph>Take 5 mg.</paragraph></text></section>"
    )
    content = (
        "<document xmlns='urn:hl7-org:v3'><title>EXAMPLINE<br/>tablets</title><component><structuredBody><component>"
        f"{section}</component></structuredBody></component></document>"
    )
    (found,), report = documents("label.xml", content)
    assert (found.title, found.text, report.format) == (
        "EXAMPLINE tablets",
        "Dosage\n\nTake 5 mg.",
        "SPL",
    )
