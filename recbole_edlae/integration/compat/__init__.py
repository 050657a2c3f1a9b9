"""RecBole on today's NumPy, SciPy, pandas, torch and ray. No number changes."""
