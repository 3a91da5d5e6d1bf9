"""What the proof is to be about, chosen as data come in: new questions, or new documents as well."""

from pathlib import Path

import streamlit as st

from search.evaluation.query_sets.questions import NEW_DOCUMENTS


def question_options(path: Path) -> list[str]:
    """A box to tick, and what it adds to a command that brings a query set.

    :param path: the file that is brought, which tells the boxes of two files apart.
    """
    wanted = st.checkbox(
        "Prove it on documents that nobody asked about before, too",
        key=f"question-{path}",
        help="By default the proof is on new questions about the documents that are here: what people ask most. This is "
        "harder, and costs pairs: each whose answer is right for a held-out question, too, is left out of training.",
    )
    return ["--question", NEW_DOCUMENTS] if wanted else []
