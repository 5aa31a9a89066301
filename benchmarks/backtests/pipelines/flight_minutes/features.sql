-- DuckDB SQL over the feeds of pipeline.yaml, whose rows have known_at; no row known after the window's end is seen.
-- A view becomes features (feature_repo/flight_minutes.py tells Feast of them); examples and labels say what is predicted.

-- view: flight_minutes_rows
-- decide: every column is assumed to be known at scheduled_departure; take out what only comes with the outcome.
SELECT flight_id, carrier, origin, dest, distance_miles, scheduled_minutes, hour_of_day, weekday, temp_before,
       dewp_before, humid_before, wind_speed_before, wind_gust_before, precip_before, pressure_before, visib_before,
       departed_before, departure_delay_before,
       known_at, created_at
FROM events;

-- examples
SELECT flight_id,
       scheduled_departure - to_minutes(getvariable('lead_minutes')) AS decision_time
FROM events;

-- labels
SELECT flight_id,
       arrival_delay_minutes::DOUBLE AS label, known_at
FROM outcomes WHERE arrival_delay_minutes IS NOT NULL;
