"""Susman 2024: what latent activations keep of the users, and how they rank."""

from statistics import fmean

from recbole_edlae.papers import activation_study as activations
from recbole_edlae.papers.protocol import together
from recbole_edlae.runs.runner import quiet

TITLE = "Latent activations (Susman 2024)"
CLAIMS = (
    "A sigmoid code is never zero; ReLU's can be.",
    "Sigmoid keeps the order of dot products better than ReLU and tanh.",
    "Sigmoid recommends better than ReLU and tanh.",
)
PROPERTIES = ("order_agreement", "zero_codes", "zero_entries", "effective_dimension")


def measure(lab):
    """Trains DeepAE with every activation and seed."""
    plan = dict(lab.plan["activations"])
    names, seeds = plan.pop("names"), plan.pop("seeds")
    runs = [run for name in names for run in lab.remember("activations", _study, name, seeds, plan)]
    return {"metric": lab.metric, "runs": runs, "spearman": activations.correlations(runs)}


def _study(lab, name, seeds, settings):
    settings = {"state": "ERROR", "show_progress": False, **settings, **lab.cell("full_rank").settings}
    with quiet():
        return activations.study(lab.dataset, [name], seeds, config_files=lab.files, settings=settings)


def found(data):
    """For each claim whether it holds, and the numbers: means over seeds."""
    agreement, metric = ({name: fmean(_column(data, name, what)) for name in _names(data)} for what in
                         ("order_agreement", data["metric"]))  # fmt: skip
    zero = {name: fmean(_column(data, name, "zero_entries")) for name in ("sigmoid", "relu")}

    def said(values):
        return ", ".join(f"{name} {values[name]:.4f}" for name in ("sigmoid", "relu", "tanh"))

    return [
        (
            max(_column(data, "sigmoid", "zero_entries")) == 0 < zero["relu"],
            f"share of zeros in the codes: sigmoid {zero['sigmoid']:.4f}, relu {zero['relu']:.4f}",
        ),
        (_over_relu_and_tanh(data, "order_agreement"), f"order kept: {said(agreement)}"),
        (_over_relu_and_tanh(data, data["metric"]), f"{data['metric']}: {said(metric)}"),
    ]


def _over_relu_and_tanh(data, what):
    """Whether sigmoid is above both with every seed: False where it is below one with every seed, None otherwise."""
    own = _column(data, "sigmoid", what)
    others = [_column(data, name, what) for name in ("relu", "tanh")]
    return together([True if min(own) > max(other) else False if max(own) < min(other) else None for other in others])


def table(data):
    """Markdown: means over seeds, the best first."""
    names = sorted(_names(data), key=lambda name: -fmean(_column(data, name, data["metric"])))
    lines = [
        f"| latent activation | {data['metric']} | " + " | ".join(each.replace("_", " ") for each in PROPERTIES) + " |",
        "|---|" + "---|" * (len(PROPERTIES) + 1),
    ]
    for name in names:
        values = [fmean(_column(data, name, what)) for what in (data["metric"], *PROPERTIES)]
        lines.append(f"| {name} | " + " | ".join(f"{value:.4f}" for value in values) + " |")
    correlation = data["spearman"]["order_agreement"][data["metric"]]
    rank = "none, one of them is constant" if correlation is None else f"{correlation:+.2f}"
    return "\n".join([*lines, "", f"Rank correlation of order kept and {data['metric']} over all runs: {rank}."])


def draw(data, figure):
    """Every run: the ranking metric against the order kept."""
    axes = figure.subplots()
    for name in _names(data):
        axes.plot(_column(data, name, "order_agreement"), _column(data, name, data["metric"]), "o", label=name)
    axes.set(xlabel="order of dot products kept", ylabel=data["metric"])
    axes.legend(fontsize="small")


def _names(data):
    return list(dict.fromkeys(run["activation"] for run in data["runs"]))


def _column(data, name, what):
    runs = [run for run in data["runs"] if run["activation"] == name]
    return [(run["properties"] if what in run["properties"] else run["test"])[what] for run in runs]
