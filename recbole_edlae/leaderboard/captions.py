"""Say in words what the numbers of a leaderboard are."""

from recbole_edlae.leaderboard.results import Leaderboard
from recbole_edlae.settings import corrections

_HEADINGS = {"ndcg": "NDCG", "mrr": "MRR", "map": "MAP", "liangrecall": "LiangRecall"}


def caption(leaderboard: Leaderboard) -> str:
    """Return one or two sentences on what the numbers are.

    Args:
        leaderboard: of one dataset.
    """
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
    return text + _corrections(leaderboard)


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

    Args:
        metric: "metric@k" as in RecBole's results.

    Examples:
        >>> heading("ndcg@10"), heading("liangrecall@20"), heading("recall@5")
        ('NDCG@10', 'LiangRecall@20', 'Recall@5')
    """
    name = metric.partition("@")[0]
    return _HEADINGS.get(name, name.capitalize()) + metric.removeprefix(name)
