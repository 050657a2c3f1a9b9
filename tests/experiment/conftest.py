import pytest
import yaml

from recbole_edlae import cli

PROTOCOL = {"metrics": ["Recall", "NDCG"], "topk": [3, 5], "valid_metric": "NDCG@5", "eval_batch_size": 100000}
QUICK = {
    "LowRankEDLAE": {"rank": 5, "solver": "eigen"},
    "BPR": {"epochs": 2, "train_batch_size": 64},
    "MultiDAE": {"epochs": 2, "mlp_hidden_size": [8]},
}


@pytest.fixture
def protocol(tiny, tmp_path):
    """Config file of a protocol on `tiny`."""
    path = tmp_path / "protocol.yaml"
    path.write_text(yaml.safe_dump({**PROTOCOL, "data_path": tiny}))
    return str(path)


@pytest.fixture
def board_file(protocol, tmp_path):
    """Writes a leaderboard's settings file for `tiny`."""

    def write(models, **more):
        path = tmp_path / "board.yaml"
        path.write_text(
            yaml.safe_dump(
                {"dataset": "tiny", "config_files": ["protocol.yaml"], "models": models, **more}, sort_keys=False
            )
        )
        return str(path)

    return write


@pytest.fixture
def refused(capsys):
    """The one line that a command ends with."""

    def call(*words):
        with pytest.raises(SystemExit) as stopped:
            cli.main([*words])
        error = capsys.readouterr().err
        assert stopped.value.code == 2 and error.count("\n") == 1, error
        return error

    return call
