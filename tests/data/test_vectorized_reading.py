"""Reading, filtering and remapping against RecBole's own functions, bit for bit."""

import csv
import io
import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.dataset import Dataset, DecisionTreeDataset, KGSeqDataset
from recbole.data.interaction import Interaction
from recbole.utils import init_seed

from recbole_edlae.data import atomic
from recbole_edlae.data.atomic import AtomicFileError, read_atomic
from recbole_edlae.integration.fixes import reading

PLAIN = {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "user", "order": "RO", "mode": "full"}
COLUMNS = (
    "user_id:token item_id:token rating:float timestamp:float "
    "friend:token shop:token tags:token_seq marks:float_seq"
)


def rows_of_interactions(generator, count=480):
    """Lines with repeated pairs, missing values, and tokens of one byte to many."""
    lines = []
    for row in range(count):
        user = (
            f"u{generator.integers(25) * 7}é"
            if row % 3
            else f"user number {generator.integers(12)} with a long name"
        )
        item = f"{generator.integers(20)}" if row % 4 else f"item{generator.integers(9):08d}"
        friend = "" if row % 7 == 0 else f"u{generator.integers(30) * 7}é"
        shop = "" if row % 11 == 0 else f"s{max(generator.integers(4), 3 * (row < 3))}"  # s3 comes first
        tags = " ".join(f"s{generator.integers(9)}" for _ in range(row % 4))
        marks = " ".join(f"{generator.integers(9)}.5" for _ in range(1 + row % 3))
        rating = "" if row % 13 == 0 else str(1 + generator.integers(5))
        lines.append(
            "\t".join([user, item, rating, str(generator.integers(60)), friend, shop, tags, marks])
        )
    return [*lines, *lines[:9], lines[-1]]


def write(folder, name, header, lines):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(["\t".join(header.split()), *lines]) + "\n")


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """data_path of a dataset `odd` with every kind of file."""
    generator = np.random.default_rng(11)
    folder = tmp_path_factory.mktemp("data") / "odd"
    lines = rows_of_interactions(generator)
    write(folder, "odd.inter", COLUMNS, lines)
    for part, of_part in (("one", lines[:150]), ("two", lines[150:200]), ("three", lines[200:])):
        write(folder, f"odd.{part}.inter", COLUMNS, of_part)
    users = list(dict.fromkeys(line.split("\t")[0] for line in lines))
    items = list(dict.fromkeys(line.split("\t")[1] for line in lines))
    users_of_file = [*users[3:], "nobody", users[5]]
    write(
        folder,
        "odd.user",
        "user_id:token age:float town:token",
        [f"{u}\t{len(u)}\tt{len(u)}" for u in users_of_file],
    )
    items_of_file = ["nothing", *items[:-2][::-1]]
    write(
        folder, "odd.item", "item_id:token price:float kinds:token_seq",
        [f"{item}\t{'' if row % 5 == 0 else row}\tk{row % 3} k{row % 5}" for row, item in enumerate(items_of_file)],
    )  # fmt: skip
    write(folder, "odd.more", "shop:token size:float", ["s1\t5", "s9\t7"])
    write(
        folder,
        "odd.link",
        "item_id:token entity_id:token",
        [f"{item}\te{row}" for row, item in enumerate(items[2:])],
    )
    write(
        folder, "odd.kg", "head_id:token relation_id:token tail_id:token",
        [f"e{row % 30}\tr{row % 3}\te{row * row % 40}" for row in range(90)],
    )  # fmt: skip
    return str(folder.parent)


def made(odd, is_on, model="EDLAE", dataset_class=None, **settings):
    settings = {"data_path": odd, "state": "ERROR", "load_col": None, "eval_args": PLAIN, **settings}
    config = Config(model, "odd", config_dict={**settings, "vectorized_data": is_on})
    init_seed(config["seed"], config["reproducibility"])
    return create_dataset(config) if dataset_class is None else dataset_class(config)


def assert_same_array(ours, theirs):
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    if ours.dtype != object:
        assert ours.tobytes() == theirs.tobytes()
        return
    for own, other in zip(ours, theirs, strict=True):
        assert type(own) is type(other)
        if isinstance(own, np.ndarray):
            assert_same_array(own, other)
        elif isinstance(own, (list, tuple)):
            np.testing.assert_equal(own, other)
        else:
            assert own == other or (own != own and other != other)


def assert_same_feat(ours, theirs):
    assert type(ours) is type(theirs)
    if isinstance(ours, Interaction):
        assert list(ours.interaction) == list(theirs.interaction)
        for name in ours.interaction:
            assert ours[name].dtype == theirs[name].dtype and torch.equal(ours[name], theirs[name]), name
    elif isinstance(ours, pd.DataFrame):
        assert list(ours) == list(theirs)
        pd.testing.assert_index_equal(ours.index, theirs.index, exact=True)
        for name in ours:
            assert_same_array(ours[name].to_numpy(), theirs[name].to_numpy())
    else:
        assert ours is theirs is None


def assert_same_dataset(ours, theirs):
    """All that a dataset holds."""
    assert list(vars(ours)) == list(vars(theirs)) or set(vars(ours)) == set(vars(theirs))
    for name, own in vars(ours).items():
        other = vars(theirs)[name]
        if name.endswith("_feat"):
            assert_same_feat(own, other)
        elif name in ("field2id_token", "alias", "_preloaded_weight"):
            assert list(own) == list(other)
            for field in own:
                assert_same_array(own[field], other[field])
        elif name == "field2token_id":
            assert own == other
            for field in own:
                assert [(type(token), token) for token in own[field]] == [
                    (type(token), token) for token in other[field]
                ]
        elif name == "_rest_fields":
            assert_same_array(np.asarray(own), np.asarray(other))
        elif isinstance(own, torch.Tensor):
            assert own.dtype == other.dtype and torch.equal(own, other)
        elif name not in ("config", "logger", "file_times", "seq_sampler"):
            assert type(own) is type(other) and own == other, name


def assert_same(odd, **settings):
    """Compare datasets before and after the split, and the next random numbers."""
    ours, theirs = made(odd, True, **settings), made(odd, False, **settings)
    assert_same_dataset(ours, theirs)
    assert str(ours) == str(theirs)
    if settings.get("dataset_class") is not None:
        return ours
    drawn = []
    for dataset in (ours, theirs):
        init_seed(1, True)
        drawn.append((dataset.build(), torch.rand(1), np.random.rand()))
    for own, other in zip(drawn[0][0], drawn[1][0], strict=True):
        assert_same_feat(own.inter_feat, other.inter_feat)
        assert own.avg_actions_of_users == other.avg_actions_of_users
        assert type(own.avg_actions_of_items) is type(other.avg_actions_of_items)
        assert own.avg_actions_of_items == other.avg_actions_of_items
    assert drawn[0][1:] == drawn[1][1:]
    return ours


SETTINGS = [
    {},
    {"load_col": {"inter": ["user_id", "item_id"]}},
    {"load_col": {"inter": ["user_id", "item_id", "friend", "timestamp"]}, "alias_of_user_id": ["friend"]},
    {"alias_of_user_id": ["friend"], "alias_of_item_id": ["shop"]},
    {"filter_inter_by_user_or_item": False},
    {"rm_dup_inter": "first"},
    {"rm_dup_inter": "last", "user_inter_num_interval": "[7,inf)", "item_inter_num_interval": "[7,inf)"},
    {"user_inter_num_interval": "(5,12];[13,40)", "item_inter_num_interval": "[3,13);(13,40]"},
    {"user_inter_num_interval": "[13,inf)", "item_inter_num_interval": None},
    {"user_inter_num_interval": None, "item_inter_num_interval": "(12,inf)"},
    {
        "load_col": {"inter": ["user_id", "item_id"]},
        "user_inter_num_interval": "[9,11);[12,40]",
        "item_inter_num_interval": "[8,inf)",
    },
    {
        "val_interval": {
            "rating": "[2,inf)",
            "shop": ["s1", "s2"],
            "age": "[3,9]",
            "town": ["t3", "t4", "t5"],
        }
    },
    {"val_interval": {"item_id": ["1", "2", "3", 4, "item00000001"]}},
    {"threshold": {"rating": 3}},
    {"normalize_all": True},
    {"normalize_field": ["rating", "marks"]},
    {
        "numerical_features": ["rating", "marks"],
        "discretization": {"rating": {"method": "ED", "bucket": 3}},
    },
    {"seq_len": {"tags": 2, "marks": 1}},
    {"benchmark_filename": ["one", "two", "three"]},
    {"benchmark_filename": ["one", "two", "three"], "load_col": {"inter": ["user_id", "item_id", "shop"]}},
    {"TIME_FIELD": "shop", "rm_dup_inter": "first"},
    {"unused_col": {"inter": ["friend"]}, "preload_weight": {"shop": "rating"}},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_datasets_are_recboles(odd, settings):
    assert_same(odd, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"user_inter_num_interval": "[99,inf)"},
        {"val_interval": {"shop": ["s77"]}},
        {"val_interval": {"shop": "[1,2]"}},
        {"benchmark_filename": ["one", "four", "two"]},
    ],
)
def test_errors_are_recboles(odd, settings):
    texts = []
    for is_on in (True, False):
        with pytest.raises((ValueError, TypeError)) as error:
            made(odd, is_on, **settings)
        texts.append(repr(error.value))
    assert texts[0] == texts[1]


def test_intervals_leave_out_some(odd):
    """Filtering goes on until it has left out nothing, and does not leave out everything, in the settings above."""
    for settings in SETTINGS:
        if settings.get("user_inter_num_interval"):
            without = settings | {"user_inter_num_interval": None, "item_inter_num_interval": None}
            everything = len(made(odd, True, **without).inter_feat)
            assert 20 < len(made(odd, True, **settings).inter_feat) < everything, settings


def test_a_field_of_two_files_is_recboles(odd):
    """RecBole gives ids to the column of the file that it reads last; the other one remains text."""
    settings = {"additional_feat_suffix": "more", "load_col": None}
    ours, theirs = (
        made(odd, is_on, **settings | {"additional_feat_suffix": ["more"]}) for is_on in (True, False)
    )
    assert ours.inter_feat["shop"].dtype == object
    assert_same_dataset(ours, theirs)


LAST = {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full", "group_by": "user"}
SEQUENTIAL = {
    "train_neg_sample_args": None,
    "eval_args": LAST,
    "load_col": {"inter": ["user_id", "item_id", "timestamp", "shop"]},
}
VALUES = {"metrics": ["AUC"], "valid_metric": "AUC", "eval_args": {**PLAIN, "mode": "labeled"}}
NO_VECTORS = {"additional_feat_suffix": None, "preload_weight": None}
KNOWLEDGE = {"load_col": {"inter": ["user_id", "item_id"], "kg": "*", "link": "*"}}


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("GRU4Rec", SEQUENTIAL),
        ("FM", VALUES),
        ("KGCN", KNOWLEDGE),
        ("KGCN", {**KNOWLEDGE, "entity_kg_num_interval": "[2,inf)", "relation_kg_num_interval": "[1,inf)"}),
        ("KGCN", {**KNOWLEDGE, "user_inter_num_interval": "[4,inf)", "kg_reverse_r": True}),
        (
            "GRU4RecKG",
            {**SEQUENTIAL, "load_col": {**SEQUENTIAL["load_col"], "kg": "*", "link": "*"}, **NO_VECTORS},
        ),
        (
            "DIEN",
            SEQUENTIAL
            | {"metrics": ["AUC"], "valid_metric": "AUC", "eval_args": LAST | {"mode": "labeled"}},
        ),
    ],
)
def test_all_kinds_of_datasets_are_recboles(odd, model, settings):
    dataset_class = KGSeqDataset if model == "GRU4RecKG" else None
    assert_same(odd, model=model, dataset_class=dataset_class, **settings)


def test_datasets_of_decision_trees_are_recboles(odd):
    settings = {"convert_token_to_onehot": True, "token_num_threshold": 100}
    assert_same(odd, model="FM", dataset_class=DecisionTreeDataset, **settings, **VALUES)


def test_tokens_become_categories_where_the_setting_is_on(odd, monkeypatch):
    as_categories = []

    def spy(*arguments, categories, **options):
        frame = read_atomic(*arguments, categories=categories, **options)
        as_categories.append([name for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)])
        return frame

    monkeypatch.setattr(reading, "read_atomic", spy)
    made(odd, False)
    assert not any(as_categories)
    as_categories.clear()
    made(odd, True)
    assert [names for names in as_categories if names] == [["user_id", "item_id", "friend", "shop"]]


@pytest.mark.parametrize("step", ["_filter_by_field_value", "_remap_ID_all"])
def test_a_class_with_steps_of_its_own_sees_texts(odd, step):
    kinds = []

    def own_step(dataset):
        kinds.append(dataset.inter_feat["item_id"].dtype)
        getattr(Dataset, step)(dataset)

    own_class = type("OwnDataset", (Dataset,), {step: own_step})
    assert_same_dataset(made(odd, True, dataset_class=own_class), made(odd, False))
    assert kinds == [object]


def test_a_table_that_is_read_later_has_texts(odd):
    """Whoever reads a file through the finished dataset gets what RecBole gives."""
    dataset = made(odd, True)
    path = f"{odd}/odd/odd.inter"
    pd.testing.assert_frame_equal(
        dataset._load_feat(path, "more"), made(odd, False)._load_feat(path, "more")
    )
    frame = dataset._load_feat(path, dataset.field2source["rating"])
    assert frame["user_id"].dtype == object


SEPARATORS = ["\t", ",", ";", "::", " "]
ALPHABETS = [
    "ab",
    "abc01 ",
    "\u00e97\u6f22\U0001f600a",
    'a"b',
    "a, ;|\t",
    " ",
    "\x0b\x0c\x85\xa0\u2028a",
    "NA nul",
]
LENGTHS = [0, 1, 2, 3, 7, 8, 9, 16, 17, 30]


def read(path, fields, **options):
    """The frame, or the error's text."""
    try:
        return read_atomic(path, fields, **options)
    except AtomicFileError as error:
        return str(error)


def texts_by_pandas(table, fields, block_size=None):
    """What pandas makes of rows that were taken apart and put together by Python."""
    if block_size is None:
        raise pa.ArrowInvalid("not as it is")
    lines = [line for line in table.content.split(b"\n") if line]
    frame = pd.read_csv(
        io.BytesIO(b"\n".join(lines)), sep=table.separator, names=table.fields, usecols=fields, index_col=False,
        header=None, skiprows=1, skip_blank_lines=False, quoting=csv.QUOTE_NONE, keep_default_na=False,
        na_values=[""], dtype=str,
    )  # fmt: skip
    return dict(frame.items())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(4))
def test_categories_are_the_texts_of_any_file(tmp_path, monkeypatch, seed):
    generator = random.Random(seed)
    read_as_categories = 0
    for _ in range(60):
        monkeypatch.setattr(atomic, "_BLOCK", generator.choice([50, 100, 300, 1 << 20]))
        separator, width = generator.choice(SEPARATORS), generator.choice([1, 2, 3, 4])
        alphabet = generator.choice(ALPHABETS)
        lengths = [*LENGTHS, 70] if generator.random() < 0.2 else LENGTHS
        lines = [separator.join(f"f{number}:token" for number in range(width))]
        for _ in range(generator.randint(1, 30)):
            texts = [
                "".join(generator.choices(alphabet, k=generator.choice(lengths))) for _ in range(width)
            ]
            line = separator.join(texts[:-1] if generator.random() < 0.05 else texts)
            lines.append(line if line.strip(" \t" + separator) else "")
        end = generator.choice(["\n", "\n", "\r\n"])
        (tmp_path / "x.inter").write_bytes(
            (end.join(lines) + generator.choice(["", end, end * 2])).encode()
        )
        fields = [f"f{number}" for number in range(width) if generator.random() < 0.8] or ["f0"]
        ours = read(tmp_path / "x.inter", fields, separator=separator, categories=fields)
        texts = read(tmp_path / "x.inter", fields, separator=separator)
        with monkeypatch.context() as patch:
            patch.setattr(atomic, "_texts", texts_by_pandas)
            expected = read(tmp_path / "x.inter", fields, separator=separator)
        if isinstance(expected, str):
            assert ours == texts == expected
            continue
        read_as_categories += all(isinstance(kind, pd.CategoricalDtype) for kind in ours.dtypes)
        pd.testing.assert_frame_equal(texts, expected)
        pd.testing.assert_frame_equal(ours.astype(object), expected)
        for field in fields:
            assert list(ours[field].cat.categories) == list(dict.fromkeys(expected[field].dropna()))
    assert read_as_categories > 15


def test_a_line_may_be_longer_than_what_is_parsed_at_once(tmp_path):
    token = "x" * (atomic._BLOCK + 1)
    (tmp_path / "x.inter").write_text(f"a:token\tb:float\nu\t1\n{token}\t2\n")
    frame = read_atomic(tmp_path / "x.inter", ["a", "b"], categories=["a"])
    assert frame["a"].tolist() == ["u", token] and frame["b"].tolist() == [1, 2]


def test_numbers_stand_beside_categories_in_the_order_of_the_file(tmp_path):
    (tmp_path / "x.inter").write_text("a:token\tb:float\tc:token\nx\t1.5\t\ny\t\tz\n")
    frame = read_atomic(tmp_path / "x.inter", ["a", "b", "c"], categories=["a", "c"])
    assert list(frame) == ["a", "b", "c"]
    assert frame["b"].dtype == np.float64
    assert frame["a"].tolist() == ["x", "y"]
    assert frame["c"].cat.codes.tolist() == [-1, 0]
