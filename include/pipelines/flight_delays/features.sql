-- DuckDB SQL. Tables are the pipeline's feeds, limited to rows with known_at in [window_start - lookback, window_end).
-- Sections: `-- table: NAME` is a step, `-- view: NAME` is written to the lake and read by Feast, `-- examples` and
-- `-- labels` say what is predicted. A view's rows carry known_at; those outside the window are dropped by airloop.
-- Aggregates stand on a full time grid: at a quiet hour they decay to zero instead of keeping the last busy value.

-- table: known_departures
SELECT s.flight_id, s.origin, s.carrier, s.dest, s.origin || '-' || s.dest AS route, s.tailnum, s.scheduled_departure,
       d.known_at, least(greatest(d.departure_delay_minutes, -30), 300) AS delay, (d.departure_delay_minutes >= 15)::INT AS late
FROM departures d JOIN schedule s USING (flight_id);

-- table: grid_quarters
SELECT unnest(generate_series(
  time_bucket(INTERVAL 15 MINUTE, getvariable('window_start') - to_days(getvariable('lookback_days'))),
  getvariable('window_end'), INTERVAL 15 MINUTE)) AS g;

-- table: grid_hours
SELECT g FROM grid_quarters WHERE minute(g) = 0;

-- table: grid_days
SELECT g FROM grid_hours WHERE hour(g) = 5;

-- table: overdue_now
-- A flight is overdue at every quarter between its scheduled departure and the moment its departure is known (6 h at most).
WITH waits AS (
  SELECT s.origin, s.scheduled_departure AS since,
         least(coalesce(d.known_at, 'infinity'::TIMESTAMPTZ), s.scheduled_departure + INTERVAL 6 HOUR) AS until
  FROM schedule s LEFT JOIN departures d USING (flight_id)),
quarters AS (
  SELECT origin, since, until,
         unnest(generate_series(time_bucket(INTERVAL 15 MINUTE, since) + INTERVAL 15 MINUTE, until, INTERVAL 15 MINUTE)) AS g
  FROM waits)
SELECT origin, g, count(*) AS flights, sum(date_diff('minute', since, g)) AS minutes
FROM quarters WHERE g < until GROUP BY ALL;

-- view: flight_static
WITH hours AS (
  SELECT origin, time_bucket(INTERVAL 1 HOUR, scheduled_departure) AS hour, count(*) AS flights FROM schedule GROUP BY ALL),
legs AS (
  SELECT *, lag(scheduled_arrival) OVER tail AS inbound, lag(effective_at) OVER tail AS inbound_known
  FROM schedule WINDOW tail AS (PARTITION BY tailnum ORDER BY scheduled_departure, flight_id))
SELECT s.flight_id, s.carrier AS carrier_code, s.origin AS origin_airport, s.dest AS dest_airport, s.distance_miles,
       date_diff('minute', s.scheduled_departure, s.scheduled_arrival) AS scheduled_minutes,
       date_diff('minute', s.effective_at, s.scheduled_departure) / 60.0 AS local_hour,
       isodow(s.effective_at AT TIME ZONE 'America/New_York') AS weekday,
       p.seats, year(s.scheduled_departure) - p.manufactured_year AS plane_age, h.flights AS origin_hour_flights,
       CASE WHEN s.tailnum IS NOT NULL AND s.inbound_known >= s.effective_at - INTERVAL 1 DAY
            THEN least(date_diff('minute', s.inbound, s.scheduled_departure), 1440) END AS turnaround_minutes,
       s.known_at, s.created_at
FROM legs s LEFT JOIN planes p USING (tailnum)
JOIN hours h ON h.origin = s.origin AND h.hour = time_bucket(INTERVAL 1 HOUR, s.scheduled_departure);

-- view: origin_quarters
WITH departed AS (
  SELECT origin, time_bucket(INTERVAL 15 MINUTE, known_at) + INTERVAL 15 MINUTE AS g,
         count(*) AS n, sum(delay) AS delay, sum(late) AS late FROM known_departures GROUP BY ALL),
published AS (SELECT origin, time_bucket(INTERVAL 15 MINUTE, known_at) + INTERVAL 15 MINUTE AS g, count(*) AS n FROM schedule GROUP BY ALL),
full_grid AS (
  SELECT o.origin, q.g, coalesce(d.n, 0) AS n, coalesce(d.delay, 0) AS delay, coalesce(d.late, 0) AS late,
         coalesce(w.flights, 0) AS overdue, coalesce(w.minutes, 0) AS overdue_minutes, coalesce(p.n, 0) AS published
  FROM (SELECT DISTINCT origin FROM schedule) o CROSS JOIN grid_quarters q
  LEFT JOIN departed d ON d.origin = o.origin AND d.g = q.g
  LEFT JOIN overdue_now w ON w.origin = o.origin AND w.g = q.g
  LEFT JOIN published p ON p.origin = o.origin AND p.g = q.g)
SELECT origin, overdue AS origin_overdue, overdue_minutes AS origin_overdue_minutes,
       sum(n) OVER h2 AS origin_departed_2h,
       sum(delay) OVER h2 / (sum(n) OVER h2 + 3.0) AS origin_delay_2h, sum(late) OVER h2 / (sum(n) OVER h2 + 3.0) AS origin_late_2h,
       sum(late) OVER d3 / (sum(n) OVER d3 + 30.0) AS origin_late_3d, g AS known_at, g AS created_at
FROM full_grid
WINDOW h2 AS (PARTITION BY origin ORDER BY g ROWS BETWEEN 7 PRECEDING AND CURRENT ROW),
       d3 AS (PARTITION BY origin ORDER BY g ROWS BETWEEN 287 PRECEDING AND CURRENT ROW),
       d28 AS (PARTITION BY origin ORDER BY g ROWS BETWEEN 2687 PRECEDING AND CURRENT ROW)
QUALIFY sum(published) OVER d28 > 0;

-- view: carrier_hours
WITH departed AS (
  SELECT carrier, time_bucket(INTERVAL 1 HOUR, known_at) + INTERVAL 1 HOUR AS g,
         count(*) AS n, sum(delay) AS delay, sum(late) AS late FROM known_departures GROUP BY ALL),
published AS (SELECT carrier, time_bucket(INTERVAL 1 HOUR, known_at) + INTERVAL 1 HOUR AS g, count(*) AS n FROM schedule GROUP BY ALL),
full_grid AS (
  SELECT c.carrier, q.g, coalesce(d.n, 0) AS n, coalesce(d.delay, 0) AS delay, coalesce(d.late, 0) AS late, coalesce(p.n, 0) AS published
  FROM (SELECT DISTINCT carrier FROM schedule) c CROSS JOIN grid_hours q
  LEFT JOIN departed d ON d.carrier = c.carrier AND d.g = q.g
  LEFT JOIN published p ON p.carrier = c.carrier AND p.g = q.g)
SELECT carrier, sum(delay) OVER h6 / (sum(n) OVER h6 + 3.0) AS carrier_delay_6h,
       sum(late) OVER h24 / (sum(n) OVER h24 + 10.0) AS carrier_late_24h,
       sum(late) OVER d28 / (sum(n) OVER d28 + 50.0) AS carrier_late_28d, g AS known_at, g AS created_at
FROM full_grid
WINDOW h6 AS (PARTITION BY carrier ORDER BY g ROWS BETWEEN 5 PRECEDING AND CURRENT ROW),
       h24 AS (PARTITION BY carrier ORDER BY g ROWS BETWEEN 23 PRECEDING AND CURRENT ROW),
       d28 AS (PARTITION BY carrier ORDER BY g ROWS BETWEEN 671 PRECEDING AND CURRENT ROW)
QUALIFY sum(published) OVER d28 > 0;

-- view: dest_hours
WITH departed AS (
  SELECT dest, time_bucket(INTERVAL 1 HOUR, known_at) + INTERVAL 1 HOUR AS g,
         count(*) AS n, sum(delay) AS delay, sum(late) AS late FROM known_departures GROUP BY ALL),
published AS (SELECT dest, time_bucket(INTERVAL 1 HOUR, known_at) + INTERVAL 1 HOUR AS g, count(*) AS n FROM schedule GROUP BY ALL),
full_grid AS (
  SELECT c.dest, q.g, coalesce(d.n, 0) AS n, coalesce(d.delay, 0) AS delay, coalesce(d.late, 0) AS late, coalesce(p.n, 0) AS published
  FROM (SELECT DISTINCT dest FROM schedule) c CROSS JOIN grid_hours q
  LEFT JOIN departed d ON d.dest = c.dest AND d.g = q.g
  LEFT JOIN published p ON p.dest = c.dest AND p.g = q.g)
SELECT dest, sum(delay) OVER h6 / (sum(n) OVER h6 + 2.0) AS dest_delay_6h,
       sum(late) OVER d28 / (sum(n) OVER d28 + 20.0) AS dest_late_28d, g AS known_at, g AS created_at
FROM full_grid
WINDOW h6 AS (PARTITION BY dest ORDER BY g ROWS BETWEEN 5 PRECEDING AND CURRENT ROW),
       d28 AS (PARTITION BY dest ORDER BY g ROWS BETWEEN 671 PRECEDING AND CURRENT ROW)
QUALIFY sum(published) OVER d28 > 0;

-- view: route_days
-- One row a day at 05:00 UTC, before the first bank of flights.
WITH departed AS (
  SELECT route, time_bucket(INTERVAL 1 DAY, known_at, TIMESTAMPTZ '2000-01-01 05:00:00+00') + INTERVAL 1 DAY AS g,
         count(*) AS n, sum(delay) AS delay, sum(late) AS late FROM known_departures GROUP BY ALL),
published AS (
  SELECT origin || '-' || dest AS route, time_bucket(INTERVAL 1 DAY, known_at, TIMESTAMPTZ '2000-01-01 05:00:00+00') + INTERVAL 1 DAY AS g,
         count(*) AS n FROM schedule GROUP BY ALL),
full_grid AS (
  SELECT c.route, q.g, coalesce(d.n, 0) AS n, coalesce(d.delay, 0) AS delay, coalesce(d.late, 0) AS late, coalesce(p.n, 0) AS published
  FROM (SELECT DISTINCT origin || '-' || dest AS route FROM schedule) c CROSS JOIN grid_days q
  LEFT JOIN departed d ON d.route = c.route AND d.g = q.g
  LEFT JOIN published p ON p.route = c.route AND p.g = q.g)
SELECT route, sum(late) OVER d28 / (sum(n) OVER d28 + 20.0) AS route_late_28d,
       sum(delay) OVER d28 / (sum(n) OVER d28 + 20.0) AS route_delay_28d, g AS known_at, g AS created_at
FROM full_grid
WINDOW d28 AS (PARTITION BY route ORDER BY g ROWS BETWEEN 27 PRECEDING AND CURRENT ROW)
QUALIFY sum(published) OVER d28 > 0;

-- view: tail_departures
-- The aircraft's last known departure from New York; two departures known at one instant keep the later schedule.
SELECT tailnum, delay AS tail_delay, late AS tail_late, known_at, known_at AS created_at
FROM known_departures WHERE tailnum IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY tailnum, known_at ORDER BY scheduled_departure DESC, flight_id) = 1;

-- view: weather_hours
SELECT origin, temp, dewp, humid, wind_speed, precip, pressure, visib, known_at, created_at FROM weather;

-- examples
SELECT flight_id, carrier, origin, dest, origin || '-' || dest AS route, coalesce(tailnum, 'UNKNOWN') AS tailnum,
       scheduled_departure - to_minutes(getvariable('lead_minutes')) AS decision_time
FROM schedule;

-- labels
SELECT flight_id, (arrival_delay_minutes >= 15)::DOUBLE AS label, known_at FROM arrivals;
