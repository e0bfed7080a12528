"""Both databases that people may choose, real and empty."""

from bioskills_databases import database, postgresql

__all__ = ["database", "postgresql"]
