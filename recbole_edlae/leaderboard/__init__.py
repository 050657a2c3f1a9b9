"""Plan a leaderboard, collect its results with their significance, and report them."""
