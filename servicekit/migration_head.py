"""The newest revision of a chain, read without Alembic: every process asks, only one migrates."""

from importlib.resources import files


def migration_head(package: str) -> str:
    """The revision in the `.head` file of a chain such as `services.requests.migrations`."""
    return files(package).joinpath(".head").read_text().strip()
