"""The papers' theory as measurements of trained models. Works on matrices and on any model of this package."""
