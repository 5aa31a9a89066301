"""The modules that docs/extend prints, as files of a project."""

import re
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "docs" / "extend"
_MODULE = re.compile(r'```python\n("""include/(\w+)\.py"""\n.*?)```', re.DOTALL)


def modules(page: str) -> dict[str, str]:
    """Module name -> its source, of a page."""
    return {name: source for source, name in _MODULE.findall((PAGES / page).read_text(encoding="utf-8"))}


def write(page: str, include: Path) -> None:
    """Write the modules of a page below a project's include/."""
    for name, source in modules(page).items():
        (include / f"{name}.py").write_text(source)
