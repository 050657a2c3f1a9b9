"""The papers' figures and tables, one module each: measured, checked against what the paper says, drawn.

A module has TITLE; CLAIMS, what the paper says, a sentence each; ``measure(lab)``, which returns what JSON can hold;
``found(data)``, for each claim whether it holds in what was measured (True, False, or None where
chance would do as well) and the numbers that say so; ``table(data)`` and
``draw(data, axes)``.
"""
