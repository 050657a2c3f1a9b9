"""Properties over made-up files and settings: run, tune and leaderboard agree, or all refuse; never a traceback."""

import contextlib
import io
import json
import os
import pathlib
import shutil
import sys
import tempfile
import warnings
from typing import NamedTuple

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from recbole_edlae import cli
from recbole_edlae.runs import engine

from recbole.data.dataset import Dataset  # isort: skip

EXAMPLES = int(os.environ.get("RECBOLE_EDLAE_EXAMPLES", "25"))
MODELS = {
    "EDLAE": {},
    "DLAE": {},
    "LowRankEDLAE": {"rank": 2, "solver": "eigen"},
    "EASE": {},
    "ItemKNN": {},
    "Pop": {},
}

odd_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0"), max_size=6)
odd_token = st.one_of(
    st.sampled_from(["NA", "null", "None", "nan", "007", "1e5", '"a"', '"b', 'c"d', " x", "[PAD]"]),
    odd_text,
)
odd_line = st.sampled_from(["u1\ti1", "a\tb\tc\td\te", "x", "\t\t\t"])
line_end = st.sampled_from(["\n", "\r\n", " \n", "\n\n", "\t\n"])


@st.composite
def atomic_files(draw: st.DrawFn) -> bytes:
    """A file of 3 to 12 users and 3 to 12 items with odd things in it."""
    users = [f"u{user}" for user in range(draw(st.integers(3, 12)))]
    items = [f"i{item}" for item in range(draw(st.integers(3, 12)))]
    for names in (users, items):
        for place in draw(st.lists(st.integers(0, len(names) - 1), max_size=2)):
            names[place] = draw(odd_token)
    separator = draw(st.sampled_from(["\t", "\t", "\t", ","]))
    end = draw(line_end)
    lines = [separator.join(["user_id:token", "item_id:token", "rating:float", "timestamp:float"])]
    for user in users:
        for item in draw(
            st.lists(st.sampled_from(items), min_size=1, max_size=8, unique=draw(st.booleans()))
        ):
            rating = draw(st.sampled_from(["1", "3.5", "5", "", "NA"]))
            time = draw(st.integers(1_700_000_000, 1_700_000_300))
            lines.append(separator.join([user, item, rating, str(time)]))
    if draw(st.integers(0, 9)) == 0:
        lines.insert(draw(st.integers(1, len(lines))), draw(odd_line))
    mark = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]))
    return mark + (end.join(lines) + end).encode()


protocols = st.fixed_dictionaries(
    {
        "eval_args": st.fixed_dictionaries(
            {
                "split": st.sampled_from(
                    [{"RS": [0.6, 0.2, 0.2]}, {"LS": "valid_and_test"}, {"US": [0.4, 0.3, 0.3]}]
                ),
                "order": st.sampled_from(["RO", "TO"]),
                "mode": st.sampled_from(["full", "full", "uni3", "pop2"]),
            }
        ),
        "load_col": st.sampled_from([None, {"inter": ["user_id", "item_id", "timestamp"]}]),
        "topk": st.sampled_from([[2], [1, 3], 50]),
        "metrics": st.sampled_from([["NDCG", "MRR"], ["Recall", "NDCG", "ItemCoverage"]]),
        "seed": st.integers(0, 3),
        "user_inter_num_interval": st.sampled_from(["[0,inf)", "[2,inf)", "(1,6];[8,9)", "[3"]),
        "val_interval": st.sampled_from(
            [None, None, {"rating": "[3,inf)"}, {"item_id": ["i1", "i2", "i3"]}]
        ),
        "field_separator": st.sampled_from(["\t", "\t", "\t", ","]),
        "repeatable": st.booleans(),
    }
)


class Result(NamedTuple):
    """What a command read and measured; None where it refused."""

    status: int
    error: str
    data: tuple | None
    metrics: tuple | None


def outcome(folder: pathlib.Path, words: list[str]) -> Result:
    """Run a command in this process, with its own view of the data."""
    read, stock, err = [], Dataset._data_processing, io.StringIO()

    def remember(dataset: Dataset) -> None:
        stock(dataset)
        tokens = dataset.field2id_token
        read.append((set(tokens[dataset.uid_field]), set(tokens[dataset.iid_field]), dataset.inter_num))

    engine.shared_runner.cache_clear()
    Dataset._data_processing, result, status = remember, None, 0
    try:
        with (
            contextlib.redirect_stderr(err),
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(),
        ):
            result = cli.run(words[1:]) if words[0] == "run" else cli.main(words)
    except SystemExit as stopped:
        status = stopped.code or 0
    finally:
        Dataset._data_processing = stock
    text = err.getvalue()
    assert "Traceback" not in text, text
    if status:
        assert sum(" error: " in line for line in text.splitlines()) <= 1, text
        return Result(status, text, None, None)
    if words[0] == "run":
        return Result(
            0, text, read[-1], tuple(map(plain, (result["best_valid_result"], result["test_result"])))
        )
    records = [json.loads(line) for line in (folder / words[0] / "records.jsonl").read_text().splitlines()]
    tested = next((record for record in records if "test" in record), records[-1])
    return Result(0, text, read[-1], (tested["valid"], tested.get("test")))


def plain(result: dict | None) -> dict | None:
    """Metrics of RecBole's as a plain dict; None of a part without interactions."""
    return None if result is None else dict(result)


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 25,
    suppress_health_check=list(HealthCheck),
)
@given(content=atomic_files(), protocol=protocols, model=st.sampled_from(sorted(MODELS)))
def test_commands_agree_or_all_refuse(content: bytes, protocol: dict, model: str) -> None:
    folder, before = pathlib.Path(tempfile.mkdtemp()), os.getcwd()
    try:
        os.chdir(folder)
        sys.argv = ["pytest"]
        (folder / "dataset" / "shop").mkdir(parents=True)
        (folder / "dataset" / "shop" / "shop.inter").write_bytes(content)
        valid = f"NDCG@{protocol['topk'] if isinstance(protocol['topk'], int) else protocol['topk'][-1]}"
        common = {**protocol, **MODELS[model], "valid_metric": valid, "epochs": 1}
        (folder / "e.yaml").write_text(yaml.safe_dump({**common, "state": "ERROR", "show_progress": False}))
        (folder / "a.test").write_text("epochs choice [1]\n")
        (folder / "swept.yaml").write_text(
            yaml.safe_dump({key: common[key] for key in common if key != "epochs"})
        )
        ran = outcome(folder, ["run", f"--model={model}", "--dataset=shop", "--config_files", "e.yaml"])
        words = [
            "--model",
            model,
            "--dataset=shop",
            "--space=a.test",
            "--output=tune",
            "--config_files=swept.yaml",
        ]
        tuned = outcome(folder, ["tune", *words])
        words = ["--models", model, "--dataset", "shop", "--output=leaderboard"]
        ranked = outcome(folder, ["leaderboard", *words, "--config_files", "e.yaml"])
        if ran.status:
            assert tuned.status and ranked.status, (ran, tuned, ranked)
        elif None in ran.metrics:
            valid, test = ran.metrics
            assert "part has no interaction" in ran.error
            assert tuned.status or (valid and tuned.metrics == ran.metrics), (ran, tuned)
            assert ranked.status or (test and ranked.metrics == ran.metrics), (ran, ranked)
        else:
            assert not tuned.status and not ranked.status, (ran, tuned, ranked)
            assert ran.data == tuned.data == ranked.data
            assert ran.metrics == tuned.metrics == ranked.metrics
    finally:
        os.chdir(before)
        shutil.rmtree(folder)
