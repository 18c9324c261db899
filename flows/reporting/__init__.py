"""Reports: what the ledger knows, put into papers and workbooks; one module for each report."""
