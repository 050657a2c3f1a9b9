"""Many models under one protocol: leaderboards, tuning, reports, studies."""
