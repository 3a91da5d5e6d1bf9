"""Under whose name is judged where nobody was asked for one."""

import streamlit as st

from ui import address, door

_SOMEBODY = "Somebody"


def judging_as() -> str:
    """Whoever is signed in, else the name that was given on the page Judge in this session, else nobody in particular."""
    said = door.signed_in_as() or st.session_state.get("judge-name") or address.value("judge")
    return str(said) if said else _SOMEBODY
