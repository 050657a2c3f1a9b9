import json
import sys

import numpy as np
import pytest

from recbole_edlae import cli
from recbole_edlae.papers.activations import compare_activations, correlations
from recbole_edlae.papers.spread import spread_table

QUICK = {"latent_dimension": 8, "epochs": 2}


def fake_run(activation, seed, agreement, ndcg):
    properties = {
        "order_agreement": agreement,
        "order_ties": 0.0,
        "zero_codes": 0.0,
        "effective_dimension": 1.0,
    }
    return {"activation": activation, "seed": seed, "properties": properties, "test": {"ndcg@10": ndcg}}


def test_study_has_every_run_and_varies_the_activation_alone(settings):
    settings = {**settings, **QUICK}
    runs = compare_activations("tiny", ["sigmoid", "relu"], [1, 2], settings=settings)
    assert [(run["activation"], run["seed"]) for run in runs] == [
        ("sigmoid", 1), ("sigmoid", 2), ("relu", 1), ("relu", 2),
    ]  # fmt: skip
    assert all(run["properties"]["dimension_ratio"] == pytest.approx(8 / 31) for run in runs)
    assert all(run["properties"]["zero_entries"] == 0 for run in runs[:2])
    assert all(run["properties"]["zero_entries"] > 0 for run in runs[2:])
    assert compare_activations("tiny", ["relu"], [2], settings=settings)[0] == runs[3]


def test_correlations_are_of_ranks():
    runs = [fake_run("a", seed, agreement, agreement**3) for seed, agreement in enumerate((0.1, 0.4, 0.9))]
    found = correlations(runs)
    assert found["order_agreement"]["ndcg@10"] == pytest.approx(1)
    assert found["zero_codes"]["ndcg@10"] is None
    assert correlations([*runs, fake_run("a", 3, np.nan, 0.0)])["order_agreement"][
        "ndcg@10"
    ] == pytest.approx(1)


def test_table_has_the_best_first_with_the_spread_over_seeds():
    runs = [fake_run("low", 1, 0.5, 0.1), fake_run("high", 1, 0.5, 0.3), fake_run("high", 2, 0.5, 0.5)]
    lines = spread_table(runs, "ndcg@10").splitlines()
    assert lines[1].startswith("high") and "0.4000 ± 0.1414" in lines[1]
    assert lines[2].startswith("low") and "0.1000 ± 0.0000" in lines[2]


def test_command_writes_runs_table_and_plot(tiny, tmp_path):
    pytest.importorskip("matplotlib")
    words = f"--dataset=tiny --data_path={tiny} --epochs=2 --latent_dimension=8 --train_batch_size=32 --output=out"
    cli.main(["activations", *words.split(), "--activations", "sigmoid", "tanh", "--seeds", "1"])
    assert len(json.loads((tmp_path / "out" / "runs.json").read_text())["runs"]) == 2
    assert (tmp_path / "out" / "properties.png").stat().st_size > 10_000
    assert "sigmoid" in (tmp_path / "out" / "table.txt").read_text()


@pytest.mark.parametrize(
    "words, reason",
    [
        (["--activations", "sigmod"], "activations must be one of sigmoid, "),
        (["--latent_activation=relu"], "name the choices after --activations"),
        (["--epochs=ten"], "epochs must be int"),
    ],
)
def test_what_is_wrong_is_said_before_data_are_read(words, reason, capsys, monkeypatch):
    monkeypatch.setattr("recbole_edlae.cli.activations.load_pyplot", lambda: None)
    with pytest.raises(SystemExit):
        cli.main(["activations", *words])
    assert reason in capsys.readouterr().err


def test_without_matplotlib_it_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit):
        cli.main(["activations"])
    assert "pip install 'recbole_edlae[plot]'" in capsys.readouterr().err
