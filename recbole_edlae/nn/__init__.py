"""Deep autoencoders over sparse rows, in torch. Knows nothing of RecBole."""
