"""Run Alembic's migrations on our database, each in one transaction."""

from alembic import context

from bioskills.base.store import open_engine
from bioskills.base.tables import Base

config = context.config
engine = open_engine(config.get_main_option("sqlalchemy.url") or "")

with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
