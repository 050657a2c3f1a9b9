r"""Compute Recall as Liang et al. define it.

References:
    Dawen Liang et al. "Variational Autoencoders for Collaborative Filtering" in WWW 2018, §4.3.
"""

import numpy as np
from recbole.evaluator.base_metric import TopkMetric
from recbole.evaluator.collector import DataStruct


class LiangRecall(TopkMetric):
    r"""Compute Recall@K divided by the largest value that K items can reach.

    .. math::
       \frac{1}{|U|}\sum_{u \in U} \frac{|\hat{R}(u) \cap R(u)|}{\min(K, |R(u)|)}

    It is 1 where all of the first K are hits. RecBole's Recall divides by :math:`|R(u)|` instead. RecBole's NDCG is
    already the truncated one of that paper.
    """

    def calculate_metric(self, dataobject: DataStruct) -> dict[str, float]:
        """Return the metric at every k, averaged over users, from what RecBole's collector has gathered."""
        pos_index, pos_len = self.used_info(dataobject)
        return self.topk_result("liangrecall", self.metric_info(pos_index, pos_len))

    def metric_info(self, pos_index: np.ndarray, pos_len: np.ndarray) -> np.ndarray:
        """Return the metric of every user at 1, …, K, of shape (users, K).

        ``pos_index`` says which recommended items are hits, (users, K); ``pos_len`` counts positives, (users,).
        """
        hits = np.cumsum(pos_index, axis=1)

        # min(K, |R(u)|) for every K at once.
        k = np.arange(1, pos_index.shape[1] + 1)
        attainable = np.minimum(k, pos_len[:, None])
        return hits / attainable
