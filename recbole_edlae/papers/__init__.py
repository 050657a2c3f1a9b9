"""Measure the papers' figures and tables, check them against the papers' claims, and draw them: one module each.

Each is a :class:`~recbole_edlae.papers.figure.Figure`; :data:`recbole_edlae.papers.page.FIGURES` lists them.
"""
