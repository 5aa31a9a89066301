"""Tables as a person might bring them, generated: what can be learned from them is known."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2021, 3, 1, tzinfo=UTC)


def orders(rows: int = 600, days: int = 50) -> list[dict[str, str]]:
    """Orders of a shop, in order of time: large ones of new customers are returned more often.

    order_id, ordered_at, amount, country, new_customer, remark (prose), paid_at (a timestamp, often missing), returned.
    """
    draw, table_rows = random.Random(7), []
    for number in range(rows):
        at = START + timedelta(days=days) * number / rows
        amount, new = round(draw.uniform(1, 200), 2), draw.random() < 0.4
        risk = (amount - 100) / 25 + (2.0 if new else -1.0)
        table_rows.append(
            {
                "order_id": f"{10000 + number}",
                "ordered_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                "amount": f"{amount}",
                "country": draw.choice(["AT", "CH", "DE"]),
                "new_customer": str(new).lower(),
                "remark": f"please ring twice, flat {number}",
                "paid_at": f"{at + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}" if number % 3 else "",
                "returned": "yes" if draw.random() < 1 / (1 + 2.718281828**-risk) else "no",
            }
        )
    return table_rows


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    """The rows as CSV with the columns of the first."""
    lines = [
        ",".join(rows[0]),
        *(",".join(f'"{cell}"' if "," in cell else cell for cell in row.values()) for row in rows),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def with_column(rows: list[dict[str, str]], name: str, values: list[str]) -> list[dict[str, str]]:
    """The rows with one column more, or another one under its name."""
    return [{**row, name: value} for row, value in zip(rows, values, strict=True)]


def without(rows: list[dict[str, str]], *names: str) -> list[dict[str, str]]:
    return [{name: cell for name, cell in row.items() if name not in names} for row in rows]
