"""Read YAML as RecBole does, without the objects of Python that its loader makes."""

import functools
from typing import Any

import yaml


@functools.cache
def safe_loader(stock: Any) -> type[yaml.SafeLoader]:
    """Return PyYAML's safe loader with the numbers of another loader.

    Args:
        stock: a loader of PyYAML's; RecBole's reads ``5e2`` and ``1e-3`` as numbers.
    """
    # Copies, because RecBole adds the same rules to its loader again with every Config.
    numbers = {letter: list(rules) for letter, rules in stock.yaml_implicit_resolvers.items()}
    return type("SafeLoader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": numbers})
