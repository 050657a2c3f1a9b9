"""A run's record stands for its code: for what runs of it, and for nothing that is only read."""

import pytest

from recbole_edlae.runs import code

SOURCE = '''"""A module."""

LIMIT = 3  # of something


def double(x):
    """Return twice x."""
    return 2 * x
'''
READ = [
    ('"""A module."""', '"""Another text."""'),
    ("  # of something", ""),
    ('    """Return twice x."""\n', ""),
    ("    return 2 * x", "\n    # Twice.\n    return (2 * x)"),
]
RUN = [("LIMIT = 3", "LIMIT = 4"), ("2 * x", "x * 2"), ("def double", "def twice"), ("LIMIT = 3", 'LIMIT = "3"')]


@pytest.mark.parametrize("old, new", READ)
def test_docstrings_comments_and_layout_do_not_count(old, new):
    text = SOURCE.replace(old, new)
    assert text != SOURCE
    assert code._code(text.encode()) == code._code(SOURCE.encode())


@pytest.mark.parametrize("old, new", RUN)
def test_what_runs_counts(old, new):
    assert code._code(SOURCE.replace(old, new).encode()) != code._code(SOURCE.encode())
