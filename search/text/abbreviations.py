"""Abbreviations of law and medicine, by whether a sentence can end at their point: data only.

Law: chosen out of the tables of The Bluebook (titles of judges, case names, courts, court documents, reporters,
subdivisions) and The Indigo Book, which has them in the public domain. Medicine: forms, routes and times of the British
National Formulary ("Abbreviations and symbols") as prescriptions and charts write them, and the headings of charts. Of
other languages what stands before numbers and names. Lower case, without the last point.
"""

NEVER_LAST = frozenset([
    "adv", "amp", "approx", "bankr", "bzw", "cap", "caps", "capt", "cf", "civ", "col", "crim", "crm", "d.h", "dil",
    "dr", "dra", "drs", "e.g", "elix", "fed", "gen", "gtt", "hon", "i.e", "inj", "lot", "lt", "messrs", "mlle",
    "mme", "mons", "mr", "mrs", "ms", "neb", "oint", "prof", "pulv", "sgt", "sol", "soln", "srta", "susp", "syr",
    "tab", "tabs", "tbl", "u.a", "ung", "v", "vgl", "viz", "vs", "z.b", "डॉ", "प्रो", "श्री",
])  # fmt: skip
"""What a sentence never ends with: what follows is a name, a drug, a rule."""

BEFORE_NUMBERS = frozenset([
    "abs", "al", "ann", "app", "art", "arts", "avg", "az", "bk", "bp", "c", "ca", "ch", "chap", "chs", "circa",
    "cl", "cls", "cols", "dkt", "doc", "docs", "ed", "eds", "eq", "ex", "exh", "exs", "fig", "figs", "fn", "ht",
    "l", "ll", "ln", "lns", "max", "min", "n", "nn", "no", "nos", "nr", "núm", "op", "p", "par", "para", "paras",
    "pp", "pt", "pts", "r", "rdn", "reg", "regs", "rn", "rr", "s", "satz", "sch", "sec", "secs", "sect", "seq",
    "ser", "ss", "stat", "subd", "subpt", "subsec", "temp", "tit", "tr", "vol", "vols", "wt", "ziff", "क्र", "नं",
    "सं",
])  # fmt: skip
"""What a sentence does not end with where a number, a numeral or a single letter follows."""

SOMETIMES_LAST = frozenset([
    "abd", "aff'd", "al", "ala", "amend", "ant", "app", "ariz", "ark", "ass'n", "assn", "asst", "atl", "bd", "bid",
    "bilat", "br", "bros", "brs", "cal", "cert", "cir", "cm", "co", "colo", "comm", "comm'r", "compl", "cong",
    "conn", "const", "corp", "cos", "cr", "ct", "cts", "decl", "def", "defs", "del", "dep't", "dept", "dist", "div",
    "dl", "dx", "et", "etc", "evid", "ext", "ff", "fla", "fx", "ga", "gov't", "govt", "hb", "hosp", "hr", "hrs",
    "hx", "ibid", "id", "ill", "im", "inc", "ind", "inf", "infra", "ins", "int", "int'l", "iu", "iv", "jj", "kan",
    "kg", "ky", "la", "lab", "labs", "lat", "law", "llc", "llp", "lt", "ltd", "mass", "mcg", "md", "med", "meds",
    "mem", "mfg", "mg", "mich", "minn", "mins", "miss", "ml", "mm", "mmhg", "mo", "mont", "mos", "mot", "nat'l",
    "natl", "neb", "neg", "nev", "od", "okla", "opp'n", "or", "ord", "order", "ore", "pa", "pac", "pl", "pls",
    "plt", "po", "pos", "post", "prn", "proc", "prox", "pt", "pts", "qid", "rail", "rec", "rep", "reply", "resp",
    "rev", "rev'd", "rptr", "rt", "rx", "ry", "sav", "sc", "sess", "stat", "stip", "sup", "supp", "supra", "sx",
    "tds", "temp", "tenn", "tex", "tid", "tr", "tx", "univ", "usw", "util", "va", "vt", "wash", "wis", "wk", "wks",
    "wyo", "yr", "yrs",
])  # fmt: skip
"""What a sentence may end with: it goes on where a small letter, a number or a bracket follows."""

ALSO_WORDS = frozenset([
    "amp", "art", "cal", "cap", "caps", "col", "del", "ex", "gen", "ill", "ins", "lab", "labs", "law", "lot", "lt",
    "mass", "max", "miss", "mons", "ms", "no", "or", "ord", "order", "ore", "par", "post", "rail", "rec", "rep",
    "reply", "rev", "sol", "stat", "sup", "temp", "wash",
])  # fmt: skip
"""Of these in small letters before a letter the words are meant, not the abbreviations."""
