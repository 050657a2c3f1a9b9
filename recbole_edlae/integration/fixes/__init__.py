"""What RecBole gets wrong. Where a fix changes RecBole's numbers, the setting ``corrections`` switches it off."""
