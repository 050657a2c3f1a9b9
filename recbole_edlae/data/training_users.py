r"""
Training users
################################################
What a model asks of its dataset: whom to train on, and where to read the histories that it scores.

They are all users and the dataset itself, unless the dataset is the training part of a split by user, which has the
fold-in of the users held out as ``with_fold_in()``.
"""

import torch


def with_fold_in(dataset):
    r"""The dataset that histories are read from."""
    return dataset.with_fold_in() if hasattr(dataset, "with_fold_in") else dataset


def training_users(dataset):
    r"""Ids of the users that a loader of users iterates in training."""
    if not hasattr(dataset, "with_fold_in"):
        return torch.arange(dataset.user_num)
    return dataset.inter_feat[dataset.uid_field].unique()
