#!/usr/bin/env bash
# SQLite FTS5 (apsw 3.54.1): the Unicode tokenizer parts Hindi words at every vowel sign.
#
# unicode61, the tokenizer that FTS5 takes by default, says that it follows the classes of Unicode. Its words are made
# of letters, numbers and private characters; marks are no part of them. One would guess that "विभाग" (department) is
# one term. It is three, of one consonant each, and a search for it also finds any word in which those consonants
# stand in this order, whatever its vowels. With tokenchars that name the signs, or categories 'L* N* Co Mn Mc',
# words stay whole.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check apsw==3.54.1.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import apsw

print("apsw", apsw.apsw_version(), "SQLite", apsw.sqlite_lib_version())
base = apsw.Connection(":memory:")


def terms(options: str) -> tuple[set[str], int]:
    base.execute(f"create virtual table t using fts5(x{options})")
    base.execute("create virtual table v using fts5vocab(t, 'row')")
    base.execute("insert into t values ('विभाग')")
    found = {row[0] for row in base.execute("select term from v")}
    # The same consonants under other vowels, which is no word at all.
    wrong = base.execute("select count(*) from t where t match 'वोभेगी'").fetchone()[0]
    base.execute("drop table v; drop table t")
    return found, wrong


usual, wrong = terms("")
whole, _ = terms(""", tokenize = "unicode61 categories 'L* N* Co Mn Mc'" """)
print("by default:", sorted(usual), "another word finds it:", bool(wrong), "with marks:", sorted(whole))
assert len(usual) == 3 and all(len(term) == 1 for term in usual) and wrong == 1, usual
assert whole == {"विभाग"}, whole
PYTHON
