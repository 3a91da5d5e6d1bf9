"""Text in any encoding: by its mark, by its NULs, strictly UTF-8, guessed, or chosen by a person."""

import codecs

import pytest

from search.corpus.readers.encodings import COMMON_ENCODINGS, guessed_encoding
from search.corpus.readers.report import BadField, clean_text
from search.corpus.readers.tables import open_report, text_lines
from search.projects.errors import Refused

LETTERS = {
    "french": "Le contrat prévoit que l’emprunteur a été informé à la date d’échéance; où va-t-il ? Ça "
    "dépend du café près de l’hôtel, même s’il a déjà réglé les intérêts.",
    "german": "Für die Überweisung müssen Bürgerinnen und Bürger eine Gebühr von fünf Euro zahlen; "
    "größere Beträge können später geprüft werden. Straße, Höhe, Öl, Äpfel, Mühle.",
    "polish": "Umowa przewiduje, że pożyczkobiorca został poinformowany; powinien zapłacić odsetki, "
    "nawet jeśli już wcześniej zapłacił. Zażółć gęślą jaźń. Łódź śpi, książka też.",
    "russian": "Договор предусматривает, что заёмщик был проинформирован об условиях; он должен "
    "уплатить проценты, даже если он уже заплатил ранее.",
    "greek": "Η σύμβαση προβλέπει ότι ο δανειολήπτης ενημερώθηκε για τους όρους και πρέπει να "
    "πληρώσει τους τόκους, ακόμη και αν έχει ήδη πληρώσει νωρίτερα.",
    "chinese": "合同规定，借款人已被告知有关条件；即使他以前已经付款，也必须支付利息。银行将在三天内审查申请。",
    "taiwanese": "合約規定，借款人已被告知有關條件；即使他以前已經付款，也必須支付利息。銀行將在三天內審查申請。",
    "japanese": "契約では、借主は条件について知らされており、すでに支払った場合でも利息を支払わなければなりません。",
    "korean": "계약에 따르면 차용인은 조건에 대해 통보를 받았으며 이미 지불한 경우에도 이자를 지불해야 합니다.",
}


def table(*texts: str) -> str:
    return "id\ttext\n" + "".join(f"{number}\t{text}\n" for number, text in enumerate(texts))


def texts(found) -> list[object]:
    return [fields["text"] for _, fields in found]


def test_utf_8_says_so_and_notes_nothing(rows):
    found, report = rows("a.tsv", table(*LETTERS.values()))
    assert texts(found) == list(LETTERS.values())
    assert (report.encoding, report.notes) == ("utf-8", [])


@pytest.mark.parametrize(
    ("mark", "codec", "said"),
    [
        (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
        (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32-be", "utf-32"),
    ],
)
def test_a_byte_order_mark_decides(rows, mark, codec, said):
    found, report = rows("a.tsv", mark + table(*LETTERS.values()).encode(codec))
    assert (report.columns, texts(found)) == (("id", "text"), list(LETTERS.values()))
    assert (report.encoding, report.notes) == (said, [])
    again, _ = rows("a.tsv", mark + table("x").encode(codec), encoding=said)
    assert texts(again) == ["x"]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", LETTERS)
def test_utf_16_without_a_mark(rows, codec, language):
    found, report = rows("a.tsv", table(LETTERS[language]).encode(codec))
    assert (texts(found), report.encoding) == ([LETTERS[language]], codec)
    assert report.notes == [
        f"NULs at every second byte: read as {codec}; choose another encoding if letters look wrong"
    ]


def test_short_utf_16_without_a_mark(rows):
    assert texts(rows("a.csv", "id,text\n1,one\n".encode("utf-16-le"))[0]) == ["one"]


@pytest.mark.parametrize("end", [b"x\n", b"\xd8\x3d"])
def test_utf_16_that_is_cut_off(rows, end):
    content = codecs.BOM_UTF16_BE + "id,text\n1,one\n2,tw".encode("utf-16-be") + end[:1]
    with pytest.raises(
        Refused, match=r"^a\.csv, line \d: cannot be read as utf-16 \(truncated data"
    ):
        rows("a.csv", content)


def test_ascii_with_stray_nuls_is_not_read_as_chinese(rows):
    content = bytearray(table(*["an ordinary line of plain English text"] * 8).encode())
    for place in range(41, len(content), 40):
        content[place] = 0
    for even in (content, content + b"\n"):
        with pytest.raises(Refused, match=r"^a\.tsv, line \d+: holds NUL bytes"):
            rows("a.tsv", bytes(even))


@pytest.mark.parametrize(
    ("language", "codec", "said"),
    [
        ("french", "cp1252", "cp1252"),
        ("german", "latin-1", "cp1252"),
        ("polish", "cp1250", "cp1250"),
        ("russian", "cp1251", "cp1251"),
        ("russian", "koi8-r", "koi8-r"),
        ("greek", "cp1253", "cp1253"),
        ("chinese", "gb18030", "gb18030"),
        ("chinese", "gbk", "gb18030"),
        ("taiwanese", "big5", "big5"),
        ("japanese", "shift_jis", "cp932"),
        ("japanese", "euc_jp", "euc-jp"),
        ("korean", "euc-kr", "cp949"),
    ],
)
def test_other_encodings_are_guessed_and_the_guess_is_noted(rows, language, codec, said):
    content = table(*[LETTERS[language]] * 3).encode(codec)
    found, report = rows("a.tsv", content)
    assert (report.encoding, texts(found)) == (said, [LETTERS[language]] * 3)
    assert report.notes == [
        f"not UTF-8: read as {said}; choose another encoding if letters look wrong"
    ]
    assert said in COMMON_ENCODINGS


def test_a_few_letters_far_into_the_file_are_enough(rows):
    plain = "an ordinary line of plain English text " * 20
    lines = [plain] * 200 + [LETTERS["russian"]]
    assert texts(rows("a.tsv", table(*lines).encode("cp1251"))[0])[-1] == LETTERS["russian"]


def test_a_single_letter_is_western(rows):
    found, report = rows("a.csv", "id,text\n1,one\n2,caf\xe9 “x” – €\n".encode("cp1252"))
    assert (texts(found), report.encoding) == (["one", "caf\xe9 “x” – €"], "cp1252")


def test_the_shared_latin_1_export(shared_data):
    path = shared_data / "uploads" / "dirty" / "cfpb_semicolon_latin1.csv"
    report = open_report(path)
    assert "“prescreened offers of credit.”" in list(text_lines(path, report))[1]
    assert report.encoding == "cp1252"


def test_almost_utf_8_loses_only_the_rows_that_are_not(rows):
    good = table(*["caf\xe9"] * 150).encode()
    found, report = rows("a.tsv", good + b"150\tcaf\xe9\n")
    assert report.encoding == "utf-8"
    assert report.notes == ["UTF-8 but for 1 of 152 lines, which hold bytes that are not"]
    assert texts(found)[:150] == ["caf\xe9"] * 150
    with pytest.raises(BadField) as caught:
        clean_text(found[150][1]["text"], "text")
    assert str(caught.value) == (
        "text holds the byte 0xe9, which is not UTF-8 (or not of the encoding chosen)"
    )


def test_one_line_of_utf_8_by_chance_does_not_make_the_others_damaged(rows):
    lines = ["caf\xe9"] * 5 + ["A\xc3\xa9"] + ["plain"] * 1000
    assert rows("a.tsv", table(*lines).encode("cp1252"))[1].encoding == "cp1252"


def test_a_chosen_encoding_is_used_as_it_is(rows):
    found, report = rows("a.tsv", table("Ärger").encode("cp1250"), encoding="cp1251")
    assert (texts(found), report.encoding, report.notes) == (["Дrger"], "cp1251", [])
    found, report = rows("a.tsv", table("caf\xe9").encode("utf-8"), encoding="Latin-1")
    assert (texts(found), report.encoding) == (["cafÃ©"], "Latin-1")


def test_a_chosen_encoding_that_does_not_fit_refuses_rows(rows):
    found, _ = rows("a.tsv", table("fine", "caf\xe9").encode("latin-1"), encoding="utf-8")
    assert texts(found) == ["fine", "caf\udce9"]
    found, _ = rows("a.tsv", b"id\ttext\n1\tx\x81y\n", encoding="cp1252")
    with pytest.raises(BadField, match="text holds the byte 0x81, which is not"):
        clean_text(found[0][1]["text"], "text")


@pytest.mark.parametrize(
    "name", ["latin-99", "rot13", "base64", "idna", "utf-7", "a\x00b", "\ud800"]
)
def test_an_unknown_encoding_names_common_ones(rows, name):
    with pytest.raises(Refused) as caught:
        rows("a.tsv", table("x"), encoding=name)
    assert str(caught.value).startswith(
        f"a.tsv cannot be read as {name!r}: no such encoding. Common"
    )
    assert all(known in str(caught.value) for known in ("utf-8", "cp1252", "cp932", "utf-16"))


def test_common_encodings_can_all_be_chosen(rows):
    for name in COMMON_ENCODINGS:
        assert texts(rows("a.tsv", table("plain").encode(name), encoding=name)[0]) == ["plain"]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Dose 125 µg, ±0.5, 38°C, 10 m², 5 × 3", "cp1252"),
        ("naïve “café” – 5 £", "cp1252"),
        ("Björk sagði það í gær", "cp1252"),
        ("The café – “quoted” 125 µg at 38°C", "mac-roman"),
        ("Température 38°C, 125 µg, été, l'hôpital, 5 ±2", "cp850"),
        ("Pacjent przyjął lek, ból ustąpił, łyżka", "cp1250"),
        ("Hasta göğüs ağrısı, ağrı geçti", "cp1254"),
        ("Temperature 38°C. Жалобы на боль", "cp1251"),
    ],
)
def test_a_few_letters_are_of_the_encoding_in_which_they_may_stand_there(text, encoding):
    assert guessed_encoding(text.encode(encoding)) == encoding
