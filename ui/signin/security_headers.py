"""What each answer of the server tells the browser not to do: load or send anything elsewhere, be framed, guess types."""

import base64
import hashlib
from functools import cache

from ui import first_paint

# What Streamlit and its charts cannot do without: styles that scripts add, parts of a page that are imported from a blob,
# and code that plotly compiles to draw maps with WebGL ('unsafe-eval': it lets no script in that is not there already).
_POLICY = (
    ("default-src", "'self'"),
    ("script-src", "'self' {scripts} blob: 'unsafe-eval'"),
    ("style-src", "'self' 'unsafe-inline'"),
    ("img-src", "'self' data:"),
    ("font-src", "'self' data:"),
    ("connect-src", "'self'"),
    ("media-src", "'self'"),
    ("worker-src", "'self' blob:"),
    ("frame-src", "'none'"),
    ("object-src", "'none'"),
    ("base-uri", "'none'"),
    ("form-action", "'self'"),
    ("frame-ancestors", "'none'"),
)


@cache
def headers() -> tuple[tuple[bytes, bytes], ...]:
    """The headers that every answer carries."""
    return (
        (b"content-security-policy", policy().encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    )


@cache
def policy() -> str:
    """The Content-Security-Policy: the scripts that stand in the document are allowed by their hashes."""
    from selectolax.lexbor import LexborHTMLParser

    inline = LexborHTMLParser(first_paint.document()).css("script:not([src])")
    scripts = " ".join(f"'sha256-{_hash(script.text())}'" for script in inline)
    return "; ".join(f"{name} {value.format(scripts=scripts)}" for name, value in _POLICY)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
