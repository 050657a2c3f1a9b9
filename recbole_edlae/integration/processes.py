"""Where earlier pickles of loaders find :class:`recbole_edlae.integration.models.Armed`."""

from recbole_edlae.integration.models import Armed

__all__ = ["Armed"]
