"""The papers' figures and tables, one module each: measured, checked against what the paper says, drawn.

Each is a :class:`~recbole_edlae.papers.figure.Figure`; :data:`recbole_edlae.papers.page.FIGURES` lists them.
"""
