#!/usr/bin/env bash
# pypdfium2 5.15.2 and pypdf 7.1.1: the value of a choice in a PDF form is its code, not what the page shows.
#
# A choice may have an export value beside each label: [(iv) (intravenous)]. The page shows "intravenous"; the reader of a
# drug chart has never seen "iv". One would guess that a field's value is what the person chose. Both libraries give the
# code, FPDFAnnot_GetFormFieldValue as well as get_fields: a text made of the values says "1" where the page says "severe".
# PDFium has the labels in another function (FPDFAnnot_GetOptionLabel), which has to be asked for each option.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pypdf==7.1.1 pypdfium2==5.15.2
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import ctypes
from importlib.metadata import version

import pypdfium2
import pypdfium2.raw as pdfium
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject, DictionaryObject, FloatObject, NameObject, NumberObject, TextStringObject,
)

print("pypdf", version("pypdf"), "pypdfium2", version("pypdfium2"))


def text(words: str) -> TextStringObject:
    return TextStringObject(words)


writer = PdfWriter()
page = writer.add_blank_page(300, 300)
choice = DictionaryObject({
    NameObject("/Type"): NameObject("/Annot"), NameObject("/Subtype"): NameObject("/Widget"),
    NameObject("/FT"): NameObject("/Ch"), NameObject("/Ff"): NumberObject(1 << 17), NameObject("/T"): text("route"),
    NameObject("/Rect"): ArrayObject(map(FloatObject, (50, 50, 200, 70))),
    NameObject("/Opt"): ArrayObject(
        [ArrayObject([text("po"), text("by mouth")]), ArrayObject([text("iv"), text("intravenous")])]
    ),
    NameObject("/V"): text("iv"), NameObject("/DA"): text("/Helv 12 Tf"),
})
where = writer._add_object(choice)
page[NameObject("/Annots")] = ArrayObject([where])
writer._root_object[NameObject("/AcroForm")] = DictionaryObject({NameObject("/Fields"): ArrayObject([where])})
writer.write("chart.pdf")

by_pypdf = PdfReader("chart.pdf").get_fields()["route"]["/V"]
document = pypdfium2.PdfDocument("chart.pdf")
document.init_forms()
first = document[0]
form, annotation = document.formenv.raw, pdfium.FPDFPage_GetAnnot(first.raw, 0)


def said(function, *more) -> str:
    buffer = (ctypes.c_ushort * 100)()
    size = function(form, annotation, *more, buffer, 200)
    return bytes(buffer)[: size - 2].decode("utf-16-le")


by_pdfium = said(pdfium.FPDFAnnot_GetFormFieldValue)
labels = [said(pdfium.FPDFAnnot_GetOptionLabel, number) for number in range(2)]
print("pypdf:", by_pypdf, "pdfium:", by_pdfium, "labels:", labels)
assert by_pypdf == by_pdfium == "iv", (by_pypdf, by_pdfium)
assert labels == ["by mouth", "intravenous"], labels
PYTHON
