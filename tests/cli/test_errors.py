"""Errors in the middle of a command."""

import pytest

from recbole_edlae import cli
from recbole_edlae.model.edlae import EDLAE
from tests.shop import QUIET


def test_an_error_while_fitting_is_one_line(write_shop, refused, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("something\nbroke")

    write_shop()
    monkeypatch.setattr(EDLAE, "solve", fail)
    error = refused("run", *QUIET)
    assert "RuntimeError: something broke (--debug shows where)" in error
    with pytest.raises(RuntimeError, match="broke"):
        cli.main(["run", *QUIET, "--debug"])


def test_running_out_of_memory_is_one_line_in_every_command(refused, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("recbole_edlae.cli.convert.convert_csv", fail)
    assert refused("convert", "a.csv", "a").endswith(
        "recbole-edlae convert: error: out of memory; runs that ended before are on record"
    )
