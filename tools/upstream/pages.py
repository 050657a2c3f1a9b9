"""RecBole's documentation of the models, from what this package says of them already.

The introduction is the class's docstring, the hyper-parameters are the lines of its YAML file, the ranges to tune those
of configs/spaces.
"""

import inspect
import json
import pathlib

import yaml
from recbole.utils import get_model

from recbole_edlae.integration import models as registry
from recbole_edlae.settings.schema import read_schema
from tools.upstream.lift import PACKAGE

PAPERS = yaml.safe_load((pathlib.Path(__file__).parent / "papers.yaml").read_text(encoding="utf-8"))

_GUIDE = """\
{name}
{line}

Introduction
---------------------

`[paper] <{paper_link}>`_

**Title:** {paper}

**Authors:** {authors}

{introduction}

Running with RecBole
-------------------------

**Model Hyper-Parameters:**

{settings}

**A Running Example:**

Write the following code to a python file, such as `run.py`

.. code:: python

   from recbole.quick_start import run_recbole

   run_recbole(model='{name}', dataset='ml-100k')

And then:

.. code:: bash

   python run.py

Tuning Hyper Parameters
-------------------------

For ``HyperTuning``, save these ranges as ``hyper.test``; the best of them depend on the data.

.. code:: bash

{space}

With the source code of RecBole, ``run_hyper.py`` tries them:

.. code:: bash

   python run_hyper.py --model={name} --dataset=[dataset_name] --params_file=hyper.test

For more details about Parameter Tuning, refer to :doc:`../../../user_guide/usage/parameter_tuning`.

If you want to change parameters, dataset or evaluation settings, take a look at

- :doc:`../../../user_guide/config_settings`
- :doc:`../../../user_guide/data_intro`
- :doc:`../../../user_guide/train_eval_intro`
- :doc:`../../../user_guide/usage`
"""


def guide(name):
    """Page of the user guide."""
    settings = [
        f"- ``{setting.key} ({setting.type})`` : {setting.meaning} Defaults to ``{setting.default}``."
        for setting in read_schema(registry.PROPERTIES / f"{name}.yaml").values()
    ]
    space = (PACKAGE / "configs" / "spaces" / f"{name}.test").read_text(encoding="utf-8").splitlines()
    return _GUIDE.format(
        name=name,
        line="=" * max(len(name), 11),
        introduction=inspect.getdoc(get_model(name)),
        settings="\n\n".join(settings),
        space="\n".join(f"   {line}" for line in space if not line.startswith("#")),
        **PAPERS[name],
    )


def reference(name):
    """Page of the API reference."""
    module = f"recbole.model.general_recommender.{name.lower()}"
    return f".. automodule:: {module}\n   :members:\n   :undoc-members:\n   :show-inheritance:\n"


def list_entry(name):
    """Element of the list in asset/model_list.json, indented as its others are, with the comma to the next."""
    entry = {
        "category": "General Recommendation",
        "cate_link": "/docs/user_guide/model_intro.html#general-recommendation",
        "year": PAPERS[name]["year"],
        "pub": PAPERS[name]["pub"],
        "model": name,
        "model_link": f"/docs/user_guide/model/general/{name.lower()}.html",
        "paper": PAPERS[name]["paper"],
        "paper_link": PAPERS[name]["paper_link"],
        "authors": PAPERS[name]["authors"],
        "ref_code": "",
        "repository": "RecBole",
        "repo_link": "https://github.com/RUCAIBox/RecBole",
    }
    lines = json.dumps(entry, indent=4, ensure_ascii=False).splitlines()
    return ",".join(["\n".join(f"      {line}" for line in lines), "\n"])
