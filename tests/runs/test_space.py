"""Search spaces: RecBole's format, every point once, and what is wrong said with its line."""

import math

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_edlae.runs import space


@pytest.fixture
def write(tmp_path):
    def put(text):
        (tmp_path / "hyper.test").write_text(text)
        return str(tmp_path / "hyper.test")

    return put


def test_recboles_own_example(write):
    # RecBole 1.2.1, hyper.test, and a line of its documentation with blanks in the list
    text = "learning_rate loguniform -8,0\nembedding_size choice [64, 96 , 128]\n"
    text += "mlp choice ['[64,64]','[128]']\n\n# no\n"
    rate, size, layers = space.read(write(text))
    assert (rate.key, rate.type, rate.values) == ("learning_rate", "loguniform", (-8, 0))
    assert size.values == (64, 96, 128) and layers.values == ([64, 64], [128])
    assert rate.ends() == [math.exp(-8), 1.0]


def test_exhaustive_is_the_product(write):
    dimensions = space.read(write("a choice [1,2]\nb quniform 10,30,10\nc choice [[1,0],[1,1]]"))
    points = space.exhaustive(dimensions)
    assert len(points) == 12 and points[:3] == [
        {"a": 1, "b": 10, "c": [1, 0]},
        {"a": 1, "b": 10, "c": [1, 1]},
        {"a": 1, "b": 20, "c": [1, 0]},
    ]
    assert space.exhaustive(dimensions, 5) == points[:5]
    assert all(isinstance(point["b"], int) for point in points)


def test_quniform_with_a_point_is_not_rounded_to_integers(write):
    assert space.read(write("p quniform 0.1,0.5,0.1"))[0].points() == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_random_stays_inside_and_goes_on_alike(write):
    dimensions = space.read(write("a uniform 2,3\nb loguniform -2,0\nc quniform 1,9,2\nd choice ['x','y']"))
    points = space.random(dimensions, 300, seed=1)
    assert points[:10] == space.random(dimensions, 10, seed=1) != space.random(dimensions, 10, seed=2)
    assert all(2 <= each["a"] <= 3 and math.exp(-2) <= each["b"] <= 1 for each in points)
    assert {each["d"] for each in points} == {"x", "y"}
    assert sum(each["b"] < math.exp(-1) for each in points) == pytest.approx(150, abs=40)


def test_exhaustive_needs_finitely_many(write):
    with pytest.raises(
        ValueError, match="algo exhaustive needs choice or quniform; a is uniform: take random or bayes"
    ):
        space.exhaustive(space.read(write("a uniform 0,1")))


BOUNDS = st.floats(-50, 50, allow_subnormal=False).map(lambda bound: bound + 0.0) | st.integers(-50, 50)


@given(
    st.sampled_from(["uniform", "loguniform", "quniform"]),
    st.tuples(BOUNDS, BOUNDS).map(sorted),
    st.floats(0.01, 60) | st.integers(1, 60),
    st.integers(0, 99),
)
def test_values_stay_inside_the_bounds(kind, bounds, step, seed):
    low, high = bounds
    numbers = (low, high, step) if kind == "quniform" else (low, high)
    try:
        (dimension,) = space.parse(f"a {kind} {','.join(map(repr, numbers))}", "here")
    except ValueError as error:
        assert "has no multiple" in str(error) and math.ceil(low / step) > math.floor(high / step)
        return
    values = [point["a"] for point in space.random([dimension], 20, seed)]
    values += dimension.ends()
    if kind == "quniform":
        values += dimension.points()
        assert all(value == pytest.approx(round(value / step) * step, abs=1e-6) for value in values)
    if kind == "loguniform":
        low, high = math.exp(low), math.exp(high)
    margin = 2e-9 * max(abs(low), abs(high))  # of a multiple that is written with twelve digits
    assert all(low - margin <= value <= high + margin for value in values)


@pytest.mark.parametrize(
    "line, points",
    [("a quniform 5,25,10", [10, 20]), ("a quniform 1,10,3", [3, 6, 9]), ("a quniform 0.3,0.9,0.5", [0.5])],
)
def test_quniform_has_the_multiples_of_its_step_whichever_way_it_is_searched(line, points, write):
    dimensions = space.read(write(line))
    assert [point["a"] for point in space.exhaustive(dimensions)] == points
    assert {point["a"] for point in space.random(dimensions, 50, seed=0)} == set(points)


WRONG = {
    "a chioce [1]": "line 1: unknown type 'chioce'; did you mean choice",
    "a": "line 1: unknown type ''; there are choice, uniform",
    "\na choice [1,": "line 2: .* is no list of values",
    "a choice []": "a has nothing to choose from",
    "a uniform 1": "uniform takes low,high, got 1",
    "a uniform 2,1": "uniform takes low,high, got 2,1",
    "a quniform 1,2,0": "quniform takes low,high,step, got 1,2,0",
    "a choice [1]\na choice [2]": "has a twice",
    "a uniform True,2": "uniform takes low,high, got True,2",
    f"a uniform 1,{10**400}": "uniform takes low,high, got 1,1000",
    "a uniform -1e308,1e308": "uniform takes low,high, got -1e308,1e308",
    "a quniform 1e-38,0.5,1": "has no multiple of its step 1 from 1e-38 to 0.5",
    "a quniform 10,11,50": "quniform 10,11,50 has no multiple of its step 50 from 10 to 11",
    "a loguniform 1,1000": "its bounds are natural logarithms; for values from 1 to 1000 write 0,6.908",
    "a loguniform 1,200": "its bounds are natural logarithms; for values from 1 to 200 write 0,5.298",
    "a loguniform -2000,0": "loguniform -2000,0 is out of range, because its bounds are natural logarithms$",
    "# nothing": "holds no line `setting type values`",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_lines(text, write):
    with pytest.raises(ValueError, match=WRONG[text]):
        space.read(write(text))


def test_no_such_file():
    with pytest.raises(ValueError, match=r"space: none\.test cannot be read"):
        space.read("none.test")


@pytest.mark.parametrize("algorithm", ["random", "bayes"])
def test_draws_have_the_values_and_types_of_the_space(algorithm, write):
    dimensions = space.read(
        write("a choice [[1,0],[2,0]]\nb quniform 10,30,10\nc quniform 0.1,0.3,0.1\nd uniform 3,3")
    )
    study = space.study(algorithm, seed=0)
    points = [space.point(dimensions, study.ask()) for _ in range(50)]
    for key, values in {"a": [[1, 0], [2, 0]], "b": [10, 20, 30], "c": [0.1, 0.2, 0.3], "d": [3.0]}.items():
        drawn = [point[key] for point in points]
        assert all(value in drawn for value in values) and all(value in values for value in drawn)
        assert {type(value) for value in drawn} == {type(values[0])}


def test_bayes_learns_from_results(write):
    dimensions = space.read(write("a uniform 0,10"))
    study = space.study("bayes", seed=0)
    drawn = []
    for _ in range(40):
        trial = study.ask()
        drawn.append(space.point(dimensions, trial)["a"])
        study.tell(trial, math.inf if drawn[-1] < 3 else abs(drawn[-1] - 7))
    is_near = [abs(value - 7) < 1 for value in drawn]
    assert sum(is_near[:10]) < 5 and sum(is_near[-20:]) > 7  # 4 of 20 by chance


@pytest.mark.parametrize("algorithm", ["random", "bayes"])
def test_a_study_is_quiet_and_leaves_the_users_level(algorithm, capfd):
    level = optuna.logging.get_verbosity()
    space.study(algorithm, seed=0)
    assert capfd.readouterr() == ("", "") and optuna.logging.get_verbosity() == level
