import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml
from recbole.data import dataset as datasets

from tests.conftest import ROOT
from tests.runs.shop_commands import MODELS, write_board

PROTOCOL = {
    "metrics": ["Recall", "NDCG"],
    "topk": [3, 5],
    "valid_metric": "NDCG@5",
    "eval_batch_size": 100000,
}
QUICK = {
    "LowRankEDLAE": {"rank": 5, "solver": "eigen"},
    "GFCF": {"low_pass_rank": 5},
    "ChebyCF": {"low_pass_rank": 5},
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
                {"dataset": "tiny", "config_files": ["protocol.yaml"], "models": models, **more},
                sort_keys=False,
            )
        )
        return str(path)

    return write


@pytest.fixture
def shop_folder(write_shop, tmp_path):
    """Write the shop, a protocol, a space and a settings file; the folder is the working directory."""
    write_shop()
    load_col = {"inter": ["user_id", "item_id", "timestamp"]}
    (tmp_path / "protocol.yaml").write_text(yaml.safe_dump({**PROTOCOL, "load_col": load_col}))
    (tmp_path / "space").write_text("reg_weight choice [2.0,50.0]\n")
    write_board(MODELS)
    return tmp_path


@pytest.fixture
def mount_disk(tmp_path):
    """Mounts a disk of some size, such as 200k, and returns its folder; skips where that is not allowed."""
    mounted = []

    def mount(size):
        folder = tmp_path / "disk"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True
        )
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def no_data(monkeypatch):
    """Reading data fails the test."""
    monkeypatch.setattr(datasets.Dataset, "__init__", lambda *_: pytest.fail("data were read"))


@pytest.fixture
def killed_again_and_again(tmp_path):
    """Runs a command that is killed whenever it has put three more runs on record, until it ends by itself.

    Every run is finished exactly once. Returns its output folder and that of the same command undisturbed.
    """
    program = "import sys; from recbole_edlae import cli; cli.main(sys.argv[1:])"
    options = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    options |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def run(*words, records):
        words = [sys.executable, "-c", program, *words]
        out, undisturbed, killed = tmp_path / "out", tmp_path / "undisturbed", 0
        path = out / "records.jsonl"

        def finished():
            return path.read_bytes().count(b"\n") if path.exists() else 0

        while True:
            process, before = subprocess.Popen([*words, "--output", str(out)], **options), finished()
            while process.poll() is None:
                time.sleep(0.02)
                if finished() >= before + 3:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    killed += 1
            if process.returncode == 0:
                break
            assert process.returncode == -signal.SIGKILL
        assert killed >= 2
        keys = [json.loads(line)["key"] for line in path.read_text().splitlines()]
        assert len(keys) == len(set(keys)) == records
        assert subprocess.run([*words, "--output", str(undisturbed)], **options).returncode == 0
        return out, undisturbed

    return run
