"""Files into documents, pairs and judgments, with errors that a user understands.

Knows no project and no model. report.py says what was understood of a file; sources.py makes plain files of folders
and archives; tables.py chooses a reader of rows (delimited, json_rows, columnar, arrow, spreadsheets), and
sources.PROSE one for files that are a document each (pdf, word, html, mail, plain_text). What is well known is read
by what it is: xml/, objects.py (JSON), fhir.py, hl7.py, references.py. row_documents.py makes documents of rows.

Start reading at documents.py; pairs.py, judgments.py and beir.py are its siblings. encodings.py and delimited.py
guess what a file does not say.
"""
