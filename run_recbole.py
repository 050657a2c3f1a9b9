"""RecBole's own run_recbole.py with the models of this package in it; the default model is EDLAE.

python run_recbole.py --model=EDLAE --dataset=ml-100k --dropout_prob=0.5
"""

from recbole_edlae.cli import run

if __name__ == "__main__":
    run()
