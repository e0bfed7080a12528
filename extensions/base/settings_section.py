"""What every section of the settings is.

Law: frozen, and without an option that it does not know.
"""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen table of options."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
