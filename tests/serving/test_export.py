"""Exports: what comes back is what went in, and whatever was changed is refused."""

import hashlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from safetensors.torch import load_file, save_file

from recbole_edlae import cli
from recbole_edlae._warnings import DataWarning
from recbole_edlae.model import closed_form
from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.export import read_export, write_export
from recbole_edlae.serving.recommender import Recommender
from recbole_edlae.solvers.scale import tiles

HISTORIES = [["i1", "i4"], ["i9"], [], ["i2", "i3", "i5", "i8", "i11"]]


def test_recommends_as_the_checkpoint_does(name, checkpoints, export):
    before, after = Recommender.load(checkpoints(name)), Recommender.load(export(name))
    expected, found = (each.recommend(HISTORIES, 10, exclude=["i0"]) for each in (before, after))
    assert found.items == expected.items and all(map(np.array_equal, found.scores, expected.scores))
    assert after.similar("i3", 5)[0] == before.similar("i3", 5)[0]
    with pytest.raises(ValueError, match="an export knows no users"):
        after.recommend_users(["u1"])


def test_nothing_but_numbers_and_text(export):
    folder = export()
    assert sorted(each.name for each in folder.iterdir()) == [
        "items.json",
        "manifest.json",
        "weights.safetensors",
    ]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["model"] == "EDLAE" and manifest["settings"]["reg_weight"] == 5.0
    assert load_file(folder / "weights.safetensors").keys() == {"encoder", "dummy_param", "popularity"}
    assert json.loads((folder / "items.json").read_text())[0] == "[PAD]"


def test_opens_in_a_fresh_process_that_cannot_unpickle(export):
    program = f"""
import pickle, torch
def refuse(*_, **__): raise AssertionError("unpickled")
pickle.load = pickle.loads = pickle.Unpickler = torch.load = refuse
from recbole_edlae.serving.recommender import Recommender
from recbole_edlae.solvers.scale import tiles
print(Recommender.load({str(export())!r}).recommend([["i1"]], 3).items)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True)
    assert "[['i" in done.stdout, done.stderr


def test_half_precision(name, checkpoints, export):
    recommender = Recommender.load(export(name, dtype="float16"))
    expected = Recommender.load(checkpoints(name)).recommend(HISTORIES, 10)
    found = recommender.recommend(HISTORIES, 10)
    for some, others in zip(found.scores, expected.scores):
        np.testing.assert_allclose(some, others, rtol=5e-3, atol=5e-3)


def test_half_precision_halves_the_weights(checkpoints, tmp_path):
    checkpoint = Checkpoint.read(checkpoints("EDLAE"))
    for dtype in ("float32", "float16"):
        write_export(checkpoint, tmp_path / dtype, dtype=dtype)
    full, half = (
        load_file(tmp_path / dtype / "weights.safetensors")["encoder"] for dtype in ("float32", "float16")
    )
    assert torch.equal(half, full.half()) and half.nbytes * 2 == full.nbytes


def test_the_largest_weights_of_each_item(checkpoints, export):
    B = Checkpoint.read(checkpoints("DLAE")).model.weights.encoder.numpy()
    thin = np.zeros_like(B)
    for j in range(len(B)):
        kept = np.argsort(-np.abs(B[:, j]), kind="stable")[:4]
        thin[kept, j] = B[kept, j]
    recommender = Recommender.load(export("DLAE", top=4))
    sparse = recommender.model.weights
    parts = (sparse.weight.numpy(), sparse.target.numpy(), sparse.indptr.numpy())
    np.testing.assert_array_equal(sp.csr_matrix(parts, shape=thin.shape).toarray(), thin)
    tokens = list(recommender.tokens)
    items, count = (
        torch.tensor([tokens.index("i1"), tokens.index("i4"), tokens.index("i9")]),
        torch.tensor([2, 0, 1]),
    )
    expected = [thin[items[:2]].sum(0), np.zeros(len(B)), thin[items[2]]]
    np.testing.assert_allclose(recommender.model.score(items, count), expected, rtol=1e-6, atol=1e-7)


def test_the_linear_path_of_an_ensemble_is_thinned_out(checkpoints, export):
    thin = Recommender.load(export("EnsembleAE", top=4)).model
    whole = Checkpoint.read(checkpoints("EnsembleAE")).model
    items = torch.arange(thin.n_items)
    kept = thin.members["EDLAE"].weights.score(items, torch.ones_like(items))
    B = whole.members["EDLAE"].weights.encoder
    assert torch.equal(kept[kept != 0], B[kept != 0]) and ((kept != 0).sum(0) <= 4).all()
    deep, whole_deep = thin.members["DeepAE"], whole.members["DeepAE"]
    assert torch.equal(deep.network.decoder.columns, whole_deep.network.decoder.columns)


def test_all_weights_kept_change_nothing(checkpoints, export):
    expected = Recommender.load(checkpoints("EDLAE")).recommend(HISTORIES, 10)
    assert Recommender.load(export(top=31)).recommend(HISTORIES, 10).items == expected.items


def test_the_command_says_size_and_loss(checkpoints, tmp_path, capsys):
    cli.main(
        ["export", "--checkpoint", checkpoints("EDLAE"), "--output", "small", "--dtype=float16", "--top=3"]
    )
    said = capsys.readouterr().out
    size = sum(each.stat().st_size for each in (tmp_path / "small").iterdir())
    assert f"small: EDLAE, 30 items, {size:,} bytes" in said
    checkpoint = Checkpoint.read(checkpoints("EDLAE"))
    before, after = checkpoint.evaluate(), checkpoint.evaluate(read_export(tmp_path / "small")[0].score)
    assert before.keys() == {"ndcg@5", "ndcg@10"} and before != after
    for metric in before:
        assert f"{metric} on the test users: {before[metric]:.4f} → {after[metric]:.4f} (" in said


def test_the_measured_loss_leaves_the_settings_of_the_checkpoint(checkpoints):
    checkpoint = Checkpoint.read(checkpoints("EDLAE"))
    before = dict(checkpoint.config.final_config_dict)
    assert before["metrics"] != ["NDCG"]
    checkpoint.evaluate()
    assert checkpoint.config.final_config_dict == before


def rewrite(path, change):
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def flip(content):
    content[len(content) // 2] ^= 1


def cut(length):
    return lambda content: content.__delitem__(slice(length, None))


def forge(folder, **changes):
    """A manifest with other content and hashes that match it."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= changes
    del manifest["sha256"]
    manifest["sha256"] = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


FIELDS = {
    "USER_ID_FIELD": "user_id",
    "ITEM_ID_FIELD": "item_id",
    "RATING_FIELD": "rating",
    "NEG_PREFIX": "neg_",
}
DAMAGE = {
    "weights changed": (lambda f: rewrite(f / "weights.safetensors", flip), "weights.safetensors does not match its"),
    "items changed": (lambda f: rewrite(f / "items.json", flip), "items.json does not match its SHA-256"),
    "weights cut": (lambda f: rewrite(f / "weights.safetensors", cut(-9)), "cut short"),
    "items cut": (lambda f: rewrite(f / "items.json", cut(9)), "items.json has 9 bytes of"),
    "manifest changed": (
        lambda f: (f / "manifest.json").write_text((f / "manifest.json").read_text().replace("5.0", "6.0")),
        "manifest.json does not match its own SHA-256",
    ),
    "manifest cut": (lambda f: rewrite(f / "manifest.json", cut(50)), "is damaged"),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "no file manifest.json: not an export"),
    "no weights": (lambda f: (f / "weights.safetensors").unlink(), "no file weights.safetensors"),
    "newer version": (lambda f: forge(f, version=2), "version 2; this reads 'recbole_edlae export' version 1"),
    "another format": (lambda f: forge(f, format="own"), "'own' version 1; this reads"),
    "another model": (lambda f: forge(f, model="os.system"), "unknown model 'os.system'; there are AutoRec"),
    "another architecture": (lambda f: forge(f, model="DeepAE"), "DeepAE has no setting "),
    "bad setting": (lambda f: forge(f, settings={**FIELDS, "dropout_prob": 3}), "dropout_prob must be float in [0, 1)"),
    "no fields": (lambda f: forge(f, settings={}), "the settings lack ITEM_ID_FIELD, NEG_PREFIX"),
    "newer setting": (lambda f: forge(f, settings={"warp": 1}), "EDLAE has no setting warp: a newer recbole_edlae"),
    "a list": (lambda f: (f / "manifest.json").write_text("[]"), "is damaged or of something else"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_was_changed_is_refused(kind, export, capsys):
    folder = export()
    damage, message = DAMAGE[kind]
    damage(folder)
    with pytest.raises(ValueError, match="export ") as raised:
        Recommender.load(folder)
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_settings_that_came_later_have_their_defaults(export):
    folder = export()
    expected = Recommender.load(folder).recommend(HISTORIES, 5).items
    settings = json.loads((folder / "manifest.json").read_text())["settings"]
    del settings["item_weight_power"]
    forge(folder, settings=settings)
    assert Recommender.load(folder).recommend(HISTORIES, 5).items == expected


def test_a_model_with_few_weights_an_item(checkpoints, tmp_path):
    path = checkpoints("EDLAE", neighbors=4)
    write_export(Checkpoint.read(path), tmp_path / "few")
    expected, found = (Recommender.load(each).recommend(HISTORIES, 5) for each in (path, tmp_path / "few"))
    assert found.items == expected.items
    with pytest.raises(ValueError, match="top thins out full item × item weights; EDLAE here has none"):
        write_export(Checkpoint.read(path), tmp_path / "fewer", top=2)


def test_other_weights_with_matching_hashes_are_refused(export):
    folder = export("LowRankEDLAE")
    tensors = load_file(folder / "weights.safetensors")
    for key in ("encoder", "decoder"):
        tensors[key] = tensors[key][:-1].clone()
    save_file(tensors, folder / "weights.safetensors")
    content = (folder / "weights.safetensors").read_bytes()
    files = json.loads((folder / "manifest.json").read_text())["files"]
    files["weights.safetensors"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    forge(folder, files=files)
    with pytest.raises(ValueError, match="weights for 30 items, the data have 31"):
        Recommender.load(folder)


def test_refused_before_anything_is_read(checkpoints, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for words, message in (
        (["--output=full"], "output: full is there already and not an empty folder"),
        (["--output=new", "--top=0"], "top must be an integer of at least 1, got 0"),
    ):
        with pytest.raises(SystemExit):
            cli.main(["export", "--checkpoint=nothing.pth", *words])
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["export", "--checkpoint", checkpoints("LowRankEDLAE"), "--output=new", "--top=3"])
    assert "top thins out full item × item weights; LowRankEDLAE here has none" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_says_whose_histories_it_contains(name, opened, tmp_path, recwarn):
    write_export(opened(name), tmp_path / "export")
    holds = name in ("GFCF", "ChebyCF")
    said = [str(warning.message) for warning in recwarn if issubclass(warning.category, DataWarning)]
    expected = f"the export contains the training histories of 60 users, without their names: {name} scores with them"
    assert len(said) == holds and all(text.startswith(expected) for text in said)
    manifest = json.loads((tmp_path / "export" / "manifest.json").read_text())
    assert manifest["training_histories"] == (60 if holds else 0)


def test_histories_that_two_members_contain_are_counted_once(checkpoints, tmp_path):
    members = {name: {"model": name, "low_pass_rank": 6} for name in ("GFCF", "ChebyCF")}
    checkpoint = Checkpoint.read(checkpoints("Ensemble", members=members))
    with pytest.warns(DataWarning, match="histories of 60 users"):
        write_export(checkpoint, tmp_path / "export")
    manifest = json.loads((tmp_path / "export" / "manifest.json").read_text())
    assert manifest["training_histories"] == 60


@pytest.fixture
def forged(opened, tmp_path):
    """Writes an export of a model some of whose tensors are others, with hashes that match."""

    def write(checkpoint, others):
        folder = tmp_path / "forged"
        shutil.rmtree(folder, ignore_errors=True)
        write_export(checkpoint, folder)
        tensors = load_file(folder / "weights.safetensors") | others
        save_file(
            {name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "weights.safetensors"
        )
        content = (folder / "weights.safetensors").read_bytes()
        files = json.loads((folder / "manifest.json").read_text())["files"]
        files["weights.safetensors"] = {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        forge(folder, files=files)
        return folder

    return write


KINDS = {
    "dense": ("EDLAE", {}),
    "packed": ("EDLAE", {"item_weight_power": 0.3}),
    "factors": ("LowRankEDLAE", {}),
    "sparse": ("EDLAE", {"neighbors": 4}),
    "a filter": ("GFCF", {}),
    "beside a filter": ("EDLAE", {"low_pass_weight": 0.3, "low_pass_rank": 4}),
    "in an ensemble": ("EnsembleAE", {}),
}
INDICES = ("bounds", "indptr", "target", "items")


@pytest.fixture(scope="session", params=KINDS)
def kind_of_weights(request, checkpoints):
    model, settings = KINDS[request.param]
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "packed":
            patch.setattr(closed_form, "DENSE_ITEMS", 0)
            patch.setattr(tiles, "SIDE", 8)
            settings = settings | {"reg_weight": 6.0}  # a checkpoint of its own
        return Checkpoint.read(checkpoints(model, **settings))


def other_shapes(name, tensor):
    """The same numbers in shapes that no tensor of the format can have beside the others."""
    if not tensor.numel():
        return
    yield tensor[None]
    yield tensor[..., None]
    if name == "graph.coefficients":  # there may be any number of them, but one at least
        yield tensor[:0]
        return
    yield tensor[:-1]
    if len(tensor) > 2:
        yield tensor[:2]
    yield torch.cat([tensor, tensor])
    if name != "graph.indptr":  # one more user without interactions may be
        yield torch.cat([tensor, tensor[-1:]])


def other_numbers(name, tensor):
    """Types and entries that cannot be."""
    if name in ("popularity", "epochs"):
        yield tensor.float()
        yield tensor - 100
        return
    if name.rpartition(".")[2] not in INDICES:
        yield tensor.long()
        yield tensor.bool()
        yield tensor.to(torch.complex64)
        if tensor.numel():
            yield torch.full_like(tensor, float("nan"))
        return
    yield tensor.double()
    yield tensor.to(torch.int16)
    for position in (0, len(tensor) // 2, len(tensor) - 1):
        for value in (-1, 2**30, 2**62):
            changed = tensor.long()
            changed[position] = value
            yield changed


@pytest.mark.filterwarnings("ignore::recbole_edlae._warnings.DataWarning")
def test_shapes_types_and_indices_are_checked_before_they_are_used(kind_of_weights, forged):
    for name, tensor in load_file(forged(kind_of_weights, {}) / "weights.safetensors").items():
        if "network" in name or "dummy" in name:  # torch copies these, whatever they are
            continue
        changes = [*other_shapes(name, tensor), *other_numbers(name, tensor)]
        assert len(changes) > 1
        for changed in changes:
            with pytest.raises(ValueError, match=r"^export "):
                Recommender.load(forged(kind_of_weights, {name: changed}))


def test_tokens_that_no_file_can_hold(export):
    folder = export()
    tokens = json.loads((folder / "items.json").read_text())
    (folder / "items.json").write_text(json.dumps([*tokens[:-1], "\ud800"]))
    content = (folder / "items.json").read_bytes()
    files = json.loads((folder / "manifest.json").read_text())["files"]
    files["items.json"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    forge(folder, files=files)
    with pytest.raises(ValueError, match=r"items.json has half a character, which no file can hold"):
        Recommender.load(folder)
