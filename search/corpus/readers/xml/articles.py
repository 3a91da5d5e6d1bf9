"""Articles: JATS (PubMed Central, publishers), PubMed's and EndNote's exports, BioC."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from search.corpus.readers.blocks import Block
from search.corpus.readers.xml.fields import (
    Fields,
    blocks_of,
    first_text,
    headed,
    labelled,
    record,
    texts,
)
from search.corpus.readers.xml.prose import flat_text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Of an article: its sources, what is the same said for machines, and who may copy it.
_NOT_READ = (
    "ref-list",
    "tex-math",
    "permissions",
    "object-id",
    "alt-text",
    "processing-meta",
    "contrib-group",
)


def pubmed_article(article: "Element", _single: bool) -> Iterator[Fields]:
    """A `PubmedArticle` or `PubmedBookArticle`: title, every part of the abstract, keywords and MeSH terms."""
    citation = next(
        (
            one
            for name in ("MedlineCitation", "BookDocument")
            if (one := article.find(name)) is not None
        ),
        article,
    )
    paper = next((one for one in [citation.find("Article")] if one is not None), citation)
    abstract = [
        Block(": ".join(filter(None, (part.get("Label", ""), flat_text(part)))))
        for path in ("Abstract/AbstractText", "OtherAbstract/AbstractText")
        for holder in dict.fromkeys((paper, citation))
        for part in holder.iterfind(path)
        if flat_text(part)
    ]
    words = {
        "Keywords": texts(citation, "KeywordList/Keyword"),
        "MeSH": [
            "/".join(texts(heading, "DescriptorName", "QualifierName"))
            for heading in citation.iterfind("MeshHeadingList/MeshHeading")
        ],
        "Substances": texts(citation, "ChemicalList/Chemical/NameOfSubstance"),
    }
    title = first_text(paper, "ArticleTitle", "VernacularTitle", "Book/BookTitle")
    date = "Journal/JournalIssue/PubDate/"
    identifiers = {
        one.get("IdType", one.get("EIdType", "")): flat_text(one)
        for path in ("PubmedData/ArticleIdList/ArticleId", "MedlineCitation/Article/ELocationID")
        for one in article.iterfind(path)
    }
    yield record(
        title,
        [*abstract, *labelled(words)],
        first_text(citation, "PMID"),
        authors=[_author(one) for one in paper.iterfind("AuthorList/Author")],
        journal=first_text(paper, "Journal/Title", "Journal/ISOAbbreviation"),
        year=first_text(paper, f"{date}Year", f"{date}MedlineDate", "Book/PubDate/Year")[:4],
        doi=identifiers.get("doi", ""),
        pmcid=identifiers.get("pmc", ""),
        language=texts(paper, "Language"),
        type=texts(paper, "PublicationTypeList/PublicationType"),
        keywords=[word for several in words.values() for word in several],
    )


def _author(author: "Element") -> str:
    name = ", ".join(
        filter(None, (first_text(author, "LastName"), first_text(author, "ForeName", "Initials")))
    )
    return name or first_text(author, "CollectiveName")


def jats_article(article: "Element", single: bool) -> Iterator[Fields]:
    """An `article` (or a BITS `book`): its abstracts, keywords, text, tables, captions, appendices; no references."""
    meta = next(
        (
            one
            for path in ("front/article-meta", "front-stub", "book-meta")
            if (one := article.find(path)) is not None
        ),
        article,
    )
    titles = ("title-group/article-title", "title-group/title", "book-title-group/book-title")
    title = first_text(meta, *titles)
    subtitle = first_text(meta, "title-group/subtitle", "book-title-group/subtitle")
    blocks = []
    for abstract in (*meta.iterfind("abstract"), *meta.iterfind("trans-abstract")):
        inner = blocks_of(abstract, _NOT_READ)
        own = abstract.find("title") is not None
        blocks += inner if own else headed("Abstract", inner)
    groups = [
        (
            first_text(group, "title") or "Keywords",
            texts(group, "kwd", "nested-kwd/kwd", "compound-kwd"),
        )
        for group in meta.iterfind("kwd-group")
    ]
    for label, words in groups:
        blocks += labelled({label: words})
    parts = [
        part
        for part in article
        if part.tag not in ("front", "front-stub", "book-meta", "collection-meta")
    ]
    for part in parts:
        blocks += blocks_of(part, _NOT_READ)
    identifiers = {
        one.get("pub-id-type", ""): flat_text(one) for one in meta.iterfind("article-id")
    }
    kinds = ("pmcid", "pmc", "doi", "pmid", "publisher-id")
    yield record(
        f"{title}: {subtitle}" if title and subtitle else title,
        blocks,
        "" if single else next((identifiers[kind] for kind in kinds if identifiers.get(kind)), ""),
        authors=[
            _contributor(one)
            for one in meta.iterfind("contrib-group/contrib")
            if one.get("contrib-type", "author") == "author"
        ],
        journal=first_text(
            article,
            "front/journal-meta/journal-title-group/journal-title",
            "front/journal-meta/journal-title",
        ),
        year=first_text(meta, "pub-date/year"),
        doi=identifiers.get("doi", ""),
        pmid=identifiers.get("pmid", ""),
        pmcid=identifiers.get("pmcid", "") or identifiers.get("pmc", ""),
        type=article.get("article-type", ""),
        keywords=[word for _, words in groups for word in words],
    )


def _contributor(contributor: "Element") -> str:
    name = next(
        (
            one
            for path in ("name", "name-alternatives/name")
            if (one := contributor.find(path)) is not None
        ),
        None,
    )
    if name is None:
        return first_text(contributor, "collab", "string-name")
    return ", ".join(filter(None, (first_text(name, "surname"), first_text(name, "given-names"))))


def endnote_record(item: "Element", _single: bool) -> Iterator[Fields]:
    """A `record` of EndNote's XML: title, abstract, notes and keywords; known by DOI or accession number."""
    words = texts(item, "keywords/keyword")
    kind = item.find("ref-type")
    doi = first_text(item, "electronic-resource-num")
    blocks = [
        block
        for path in ("abstract", "notes", "research-notes")
        for block in blocks_of(item.find(path))
    ]
    yield record(
        first_text(item, "titles/title", "titles/secondary-title"),
        [*blocks, *labelled({"Keywords": words})],
        doi or first_text(item, "accession-num"),
        authors=texts(item, "contributors/authors/author"),
        journal=first_text(item, "periodical/full-title", "titles/secondary-title"),
        year=first_text(item, "dates/year"),
        doi=doi,
        type="" if kind is None else kind.get("name", ""),
        keywords=words,
    )


def bioc_document(document: "Element", _single: bool) -> Iterator[Fields]:
    """A `document` of BioC: its passages, without those of the references."""
    title, blocks = "", []
    for passage in document.iterfind("passage"):
        said = {one.get("key", ""): flat_text(one) for one in passage.iterfind("infon")}
        kind = said.get("type", "").lower()
        text = first_text(passage, "text") or " ".join(texts(passage, "sentence/text"))
        if said.get("section_type", "").upper() == "REF" or kind == "ref":
            continue
        if not title and kind in ("front", "title"):
            title = text
        elif text:
            blocks.append(Block(text, 2 if kind.startswith("title") else 0))
    yield record(title, blocks, first_text(document, "id"))
