-- DuckDB SQL. Tables are the pipeline's feeds, limited to rows with known_at in [window_start - lookback, window_end).
-- SQL cannot look into an image: the view's rows go through a function of transforms.py.

-- view: scan_pixels through decode_pixels
SELECT scan_id, image, known_at, created_at FROM scans;

-- examples
SELECT scan_id, known_at AS decision_time FROM scans;

-- labels
SELECT scan_id, digit::DOUBLE AS label, known_at FROM keyed;
