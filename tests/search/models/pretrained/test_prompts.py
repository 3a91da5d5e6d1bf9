import pytest

from search.models.prompts import Prompts, prompts_of

SEARCH = "Represent this sentence for searching relevant passages: "


@pytest.mark.parametrize(
    ("reference", "query", "document"),
    [
        ("intfloat/e5-small-v2", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large", "query: ", "passage: "),
        ("/models/E5-Base", "query: ", "passage: "),
        ("my-org/finetuned-e5-small-law", "query: ", "passage: "),
        (
            "intfloat/multilingual-e5-large-instruct",
            "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ",
            "",
        ),
        ("BAAI/bge-small-en-v1.5", SEARCH, ""),
        ("BAAI/bge-base-zh", "为这个句子生成表示以用于检索相关文章：", ""),
        ("BAAI/bge-m3", "", ""),
        ("mixedbread-ai/mxbai-embed-large-v1", SEARCH, ""),
        ("WhereIsAI/UAE-Large-V1", SEARCH, ""),
        ("Snowflake/snowflake-arctic-embed-m-v2.0", "query: ", ""),
        ("Snowflake/snowflake-arctic-embed-xs", SEARCH, ""),
        ("nomic-embed-text:latest", "search_query: ", "search_document: "),
        ("sentence-transformers/all-MiniLM-L6-v2", "", ""),
        ("thenlper/gte-small", "", ""),
        ("some/made5-small", "", ""),
        ("e5-small/another-model", "", ""),
    ],
)
def test_families_known_by_their_name(reference, query, document):
    found = prompts_of({}, (reference,))
    assert (found.query, found.document) == (query, document)
    assert (found.source == "none") == (not query)


def test_the_models_own_settings_come_before_its_name():
    own = {"query": "find: ", "passage": "text: ", "clustering": "c: "}
    assert prompts_of(own, ("e5-small",)) == Prompts("find: ", "text: ", "the model's own settings")
    assert prompts_of({"document": "d: ", "passage": "p: "}, ()).document == "d: "
    assert prompts_of({"corpus": "c: "}, ()).document == "c: "
    assert prompts_of({"query": "", "document": None}, ("e5-small",)).query == "query: "


def test_the_name_in_the_config_counts_where_the_folder_says_nothing():
    assert prompts_of({}, ("/data/model", "intfloat/e5-small")).document == "passage: "


def test_what_the_person_gives_comes_first_and_may_be_nothing():
    own = {"query": "find: ", "document": "text: "}
    assert prompts_of(own, (), query="ask: ") == Prompts("ask: ", "text: ", "you")
    assert prompts_of(own, (), query="", document="") == Prompts("", "", "you")
