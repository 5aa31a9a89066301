"""The templates of a project's files."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, **values: Any) -> str:
    """`templates/<template>.jinja` with its values."""
    loader = PackageLoader("airloop_platform.project")
    # What is written is make, YAML and Python: there is no HTML to escape.
    environment = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    return environment.get_template(f"{template}.jinja").render(**values)
