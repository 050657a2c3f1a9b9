"""The hook applies the table to RecBole, to nothing else, in any order of imports, and takes it back."""

import subprocess
import sys
import textwrap

import pytest

from recbole_edlae.integration import patches
from tests.conftest import ROOT

# RecBole asks for ray when it is imported; a stand-in serves where there is none, or one that fails.
BEGIN = f"""
    import importlib, sys, types
    sys.path.insert(0, {str(ROOT)!r})
    def import_recbole_without_the_package():
        sys.modules["ray"] = types.ModuleType("ray")
        sys.modules["ray"].tune = types.ModuleType("ray.tune")
        import recbole.quick_start
        del sys.modules["ray"]
    def import_all_modules():
        from recbole_edlae.integration.patches import PATCHES
        for patch in PATCHES:
            importlib.import_module(patch.module)
    def current(patch):
        owner = sys.modules[patch.module]
        path, _, key = patch.attribute.rstrip("]").partition("[")
        *parents, name = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        return getattr(owner, name).get(key) if key else vars(owner).get(name)
"""


def python(program, folder):
    """Standard output of a fresh interpreter."""
    text = textwrap.dedent(BEGIN) + textwrap.dedent(program)
    environment = {"PATH": "", "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_is_complete():
    for patch in patches.PATCHES:
        assert patch.module.startswith("recbole.") and patch.replacement.startswith("recbole_edlae.")
        assert patch.why and patch.until and patch.kind in ("call", "object", "value", "import")
    assert len(set(patches.PATCHES)) == len(patches.PATCHES)


def test_an_attribute_has_one_function():
    for attributes in patches.by_attribute(patches.PATCHES).values():
        for rows in attributes:
            assert len({(row.replacement, row.kind) for row in rows}) == 1, rows


def test_the_page_lists_the_table():
    page = (ROOT / "docs" / "recbole.md").read_text(encoding="utf-8")
    assert patches.repairs_as_markdown() in page and patches.corrections_as_markdown() in page


@pytest.mark.slow
def test_everything_is_taken_back(tmp_path):
    """Every attribute of the table is RecBole's own object again, and none of them was while the hook was armed."""
    changed = [(patch.module, patch.attribute) for patch in patches.PATCHES if patch.kind != "import"]
    program = f"""
        import_recbole_without_the_package()
        rows = [types.SimpleNamespace(module=module, attribute=attribute) for module, attribute in {changed!r}]
        for row in rows:
            importlib.import_module(row.module)
        stock = [current(row) for row in rows]
        names = dict((name, dict(vars(module))) for name, module in sys.modules.items() if name.startswith("recbole"))
        finders = list(sys.meta_path)
        import recbole_edlae
        from recbole_edlae.integration import hook
        print(all(current(row) is not object for row, object in zip(rows, stock)))
        for _ in range(2):
            hook.restore()
            print([row.attribute for row, object in zip(rows, stock) if current(row) is not object])
            print([(name, key) for name, before in names.items() for key, object in before.items()
                   if vars(sys.modules[name]).get(key) is not object])
            print(sys.meta_path == finders)
            hook.arm()
            hook.arm()
            changed = all(current(row) is not object for row, object in zip(rows, stock))
            print(changed, len(sys.meta_path) - len(finders))
    """
    assert python(program, tmp_path).splitlines() == ["True", *["[]", "[]", "True", "True 1"] * 2]


@pytest.mark.slow
def test_nothing_outside_recbole_changes(tmp_path):
    program = """
        import numpy, pandas, scipy.sparse, torch
        packages = {"numpy": numpy, "pandas": pandas, "scipy.sparse": scipy.sparse, "torch": torch,
                    "torch.nn.Module": torch.nn.Module, "dok_matrix": scipy.sparse.dok_matrix, "amp": torch.cuda.amp}
        def state():
            return {name: dict(vars(package)) for name, package in packages.items()}
        before, finders = state(), set(map(id, sys.meta_path))
        import recbole_edlae
        import_all_modules()
        print([(name, key) for name, names in before.items() for key in names
               if state()[name].get(key) is not names[key]], torch.load is before["torch"]["load"])
        print([(name, key) for name, names in state().items() for key in names.keys() - before[name].keys()
               if f"{name}.{key}" not in sys.modules])
        print([type(finder).__module__ for finder in sys.meta_path if id(finder) not in finders
               and type(finder).__module__.startswith("recbole")] == ["recbole_edlae.integration.hook"])
        print("ray" in sys.modules)
    """
    assert python(program, tmp_path).splitlines() == ["[] True", "[]", "True", "False"]


ORDERS = {
    "the package first": "import recbole_edlae, recbole.quick_start",
    "RecBole first": "import_recbole_without_the_package(); import recbole_edlae",
    "torch, the package, RecBole": "import torch, recbole_edlae, recbole.quick_start",
    "in the middle of RecBole's own import": """
class Middle:
    def find_spec(self, name, path=None, target=None):
        if name == "recbole.evaluator" and "recbole_edlae" not in sys.modules:
            import recbole_edlae  # as torch does when RecBole imports torch
sys.meta_path.insert(0, Middle())
import_recbole_without_the_package()
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_imports_does_not_matter(order, tmp_path, settings):
    program = f"""
        exec({ORDERS[order]!r})
        import recbole.quick_start.quick_start as quick_start, recbole.data, recbole.data.utils, recbole.trainer
        from recbole.config import Config
        from recbole_edlae.integration import hook
        rows = [row for row in hook.PATCHES if row.kind != "import" and row.module in sys.modules]
        print(sorted(row for applied in hook._HOOK.applied for row in applied.rows) == sorted(rows))
        print(recbole.data.create_samplers is recbole.data.utils.create_samplers, quick_start.tune.report())
        result = quick_start.run_recbole("EDLAE", "tiny", config_dict={settings!r})
        print(result["test_result"])
    """
    lines = python(program, tmp_path).splitlines()
    assert lines[:2] == ["True", "True None"]
    from recbole.quick_start import run_recbole

    assert lines[2] == str(run_recbole("EDLAE", "tiny", config_dict=settings)["test_result"])


@pytest.mark.parametrize("order", ["the package first", "RecBole first"])
def test_classes_of_recbole_stay_classes_where_they_are_defined(order, tmp_path):
    program = """
        first, second = ORDER
        importlib.import_module(first)
        importlib.import_module(second)
        import inspect, recbole.evaluator.collector as collector, recbole_edlae.model.trainer
        import recbole.trainer, recbole.evaluator
        assert inspect.isclass(collector.Collector) and recbole.evaluator.Collector is collector.Collector
        assert not inspect.isclass(sys.modules["recbole.trainer.trainer"].Collector)
    """
    names = ["recbole_edlae", "recbole.trainer"]
    if order == "RecBole first":
        names.reverse()
    python(program.replace("ORDER", repr(names)), tmp_path)


@pytest.mark.slow
def test_any_package_of_recbole_may_be_imported_first():
    modules = sorted({".".join(patch.module.split(".")[:2]) for patch in patches.PATCHES})
    program = (
        "import importlib, os, sys, recbole_edlae, torch\n"
        "for name in sys.argv[1:]:\n"
        "    child = os.fork()\n"  # what is imported already is imported once
        "    if not child:\n"
        "        importlib.import_module(name)\n"
        "        os._exit(0)\n"
        "    status = os.waitpid(child, 0)[1]\n"
        "    assert status == 0, name\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program, *modules], check=True)


def test_what_was_taken_by_name_works_again(tmp_path, settings):
    """Functions that a program took from RecBole know the models again after `restore` and `arm`."""
    program = f"""
        import recbole_edlae
        from recbole.utils import get_model
        from recbole.quick_start import run_recbole
        from recbole_edlae.integration import hook
        before = get_model("EDLAE"), run_recbole("EDLAE", "tiny", config_dict={settings!r})["test_result"]
        hook.restore()
        sys.modules["recbole.quick_start.quick_start"].tune.report(score=1)  # as its own objective_function does
        try:
            get_model("EDLAE")
        except (ValueError, ImportError):
            print("no EDLAE")
        hook.arm()
        print(before == (get_model("EDLAE"), run_recbole("EDLAE", "tiny", config_dict={settings!r})["test_result"]))
    """
    assert python(program, tmp_path).splitlines() == ["no EDLAE", "True"]


PLUGIN = """
import importlib.abc, sys, types

class Loader(importlib.abc.Loader):
    def __init__(self, loader):
        self.loader = loader
    def create_module(self, spec):
        return self.loader.create_module(spec)
    def exec_module(self, module):
        self.loader.exec_module(module)
        act(module)

class Finder(importlib.abc.MetaPathFinder):
    asking = False
    def find_spec(self, name, path=None, target=None):
        if name != "recbole.config.configurator" or self.asking:
            return None
        self.asking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.asking = False
        spec.loader = Loader(spec.loader)
        return spec

def act(module):
    stock = module.Config._load_internal_config_dict
    def load(self, model, model_class, dataset):
        stock(self, model, model_class, dataset)
        self.internal_config_dict["of_another_plugin"] = model
    module.Config._load_internal_config_dict = load
    get_model = module.get_model
    def find(name):
        if name == "Another":
            from recbole.model.general_recommender.pop import Pop
            return type("Another", (Pop,), {"__module__": "another"})
        return get_model(name)
    module.get_model = sys.modules["recbole.utils"].get_model = sys.modules["recbole.utils.utils"].get_model = find

if "recbole.config.configurator" in sys.modules:
    act(sys.modules["recbole.config.configurator"])
sys.meta_path.insert(0, Finder())
"""


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"], ids=lambda when: f"RecBole {when} the plugins")
@pytest.mark.parametrize("order", ["another, recbole_edlae", "recbole_edlae, another"])
def test_a_second_plugin(order, when, tmp_path, settings):
    """Another package hooks the same module and wraps the same functions; both packages' models run."""
    (tmp_path / "another.py").write_text(PLUGIN)
    program = f"""
        sys.path.insert(0, {str(tmp_path)!r})
        if {when == "before"}:
            import_recbole_without_the_package()
        import {order}
        from recbole.config import Config
        from recbole.utils import get_model
        for name in ("EDLAE", "Another", "EASE"):
            config = Config(name, "tiny", config_dict={settings!r})
            print(config.model_class.__module__, config["of_another_plugin"], config["reg_weight"])
        from recbole_edlae.integration import hook
        hook.restore()
        print(get_model("Another").__module__, get_model("EASE").__module__)
        try:
            print(get_model("EDLAE"))
        except (ValueError, ImportError):  # RecBole's own search ends at lightgbm, where that is missing
            print("no EDLAE")
    """
    assert python(program, tmp_path).splitlines() == [
        "recbole_edlae.model.edlae EDLAE 500.0",
        "another Another None",
        "recbole.model.general_recommender.ease EASE 250.0",
        "another recbole.model.general_recommender.ease",
        "no EDLAE",
    ]
