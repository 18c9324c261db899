"""Reports as files: a neutral paper or workbook in, the bytes of .docx, .pdf, .md or .xlsx out."""
