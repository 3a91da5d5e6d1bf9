"""Lists of records: their columns are decided over all of them, and named by paths where names are not enough."""

from search.corpus.document import Document


def test_the_shape_of_one_record_changes_no_column_of_another(documents):
    first = "<rec><id>1</id><abs><p1>Frost bites.</p1><right>mine</right></abs></rec>"
    second = "<rec><id>2</id><abs><p1>Rain falls.</p1></abs></rec>"
    found, report = documents("a.xml", f"<rs>{first}{second}</rs>", text="p1")
    assert [(d.id, d.text, d.metadata) for d in found] == [
        ("1", "Frost bites.", {"right": "mine"}),
        ("2", "Rain falls.", {}),
    ]
    assert report.columns == ("id", "p1", "right")


def test_two_columns_of_one_name_are_named_by_their_paths(documents):
    rows = "".join(
        f"<paper><id>{n}</id><journal><title>J</title><issue>{n}</issue></journal>"
        f"<about><title>Paper {n}</title><year>2</year></about><text>Long text {n}</text></paper>"
        for n in (1, 2)
    )
    found, report = documents("a.xml", f"<list>{rows}</list>", title="about.title")
    assert {"journal.title", "about.title", "issue", "year"} <= set(report.columns)
    assert (found[0].title, found[0].metadata["journal.title"]) == ("Paper 1", "J")


def test_a_list_of_structures_is_one_column(documents):
    people = "<who><p1><last>Doe</last><first>J</first></p1><p1><last>Roe</last><first>R</first></p1></who>"
    rows = "".join(f"<doc><id>{n}</id>{people}<text>words {n}</text></doc>" for n in (1, 2))
    assert documents("a.xml", f"<l>{rows}</l>")[0][1] == Document(
        "2", "", "words 2", {"who": "Doe J; Roe R"}
    )


def test_a_value_in_an_attribute(documents):
    rows = "".join(
        f"<entry><id>{n}</id><category term='frost'/><summary>It is {n}</summary></entry>"
        for n in (1, 2)
    )
    found, _ = documents("feed.xml", f"<feed>{rows}</feed>")
    assert found[0].metadata == {"category": "frost"}


def test_a_list_of_references_makes_no_records(documents):
    refs = "".join(f"<ref><name>A{n}</name><source>{'Long ' * 9}</source></ref>" for n in range(30))
    found, _ = documents("a.xml", f"<paper><body><p>Short.</p></body><back>{refs}</back></paper>")
    assert [d.id for d in found] == ["a.xml"]
    assert found[0].text.startswith("Short.")


def test_what_only_wraps_fields_is_looked_through(documents):
    record = (
        "<record><header><identifier>oai:{0}</identifier></header><metadata><dc xmlns='d'><title>On gout {0}</title>"
        "<creator>Doe</creator><creator>Roe</creator><description>It hurts.</description></dc></metadata></record>"
    )
    found, report = documents("oai.xml", f"<list>{record.format(1)}{record.format(2)}</list>")
    assert report.columns == ("header", "title", "creator", "description")
    assert found[1] == Document(
        "oai-2", "On gout 2", "It hurts.", {"header": "oai:2", "creator": "Doe; Roe"}
    )
