"""Train every model for a moment on ml-100k and print what came out as JSON: ``python -m tests.guards.measure``.

Run in a process of its own, on one thread, so that the sums have one order.
"""

import hashlib
import json
import os
import pathlib
import pickletools
import platform
import sys
import tempfile
import zipfile

THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)

QUICK = {
    "state": "ERROR",
    "show_progress": False,
    "use_gpu": False,
    "epochs": 2,
    "topk": [10],
    "metrics": ["Recall", "NDCG", "ItemCoverage", "GiniIndex", "AveragePopularity"],
    "valid_metric": "NDCG@10",
    "metric_decimal_place": 10,
}

# What the models do with their defaults, and with the settings that lead to other solvers.
SETTINGS = {
    "AutoRec": {"AutoRec": {"latent_dimension": 16}},
    "ChebyCF": {"ChebyCF": {}},
    "DLAE": {"DLAE": {}, "DLAE of rank 16": {"rank": 16}, "DLAE based on users": {"based_on": "user"}},
    "DeepAE": {"DeepAE": {"latent_dimension": 16}},
    "DeepVAE": {"DeepVAE": {"latent_dimension": 16, "mlp_hidden_size": [32]}},
    "EDLAE": {
        "EDLAE": {},
        "EDLAE of 20 neighbors": {"neighbors": 20},
        "EDLAE beside a low-pass filter": {"low_pass_weight": 0.3, "low_pass_rank": 16},
        "EDLAE with a bound": {"emphasis": [1.0, 0.5], "diagonal_bound": 0.1, "user_weight_power": 0.5},
    },
    "Ensemble": {"Ensemble": {"members": {"DLAE": {}, "GFCF": {}}}},
    "EnsembleAE": {"EnsembleAE": {"latent_dimension": 16}},
    "GFCF": {"GFCF": {}},
    "LowRankEDLAE": {"LowRankEDLAE": {"rank": 16}},
}


def machine():
    """Return what the last bits of a sum depend on."""
    import numpy
    import scipy
    import torch

    cpuinfo = pathlib.Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = sorted({line.partition(":")[2].strip() for line in lines if line.startswith("model name")})
    return {
        "processor": names or [platform.processor()],
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
    }


def classes(checkpoint):
    """Return the classes and functions of this package that a checkpoint names in its pickle."""
    with zipfile.ZipFile(checkpoint) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
        operations = list(pickletools.genops(archive.read(name)))
    texts = [argument for _, argument, _ in operations if isinstance(argument, str)]
    return sorted({text.replace(" ", ".") for text in texts if text.startswith("recbole_edlae")})


def weights(state):
    """Return a hash of the bits of named tensors and the norm of each: factors may change signs."""
    import torch

    digest = hashlib.sha256()
    norms = {}
    for name, tensor in sorted(state.items()):
        tensor = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
        norms[name] = tensor.to(torch.float64).norm().item()
    return {"bits": digest.hexdigest(), "norms": norms}


def measured(model, settings, folder):
    """Return what one run leaves behind: its metrics, its weights, and the classes that its checkpoint names."""
    from recbole.quick_start import run_recbole

    from recbole_edlae.integration.compat.stack import read_checkpoint

    config = {**QUICK, **settings, "checkpoint_dir": str(folder)}
    result = run_recbole(model, "ml-100k", config_dict=config)
    (checkpoint,) = folder.glob("*.pth")
    state = read_checkpoint(checkpoint)["state_dict"]
    return {"metrics": dict(result["test_result"]), **weights(state), "classes": classes(checkpoint)}


def main():
    os.environ.update(THREADS)
    sys.argv[1:] = []

    import torch

    import recbole_edlae  # noqa: F401  before RecBole

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    runs = {}
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        for model, variants in SETTINGS.items():
            for label, settings in variants.items():
                folder = pathlib.Path(scratch, label)
                folder.mkdir()
                runs[label] = measured(model, settings, folder)
    json.dump({"machine": machine(), "runs": runs}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
