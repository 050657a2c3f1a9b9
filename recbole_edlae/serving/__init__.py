"""Trained models at work: recommending for anyone, and exports that hold nothing but numbers and text."""
