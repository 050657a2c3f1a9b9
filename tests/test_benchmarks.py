"""The benchmarks run, at sizes that measure nothing."""

import importlib
import json

import numpy as np
import pytest
import scipy.sparse as sp

from tests.conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def script(monkeypatch, tmp_path):
    """A module of benchmarks/, whose measurements stay in this process, and its main called with some words."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    common = importlib.import_module("common")
    monkeypatch.setattr(common, "fresh", lambda function, *arguments: function(*arguments))

    def call(name, *words):
        module = importlib.reload(importlib.import_module(name))
        monkeypatch.setattr("sys.argv", [name, *words, "--out", "out.json"])
        module.main()
        return json.loads((tmp_path / "out.json").read_text())

    return call


SMALL = ["--users", "300", "--items", "60", "--interactions", "3000"]


def test_fit_and_plot(script, tmp_path, capsys):
    found = script("fit", *SMALL, "--repeats", "1")
    assert [row["contender"] for row in found["rows"]][:2] == ["EDLAE", "RecBole's EASE"]
    assert all(row["seconds"] > 0 for row in found["rows"])
    pytest.importorskip("matplotlib")
    importlib.import_module("plot").main(str(tmp_path))
    assert (tmp_path / "benchmarks.png").stat().st_size > 1000
    assert (
        "| EDLAE |" in (tmp_path / "benchmarks.md").read_text() and "| EDLAE |" in capsys.readouterr().out
    )


def test_estimators(script):
    rows = script("estimators", *SMALL, "--repeats", "1")["rows"]
    assert [row["contender"] for row in rows][:3] == ["EDLAE", "DLAE", "RecBole's EASE"]
    assert all(row["fit s"] > 0 and row["recommend s"] > 0 and 0.1 < row["hits@10"] < 1 for row in rows)


def test_estimators_on_a_file(script, tmp_path):
    lines = [f"u{user}\ti{item}" for user in range(40) for item in range(30) if (user + item) % 3]
    (tmp_path / "shop.inter").write_text(
        "\n".join(["user_id:token\titem_id:token", *lines, *lines[:5]]) + "\n"
    )
    found = script("estimators", "--data", "shop.inter", "--repeats", "1", "--contenders", "EDLAE")
    assert (found["data"], found["users"], found["items"], found["interactions"]) == (
        "shop",
        40,
        30,
        len(lines),
    )
    assert (
        found["rows"][0]["hits@10"] == 1
    )  # the items of a third of the users are alike, so nothing else is as likely


def test_scoring(script):
    rows = script("scoring", "--users", "30", "--items", "900", "--repeats", "1")["rows"]
    assert [row["contender"] for row in rows] == ["row_sums", "embedding_bag, dense", "SciPy, dense"]
    assert all(row["additions/s"] > 0 and row["error"] < 1e-5 for row in rows)


def test_growth(script, tmp_path):
    pytest.importorskip("matplotlib")
    words = [
        "--items",
        "100",
        "200",
        "--users",
        "300",
        "400",
        "--ease-items",
        "150",
        "--figure",
        "growth.svg",
    ]
    rows = script("growth", *words)["rows"]
    assert [(row["items"], row["users"], row["model"]) for row in rows] == [
        *[(100, 400, "EDLAE"), (100, 400, "EASE"), (200, 400, "EDLAE")],
        *[(200, 300, "EDLAE"), (200, 400, "EDLAE")],
    ]
    assert all(row["fit s"] > 0 and row["additions/s"] > 0 for row in rows)
    assert (tmp_path / "growth.svg").stat().st_size > 1000


@pytest.mark.parametrize("neighbors", ["5", "0"])
def test_large(script, neighbors):
    found = script("large", *SMALL, "--neighbors", neighbors, "--recommend-to", "20")
    assert [row["step"] for row in found["rows"]] == ["data", "fit", "recommend", "save", "load"]


def test_approximations(script):
    words = ["exact", "neighbors:50", "head:2000", "head:200"]
    rows = script("approximations", *words, "--dropout", "0.3")["rows"]
    exact, near, whole, head = (row["NDCG@10"] for row in rows)
    assert exact > 0.2 and abs(whole - exact) < 0.001 and 0.6 * exact < near < exact > head


def test_models_recommend_what_their_weights_say(script):
    from recbole_edlae.solvers import full_rank, gram

    models = importlib.import_module("models")
    X = sp.random(50, 30, density=0.2, format="csr", random_state=0, dtype=np.float32)
    X.data[:] = 1
    model = models.fitted("EDLAE", X, reg_weight=5.0)
    scores = X @ full_rank(gram(X), dropout=0.33, l2=5.0).numpy()
    scores[X.toarray() > 0] = scores[:, 0] = -np.inf
    best = models.recommend(model, X, np.arange(50), k=3).numpy()
    np.testing.assert_array_equal(best, np.argsort(-scores, axis=1, kind="stable")[:, :3])


def test_ensemble(script, tiny, tmp_path):
    (tmp_path / "protocol.yaml").write_text("topk: [5]\nvalid_metric: NDCG@5\n")
    words = ["--dataset", "tiny", "--data_path", tiny, "--config_files", str(tmp_path / "protocol.yaml")]
    found = script("ensemble", *words, "--members", "{DLAE: {reg_weight: 5}, ItemKNN: {k: 5}}")
    assert [row["scale"] for row in found["rows"]] == [
        "new_items",
        "all_items",
        "ranks",
        "softmax",
        "between_extremes",
    ]
    assert {row["members"] for row in found["rows"]} == {"DLAE + ItemKNN"}
    assert all(0 < row["ndcg@5"] < 1 for row in found["rows"])


@pytest.mark.parametrize("popular", [False, True])
def test_popularity_shift(popular, script, tmp_path):
    rng = np.random.default_rng(0)
    X = (rng.random((500, 40)) < np.linspace(0.05, 0.6, 40)).astype(int)
    user, item = X.nonzero()
    held_out = rng.random(len(item)) < (np.linspace(0.05, 0.4, 40)[item] if popular else 0.2)
    for name, part in (("train", ~held_out), ("test", held_out)):
        lines = [f"u{u}\ti{i}" for u, i in zip(user[part], item[part])]
        (tmp_path / f"{name}.inter").write_text("\n".join(["user_id:token\titem_id:token", *lines]) + "\n")
    published, drawn = script("popularity_shift", "train.inter", "test.inter")["rows"]
    differs = abs(published["shift"] - drawn["shift"]) > 5 * drawn["deviation"]
    assert differs == popular and published["shift"] > drawn["shift"] - 0.02
