"""How work becomes grades and evidence; the only importer of nbgrader."""
