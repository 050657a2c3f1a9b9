"""The reader against RecBole's own, bit for bit."""

import numpy as np
import pandas as pd
import pytest
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.dataset import Dataset

from recbole_edlae.data.atomic import AtomicFileError, read_atomic, read_header


def test_numbers_are_those_of_recboles_reader(tmp_path):
    generator = np.random.default_rng(0)
    values = [0.1, 1 / 3, 1e-300, 2.0**0.5, *generator.random(200), *generator.integers(0, 2**53, 50)]
    rows = [f"u{number}\t{value!r}\ta {number} é" for number, value in enumerate(map(float, values))]
    (tmp_path / "x.inter").write_text(
        "\n".join(["user_id:token\trating:float\ttag:token_seq", *rows, "u\t\t"]) + "\n"
    )
    columns = read_header(tmp_path / "x.inter")
    stock = pd.read_csv(
        tmp_path / "x.inter", delimiter="\t", engine="python", encoding="utf-8",
        dtype={"user_id:token": str, "rating:float": np.float64, "tag:token_seq": str},
    )  # fmt: skip
    stock.columns = [column.field for column in columns]
    for text in (
        (tmp_path / "x.inter").read_text(),
        (tmp_path / "x.inter").read_text().replace("\n", "\n\n"),
    ):
        (tmp_path / "x.inter").write_text(text)
        ours = read_atomic(tmp_path / "x.inter", list(stock))
        pd.testing.assert_frame_equal(ours, stock, check_exact=True)


@pytest.mark.parametrize("rows", [["a\tb"], ['"a"\tb', 'c\t"d"']])
@pytest.mark.parametrize("sign", ["\x1c", "\x1f", "\x85", "\f"])
def test_a_control_character_is_a_token_also_beside_quotation(rows, sign, tmp_path):
    lines = ["user_id:token\titem_id:token", *rows, f"{sign}\t{sign}", " \t ", "\t"]
    (tmp_path / "x.inter").write_text("\n".join(lines), encoding="utf-8")
    frame = read_atomic(tmp_path / "x.inter", ["user_id", "item_id"])
    assert frame["item_id"].dropna().tolist()[len(rows)] == sign


def test_a_byte_order_mark_in_the_first_row_is_part_of_its_token(tmp_path):
    """Only at the start of the file it says something, to RecBole too."""
    (tmp_path / "x.inter").write_text("user_id:token\titem_id:token\n\ufeffa\tb\n", encoding="utf-8-sig")
    for categories in ([], ["user_id"]):
        frame = read_atomic(tmp_path / "x.inter", ["user_id", "item_id"], categories=categories)
        assert frame["user_id"].tolist() == ["\ufeffa"]


def test_a_text_among_numbers_has_its_line_also_behind_empty_lines(tmp_path):
    for rows in ("\na\t1\n\nb\tx\n", '\n"a"\t1\n\n"b"\tx\n'):
        (tmp_path / "x.inter").write_text("user_id:token\trating:float\n" + rows)
        with pytest.raises(AtomicFileError, match="line 5: rating:float is 'x', not a number"):
            read_atomic(tmp_path / "x.inter", ["user_id", "rating"])


def test_a_column_of_empty_quotation_has_no_rows(tmp_path):
    (tmp_path / "x.item").write_text('item_id:token\n""\n\n""\n')
    with pytest.raises(AtomicFileError, match="has a header and no rows"):
        read_atomic(tmp_path / "x.item", ["item_id"])


def test_ml_100k_is_what_recbole_reads(monkeypatch):
    """Every table and id of the dataset that ships with RecBole, user and item features with sequences too."""
    settings = {"load_col": None, "state": "ERROR"}
    ours = create_dataset(Config("EDLAE", "ml-100k", config_dict=settings))
    monkeypatch.setattr(Dataset, "_load_feat", Dataset._load_feat.__wrapped__)
    stock = create_dataset(Config("EDLAE", "ml-100k", config_dict=settings))
    for table in ("inter_feat", "user_feat", "item_feat"):
        pd.testing.assert_frame_equal(getattr(ours, table), getattr(stock, table), check_exact=True)
    for name in ("field2type", "field2source", "field2seqlen", "field2bucketnum", "field2token_id"):
        assert getattr(ours, name) == getattr(stock, name), name
