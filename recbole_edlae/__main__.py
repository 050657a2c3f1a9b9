"""`python -m recbole_edlae` is the command `recbole-edlae`."""

from recbole_edlae.cli import main

main()
