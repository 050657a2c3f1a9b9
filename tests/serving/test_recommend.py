"""The command over files of users."""

import csv
import io
import json
import pathlib
from types import SimpleNamespace

import numpy as np
import pytest

from recbole_edlae import cli
from recbole_edlae.serving import batches
from recbole_edlae.serving.recommender import Recommender

USERS = {"new": ["i1", "i4"], "u1": ["i9"], "nobody": [], "odd": ["i2", "gone", "gone", "lost"]}


@pytest.fixture
def run(checkpoints):
    def call(*words):
        cli.main(["recommend", "--checkpoint", checkpoints("EDLAE"), *words])

    return call


@pytest.fixture
def files(tmp_path):
    with open(tmp_path / "users.jsonl", "w") as file:
        file.writelines(json.dumps({"user": user, "items": items}) + "\n" for user, items in USERS.items())
    with open(tmp_path / "users.csv", "w") as file:
        file.write("user_id,item_id\n")
        file.writelines(f"{user},{item}\n" for user, items in USERS.items() for item in items or [""])


def read(path):
    """User → (items, scores), of an output file."""
    if path.suffix == ".jsonl":
        lines = map(json.loads, path.read_text().splitlines())
        return {line["user"]: (line["items"], line["scores"]) for line in lines}
    found = {}
    for line in csv.DictReader(path.read_text().splitlines()):
        items, scores = found.setdefault(line["user_id"], ([], []))
        items.append(line["item_id"])
        scores.append(float(line["score"]))
        assert int(line["rank"]) == len(items)
    return found


@pytest.mark.parametrize("out", ["jsonl", "csv"])
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_files_in_and_out(kind, out, run, files, recommender, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(batches, "BATCH", 3)
    run(f"--histories=users.{kind}", f"--output=top.{out}", "--topk=4")
    expected = recommender.recommend(USERS.values(), 4)
    for (user, (items, scores)), some, values in zip(
        read(tmp_path / f"top.{out}").items(), expected.items, expected.scores
    ):
        assert items == some and scores == pytest.approx(values.tolist(), rel=1e-6) and user in USERS
    said = capsys.readouterr().err
    assert "1 users without a known item got the most popular ones" in said
    assert "3 interactions with unknown items were skipped: gone (2), lost (1)" in said
    assert not (tmp_path / f"top.{out}.part").exists()


def test_known_users_and_what_to_exclude(run, recommender, tmp_path):
    (tmp_path / "users.csv").write_text("user_id\nu3\nu5\n")
    (tmp_path / "not.txt").write_text("i0\ni1\n")
    run("--histories=users.csv", "--output=top.csv", "--exclude=not.txt", "--topk=3")
    found = {user: items for user, (items, _) in read(tmp_path / "top.csv").items()}
    assert list(found.values()) == recommender.recommend_users(["u3", "u5"], 3, exclude=["i0", "i1"]).items
    (tmp_path / "users.jsonl").write_text(
        '{"user": "u3", "exclude": ["i0", "i1"]}\n{"user": 4, "items": []}\n'
    )
    run("--histories=users.jsonl", "--output=top.jsonl", "--topk=3")
    assert read(tmp_path / "top.jsonl")["u3"][0] == found["u3"]


def test_from_an_export(export, files, recommender, tmp_path):
    cli.main(
        ["recommend", f"--checkpoint={export()}", "--histories=users.csv", "--output=top.csv", "--topk=2"]
    )
    found = [items for items, _ in read(tmp_path / "top.csv").values()]
    assert found == recommender.recommend(USERS.values(), 2).items


def test_tokens_that_csv_and_json_have_to_quote(checkpoints, tmp_path):
    loaded = Recommender.load(checkpoints("EDLAE"))
    tokens = ["[PAD]", *(f'a "{number}", é' for number in range(1, len(loaded.tokens)))]
    recommender = Recommender(loaded.model, tokens, loaded.popularity)
    for kind in ("csv", "jsonl"):
        users = iter([("x, y", [tokens[3], tokens[4]], [])])
        batches.recommend_file(recommender, users, batches.WRITERS[f".{kind}"], tmp_path / f"top.{kind}", 3)
        ((user, (items, _)),) = read(tmp_path / f"top.{kind}").items()
        assert user == "x, y" and items == recommender.recommend([[tokens[3], tokens[4]]], 3).items[0]
        assert all(
            item.encode()
            in pathlib.Path(tmp_path / f"top.{kind}")
            .read_bytes()
            .replace(b'""', b'"')
            .replace(b'\\"', b'"')
            for item in items
        )


def test_every_kind_of_line_end_in_a_user_is_quoted():
    users = ["a\rb", "a\nb", "a\r\nb", "a\r\n"]
    answer = SimpleNamespace(items=[["x"]] * 4, scores=[np.array([0.5])] * 4)
    content = batches.write_csv(users, answer, True).decode()
    assert content.startswith('user_id,item_id,rank,score\n"a\rb",x,1,0.5\n')
    assert [row[0] for row in csv.reader(io.StringIO(content, newline=""), strict=True)] == [
        "user_id",
        *users,
    ]


WRONG = {
    "--histories=none.csv": "histories: no file none.csv",
    "--histories=users.txt": "histories must be one of .jsonl, .csv; got '.txt'",
    "--output=top.xml": "output must be one of .jsonl, .csv; got '.xml'",
    "--topk=0": "topk must be at least 1, got 0",
    "--exclude=none.txt": "exclude: none.txt cannot be read",
}


@pytest.mark.parametrize("word", WRONG)
def test_wrong_words_are_refused_before_the_model_is_read(word, files, capsys):
    words = {"--checkpoint": "x.pth", "--histories": "users.csv", "--output": "top.csv"}
    key, _, value = word.partition("=")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["recommend", *(f"{key}={value}" for key, value in {**words, key: value}.items())])
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.count("\n") == 1 and WRONG[word] in error


BAD_LINES = {
    "users.jsonl": [
        ('{"user": "a", "items": ["i1"]}\n{"user": "b"', "users.jsonl, line 2 is not like"),
        ('{"user": "a", "items": ["i1"]}\n{"items": ["i1"]}\n', "users.jsonl, line 2 is not like"),
        (
            '{"user": "a", "items": ["i1"]}\n{"user": "b", "items": "i1"}\n',
            "users.jsonl, line 2 is not like",
        ),
        ('{"user": "a", "items": ["i1"]}\n{"user": "nobody"}\n', "unknown user 'nobody'"),
    ],
    "users.csv": [
        ("user_id,item_id\na,i1\nb,i1\nc\n", "users.csv, line 4 has 1 fields of 2"),
        (
            "user_id,item_id\na,i1\nb,i1\na,i2\n",
            "users.csv, line 4: user a was there before; sort the file by user",
        ),
        ("a,i1\n", "users.csv must begin with user_id,item_id or user_id, got 'a,i1'"),
        ("", "users.csv must begin with user_id,item_id"),
    ],
}


@pytest.mark.parametrize(
    "name, content, message", [(name, *case) for name, cases in BAD_LINES.items() for case in cases]
)
def test_a_bad_line_is_named_and_what_was_done_is_kept(
    name, content, message, run, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(batches, "BATCH", 1)
    (tmp_path / name).write_text(content)
    with pytest.raises(SystemExit):
        run(f"--histories={name}", "--output=top.jsonl")
    error = capsys.readouterr().err
    assert message in error and not (tmp_path / "top.jsonl").exists()
    if "must begin" not in message:
        assert "users before that are in top.jsonl.part)" in error
        done = (tmp_path / "top.jsonl.part").read_text()
        assert done.startswith('{"user": "a"') and all(json.loads(line) for line in done.splitlines())


def test_an_interrupted_run_leaves_whole_lines_and_no_output(run, files, tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "BATCH", 1)
    stock, calls = Recommender.recommend, []

    def interrupted(self, *arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return stock(self, *arguments, **options)

    monkeypatch.setattr(Recommender, "recommend", interrupted)
    (tmp_path / "top.jsonl").write_text("of an earlier run\n")
    with pytest.raises(SystemExit) as stopped:
        run("--histories=users.jsonl", "--output=top.jsonl")
    assert stopped.value.code == 130 and (tmp_path / "top.jsonl").read_text() == "of an earlier run\n"
    assert len((tmp_path / "top.jsonl.part").read_text().splitlines()) == 2
