"""airloop: the whole life of a machine-learning model, run as Airflow DAGs. Plain Python: imports no Airflow.

For notebooks: `airloop.training_frame`. It is found when it is asked for, so that `import airloop` imports nothing.
"""

from typing import TYPE_CHECKING, Any

__all__ = ["training_frame"]

if TYPE_CHECKING:
    from airloop.authoring.notebook import training_frame
else:  # mypy would take every name that is not there for one that __getattr__ knows

    def __getattr__(name: str) -> Any:
        if name in __all__:
            from airloop.authoring import notebook

            return getattr(notebook, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
