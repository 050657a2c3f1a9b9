"""What RecBole's evaluators lack: metrics per user, and whether models differ."""
