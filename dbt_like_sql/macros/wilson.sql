-- The 95 % Wilson score interval of k of n (Wilson 1927; Newcombe 1998, method 3), clipped to the share's own bounds. NULL for n = 0.
-- The macros are stored in warehouse.duckdb, so a model that calls them runs as it stands in the DuckDB shell.
-- 1.959963984540054 is the 97.5 % point of the normal distribution.
CREATE MACRO wilson_centre(k, n) AS (k / n + 1.959963984540054 ** 2 / (2 * n)) / (1 + 1.959963984540054 ** 2 / n);
CREATE MACRO wilson_half(k, n) AS
    1.959963984540054 / (1 + 1.959963984540054 ** 2 / n)
    * sqrt(k / n * (1 - k / n) / n + 1.959963984540054 ** 2 / (4 * n ** 2));
CREATE MACRO wilson_low(k, n) AS
    CASE WHEN n = 0 THEN NULL WHEN k = 0 THEN 0.0::DOUBLE ELSE greatest(0.0, wilson_centre(k, n) - wilson_half(k, n)) END;
CREATE MACRO wilson_high(k, n) AS
    CASE WHEN n = 0 THEN NULL WHEN k = n THEN 1.0::DOUBLE ELSE least(1.0, wilson_centre(k, n) + wilson_half(k, n)) END;
