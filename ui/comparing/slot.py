"""The place of the results, which keeps what it shows until it has something better."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


class Slot:
    """One element of the page: drawn at once, or after something that stands in meanwhile.

    `st.empty()` takes away what is there before the new is drawn, and everything under it jumps; so it is used only
    where something has to stand in.
    """

    def __init__(self) -> None:
        self._element: DeltaGenerator | None = None

    def wait(self, html: str) -> None:
        """Draw what stands in until the answer is there."""
        if self._element is None:
            self._element = st.empty()
        self._element.html(html)

    def draw(self, html: str) -> None:
        """Draw the answer."""
        if self._element is None:
            st.html(html)
        else:
            self._element.html(html)

    def clear(self) -> None:
        """Take away what stood in."""
        if self._element is not None:
            self._element.empty()
