-- DuckDB SQL over the feeds of pipeline.yaml, whose rows have known_at; no row known after the window's end is seen.
-- A view becomes features (feature_repo/nyse_volume.py tells Feast of them); examples and labels say what is predicted.

-- view: nyse_volume_rows
-- decide: every column is assumed to be known at date; take out what only comes with the outcome.
SELECT trading_day, days_ahead, day_of_week, log_volume_last, dj_return_last, log_volatility_last, log_volume_last_1,
       dj_return_last_1, log_volatility_last_1, log_volume_last_2, dj_return_last_2, log_volatility_last_2,
       known_at, created_at
FROM events;

-- examples
SELECT trading_day,
       date - to_minutes(getvariable('lead_minutes')) AS decision_time
FROM events;

-- labels
SELECT trading_day,
       log_volume::DOUBLE AS label, known_at
FROM outcomes WHERE log_volume IS NOT NULL;
