"""Say in words what the numbers of a leaderboard are."""

from recbole.evaluator import metrics_dict, smaller_metrics

from recbole_edlae.leaderboard.results import Leaderboard
from recbole_edlae.settings import corrections


def caption(leaderboard: Leaderboard) -> str:
    """Return one or two sentences on what the numbers are."""
    # A mean of one is that one.
    seeds = leaderboard.seeds
    average = f"mean over {len(seeds)} seeds"
    if len(seeds) == 1:
        average = f"seed {seeds[0]}"
    text = f"{leaderboard.dataset}, test set, {average}."

    # Without a ranking metric there are no values of users to compare.
    if leaderboard.users:
        name = leaderboard.test.capitalize()
        test = f"paired {name} test over {leaderboard.users} users, Holm-corrected, p < .05"
        text += f" Bold: significantly ahead of every other row run here ({test})."
    if remark := direction(leaderboard):
        text += f" {remark}"
    return text + _corrections(leaderboard)


def lower_is_better(leaderboard: Leaderboard) -> list[str]:
    """Return the metrics of which RecBole calls a smaller value better, such as giniindex@10."""
    return [name for name in leaderboard.metrics if name.partition("@")[0] in smaller_metrics]


def direction(leaderboard: Leaderboard) -> str:
    """Return a sentence that names the metrics of which lower is better; "" if there are none."""
    names = lower_is_better(leaderboard)
    if not names:
        return ""
    return f"Lower is better: {', '.join(map(heading, names))}."


def _corrections(leaderboard: Leaderboard) -> str:
    """Return which corrections of RecBole's numbers are active, and which rows each touched; "" if no row was run."""
    # Published rows, and those that failed, have none.
    ran = [row for row in leaderboard.rows if row.corrections]
    if not ran:
        return ""

    touched = []
    for name in corrections.CORRECTIONS:
        labels = []
        for row in ran:
            if name in row.corrections["touched"]:
                labels.append(row.label)

        # Most corrections touch all rows alike, so no list of labels is needed.
        if len(labels) == len(ran):
            touched.append(f"{name} (all rows)")
        elif labels:
            touched.append(f"{name} ({', '.join(labels)})")

    # The rows share a protocol, and with it the active corrections.
    sentence = corrections.sentence(ran[0].corrections["active"], touched)
    return f" {sentence[0].upper()}{sentence[1:]}."


def heading(metric: str) -> str:
    """Return a metric as papers write it.

    Examples:
        >>> heading("ndcg@10"), heading("liangrecall@20"), heading("itemcoverage@5")
        ('NDCG@10', 'LiangRecall@20', 'ItemCoverage@5')
    """
    # RecBole's results have names in lower case, its classes have those of the papers.
    name = metric.partition("@")[0]
    return metrics_dict[name].__name__ + metric.removeprefix(name)
