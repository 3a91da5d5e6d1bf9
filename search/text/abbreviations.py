"""Abbreviations of law and medicine, by whether a sentence can end at their point: data only.

Each is in a source that anybody can look up; what was in none, or is more often a word, is left out.
- Case names, courts, reporters, states: reporters-db 3.2.67 and courts-db 0.10.27 (the Free Law Project).
- Judges, court documents, subdivisions, history of a case: The Indigo Book (public domain); `dkt`, `subd` and `exh` as
  courts write them ("Dkt. No. 15", "Pen. Code, § 1238, subd. (a)", "Exh. A").
- General ones, and those of German, French, Spanish: the lists of pySBD 0.3.4 and spaCy 3.8.
- Forms, routes and times of medicines (amp, dil, elix, gtt, inj, lot, neb, oint, pulv, soln, supp, susp, syr, ung, bid,
  prn, qid, tds, tid): the Latin of prescriptions, and the terms of drug orders that PennTURBO expands.
- Units are UCUM's; headings and signs of charts (bilat, dx, fx, hx, rx, sx, tx) as public lists of clinical shorthand
  and notes without names have them.
- Hindi: the prefixes of Moses (nonbreaking_prefix.hi: titles and the names of Latin letters), and the first halves of units
  (मि. ग्रा., कि. मी.); all others by their length (`sentences`).
Plurals go with their singulars. Lower case, without the last point.
"""

NEVER_LAST = frozenset([
    "adv", "amp", "approx", "bankr", "bzw", "cap", "caps", "capt", "cf", "civ", "col", "crim", "crm", "d.h", "dil",
    "dr", "dra", "drs", "e.g", "elix", "fed", "gen", "gtt", "hon", "i.e", "inj", "lot", "lt", "messrs", "mlle",
    "mme", "mons", "mr", "mrs", "ms", "neb", "oint", "prof", "pulv", "sgt", "sol", "soln", "srta", "susp", "syr",
    "tab", "tabs", "tbl", "u.a", "ung", "v", "vgl", "viz", "vs", "z.b", "डॉ", "प्रो", "श्री", "रु", "टी.वी",
    "ए", "बी", "सी", "डी", "ई", "ऐफ", "एफ", "जी", "एच", "आइ", "आई", "जे", "के", "ऐल", "एल", "ऐम", "एम", "ऐन", "एन", "ओ",
    "पी", "क्यू", "आर", "एस", "टी", "यू", "वी", "डब्ल्यू", "ऐक्स", "एक्स", "वाय", "ज़ैड", "मि", "कि", "पं", "स्व", "कु",
])  # fmt: skip
"""What a sentence never ends with: what follows is a name, a drug, a rule."""

BEFORE_NUMBERS = frozenset([
    "abs", "al", "ann", "app", "art", "arts", "avg", "az", "bk", "bp", "c", "ca", "ch", "chap", "chs",
    "cl", "cls", "cols", "dkt", "doc", "docs", "ed", "eds", "eq", "ex", "exh", "exs", "fig", "figs", "fn", "ht",
    "l", "ll", "ln", "max", "min", "n", "nn", "no", "nos", "nr", "núm", "op", "p", "par", "para", "paras",
    "pp", "pt", "pts", "r", "rdn", "reg", "regs", "rn", "rr", "s", "satz", "sch", "sec", "secs", "sect", "seq",
    "ser", "ss", "stat", "subd", "subsec", "temp", "tit", "tr", "vol", "vols", "wt", "ziff", "क्र", "नं",
    "सं",
])  # fmt: skip
"""What a sentence does not end with where a number, a numeral or a single letter follows."""

SOMETIMES_LAST = frozenset([
    "abd", "aff'd", "al", "ala", "amend", "ant", "app", "ariz", "ark", "ass'n", "assn", "asst", "atl", "bd", "bid",
    "bilat", "br", "bros", "cal", "cert", "cir", "cm", "co", "colo", "comm", "comm'r", "compl", "cong",
    "conn", "const", "corp", "cr", "ct", "cts", "decl", "def", "defs", "del", "dep't", "dept", "dist", "div",
    "dl", "dx", "etc", "evid", "ext", "ff", "fla", "fx", "ga", "gov't", "hb", "hosp", "hr", "hrs",
    "hx", "ibid", "id", "ill", "im", "inc", "ind", "inf", "infra", "ins", "int", "int'l", "iu", "iv", "jj", "kan",
    "kg", "ky", "la", "lab", "labs", "lat", "law", "llc", "llp", "lt", "ltd", "mass", "mcg", "md", "med", "meds",
    "mem", "mfg", "mg", "mich", "minn", "mins", "miss", "ml", "mm", "mmhg", "mo", "mont", "mos", "mot", "nat'l",
    "neb", "neg", "nev", "od", "okla", "or", "ord", "ore", "pa", "pac", "pl",
    "po", "pos", "post", "prn", "proc", "pt", "pts", "qid", "rec", "rep", "resp",
    "rev", "rev'd", "rptr", "rt", "rx", "ry", "sav", "sc", "sess", "stat", "sup", "supp", "supra", "sx",
    "tds", "temp", "tenn", "tex", "tid", "tr", "tx", "univ", "usw", "util", "va", "vt", "wash", "wis", "wk", "wks",
    "wyo", "yr", "yrs",
])  # fmt: skip
"""What a sentence may end with: it goes on where a small letter, a number or a bracket follows."""

ALSO_WORDS = frozenset([
    "amp", "art", "cal", "cap", "caps", "col", "del", "ex", "gen", "ill", "ins", "lab", "labs", "law", "lot", "lt",
    "mass", "max", "miss", "mons", "ms", "no", "or", "ord", "ore", "par", "post", "rec", "rep",
    "rev", "sol", "stat", "sup", "temp", "wash",
])  # fmt: skip
"""Of these in small letters before a letter the words are meant, not the abbreviations."""

COPULAS = frozenset(["है", "हैं", "था", "थे", "थी", "थीं", "हो", "हूँ", "हूं"])
"""Words of one syllable that sentences in Hindi end with."""
