"""With vectorized_data on and off the data of a run are the same: splits, samplers, loaders, batches, random state."""

import copy
import pickle
import random
import warnings

import numpy as np
import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.interaction import Interaction
from recbole.quick_start import quick_start
from recbole.utils import KGDataLoaderState, get_model, init_seed

from recbole_edlae.cli import single_run
from recbole_edlae.data.time_order import FileTimes
from recbole_edlae.integration import hook
from recbole_edlae.integration.fast import loaders
from recbole_edlae.integration.fast import rows as fast_rows
from recbole_edlae.integration.fast.used_ids import LazyArray
from recbole_edlae.integration.fixes import preparation
from recbole_edlae.runs.run import Run
from recbole_edlae.runs.runner import Runner

from .sameness import assert_same

ARRAYS = np.ndarray, torch.Tensor
PAIRWISE = {"distribution": "uniform", "sample_num": 1}
POPULAR = {"distribution": "popularity", "sample_num": 2, "alpha": 0.7}
RANKED = {"metrics": ["Recall"], "valid_metric": "Recall@5", "topk": [5]}
RATED = {"metrics": ["RMSE"], "valid_metric": "RMSE"}
COLUMNS = {"inter": ["user_id", "item_id", "rating", "timestamp"]}
ALL_COLUMNS = {
    "inter": ["user_id", "item_id", "rating", "timestamp", "words", "shares"],
    "user": ["user_id", "age"],
    "item": ["item_id", "genre", "price"],
}
GRAPH = {**COLUMNS, "kg": ["head_id", "relation_id", "tail_id"], "link": ["item_id", "entity_id"]}


def case(model, dataset="odd", split=None, group_by="user", order="RO", mode="full", **settings):
    eval_args = {
        "split": split or {"RS": [0.8, 0.1, 0.1]},
        "group_by": group_by,
        "order": order,
        "mode": mode,
    }
    measured = RATED if mode == "labeled" else RANKED
    return model, dataset, {"eval_args": eval_args, "load_col": COLUMNS, **measured, **settings}


ERRORS = {
    "TS test alone": "division by zero",
    "one user": "user u has all 12 items",
    "one item": "has the only item",
    "all items": "user all has all 15 items",
    "all items pop": "there is nothing to rank against",
    "sequential RO": "has to be 'TO'",
    "knowledge complete": "Some head entities have relation with all entities",
    "wrong LS": "The leave_one_mode [valid] has not been implemented",
    "no time": "needs the field timestamp",
}
SHARES = [{"RS": [0.8, 0.1, 0.1]}, {"RS": [3, 1, 1]}, {"RS": [0.5, 0.0, 0.5]}, {"RS": [1, 0, 0]}]
LEFT_OUT = [{"LS": "valid_and_test"}, {"LS": "valid_only"}, {"LS": "test_only"}]
CASES = {
    "ml-100k": case(
        "BPR", "ml-100k", load_col={"inter": ["user_id", "item_id", "timestamp"]}, train_batch_size=2048
    ),
    "ml-100k LS uni": case(
        "EASE",
        "ml-100k",
        {"LS": "valid_and_test"},
        mode="uni100",
        eval_batch_size=20000,
        user_inter_num_interval="[200,inf)",
    ),
    **{f"{split} user": case("BPR", split=split) for split in SHARES},
    **{f"{split} none": case("BPR", split=split, group_by="none") for split in SHARES},
    **{f"{split} TO": case("BPR", split=split, order="TO") for split in SHARES[:2]},
    **{
        f"{split} {order}": case("EASE", split=split, order=order)
        for split in LEFT_OUT
        for order in ("RO", "TO")
    },
    **{f"TS {order}": case("BPR", split={"TS": [0.7, 0.2, 0.1]}, order=order) for order in ("RO", "TO")},
    "TS without test": case("BPR", split={"TS": [0.8, 0.2, 0]}, order="TO"),
    "TS test alone": case("BPR", split={"TS": [0.0, 0.0, 1.0]}, order="TO"),
    "US": case("EASE", split={"US": [0.6, 0.2, 0.2]}),
    "US TO": case("MultiVAE", split={"US": [-1, 5, 5]}, order="TO", train_neg_sample_args=None),
    **{f"uni {split}": case("BPR", split=split, mode="uni20") for split in (SHARES[0], LEFT_OUT[0])},
    **{f"pop {split}": case("BPR", split=split, mode="pop20") for split in (SHARES[0], LEFT_OUT[0])},
    "two modes": case("BPR", mode={"valid": "uni5", "test": "full"}),
    "popular twice": case("BPR", mode="pop7", train_neg_sample_args=POPULAR),
    "labeled": case(
        "FM", mode="labeled", train_neg_sample_args=None, load_col=ALL_COLUMNS, threshold={"rating": 3}
    ),
    "repeatable": case("BPR", repeatable=True),
    "repeatable uni": case("BPR", repeatable=True, mode="uni10", split={"LS": "valid_and_test"}),
    "repeatable pop": case("BPR", repeatable=True, mode="pop10", train_neg_sample_args=POPULAR),
    "popular": case("BPR", train_neg_sample_args=POPULAR),
    "four negatives": case("LightGCN", train_neg_sample_args={"distribution": "uniform", "sample_num": 4}),
    "dynamic": case(
        "BPR",
        train_neg_sample_args={
            "distribution": "uniform",
            "sample_num": 1,
            "dynamic": True,
            "candidate_num": 3,
        },
    ),
    "no negatives": case("MultiVAE", train_neg_sample_args=None),
    "MultiDAE uni": case("MultiDAE", train_neg_sample_args=None, mode="uni8"),
    "filters": case(
        "BPR", user_inter_num_interval="[5,inf)", item_inter_num_interval="[4,inf)", rm_dup_inter="first"
    ),
    "no duplicates": case("EASE", rm_dup_inter="last", val_interval={"rating": "[2,inf)"}),
    "columns": case("BPR", load_col=ALL_COLUMNS, unused_col={"inter": ["timestamp", "rating"]}),
    "context": case(
        "FM", load_col=ALL_COLUMNS, train_neg_sample_args={"distribution": "uniform", "sample_num": 2}
    ),
    "context uni": case("DeepFM", load_col=ALL_COLUMNS, mode="uni5", normalize_all=True),
    "not shuffled": case("NeuMF", shuffle=False),
    "files": case("BPR", benchmark_filename=["train", "valid", "test"]),
    "files twice": case("EASE", benchmark_filename=["train", "test", "test"]),
    "one user": case("BPR", "one_user"),
    "one item": case("BPR", "one_item"),
    "one item EASE": case("EASE", "one_item"),
    "one row": case("Pop", "one_row"),
    "all items": case("BPR", "complete"),
    "all items pop": case("EASE", "complete", mode="pop5"),
    "sequential": case("GRU4Rec", split={"LS": "valid_and_test"}, order="TO", train_neg_sample_args=None),
    "sequential uni": case(
        "GRU4Rec", split={"LS": "valid_and_test"}, order="TO", mode="uni5", loss_type="BPR"
    ),
    "sequential files": case(
        "SASRec",
        "sequences",
        order="TO",
        load_col=None,
        benchmark_filename=["train", "valid", "test"],
        alias_of_item_id=["item_id_list"],
        train_neg_sample_args=None,
    ),
    "sequential RO": case("SASRec", order="RO", train_neg_sample_args=None),
    "DIEN": case("DIEN", split={"RS": [0.8, 0.1, 0.1]}, order="TO"),
    "knowledge": case("CFKG", "graph", load_col=GRAPH),
    "knowledge pop": case("CKE", "graph", load_col=GRAPH, train_neg_sample_args=POPULAR),
    "knowledge complete": case("CKE", "full_graph", load_col=GRAPH),
    "wrong LS": case("Pop", split={"LS": "valid"}),
    "no time": case("BPR", order="TO", load_col={"inter": ["user_id", "item_id"]}),
}


def write(folder, suffix, header, rows):
    lines = ["\t".join(header), *("\t".join(map(str, row)) for row in rows)]
    (folder / f"{folder.name}.{suffix}").write_text("\n".join(lines) + "\n")


INTER = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """data_path of made-up data with every odd thing in it."""
    root = tmp_path_factory.mktemp("vectorized")
    generator = np.random.default_rng(5)
    names = ["odd", "one_user", "one_item", "one_row", "complete", "graph", "full_graph", "sequences"]
    for name in names:
        (root / name).mkdir()
    rows = []
    for _ in range(
        900
    ):  # unsorted users, few and many rows of a user, repeats, equal and missing times and ratings
        user, item = (
            generator.integers(60) * generator.integers(2) + generator.integers(8),
            generator.zipf(1.3) % 70,
        )
        rating = generator.integers(1, 6) if generator.random() > 0.05 else ""
        words = " ".join(f"w{word}" for word in generator.integers(5, size=generator.integers(4)))
        shares = " ".join(f"{share:.2f}" for share in generator.random(generator.integers(1, 4)))
        rows.append((f"u#{user}", f"é {item}", rating, generator.integers(300), words, shares))
    rows += rows[:40]
    odd = root / "odd"
    header = (*INTER, "words:token_seq", "shares:float_seq")
    write(odd, "inter", header, rows)
    write(
        odd, "user", ("user_id:token", "age:token"), [(f"u#{user}", user % 4 or "") for user in range(50)]
    )
    write(
        odd,
        "item",
        ("item_id:token", "genre:token_seq", "price:float"),
        [(f"é {i}", f"g{i % 3} g{i % 2}", i / 7) for i in range(80)],
    )
    parts = {"train": rows[:600], "valid": rows[600:700], "test": rows[700:]}
    for part, part_rows in parts.items():
        write(odd, f"{part}.inter", header, part_rows)
    write(root / "one_user", "inter", INTER, [("u", f"i{i}", 1, i % 3) for i in range(12)])
    write(root / "one_item", "inter", INTER, [(f"u{user % 5}", "i", 1, user) for user in range(20)])
    write(root / "one_row", "inter", INTER, [("u", "i", 1, 1)])
    complete = [("all", f"i{i}", 1, i) for i in range(15)] + [
        (f"u{user}", f"i{(user * i) % 15}", 1, i) for user in range(9) for i in range(4)
    ]
    write(root / "complete", "inter", INTER, complete)
    lists = ("user_id:token", "item_id_list:token_seq", "item_id:token")
    for part, first in (("train", 0), ("valid", 100), ("test", 130)):
        seen = [
            (f"u{row % 23}", " ".join(f"i{(row + k) % 19}" for k in range(1 + row % 5)), f"i{row % 19}")
            for row in range(first, first + 40)
        ]
        write(root / "sequences", f"{part}.inter", lists, seen)
    for name in ("graph", "full_graph"):
        write(
            root / name,
            "inter",
            INTER,
            [(f"u{row % 17}", f"i{row * (row % 5) % 31}", 1, row % 50) for row in range(300)],
        )
        write(
            root / name,
            "link",
            ("item_id:token", "entity_id:token"),
            [(f"i{i}", f"e{i}") for i in range(31)],
        )
        kg = [
            (f"e{generator.integers(45)}", f"r{generator.integers(3)}", f"e{generator.integers(45)}")
            for _ in range(250)
        ]
        kg += [("e1", "r1", f"e{entity}") for entity in range(45)] if name == "full_graph" else []
        write(root / name, "kg", ("head_id:token", "relation_id:token", "tail_id:token"), kg)
    return str(root)


def config_of(model, dataset, settings, folder, **more):
    path = {} if dataset == "ml-100k" else {"data_path": folder}
    quiet = {"state": "ERROR", "show_progress": False, "train_batch_size": 100, "eval_batch_size": 400}
    return Config(model, dataset, config_dict={**quiet, **path, **settings, **more})


def prepare(config, epoch=True):
    """Everything that a run holds before the training, and the batches of an epoch; or the error that ends it."""
    init_seed(config["seed"], config["reproducibility"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        held = {}
        try:
            held["dataset"] = dataset = create_dataset(config)
            held["loaders"] = loaders = quick_start.data_preparation(config, dataset)
            model = get_model(config["model"])(config, loaders[0].dataset) if is_dynamic(config) else None
            held["batches"] = [batches(loader, model) for loader in loaders if epoch]
        except Exception as error:
            held["error"] = type(error), str(error)
    # pandas and NumPy warn of what RecBole calls
    of_libraries = FutureWarning, DeprecationWarning
    ours_or_recboles = [warning for warning in caught if not issubclass(warning.category, of_libraries)]
    held["warnings"] = sorted(str(warning.message) for warning in ours_or_recboles)
    held["next"] = np.random.get_state(), torch.get_rng_state(), random.getstate()
    return held


def is_dynamic(config):
    return (config["train_neg_sample_args"] or {}).get("dynamic", False)


def batches(loader, model):
    if hasattr(loader, "set_mode"):
        loader.set_mode(KGDataLoaderState.RSKG)
    if model is not None and hasattr(loader, "get_model"):
        loader.get_model(model)
    return list(loader)


def with_stock_rows(monkeypatch):
    """RecBole's own way to pick rows, which has no switch, with the times of the file that go along."""
    monkeypatch.setattr(
        fast_rows, "row_index", lambda index: index.tolist() if isinstance(index, ARRAYS) else index
    )


@pytest.mark.parametrize("name", CASES)
def test_everything_is_recboles(name, folder, monkeypatch):
    ours = prepare(config_of(*CASES[name], folder))
    with_stock_rows(monkeypatch)
    theirs = prepare(config_of(*CASES[name], folder, vectorized_data=False))
    assert_same(ours, theirs)
    if name not in ERRORS:
        assert "error" not in theirs, theirs["error"]
    else:
        assert ERRORS[name] in theirs["error"][1]


def outcome(function):
    try:
        return function()
    except Exception as error:
        return type(error), str(error)


ROWS = Interaction(
    {"id": torch.arange(6), "pair": torch.arange(12.0).reshape(6, 2), "flag": torch.arange(6) > 2}
)
INDICES = {
    "int": 2,
    "negative": -1,
    "beyond": 6,
    "NumPy's int": np.int64(3),
    "slice": slice(1, 5, 2),
    "range": range(2, 4),
    "no rows": [],
    "list": [3, 0, 3],
    "long list": [3, 0, -3] * 20,
    "list of NumPy's ints": [np.int64(3), 0],
    "list of tensors": [torch.tensor(3), torch.tensor(0)],
    "list of slices": [slice(1, 3)],
    "beyond in a list": [0, 2**64],
    "longer range": range(5, -1, -1),
    "tuple": (1, 2),
    "mask of bools": [True, False] * 3,
    "floats": [1.0, 2.0],
    "None": None,
    "text": "id",
    "no column": "other",
    "array": np.array([5, -6, 0]),
    "short": np.array([2, 1], dtype=np.int8),
    "bytes": np.array([2, 1], dtype=np.uint8),
    "unsigned": np.array([2, 2**64 - 1], dtype=np.uint64),
    "array of floats": np.array([1.0, 2.0]),
    "array of texts": np.array(["id"]),
    "no row": np.array([]),
    "no int": np.array([], dtype=np.int64),
    "mask": np.arange(6) > 3,
    "short mask": np.array([True]),
    "rank 0": np.array(4),
    "rank 2": np.array([[0, 1], [2, 3]]),
    "reversed": np.arange(6)[::-1],
    "beyond in an array": np.array([0, 6]),
    "below": np.array([-7]),
    "tensor": torch.tensor([4, 4, 1]),
    "tensor of bytes": torch.tensor([2, 1], dtype=torch.uint8),
    "tensor of rank 0": torch.tensor(4),
    "mask as a tensor": torch.arange(6) % 2 == 0,
    "float32": torch.tensor([1.0]),
    "tensor beyond": torch.tensor([9]),
    "empty tensor": torch.tensor([]),
    "rank 2 tensor": torch.tensor([[1, 2]]),
}


@pytest.mark.parametrize("name", INDICES)
@pytest.mark.parametrize("timed", [False, True])
def test_rows_are_picked_as_recbole_picks_them(name, timed):
    stock = hook.stock("recbole.data.interaction", "Interaction.__getitem__")
    rows = copy.deepcopy(ROWS)
    if timed:
        rows.file_times = FileTimes("time", torch.arange(6.0, dtype=torch.float64))
    ours = outcome(lambda: rows[INDICES[name]])
    theirs = outcome(lambda: stock(rows, INDICES[name]))
    if timed and isinstance(ours, Interaction):
        assert torch.equal(ours.file_times.values, ours["id"].double())  # the times went along
        theirs.file_times = ours.file_times
    assert_same(ours, theirs)


@pytest.mark.parametrize("name", INDICES)
def test_rows_are_moved_as_recbole_moves_them(name):
    stock = hook.stock("recbole.data.interaction", "Interaction._reindex")
    ours, theirs = copy.deepcopy(ROWS), copy.deepcopy(ROWS)
    ours.file_times = FileTimes("time", torch.arange(6.0, dtype=torch.float64))
    errors = outcome(lambda: ours._reindex(INDICES[name])), outcome(lambda: stock(theirs, INDICES[name]))
    times = vars(ours).pop("file_times")
    if errors[0] is None:
        assert torch.equal(times.values, ours["id"].double())  # the times went along
    assert errors[0] == errors[1]
    assert_same(ours, theirs)


class Squares(LazyArray):
    """Sets of one number, and None for every third."""

    def make(self, position):
        return {position * position} if position % 3 else None


ELEMENTS = [
    lambda array: array[2],
    lambda array: array[-1],
    lambda array: array[np.int64(4)],
    lambda array: array[torch.tensor(4)],
    lambda array: array[[torch.tensor(1), torch.tensor(5)]],
    lambda array: array[[1, 5, 1]],
    lambda array: array[2:5],
    lambda array: array[np.array([[1, 2], [3, 4]])],
    lambda array: array[np.arange(7) > 4],
    lambda array: array[7],
    lambda array: array[[0, 7]],
    lambda array: array[-8],
    lambda array: array["x"],
    lambda array: array[1.5],
    len,
    list,
    lambda array: array.shape,
    lambda array: array.dtype,
    lambda array: array.tolist(),
    lambda array: array[None],
    lambda array: array.nothing,
    lambda array: [element for element in array if element],
    lambda array: array[[]],
    lambda array: array[()],
    lambda array: changed(array, 3, {9}),
    lambda array: changed(array, slice(2, 4), None),
    lambda array: changed(array.copy(), 0, {7}),
    lambda array: changed(copy.deepcopy(array), 0, {7}),
    lambda array: changed(pickle.loads(pickle.dumps(array)), -1, 5),
    lambda array: array[4].add(1) or array[4],
    lambda array: (changed(array.copy(), 1, 5), array[1]),
    lambda array: {4} in array,
    lambda array: list(reversed(array)),
]


def changed(array, index, value):
    array[index] = value
    return np.asarray(array)


@pytest.mark.parametrize("number", range(len(ELEMENTS)))
def test_lazy_array_is_an_array_of_objects(number):
    lazy = Squares(7)
    array = np.array([lazy.make(position) for position in range(7)])
    ours, theirs = outcome(lambda: ELEMENTS[number](lazy)), outcome(lambda: ELEMENTS[number](array))
    if isinstance(theirs, tuple) and theirs[0] is AttributeError:
        assert ours[0] is AttributeError
    else:
        assert_same(ours, theirs)


def test_lazy_array_makes_what_is_asked_for_once():
    lazy = Squares(1000)
    assert lazy[[4, 5]][0] is lazy[4] and set(lazy._made) == {4, 5}
    assert lazy.copy()[4] is lazy[4]


def sorted_batch(batch):
    users, (history_u, history_i), positive_u, positive_i = batch
    history = sorted(zip(history_u.tolist(), history_i.tolist()))
    return users, history, sorted(zip(positive_u.tolist(), positive_i.tolist()))


@pytest.mark.parametrize(
    "name", ["ml-100k", "repeatable", "context uni", "US", "columns", "one row", "files twice"]
)
def test_batch_is_the_loaders_in_ascending_order(name, folder):
    model, dataset, settings = CASES[name]
    eval_args = {**settings["eval_args"], "mode": "full"}
    for on in (True, False):
        held = prepare(
            config_of(model, dataset, {**settings, "eval_args": eval_args}, folder, vectorized_data=on),
            epoch=False,
        )
        for loader in held["loaders"][1:]:
            everybody = np.arange(len(loader.user_df))
            for rows in (everybody, everybody[::-3], everybody[:1]):
                if not len(rows):
                    continue
                ours = loaders.batch_of(loader, rows)
                theirs = loader.collate_fn(rows.tolist())
                for tensor, other in zip((*ours[1], *ours[2:]), (*theirs[1], *theirs[2:])):
                    assert tensor.dtype == other.dtype
                assert_same(sorted_batch(ours), sorted_batch(theirs))
                if on:
                    assert sorted_batch(ours)[1:] == (
                        list(zip(*map(torch.Tensor.tolist, ours[1]))),
                        list(zip(*map(torch.Tensor.tolist, ours[2:]))),
                    )


def test_batch_of_a_sequential_model_is_the_loaders(folder):
    loader = prepare(config_of(*CASES["sequential"], folder))["loaders"][2]
    assert_same(tuple(loaders.batch_of(loader, np.arange(3))), loader.collate_fn([0, 1, 2]))


def test_pairs_in_two_parts_are_counted_by_rows():
    generator = np.random.default_rng(0)
    for rows in (0, 5, 300):
        first, second = (generator.integers(20, size=(2, n)) for n in (200, rows))
        pairs = [fast_rows.Groups(user, item, 20, 20) for user, item in (first, second)]
        expected = np.isin(second[0] * 20 + second[1], first[0] * 20 + first[1]).sum()
        assert preparation.shared_pairs(*pairs) == expected


@pytest.mark.parametrize("model", ["BPR", "EASE"])
def test_saved_loaders_are_loaded(model, folder, tmp_path):
    name, dataset, settings = CASES["popular twice"] if model == "BPR" else case("EASE")
    where = {"checkpoint_dir": str(tmp_path), "save_dataloaders": True}
    prepare(config_of(name, dataset, settings, folder, **where))
    assert list(tmp_path.glob("*dataloader.pth"))
    second = prepare(config_of(name, dataset, settings, folder, **where))
    fresh = prepare(config_of(name, dataset, settings, folder))
    assert_same(second["batches"][1:], fresh["batches"][1:])
    assert_same(second["loaders"][1]._sampler.used_ids, fresh["loaders"][1]._sampler.used_ids)


MODELS = {
    "BPR": {}, "LightGCN": {"n_layers": 1}, "ItemKNN": {}, "EASE": {},
    "MultiVAE": {"train_neg_sample_args": None}, "LINE": {},
}  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_metrics_are_the_same(model, folder, tmp_path):
    settings = {
        **case(model)[2],
        **MODELS[model],
        "epochs": 2,
        "checkpoint_dir": str(tmp_path),
        "data_path": folder,
    }
    settings = {**settings, "state": "ERROR", "show_progress": False, "train_batch_size": 256}
    ours, theirs = (
        quick_start.run_recbole(model, "odd", config_dict={**settings, "vectorized_data": on})
        for on in (True, False)
    )
    assert_same(dict(ours["test_result"]), dict(theirs["test_result"]))
    assert_same(dict(ours["best_valid_result"]), dict(theirs["best_valid_result"]))


def test_checkpoint_loads_with_its_data(folder, tmp_path):
    settings = {**case("BPR")[2], "epochs": 1, "checkpoint_dir": str(tmp_path), "data_path": folder}
    quick_start.run_recbole(
        "BPR", "odd", config_dict={**settings, "state": "ERROR", "show_progress": False}
    )
    (file,) = tmp_path.glob("BPR*.pth")
    *_, test = quick_start.load_data_and_model(str(file))
    theirs = prepare(config_of(*case("BPR"), folder, vectorized_data=False), epoch=False)["loaders"][2]
    assert_same(test.uid2positive_item, theirs.uid2positive_item)
    assert_same(test.uid2history_item, theirs.uid2history_item)


def test_runner_has_the_metrics_of_either_way(folder):
    runner = Runner()
    settings = {**case("BPR")[2], "epochs": 2, "data_path": folder, "state": "ERROR"}
    results = [
        runner.run(Run("BPR", "odd", settings={**settings, "vectorized_data": on, "seed": seed}))[0]
        for seed in (1, 2) for on in (True, False)
    ]  # fmt: skip
    assert results[0]["test"] == results[1]["test"] and results[2]["test"] == results[3]["test"]


@pytest.mark.parametrize("model", ["BPR", "EDLAE"])
@pytest.mark.parametrize("value", ["no", 0, None, 1.0])
def test_switch_is_true_or_false(model, value, folder):
    with pytest.raises(ValueError, match=f"vectorized_data must be True or False, got {value!r}"):
        config_of(model, "odd", {}, folder, vectorized_data=value)


def test_switch_is_no_part_of_a_runs_identity(folder):
    runs = [
        Run("EASE", "odd", settings={"data_path": folder, "vectorized_data": on}) for on in (True, False)
    ]
    assert runs[0].identity(["test"]) == runs[1].identity(["test"])


def test_switch_calls_recboles_own(folder):
    on, off = (
        prepare(
            config_of(*case("BPR", train_neg_sample_args=POPULAR), folder, vectorized_data=on), epoch=False
        )["loaders"]
        for on in (True, False)
    )
    for loader, kind in ((on[1], LazyArray), (off[1], np.ndarray)):
        for array in (loader._sampler.used_ids, loader.uid2positive_item, loader.uid2history_item):
            assert isinstance(array, kind)
    for loader in (on[0], off[0]):
        loader._sampler.sampling(1)
    assert "alias_table" in vars(on[0]._sampler) and "alias_table" not in vars(off[0]._sampler)
    made = on[1]._sampler.used_ids._made, on[1].uid2positive_item._made, on[1].uid2history_item._made
    assert not any(made)  # no set and no tensor was needed


def test_commands_know_the_switch(folder):
    words = ["--model=EASE", "--dataset=odd", f"--data_path={folder}"]
    assert (
        single_run.prepare([*words, "--vectorized_data=False"], "run").settings["vectorized_data"] is False
    )
    with pytest.raises(ValueError, match="vectorized_data must be True or False, got 'no'"):
        single_run.prepare([*words, "--vectorized_data=no"], "run")
    with pytest.raises(ValueError, match="did you mean vectorized_data"):
        single_run.prepare([*words, "--vectorised_data=True"], "run")
