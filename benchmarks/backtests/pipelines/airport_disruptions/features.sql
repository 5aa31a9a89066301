-- DuckDB SQL over the feeds of pipeline.yaml, whose rows have known_at; no row known after the window's end is seen.
-- A view becomes features (feature_repo/airport_disruptions.py tells Feast of them); examples and labels say what is predicted.

-- view: airport_disruptions_rows
-- decide: every column is assumed to be known at hour; take out what only comes with the outcome.
SELECT airport_hour, origin, scheduled_flights, temp_before, dewp_before, humid_before, wind_speed_before,
       wind_gust_before, precip_before, pressure_before, visib_before, departed_before, departure_delay_before,
       known_at, created_at
FROM events;

-- examples
SELECT airport_hour,
       hour - to_minutes(getvariable('lead_minutes')) AS decision_time
FROM events;

-- labels
SELECT airport_hour,
       disrupted::DOUBLE AS label, known_at
FROM outcomes WHERE disrupted IS NOT NULL;
