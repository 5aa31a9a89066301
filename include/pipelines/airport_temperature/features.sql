-- DuckDB SQL. Tables are the pipeline's feeds, limited to rows with known_at in [window_start - lookback, window_end).
-- The model is asked at a full hour g about the hour g + lead. What it may see are observations known at g, the newest
-- of which is an hour old; an hour that nobody observed leaves a null, and not the previous value.

-- table: grid
SELECT a.origin, g.g, g.g + to_minutes(getvariable('lead_minutes')) AS ahead
FROM (SELECT DISTINCT origin FROM weather) a
CROSS JOIN (SELECT unnest(generate_series(
  time_bucket(INTERVAL 1 HOUR, getvariable('window_start')), getvariable('window_end'), INTERVAL 1 HOUR)) AS g) g;

-- view: airport_hours
WITH week AS (                              -- each observation once for every hour of the week after it
  SELECT g.origin, g.g, g.ahead, w.* EXCLUDE (origin, known_at, created_at), date_diff('hour', w.observed_at, g.g) AS age
  FROM grid g JOIN weather w ON w.origin = g.origin AND w.known_at <= g.g AND w.known_at > g.g - INTERVAL 8 DAY)
SELECT origin, origin AS airport, any_value(strftime(ahead AT TIME ZONE 'America/New_York', '%H')) AS hour_ahead,
       arg_max(temp, observed_at) FILTER (age <= 3) AS temp_last,
       arg_max(temp, observed_at) FILTER (age <= 3) - max(temp) FILTER (age = 4) AS temp_change_3h,
       arg_max(temp, observed_at) FILTER (age <= 3) - max(temp) FILTER (age = 25) AS temp_change_24h,
       avg(temp) FILTER (age <= 24) AS temp_mean_24h, avg(temp) FILTER (age <= 168) AS temp_mean_7d,
       max(temp) FILTER (age <= 24) AS temp_max_24h, min(temp) FILTER (age <= 24) AS temp_min_24h,
       max(temp) FILTER (observed_at = ahead - INTERVAL 1 DAY) AS temp_that_hour_yesterday,
       avg(temp) FILTER (hour(observed_at) = hour(ahead)) AS temp_that_hour_7d,
       avg(temp) FILTER (hour(observed_at) = hour(g - INTERVAL 1 HOUR)) AS temp_this_hour_7d,
       arg_max(dewp, observed_at) FILTER (age <= 3) AS dewp_last, arg_max(humid, observed_at) FILTER (age <= 3) AS humid_last,
       arg_max(pressure, observed_at) FILTER (age <= 3) AS pressure_last,
       arg_max(pressure, observed_at) FILTER (age <= 3) - max(pressure) FILTER (age = 4) AS pressure_change_3h,
       arg_max(wind_speed * sin(radians(wind_dir)), observed_at) FILTER (age <= 3) AS wind_from_east,
       arg_max(wind_speed * cos(radians(wind_dir)), observed_at) FILTER (age <= 3) AS wind_from_north,
       sum(precip) FILTER (age <= 6) AS precip_6h, avg(visib) FILTER (age <= 6) AS visib_6h, g AS known_at, g AS created_at
FROM week GROUP BY origin, g;

-- examples
-- Every hour from an airport's first observation on, observed or not: the hour that is asked about lies ahead.
WITH airports AS (SELECT origin, min(known_at) AS since FROM weather GROUP BY origin),
hours AS (SELECT unnest(generate_series(
  time_bucket(INTERVAL 1 HOUR, getvariable('window_start')), getvariable('window_end'), INTERVAL 1 HOUR)) AS decision_time)
SELECT origin || '@' || strftime(decision_time + to_minutes(getvariable('lead_minutes')), '%Y-%m-%dT%HZ') AS airport_hour,
       origin, decision_time
FROM airports JOIN hours ON decision_time >= since;

-- labels
SELECT origin || '@' || strftime(observed_at, '%Y-%m-%dT%HZ') AS airport_hour, temp AS label, known_at
FROM weather WHERE temp IS NOT NULL;
