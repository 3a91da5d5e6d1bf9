"""What is written down of a message: without the texts that it quotes.

Messages quote what they are about, for whoever reads them: a grade that is no number, a question that was judged twice.
Records and logs of runs are read by others than that, so there only names stay.
"""

import re
from collections.abc import Collection

_QUOTED = re.compile(r"(?<!\w)(?:'[^'\n]++'|\"[^\"\n]++\")(?!\w)")
_LONGEST = 40


def without_quotations(message: str, names: Collection[str] = ()) -> str:
    """A message in which no quotation is more than one word.

    :param names: what may be quoted whole: what a command was given.

    >>> without_quotations("the grade 'seen on ward 7' of 'd1' is not a number")
    "the grade '…' of 'd1' is not a number"
    >>> without_quotations("There is no project 'Ward 7'.", ["index", "Ward 7"])
    "There is no project 'Ward 7'."
    """

    def written(quotation: re.Match[str]) -> str:
        quoted = quotation[0][1:-1]
        is_name = quoted in names or (len(quoted) <= _LONGEST and len(quoted.split()) == 1)
        return quotation[0] if is_name else f"{quotation[0][0]}…{quotation[0][-1]}"

    return _QUOTED.sub(written, message)
