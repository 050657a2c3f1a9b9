"""RecBole's documentation of the models, from what this package says of them already.

The introduction is the docstring of the class, the paper and the ranges to search are attributes of it, and the
hyperparameters are the lines of its YAML file.
"""

import inspect
import json
import textwrap
from typing import Any

from recbole_edlae.integration.models import model_class, own_models
from recbole_edlae.settings.schema import read_schema

_GUIDE = """\
{name}
{line}

Introduction
---------------------

`[paper] <{paper.link}>`_

**Title:** {paper.title}

**Authors:** {paper.authors}

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

For ``HyperTuning``, save these ranges as ``hyper.test``; the best values depend on the data.

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


def guide(name: str) -> str:
    """Return a model's page of the user guide."""
    model: Any = model_class(name)
    settings = [
        f"- ``{setting.key} ({setting.type})`` : {setting.meaning} Defaults to ``{setting.default}``."
        for setting in read_schema(own_models()[name]).values()
    ]
    return _GUIDE.format(
        name=name,
        line="=" * max(len(name), 11),
        paper=model.paper,
        introduction=inspect.getdoc(model),
        settings="\n\n".join(settings),
        space=textwrap.indent(inspect.cleandoc(model.search_space), "   "),
    )


def reference(name: str) -> str:
    """Return a model's page of the API reference."""
    module = f"recbole.model.general_recommender.{name.lower()}"
    return f".. automodule:: {module}\n   :members:\n   :undoc-members:\n   :show-inheritance:\n"


def list_entry(name: str) -> str:
    """Return a model's element of the list in asset/model_list.json, indented as there, with the comma after it."""
    model: Any = model_class(name)
    paper = model.paper
    entry = {
        "category": "General Recommendation",
        "cate_link": "/docs/user_guide/model_intro.html#general-recommendation",
        "year": str(paper.year),
        "pub": f"{paper.venue}'{paper.year % 100:02}",
        "model": name,
        "model_link": f"/docs/user_guide/model/general/{name.lower()}.html",
        "paper": paper.title,
        "paper_link": paper.link,
        "authors": paper.authors,
        "ref_code": "",
        "repository": "RecBole",
        "repo_link": "https://github.com/RUCAIBox/RecBole",
    }
    return textwrap.indent(json.dumps(entry, indent=4, ensure_ascii=False), " " * 6) + ",\n"
