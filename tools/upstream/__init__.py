"""The way into RecBole itself: the models as a pull request to it would bring them."""
