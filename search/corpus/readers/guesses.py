"""Which encoding bytes are in that are not UTF-8: a guess, with cp1252 where it is a tie."""

# What charset-normalizer may guess, and what we call it. cp932 and cp949 are Windows's larger Shift-JIS
# and EUC-KR; what it offers beyond these is so rare that it is more often a wrong guess than a right one.
_GUESSES = {
    "cp1252": "cp1252", "cp1250": "cp1250", "cp1251": "cp1251", "koi8_r": "koi8-r", "cp1253": "cp1253",
    "cp1254": "cp1254", "cp1255": "cp1255", "cp1256": "cp1256", "gb18030": "gb18030", "big5": "big5",
    "cp932": "cp932", "euc_jp": "euc-jp", "cp949": "cp949",
}  # fmt: skip
_LATIN = ("cp1250", "cp1254")
# Alphabets of their own: nearly every letter is above ASCII. Where few are, it is western text in an
# encoding that is not offered (of DOS, of old Macs), and cp1252 is the smaller error.
_ALPHABETS = ("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256")
_ALPHABET_SHARE = 0.2
_TELLING_BYTES = 24


def guessed_encoding(sample: bytes) -> str:
    """The encoding of bytes that are not UTF-8: cp1252 where nothing speaks clearly for another.

    :param sample: the lines that are not UTF-8, or the first of them.
    :returns: one of `encodings.COMMON_ENCODINGS`.
    """
    from charset_normalizer import from_bytes

    high = sum(byte > 0x7F for byte in sample)
    if high < _TELLING_BYTES:
        return "cp1252"
    # Cut behind a byte that ends no character in any of the encodings, so that none is cut in two.
    end = max((place for place, byte in enumerate(sample) if byte < 0x30), default=len(sample) - 1)
    found = from_bytes(sample[: end + 1], cp_isolation=list(_GUESSES))
    best = found.best()
    share = high / len(sample)
    if best is None or (best.encoding in _ALPHABETS and share < _ALPHABET_SHARE):
        return "cp1252"
    if best.encoding in _LATIN:
        if str(best) == sample[: end + 1].decode("cp1252", "replace"):
            return "cp1252"
        western = next((match for match in found if match.encoding == "cp1252"), None)
        if western and western.chaos <= best.chaos and western.coherence >= best.coherence - 0.1:
            return "cp1252"
    return _GUESSES[best.encoding]
