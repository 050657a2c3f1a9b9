r"""
AutoRec
################################################
Reference:
    Suvash Sedhain et al. "AutoRec: Autoencoders Meet Collaborative Filtering" in WWW 2015.
"""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.init import xavier_normal_

from recbole.model.abstract_recommender import GeneralRecommender
from recbole.model.layers import activation_layer
from recbole.utils import InputType


class AutoRec(GeneralRecommender):
    r"""AutoRec reconstructs the row of a user through a hidden layer, as U-AutoRec of the paper.

    With ``feedback`` rating, only the observed ratings count, as deviations from their
    mean. With implicit, every pair without an interaction is a zero to reconstruct.

    We implement the AutoRec model with only user dataloader.
    """

    input_type = InputType.POINTWISE

    def __init__(self, config, dataset):
        super(AutoRec, self).__init__(config, dataset)

        # load parameters info
        self.feedback = config["feedback"]
        self.lat_dim = config["latent_dimension"]
        self.reg_weight = config["reg_weight"]
        if self.feedback not in ["implicit", "rating"]:
            raise ValueError("Make sure 'feedback' in ['implicit', 'rating']!")

        # the mean of the ratings where a pair of user and item has several
        field = config["RATING_FIELD"] if self.feedback == "rating" else None
        count = dataset.inter_matrix(form="csr").astype(np.float32)
        rows = dataset.inter_matrix(form="csr", value_field=field).astype(np.float32)
        rows.data /= count.data
        self.mean = float(rows.data.mean()) if self.feedback == "rating" else 0.0
        rows.data -= self.mean
        self.rows, self.count = rows, count

        self.latent_activation = activation_layer(config["latent_activation"])
        self.encoder = nn.Parameter(torch.empty(self.n_items, self.lat_dim))
        self.decoder = nn.Parameter(torch.empty(self.n_items, self.lat_dim))
        self.encoder_bias = nn.Parameter(torch.zeros(self.lat_dim))
        self.decoder_bias = nn.Parameter(torch.zeros(self.n_items))

        # parameters initialization
        xavier_normal_(self.encoder)
        xavier_normal_(self.decoder)

    def get_rows(self, matrix, user):
        r"""Get the rows of a batch of users as a dense tensor, shape: [batch_size, n_items]"""
        return torch.from_numpy(matrix[user.cpu().numpy(), :].toarray()).to(self.device)

    def forward(self, x):
        r"""Compute the reconstruction of Eq. (1) of the paper.

        Args:
            x (torch.FloatTensor): Rows of users, shape: [batch_size, n_items]

        Returns:
            torch.FloatTensor: Scores of all items, shape: [batch_size, n_items]
        """
        h = self.latent_activation(torch.matmul(x, self.encoder) + self.encoder_bias)
        return F.linear(h, self.decoder, self.decoder_bias)

    def calculate_loss(self, interaction):
        r"""Compute the objective, Eq. (2) of the paper with the rows of users.

        Args:
            interaction (Interaction): Interaction class of the batch.

        Returns:
            torch.Tensor: Training loss, shape: []
        """
        user = interaction[self.USER_ID]
        x = self.get_rows(self.rows, user)

        error = (self.forward(x) - x) ** 2
        if self.feedback == "rating":
            error = error * (self.get_rows(self.count, user) > 0)
        l2 = (self.encoder**2).sum() + (self.decoder**2).sum()
        return error.sum(1).mean() + self.reg_weight / (2 * self.n_users) * l2

    def predict(self, interaction):
        user = interaction[self.USER_ID]
        item = interaction[self.ITEM_ID]

        scores = self.forward(self.get_rows(self.rows, user)) + self.mean
        return scores.gather(1, item.unsqueeze(1)).squeeze(1)

    def full_sort_predict(self, interaction):
        user = interaction[self.USER_ID]

        scores = self.forward(self.get_rows(self.rows, user)) + self.mean
        return scores.view(-1)
