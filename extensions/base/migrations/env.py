"""Run Alembic's migrations on our database, all in one transaction.

SQLite changes a table by making it anew, so its foreign keys rest meanwhile;
`bioskills upgrade` checks them afterwards.
"""

from alembic import context
from sqlalchemy import event

from bioskills.base import (  # noqa: F401 - so that their tables are known
    tables_accounts,
    tables_cohorts,
    tables_ledger,
    tables_notices,
    tables_oidc,
    tables_papers,
    tables_teaching,
    tables_uploads,
)
from bioskills.base.store import open_engine
from bioskills.base.tables import Base

config = context.config
engine = open_engine(config.get_main_option("sqlalchemy.url") or "")
if engine.dialect.name == "sqlite":
    event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA foreign_keys=OFF"))

try:
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=Base.metadata, render_as_batch=True
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
finally:
    engine.dispose()
