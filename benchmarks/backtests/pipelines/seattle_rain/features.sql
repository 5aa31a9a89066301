-- DuckDB SQL over the feeds of pipeline.yaml, whose rows have known_at; no row known after the window's end is seen.
-- A view becomes features (feature_repo/seattle_rain.py tells Feast of them); examples and labels say what is predicted.

-- view: seattle_rain_rows
-- decide: every column is assumed to be known at date; take out what only comes with the outcome.
SELECT day, days_ahead, precipitation_last, temp_max_last, temp_min_last, wind_last, precipitation_14_days_last,
       precipitation_last_1, temp_max_last_1, temp_min_last_1, wind_last_1, precipitation_14_days_last_1,
       precipitation_last_2, temp_max_last_2, temp_min_last_2, wind_last_2, precipitation_14_days_last_2,
       known_at, created_at
FROM events;

-- examples
SELECT day,
       date - to_minutes(getvariable('lead_minutes')) AS decision_time
FROM events;

-- labels
SELECT day,
       rains::DOUBLE AS label, known_at
FROM outcomes WHERE rains IS NOT NULL;
