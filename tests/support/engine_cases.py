"""What the list of proven SQL is tried on: rows at every edge; expressions, aggregates and forms of query."""

from datetime import UTC, datetime

import pyarrow as pa

INSTANT = pa.timestamp("us", "UTC")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


# Null, NaN, infinite, minus zero to divide by, near 2^53 and 2^62; texts whose order depends on a language; Sundays,
# both changes of New York's clock, a leap day, the turn of a year, microseconds, before 1970; ties in every column.
ROWS = pa.table(
    {
        "id": pa.array(range(12), pa.int64()),
        "i": pa.array([1, 2, None, 2**62, 2**62, -7, 0, 0, 3, 3, 2**53 + 1, -1], pa.int64()),
        "k": pa.array([2, 0, 5, 3, None, 2, 0, 1, 1, 7, 1, 10], pa.int64()),
        "x": [1.0, float("nan"), None, float("inf"), -0.5, 2.5, -2.5, 0.0, 0.1, 1e300, -float("inf"), 3.5],
        "y": [0.0, 0.0, 1.0, 0.0, 3.0, -0.0, 0.0, 0.0, 0.3, 1e-3, 2.0, None],
        "s": ["a", "B", None, "ä", "a ", "Z", "", "b", "A", "a-b", "z", "ß"],
        "b": [True, False, None, True, False, True, None, False, True, True, False, None],
        "t": pa.array(
            [
                at(2013, 3, 10, 6, 59, 59), at(2013, 3, 10, 7), at(2013, 11, 3, 5, 30), at(2013, 11, 3, 6, 30),
                at(2012, 2, 29, 23, 59, 59, 999999), at(2013, 12, 31, 23, 59, 50), at(1969, 12, 28, 22, 59, 58, 500000),
                None, at(2013, 3, 1), at(2013, 3, 1, 5), at(2013, 3, 3, 4, 59, 59), at(2013, 3, 1),
            ],
            INSTANT,
        ),
        "u": pa.array(
            [
                at(2013, 3, 10, 7, 0, 1), at(2013, 3, 10, 6), at(2013, 11, 3, 6, 30), None, at(2012, 3, 1),
                at(2014, 1, 1, 0, 0, 10), at(1970, 1, 1), at(2013, 3, 1), at(2013, 3, 1, 3), at(2013, 3, 1, 5),
                at(2013, 3, 4), at(2013, 2, 28, 23, 15, 0, 1),
            ],
            INSTANT,
        ),
    }
)  # fmt: skip
EMPTY = ROWS.slice(0, 0)

EXPRESSIONS = r"""
s || 'a\b' || 'it''s'
0.1
x * 0.1
x > 0.1
coalesce(x, 0.1)
i
x
s
b
t
CAST(x AS DOUBLE) / CAST(y AS DOUBLE)
x / y
k / 3
k / k
x / (y + 3.0)
x / 3.0
-x
x - y
k * 2.5
k + 1
k * k
k - 10
abs(k - 3)
abs(x)
k % 3
(k - 5) % 3
CAST(0.1 AS DOUBLE) * k
floor(x)
ceil(x)
floor(x / y)
floor(k / 2)
floor(x + CAST(0.5 AS DOUBLE))
CASE WHEN x > -100 AND x < 100 THEN CAST(floor(x) AS BIGINT) END
x > 1
x = x
x < y
x IS NULL
x BETWEEN 0 AND 2
k IN (1, 2, 3)
k IN (1, NULL)
NOT (k IN (1, NULL))
i IS NOT DISTINCT FROM k
k IS DISTINCT FROM 0
b AND x > 1
b OR x > 1
NOT b
(k >= 3)::INT
b::INT
b::DOUBLE
(x > 1)::DOUBLE
(i >= 1 AND b)::BIGINT
greatest(x, 1.0)
least(x, 1.0)
greatest(x, y)
least(k, i)
coalesce(x, y, 0)
coalesce(i, 0) * 1.0
nullif(k, 0)
CASE WHEN x > 1 THEN 1 WHEN x <= 1 THEN 0 END
CASE WHEN b THEN 'yes' ELSE 'no' END
s || '-' || s
s < 'a'
s >= 'Z'
s = 'a'
coalesce(s, 'none')
s LIKE 'a%'
s LIKE '%b'
s = ''
s IN ('a', 'B')
greatest(s, 'M')
year(t)
quarter(t)
month(t)
day(t)
hour(t)
minute(t)
isodow(t)
dayofweek(t)
week(t)
dayofyear(t)
epoch(t)
extract(hour FROM t)
extract(isodow FROM t)
extract(dow FROM t)
extract(doy FROM t)
extract(epoch FROM t)
isodow(t AT TIME ZONE 'America/New_York')
hour(t AT TIME ZONE 'America/New_York')
hour(t AT TIME ZONE 'Europe/Berlin')
day(t AT TIME ZONE 'Asia/Kolkata')
minute(t AT TIME ZONE 'Asia/Kolkata')
date_trunc('minute', t)
date_trunc('hour', t)
date_trunc('day', t)
date_trunc('week', t)
date_trunc('month', t)
date_trunc('quarter', t)
date_trunc('year', t)
time_bucket(INTERVAL 15 MINUTE, t)
time_bucket(INTERVAL 7 DAY, t)
time_bucket(INTERVAL 1 DAY, t)
time_bucket(INTERVAL 1 DAY, t, TIMESTAMPTZ '2000-01-01 05:00:00+00')
time_bucket(INTERVAL 30 SECOND, t)
date_diff('second', t, u)
date_diff('minute', t, u)
date_diff('hour', t, u)
date_diff('day', t, u)
t + INTERVAL 90 MINUTE
t - INTERVAL 1 DAY
t + INTERVAL 1 MONTH
u - INTERVAL 1 YEAR
t - to_days(2)
t > u
t >= TIMESTAMPTZ '2013-03-01 05:00:00+00'
least(t, u)
greatest(t, u)
coalesce(t, u)
least(coalesce(t, 'infinity'::TIMESTAMPTZ), u)
t = u
getvariable('window_start')
t >= getvariable('window_start')
row_number() OVER (ORDER BY x, id)
row_number() OVER (ORDER BY x DESC, id)
row_number() OVER (ORDER BY s, id)
row_number() OVER (ORDER BY s DESC NULLS FIRST, id)
rank() OVER (ORDER BY k)
dense_rank() OVER (PARTITION BY b ORDER BY i DESC)
row_number() OVER (PARTITION BY s ORDER BY t DESC, id)
lag(k) OVER (ORDER BY t, id)
lead(t, 2) OVER (ORDER BY id)
first_value(s) OVER (PARTITION BY b ORDER BY id)
last_value(k) OVER (PARTITION BY b ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
sum(k) OVER (PARTITION BY b ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
sum(k) OVER (ORDER BY k)
avg(k) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
max(x) OVER (PARTITION BY b)
count(*) OVER (PARTITION BY s)
sum(k) OVER (PARTITION BY b ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) / (count(k) OVER (PARTITION BY b) - 2)
""".strip().splitlines()

AGGREGATES = """
min(y)
max(y)
min(-x)
max(-x)
max(x) - min(x)
count(*)
count(x)
count(DISTINCT k)
count(DISTINCT s)
sum(i)
sum(k)
sum(i) + sum(k)
avg(k)
avg(i)
min(x)
max(x)
min(s)
max(s)
min(t)
max(t)
sum(k) / count(*)
sum(x) / (sum(k) + 3.0)
avg(x)
max(k) - min(k)
sum(k) FILTER (WHERE k > 1)
count(*) FILTER (WHERE b)
avg(k) FILTER (WHERE x > 0)
max(s) FILTER (WHERE k > 100)
count(k) FILTER (WHERE NOT b)
sum((k >= 3)::INT)
avg((k >= 3)::DOUBLE)
min(CASE WHEN b THEN k END)
sum(k * 0.5)
sum(k) * 1.5 - 3
min(i)
max(i)
coalesce(sum(k), 0)
sum(i) / 2
""".strip().splitlines()

QUERIES = """
SELECT * FROM rows;
SELECT DISTINCT s, b FROM rows;
SELECT r.id, o.k FROM rows r JOIN others o USING (k);
SELECT r.id, o.s AS other, s FROM rows r LEFT JOIN others o USING (s);
SELECT * FROM (SELECT id, k FROM rows) r LEFT JOIN (SELECT k, i FROM others) o USING (k);
SELECT k, r.id AS one, o.id AS other FROM rows r FULL JOIN others o USING (k);
SELECT k, r.id AS one, o.id AS other FROM rows r RIGHT JOIN others o USING (k);
SELECT r.id, o.id AS other FROM rows r, others o WHERE r.t >= o.t;
SELECT r.id, o.id AS other FROM rows r CROSS JOIN others o;
SELECT r.id, o.id AS other FROM rows r JOIN others o ON r.x = o.x;
SELECT id FROM rows WHERE x > 1 UNION ALL SELECT k FROM others;
SELECT k FROM rows UNION SELECT i FROM others;
SELECT s, count(*) AS n FROM rows GROUP BY s HAVING count(*) > 0;
SELECT x, count(*) AS n FROM rows GROUP BY x;
SELECT date_trunc('month', t) AS month, b, sum(k) AS n FROM rows GROUP BY ALL;
SELECT s || 'x' AS key, b, sum(k) AS n FROM rows GROUP BY 1, 2;
SELECT id, s FROM rows QUALIFY row_number() OVER (PARTITION BY b ORDER BY t DESC, id) = 1;
SELECT id FROM rows WINDOW w AS (PARTITION BY b ORDER BY id) QUALIFY sum(k) OVER w > 3;
WITH a AS (SELECT id, k FROM rows), c AS (SELECT id, k * 2 AS k
 FROM a WHERE k > 0) SELECT a.id, c.k FROM a
 LEFT JOIN c USING (id);
SELECT id, unnest(generate_series(t, u, INTERVAL 1 HOUR)) AS g FROM rows WHERE u < t + INTERVAL 5 DAY;
SELECT unnest(generate_series(getvariable('window_start') - to_days(getvariable('lookback_days')),
 getvariable('window_end'), INTERVAL 15 MINUTE)) AS g;
SELECT q.g, count(*) AS n
 FROM (SELECT unnest(generate_series(time_bucket(INTERVAL 1 DAY, t), u, INTERVAL 6 HOUR)) AS g
 FROM rows WHERE u < t + INTERVAL 5 DAY) q GROUP BY ALL;
SELECT id, total / 2 AS half FROM (SELECT id, k + 1 AS total FROM rows);
SELECT id, k + 1 AS total, total * 2 AS double FROM rows;
SELECT id FROM rows WHERE k > 1 AND (x > 0 OR s LIKE 'a%');
SELECT id AS "order", k AS "group", s AS "user" FROM rows;
SELECT r.ID AS id, r.K AS bucket FROM Rows r
""".strip().split(";\n")
