r"""
DeepAE
################################################
Reference:
    Pascal Vincent et al. "Stacked Denoising Autoencoders" in JMLR 2010.

    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
"""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.init import xavier_normal_

from recbole.model.abstract_recommender import GeneralRecommender
from recbole.model.layers import activation_layer
from recbole.utils import InputType


class DeepAE(GeneralRecommender):
    r"""DeepAE is an emphasized denoising autoencoder: it reconstructs a user's history
    from a part of it, and ``emphasis`` weights the errors on dropped and on kept interactions.

    We implement the DeepAE model with only user dataloader.
    """

    input_type = InputType.POINTWISE

    def __init__(self, config, dataset):
        super(DeepAE, self).__init__(config, dataset)

        # load parameters info
        self.layers = config["mlp_hidden_size"]
        self.lat_dim = config["latent_dimension"]
        self.drop_out = config["dropout_prob"]
        self.emphasis = config["emphasis"]
        self.reg_weight = config["reg_weight"]
        if not 0 <= self.drop_out < 1:
            raise ValueError("Make sure 'dropout_prob' in [0, 1)!")

        # a zero is the same dropped or kept, its error has the mean weight of both
        a, b = self.emphasis
        self.zero_weight = a * self.drop_out + b * (1 - self.drop_out)
        if self.zero_weight <= 0:
            raise ValueError("Make sure 'emphasis' and 'dropout_prob' leave an error!")

        self.interaction_matrix = dataset.inter_matrix(form="csr").astype(np.float32)
        self.interaction_matrix.data[:] = 1.0  # repeated interactions were added up

        self.latent_activation = activation_layer(config["latent_activation"])

        # the decoder mirrors the encoder, its weights are used transposed
        layer_dims = [self.n_items] + self.layers + [self.lat_dim]
        shapes = list(zip(layer_dims[:-1], layer_dims[1:]))
        self.encoder = self.xavier_normal(shapes)
        self.decoder = self.xavier_normal(shapes[::-1])
        self.encoder_bias = self.zeros(layer_dims[1:])
        self.decoder_bias = self.zeros(layer_dims[-2::-1])

    def xavier_normal(self, shapes):
        return nn.ParameterList(
            [nn.Parameter(xavier_normal_(torch.empty(shape))) for shape in shapes]
        )

    def zeros(self, sizes):
        return nn.ParameterList([nn.Parameter(torch.zeros(size)) for size in sizes])

    def get_rating_matrix(self, user):
        r"""Get the binary histories of a batch of users, shape: [batch_size, n_items]"""
        histories = self.interaction_matrix[user.cpu().numpy(), :].toarray()
        return torch.from_numpy(histories).to(self.device)

    def forward(self, h):
        r"""Compute the scores g(f(h)) of encoder f and decoder g.

        Args:
            h (torch.FloatTensor): Normalized histories, shape: [batch_size, n_items]

        Returns:
            torch.FloatTensor: Scores of all items, shape: [batch_size, n_items]
        """
        for layer, (weight, bias) in enumerate(zip(self.encoder, self.encoder_bias)):
            h = torch.matmul(h if layer == 0 else torch.tanh(h), weight) + bias
        h = self.latent_activation(h)
        for layer, (weight, bias) in enumerate(zip(self.decoder, self.decoder_bias)):
            h = F.linear(h if layer == 0 else torch.tanh(h), weight, bias)
        return h

    def calculate_loss(self, interaction):
        r"""Compute the emphasized squared error, Eq. (6) of Steck, for a sample of the dropout.

        Args:
            interaction (Interaction): Interaction class of the batch.

        Returns:
            torch.Tensor: Training loss, shape: []
        """
        x = self.get_rating_matrix(interaction[self.USER_ID])
        observed = x > 0
        dropped = torch.zeros_like(observed)
        dropped[observed] = torch.rand_like(x[observed]) < self.drop_out
        h = F.normalize(x) * ~dropped / (1 - self.drop_out)

        weight = torch.full_like(x, self.zero_weight)
        weight[observed] = self.emphasis[1]
        weight[dropped] = self.emphasis[0]

        # [PAD] and other users without a history teach nothing
        loss = (weight * (self.forward(h) - x) ** 2).sum(1) * observed.any(1)
        l2 = sum((w**2).sum() for w in [*self.encoder, *self.decoder])
        return loss.mean() + self.reg_weight / self.n_users * l2

    def predict(self, interaction):
        user = interaction[self.USER_ID]
        item = interaction[self.ITEM_ID]

        scores = self.forward(F.normalize(self.get_rating_matrix(user)))
        return scores.gather(1, item.unsqueeze(1)).squeeze(1)

    def full_sort_predict(self, interaction):
        user = interaction[self.USER_ID]

        scores = self.forward(F.normalize(self.get_rating_matrix(user)))
        return scores.view(-1)
