"""The leaderboard's page in a real browser."""

import pytest

from recbole_edlae import cli

pytestmark = pytest.mark.slow
HEADS = "return [...document.querySelectorAll('.board thead th')].map(each => each.textContent)"
COLUMN = (
    "return [...document.querySelectorAll('.board tbody tr')]"
    ".map(row => row.cells[arguments[0]]?.dataset.value ?? '')"
)
CLICK = "document.querySelectorAll('.board thead th')[arguments[0]].click()"


def test_page_sorts_draws_and_asks_the_network_for_nothing(browser, board_file, tmp_path):
    models = {"EDLAE": {}, "<b>EASE</b>": {"model": "EASE"}, "Pop": {}, "NCEPLRec": {"rank": -5}}
    (tmp_path / "published.csv").write_text("model,ndcg@5,source\nX,0.3,A paper\n")
    words = ["--settings", board_file(models), "--reference", "published.csv", "--output", "out"]
    cli.main(["leaderboard", *words])
    page = (tmp_path / "out" / "leaderboard.html").as_uri()
    browser.call("/url", url=page)
    assert browser.run(HEADS) == ["Model", "NDCG@5", "Recall@3", "Recall@5", "NDCG@3", "Training, s"]

    for column in (1, 4):  # the published row lacks NDCG@3 and stays below, the failed one last
        for upwards in (False, True) if column == 4 else (True, False):
            browser.run(CLICK, column)
            values = [float(value) for value in browser.run(COLUMN, column) if value]
            assert values == sorted(values, reverse=not upwards) and len(values) == (
                4 if column == 1 else 3
            )
            assert browser.run(COLUMN, 0)[-1] == "NCEPLRec"
    browser.run(CLICK, 0)
    assert browser.run(COLUMN, 0) == ["<b>EASE</b>", "EDLAE", "Pop", "X", "NCEPLRec"]

    for figure, dots in (("scatter", 3), ("intervals", 4)):
        assert browser.run(f"return document.querySelectorAll('.{figure} circle').length") == dots
    browser.run("document.querySelector('[data-metric=\"recall@3\"]').click()")
    assert browser.run("return document.querySelectorAll('.intervals circle').length") == 3
    assert browser.run("return document.querySelectorAll('.matrix tr').length") == 4
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")

    assert [each for each in browser.log("browser") if each["level"] != "INFO"] == []
    assert [url for url in browser.requests() if not url.startswith("data:")] == [page]


def test_page_says_where_lower_is_better_and_sorts_it_best_first(browser, board_file, tmp_path):
    words = [
        "--metrics=['NDCG', 'ItemCoverage', 'AveragePopularity', 'GiniIndex']",
        "--topk=5",
        "--output",
        "out",
    ]
    cli.main(["leaderboard", "--settings", board_file({"EDLAE": {}, "Pop": {}}), *words])
    browser.call("/url", url=(tmp_path / "out" / "leaderboard.html").as_uri())
    low = "lower is better"
    metrics = ["NDCG@5", "ItemCoverage@5", f"AveragePopularity@5{low}", f"GiniIndex@5{low}"]
    assert browser.run(HEADS) == ["Model", *metrics, "Training, s"]

    # The first click puts the best on top, whatever that is.
    for column, order in enumerate(["ascending", "descending", "descending", "ascending", "ascending"]):
        browser.run(CLICK, column)
        assert (
            browser.run("return document.querySelector('[aria-sort]').getAttribute('aria-sort')") == order
        )
    values = [float(value) for value in browser.run(COLUMN, 4)]
    assert values == sorted(values) and values[0] < values[1]

    # The figures too; and of what is no value of users there are neither intervals nor tests.
    labels = "return [...document.querySelectorAll('.intervals text[text-anchor=end]')].map(each => each.textContent)"
    shown = "return ['.better', '.sure', '.unsure', '.pairs'].map(name => document.querySelector(name))"
    shown += ".map(each => each.hidden ? '' : each.textContent.trim().slice(0, 4))"
    assert browser.run(shown) == ["Up", "95 %", "", "Who "]
    browser.run("document.querySelector('[data-metric=\"giniindex@5\"]').click()")
    assert browser.run(shown) == ["Down", "", "No i", ""]
    assert browser.run(labels) == browser.run(COLUMN, 0)


def test_a_click_on_a_model_shows_its_settings(browser, board_file, tmp_path):
    models = {"<i>mine</i>": {"model": "EDLAE", "reg_weight": 123.0}, "Pop": {}}
    cli.main(
        [
            "leaderboard",
            "--settings",
            board_file(models, marks={"Pop": "none to choose"}),
            "--output",
            "out",
        ]
    )
    browser.call("/url", url=(tmp_path / "out" / "leaderboard.html").as_uri())
    texts = "return [...document.querySelectorAll('.board td:first-child')]"
    texts += r".map(each => each.innerText.split(/\s*\n\s*/))"
    assert sorted(browser.run(texts)) == [["<i>mine</i>"], ["Pop"]]
    browser.run("document.querySelectorAll('.board summary').forEach(each => each.click())")
    assert sorted(browser.run(texts)) == [
        ["<i>mine</i>", "reg_weight", "123.0"],
        ["Pop", "the model's defaults"],
    ]

    # On a phone, where the table is too wide, a value stays on its line.
    browser.call("/window/rect", width=500, height=900)
    heights = "return [...document.querySelectorAll('.board dl > *')].map(each => each.getBoundingClientRect().height)"
    tallest = max(browser.run(heights))
    browser.call("/window/rect", width=1280, height=1800)
    assert tallest < 30
    browser.run(CLICK, 1)
    assert browser.run(COLUMN, 1) == ["none to choose", ""]
