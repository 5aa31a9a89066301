-- DuckDB SQL over the feeds of pipeline.yaml, whose rows have known_at; no row known after the window's end is seen.
-- A view becomes features (feature_repo/bike_hours.py tells Feast of them); examples and labels say what is predicted.

-- view: bike_hours_rows
-- decide: every column is assumed to be known at begins_at; take out what only comes with the outcome.
SELECT bike_hour, hour_of_day, weekday, holiday, workingday, weathersit, temp, atemp, hum, windspeed,
       bikers_a_day_before, bikers_a_week_before,
       known_at, created_at
FROM events;

-- examples
SELECT bike_hour,
       begins_at - to_minutes(getvariable('lead_minutes')) AS decision_time
FROM events;

-- labels
SELECT bike_hour,
       bikers::DOUBLE AS label, known_at
FROM outcomes WHERE bikers IS NOT NULL;
