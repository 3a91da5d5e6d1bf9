"""XML files into rows and prose.

parsing.py reads in bounded memory; prose.py makes headings and paragraphs of any element. known.py is a table of
well-known formats (articles, trials, clinical documents, statutes, code lists), each with what a document of it is;
everything else is a list of records (records.py) or one document.
"""
