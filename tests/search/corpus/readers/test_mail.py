"""E-mails."""

from email.message import EmailMessage

import pytest

from search.projects.errors import Refused


def letter(text="Dear all,\n\nthe rent is due.\n", **headers):
    message = EmailMessage()
    named = {"From": "Ann <ann@example.org>", "To": "bo@example.org", "Subject": "Rent", **headers}
    for name, value in named.items():
        message[name] = value
    message["Date"] = "Tue, 04 May 2021 10:11:12 +0200"
    if text:
        message.set_content(text)
    return message


def test_a_letter(documents):
    (found,), report = documents("a.eml", letter(Subject="Grüße – Miete").as_bytes())
    assert (found.title, found.text) == ("Grüße – Miete", "Dear all,\n\nthe rent is due.")
    assert found.metadata == {
        "from": "Ann <ann@example.org>",
        "to": "bo@example.org",
        "date": "2021-05-04T10:11:12+02:00",
        "file": "a.eml",
    }
    assert (report.format, report.accepted, report.notes) == ("e-mail", 1, [])


def test_plain_text_is_preferred_and_attachments_are_named(documents):
    message = letter("plain\n")
    message.add_alternative("<p>html</p>", subtype="html")
    message.add_attachment(
        b"%PDF-", maintype="application", subtype="pdf", filename="Vertrag ä.pdf"
    )
    message.add_attachment("a,b\n", filename="list.csv")
    (found,), report = documents("a.eml", message.as_bytes())
    assert found.text == "plain"
    assert report.notes == ["2 attachments were not read: Vertrag ä.pdf, list.csv"]


def test_html_is_cleaned(documents):
    message = letter("")
    message.set_content(
        "<h1>Due</h1><p>the <b>rent</b> &amp; heat<script>x</script>", subtype="html"
    )
    assert documents("a.eml", message.as_bytes())[0][0].text == "Due\n\nthe rent & heat"


def test_every_text_of_a_mixed_letter_is_read(documents):
    raw = (
        b"Subject: two\nContent-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: text/html\n\n"
        b"<p>first</p>\n--B\nContent-Type: text/plain\n\nsecond\n--B\nContent-Type: image/png\n\nx\n--B--\n"
    )
    (found,), report = documents("a.eml", raw)
    assert found.text == "first\n\nsecond"
    assert report.notes == ["1 attachment was not read: (image/png)"]


def test_forwarded_letters_are_read(documents):
    message = letter("See below.\n")
    message.add_attachment(letter("The original.\n"))
    first, head, last = documents("a.eml", message.as_bytes())[0][0].text.split("\n\n")
    assert (first, last) == ("See below.", "The original.")
    assert head == "Rent | Ann <ann@example.org> | 2021-05-04T10:11:12+02:00"


def test_a_text_with_a_name_is_the_text_unless_it_is_attached(documents):
    head = b"From: a@b.org\nSubject: fax\nContent-Type: text/plain; name=body.txt\n"
    assert documents("a.eml", head + b"\nOf a gateway.\n")[0][0].text == "Of a gateway."
    with pytest.raises(Refused, match="holds no text"):
        documents("b.eml", head + b"Content-Disposition: attachment\n\nNot this.\n")


def test_a_mailbox_is_a_document_a_message(documents):
    box = "".join(
        f"From a@b.org Mon Mar 04 10:0{n}:00 2024\nFrom: A <a@b.org>\nSubject: Letter {n}\n"
        f"Date: Mon, 4 Mar 2024 10:00:00 +0000\n\nBody {n}.\n>From the registry nothing.\n\n"
        for n in range(3)
    )
    found, report = documents("letters.mbox", box + "From x Mon Mar 04 10:03:00 2024\n\nno head\n")
    assert [(d.id, d.title, d.text) for d in found] == [
        (f"letters-{n + 1}", f"Letter {n}", f"Body {n}.\nFrom the registry nothing.")
        for n in range(3)
    ]
    assert found[0].metadata == {"from": "A <a@b.org>", "date": "2024-03-04T10:00:00+00:00"}
    assert (report.format, report.accepted, report.refused[0].where) == ("mailbox", 3, "message 4")
    with pytest.raises(Refused, match="is not a mailbox"):
        documents("no.mbox", "Hello\n")


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        ("windows-1252", "“ça”".encode("cp1252"), "“ça”"),
        ("nonsense", "ça".encode(), "ça"),
        ("us-ascii", "ça".encode(), "ça"),
        ("utf-8", "ça va bien".encode("cp1252"), "ça va bien"),
    ],
)
def test_encodings(documents, charset, raw, text):
    head = f"Subject: x\nContent-Type: text/plain; charset={charset}\n\n"
    assert documents("a.eml", head.encode() + raw)[0][0].text == text


def test_broken_headers(documents):
    raw = b"Subject: =?utf-8?q?ok=FF?= \xff\nFrom: <@\nDate: yesterday\nTo: a@b, (((\n\ntext\n"
    (found,), _ = documents("a.eml", raw)
    assert found.text == "text"
    assert found.title.startswith("ok")
    assert found.metadata["date"] == "yesterday"


def test_no_subject(documents):
    assert documents("memo.eml", b"From: a@b.c\n\ntext\n")[0][0].title == "memo"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"just text\n\nmore\n", "is not an e-mail: it has no sender, subject or date."),
        (b"Subject: empty\n\n", "holds no text."),
        (b"%PDF-1.7", "is a PDF file, not an e-mail"),
    ],
)
def test_what_is_no_letter(documents, content, message):
    with pytest.raises(Refused) as caught:
        documents("a.eml", content)
    assert str(caught.value).startswith(f"a.eml {message}")


def test_parts_inside_parts_without_end(documents):
    raw = b"Subject: deep\n"
    for number in range(3000):
        raw += b"Content-Type: multipart/mixed; boundary=B%d\n\n--B%d\n" % (number, number)
    with pytest.raises(Refused, match=r"^a\.eml (has parts inside one another|holds no text)"):
        documents("a.eml", raw)


SENT = "From: a@x.org\nSubject: Results\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n"


def test_a_line_that_begins_with_from_parts_no_messages(documents):
    between = "From a@x Mon Nov  2 10:00:00 2026\n"
    box = (
        f"{between}{SENT}\nfirst\n\nFrom the start there was no rash.\n\n{between}{SENT}\nsecond\n"
    )
    found, report = documents("a.mbox", box.replace("\n", "\r\n"))
    assert [message.text for message in found] == [
        "first\n\nFrom the start there was no rash.",
        "second",
    ]
    assert report.refused_count == 0


def test_of_alternatives_one_that_says_something_is_read(documents):
    (found,), _ = documents(
        "a.eml",
        f"{SENT}Content-Type: multipart/alternative; boundary=C\n\n--C\nContent-Type: text/plain\n\n \n"
        "--C\nContent-Type: text/html\n\n<p>give 5 mg</p>\n--C--\n",
    )
    assert found.text == "give 5 mg"


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nMIAG", "encrypted"),
        ("Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n\nMIAG", "packed into its"),
        (
            "Content-Type: multipart/encrypted; boundary=B\n\n--B\nContent-Type: application/pgp-encrypted\n\n"
            "Version: 1\n--B\nContent-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----\n--B--\n",
            "encrypted",
        ),
        ("\n-----BEGIN PGP MESSAGE-----\nabc\n", "encrypted"),
    ],
)  # fmt: skip
def test_what_is_sealed_is_refused_as_that(documents, rest, why):
    with pytest.raises(Refused, match=rf"^a\.eml is {why}"):
        documents("a.eml", SENT + rest)
