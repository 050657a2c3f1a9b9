import numpy as np
import pytest
import scipy.sparse as sp

from recbole_edlae.analysis import item_similarities

X = np.array(
    [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 1, 0]], dtype=float
)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return a @ b / np.sqrt((a @ a) * (b @ b))


def test_similarities_are_cosines_of_each_item_and_its_neighbor() -> None:
    generator = np.random.default_rng(0)
    U, V = generator.normal(size=(5, 3)), generator.normal(size=(5, 3))
    found = item_similarities(sp.csr_matrix(X), U, V)
    assert found.item.tolist() == [0, 1, 2, 3]  # nobody shares item 4
    assert found.neighbor.tolist()[:2] == [1, 0] and found.in_data[:2] == pytest.approx([1, 1])
    for place, (i, j) in enumerate(zip(found.item, found.neighbor)):
        assert found.in_data[place] == pytest.approx(cosine(X[:, i], X[:, j]))
        assert found.in_encoder[place] == pytest.approx(cosine(U[i], U[j]))
        assert found.in_decoder[place] == pytest.approx(cosine(V[i], V[j]))
        assert found.encoder_to_decoder[place] == pytest.approx(cosine(U[i], V[i]))


def test_a_zero_diagonal_holds_an_items_own_rows_apart() -> None:
    U, V = np.eye(5), np.roll(np.eye(5), 1, axis=0)
    assert (item_similarities(sp.csr_matrix(X), U, V).encoder_to_decoder == 0).all()


def test_factors_must_fit_the_items() -> None:
    with pytest.raises(ValueError, match="X has 5 items, U 4 and V 5"):
        item_similarities(sp.csr_matrix(X), np.ones((4, 2)), np.ones((5, 2)))
