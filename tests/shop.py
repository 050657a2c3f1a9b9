"""A made-up shop as a dataset: its rows, and the atomic file of them."""

import random

HEADER = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
QUIET = ("--dataset=shop", "--state=ERROR", "--show_progress=False", "--epochs=2")


def shop_rows() -> list[tuple[str, str, int, int]]:
    """Rows of the shop: users u0 … u39, items i0 … i19, eight random items a user, times in seconds."""
    random.seed(0)
    rows = []
    for user in range(40):
        for order, item in enumerate(random.sample(range(20), 8)):
            rows.append(
                (f"u{user}", f"i{item}", 1 + (user + item) % 5, 1_700_000_000 + 1000 * user + order)
            )
    return rows


def shop_text(rows: list | None = None, header: str = HEADER) -> str:
    """The atomic file of some rows, tab separated."""
    return "\n".join([header, *("\t".join(map(str, row)) for row in rows or shop_rows())]) + "\n"
